# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A proxy that knows where names lead that no DNS knows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit

SECONDS = 30


class Detour:
    """Takes CONNECT, and passes bytes as they are.

    :param ways: name to the address and port that it leads to, whatever port is asked for
    :param beyond: the address of another proxy, which is asked for all other names; without it they are refused
    :ivar url: what clients have as ``HTTPS_PROXY``
    """

    def __init__(self, ways: Mapping[str, tuple[str, int]], beyond: str = "") -> None:
        self.ways, self.beyond = ways, beyond
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Detour:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            head = _head(client)
            host = head.split()[1].decode().rpartition(":")[0]
            if host in self.ways:
                server = socket.create_connection(self.ways[host], SECONDS)
                answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
            elif self.beyond:
                proxy = urlsplit(self.beyond)
                server = socket.create_connection((proxy.hostname, proxy.port), SECONDS)
                server.sendall(head)
                answer = _head(server)
            else:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            client.sendall(answer)
            server.settimeout(None)
            threading.Thread(target=_pass, args=(server, client), daemon=True).start()
            _pass(client, server)
        except (OSError, IndexError):
            client.close()


def _head(peer: socket.socket) -> bytes:
    """All until the empty line; clients wait for the answer before they send more."""
    found = b""
    while not found.endswith(b"\r\n\r\n"):
        part = peer.recv(4096)
        if not part:
            raise ConnectionError("it ended in its head")
        found += part
    return found


def _pass(here: socket.socket, there: socket.socket) -> None:
    try:
        while part := here.recv(65536):
            there.sendall(part)
        there.shutdown(socket.SHUT_WR)
    except OSError:
        here.close()
        there.close()
