# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A notebook kernel of a user's server, over the server's own websocket (Jupyter messaging protocol 5)."""

from __future__ import annotations

import json
import os
import ssl
import time
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError, refusal
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why
from ansible_collections.planetary.hub.plugins.module_utils._progress import Wait

WEBSOCKET_ERROR: str | None = None
try:
    import websocket
except ImportError:
    WEBSOCKET_ERROR = traceback.format_exc()

POLL = 1.0  # seconds between two looks at the clock while a cell runs
INTERRUPT = 10.0  # seconds until interrupted code must have ended


class KernelDied(HubError):
    """The kernel's process has ended; nothing it held is there any more."""


class CellError(HubError):
    """The code raised an exception, or did not end in time."""


@dataclass
class Cell:
    """What came of one execution so far."""

    message_id: str
    output: list[str] = field(default_factory=list)
    error: str = ""
    died: bool = False
    replied: bool = False
    idle: bool = False

    @property
    def done(self) -> bool:
        return self.died or (self.replied and self.idle)


def execute_request(code: str, session: str, message_id: str) -> dict[str, Any]:
    """The message that runs code in a kernel, without a trace in its history."""
    return {
        "channel": "shell",
        "header": {
            "msg_id": message_id,
            "msg_type": "execute_request",
            "session": session,
            "username": "",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "buffers": [],
        "content": {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
    }


def absorb(cell: Cell, message: Mapping[str, Any]) -> None:
    """Take one message of the kernel into account; those that answer other requests are passed over."""
    kind = message.get("msg_type") or message.get("header", {}).get("msg_type")
    content = message.get("content", {})
    if kind == "status" and content.get("execution_state") in ("restarting", "autorestarting", "dead"):
        # Comes from the server, which sees the process end, so it answers nothing.
        cell.died = True
    if (message.get("parent_header") or {}).get("msg_id") != cell.message_id:
        return
    if kind == "status":
        cell.idle = cell.idle or content.get("execution_state") == "idle"
    elif kind == "stream" and content.get("name") == "stdout":
        cell.output.append(str(content.get("text", "")))
    elif kind == "error":
        cell.error = one_line(content)
    elif kind == "execute_reply":
        cell.replied = True
        if content.get("status") != "ok":
            cell.error = cell.error or one_line(content)


def one_line(content: Mapping[str, Any]) -> str:
    """An exception of the kernel without its traceback, which may quote anything."""
    text = f"{content.get('ename', 'Error')}: {content.get('evalue', '')}"
    return " ".join(text.split()).rstrip(": ")[:500]


def result(output: str) -> dict[str, Any]:
    """What the code printed as its last JSON object on a line of its own.

    :raises CellError: when there is none
    """
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                return found
    raise CellError("the kernel printed no result")


class Kernel:
    """A running kernel; `close` ends it.

    :param hub: signs in
    :param server: address of the user's server
    """

    def __init__(self, hub: Hub, server: str) -> None:
        self._hub = hub
        self._url = server + "api/kernels"
        response = hub.request("POST", self._url, json={})
        if response.status_code != 201:
            raise HubError(refusal(response))
        self.id: str = response.json()["id"]
        self._session = uuid.uuid4().hex
        try:
            self._socket = self._connect(server)
        except Exception:
            self.close()
            raise

    def _connect(self, server: str) -> websocket.WebSocket:
        url = f"ws{self._url.removeprefix('http')}/{quote(self.id)}/channels?session_id={self._session}"
        headers = [f"{name}: {value}" for name, value in self._hub.headers(server).items()]
        bundle = "ca_cert_path" if os.path.isdir(self._hub.ca_file) else "ca_certs"
        trust = {bundle: self._hub.ca_file, "cert_reqs": ssl.CERT_REQUIRED}
        try:
            return websocket.create_connection(url, timeout=30, header=headers, sslopt=trust)
        except (websocket.WebSocketException, OSError) as error:
            raise HubError(f"the kernel's websocket at {self._url} could not be opened: {reason(error)}") from error

    def run(self, code: str, wait: Wait) -> dict[str, Any]:
        """Run code and return the JSON object it printed last.

        :param wait: how long at most; the code is interrupted then
        :raises CellError: when it raised an exception or took too long
        :raises KernelDied: when the kernel ended
        """
        cell = Cell(uuid.uuid4().hex)
        try:
            self._socket.send(json.dumps(execute_request(code, self._session, cell.message_id)))
            while not cell.done:
                if not wait.tick():
                    self._interrupt(cell)
                    raise CellError(f"no result within {wait.limit:.0f} s")
                self._receive(cell)
        except (websocket.WebSocketException, OSError) as error:
            raise KernelDied(f"the connection to the kernel broke: {reason(error)}") from error
        if cell.died:
            raise KernelDied("the kernel died while it ran the code")
        if cell.error:
            raise CellError(cell.error)
        return result("".join(cell.output))

    def _interrupt(self, cell: Cell) -> None:
        """Stop the running code, so that the next one need not wait for it."""
        self._hub.request("POST", f"{self._url}/{quote(self.id)}/interrupt")
        until = time.monotonic() + INTERRUPT
        while not cell.done:
            if time.monotonic() > until:
                raise KernelDied("the kernel did not answer in time and cannot be interrupted")
            self._receive(cell)

    def _receive(self, cell: Cell) -> None:
        self._socket.settimeout(POLL)
        try:
            text = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return
        if not text:
            raise KernelDied("the server closed the connection to the kernel")
        if isinstance(text, str):
            absorb(cell, json.loads(text))

    def close(self) -> None:
        """End the kernel and the connection; a kernel that is gone already is fine."""
        if hasattr(self, "_socket"):
            self._socket.close(timeout=1)
        response = self._hub.request("DELETE", f"{self._url}/{quote(self.id)}")
        if not response.ok and response.status_code != 404:
            raise HubError(refusal(response))


def reason(error: Exception) -> str:
    """Why a websocket failed, in a few words: its own message holds the whole answer, cookies included."""
    status = getattr(error, "status_code", None)
    return f"HTTP {status}" if status else why(error)
