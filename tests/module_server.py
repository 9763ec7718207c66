# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A process for each run of a module, forked from one that has imported what modules import.

A module takes a second to import and much less to run. The server imports, runs nothing, and forks: what a module
finds is a fresh process with its own arguments, environment and streams, as from Ansible. Run as a program it is the
server; :class:`Server` and :class:`Process` are its client.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

MODULES = "ansible_collections.planetary.hub.plugins.modules"
LIBRARIES = ("azure.core.rest", "azure.identity", "azure.mgmt.core", "azure.core.pipeline.transport")
_NUMBER = struct.Struct("!i")


class Process:
    """A module at work, used like ``subprocess.Popen``."""

    def __init__(self, stdin: int, stdout: int, stderr: int, control: socket.socket) -> None:
        self.stdin: TextIO | None = os.fdopen(stdin, "w", encoding="utf-8")
        self._streams = [os.fdopen(stream, encoding="utf-8") for stream in (stdout, stderr)]
        self._control = control
        self.returncode: int | None = None
        self.pid = self._number()

    def _number(self) -> int:
        (number,) = _NUMBER.unpack(self._control.recv(_NUMBER.size, socket.MSG_WAITALL))
        return int(number)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        if self.returncode is None:
            self._control.settimeout(timeout)
            self.returncode = self._number()
            self._control.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it says on both streams, once it has ended."""
        said = ["", ""]

        def read(index: int) -> None:
            with self._streams[index] as stream:
                said[index] = stream.read()

        readers = [threading.Thread(target=read, args=(index,), daemon=True) for index in range(2)]
        for reader in readers:
            reader.start()
        try:
            self.wait(timeout)
        except TimeoutError:
            self.kill()
            raise
        for reader in readers:
            reader.join(timeout)
        return said[0], said[1]


class Server:
    """The client's side: starts the server with the first run; it ends with this process.

    :param collections: the folder that holds ``ansible_collections``
    :param environment: what the server itself has in its environment beside that of this process
    """

    def __init__(self, collections: Path, environment: Mapping[str, str] | None = None) -> None:
        self._collections = collections
        self._environment = {**os.environ, **(environment or {})}
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            command = [sys.executable, "-P", __file__, str(self._collections), str(theirs.fileno())]
            server = subprocess.Popen(command, env=self._environment, pass_fds=[theirs.fileno()])
            theirs.close()
            atexit.register(server.wait)
            atexit.register(ours.close)
            self._socket = ours
        return self._socket

    def run(self, module: str, environment: Mapping[str, str]) -> Process:
        """Start a module, which waits for its arguments as JSON."""
        request = json.dumps([module, dict(environment)]).encode()
        stdin, stdout, stderr = (os.pipe() for _ in range(3))
        control, theirs = socket.socketpair()
        given = [stdin[0], stdout[1], stderr[1]]
        with self._lock:
            connection = self._connected()
            socket.send_fds(connection, [_NUMBER.pack(len(request))], [*given, theirs.fileno()])
            connection.sendall(request)
        for stream in given:
            os.close(stream)
        theirs.close()
        return Process(stdin[1], stdout[0], stderr[0], control)


def _received(connection: socket.socket) -> tuple[str, dict[str, str], list[int]]:
    """The next run: module, environment, streams and control; ends the program when there are no more."""
    head, streams, _flags, _address = socket.recv_fds(connection, _NUMBER.size, 4)
    if not head:
        raise SystemExit
    (size,) = _NUMBER.unpack(head)
    module, environment = json.loads(connection.recv(size, socket.MSG_WAITALL))
    return module, environment, streams


def _watch(pid: int, control: int) -> None:
    """Tell the client who runs, and how it ended."""
    os.write(control, _NUMBER.pack(pid))
    _pid, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(control, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _serve(connection: socket.socket) -> str:
    """Fork for each run; returns the name of the module in the process that shall run it."""
    while True:
        module, environment, streams = _received(connection)
        if os.fork():
            for stream in streams:
                os.close(stream)
            continue
        # A watcher of its own for each module: it alone waits for it.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.close()
        *standard, control = streams
        if pid := os.fork():
            for stream in (*standard, 0, 1, 2):
                os.close(stream)
            _watch(pid, control)
        os.close(control)
        for number, stream in enumerate(standard):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(environment)
        return module


def main() -> None:
    """Serve, or be a module."""
    collections, number = sys.argv[1:]
    sys.path.insert(0, collections)
    testing: Any = importlib.import_module("ansible.module_utils.testing")
    importlib.import_module("ansible.module_utils.basic")
    for library in LIBRARIES:
        # A library that is missing is the module's to name.
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    for path in sorted(Path(collections, *MODULES.split(".")).glob("azure_*.py")):
        importlib.import_module(f"{MODULES}.{path.stem}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    name = _serve(socket.socket(fileno=int(number)))
    module = importlib.import_module(f"{MODULES}.{name}")
    with testing.patch_module_args(json.loads(sys.stdin.read())):
        module.main()


if __name__ == "__main__":
    main()
