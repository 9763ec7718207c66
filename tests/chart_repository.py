# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where charts come from, small and real: a web server with an index, and an OCI registry that helm pushes to."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

#: Path -> content, or the place that it moved to.
Pages = dict[str, bytes | str]


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None, **settings: Any) -> Iterator[str]:
    """Host and port of a server that is there within the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler,), settings))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Repository(_Quiet):
    """A repository of charts: an index and packages, on any path.

    :cvar user: name and password that are asked for, if any
    :cvar asked: paths, as they were asked for
    """

    pages: ClassVar[Pages] = {}
    user = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        wanted = f"Basic {base64.b64encode(self.user.encode()).decode()}"
        page = self.pages.get(self.path)
        if self.user and self.headers["Authorization"] != wanted:
            self.answer(401, WWW_Authenticate='Basic realm="charts"')
        elif isinstance(page, str):
            self.answer(302, Location=page)
        else:
            self.answer(404) if page is None else self.answer(200, page)


class Registry(_Quiet):
    """What helm needs of the OCI distribution protocol, with nothing in it at first.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md

    :cvar blobs: digest -> content
    :cvar manifests: (name, tag or digest) -> (media type, content)
    """

    blobs: ClassVar[dict[str, bytes]] = {}
    manifests: ClassVar[dict[tuple[str, str], tuple[str, bytes]]] = {}

    def _place(self) -> tuple[str, str, str]:
        """Name of the repository, kind of the thing, which one."""
        path = self.path.partition("?")[0].removeprefix("/v2/")
        for kind in ("manifests", "blobs", "tags"):
            name, found, last = path.partition(f"/{kind}/")
            if found:
                return name, kind, last
        return path, "", ""

    def do_GET(self) -> None:
        name, kind, last = self._place()
        if kind == "blobs" and last in self.blobs:
            self.answer(200, self.blobs[last], Docker_Content_Digest=last, Content_Type="application/octet-stream")
        elif kind == "manifests" and (name, last) in self.manifests:
            media, content = self.manifests[name, last]
            self.answer(200, content, Content_Type=media, Docker_Content_Digest=_digest(content))
        elif kind == "tags":
            tags = [tag for place, tag in self.manifests if place == name and not tag.startswith("sha256:")]
            self.answer(200, json.dumps({"name": name, "tags": tags}).encode(), Content_Type="application/json")
        elif not kind and not name:
            self.answer(200, b"{}")
        else:
            self.answer(404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "not found"}]}')

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._body()
        self.answer(202, Location=f"{self.path.rstrip('/')}/1")

    def do_PUT(self) -> None:
        name, kind, last = self._place()
        body = self._body()
        if kind == "manifests":
            for reference in (last, _digest(body)):
                self.manifests[name, reference] = (self.headers["Content-Type"], body)
        else:
            self.blobs[_digest(body)] = body
        self.answer(201, Location=self.path, Docker_Content_Digest=_digest(body))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
