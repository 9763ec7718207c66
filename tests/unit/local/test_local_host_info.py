# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from unit.local.modules import run


def look(directory: Path, **arguments: Any) -> dict[str, Any]:
    return run("local_host_info", **({"directory": str(directory), "python": sys.executable} | arguments))


def test_what_the_machine_has(tmp_path: Path) -> None:
    found = look(tmp_path / "not" / "there")
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert 2**28 < found["memory"] <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found["free_disk"] > 0
    assert found["python_version"] == list(sys.version_info[:3])
    assert found["supervised"] is False


@pytest.mark.parametrize("python", ["no-such-python", "/bin/false", "/etc/passwd"])
def test_no_interpreter(python: str, tmp_path: Path) -> None:
    assert look(tmp_path, python=python)["python_version"] == []


def test_only_a_port_that_something_listens_on_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        ports = {"busy": busy.getsockname()[1], "free": free}
        assert look(tmp_path, ports=ports)["taken_ports"] == {"busy": ports["busy"]}


def test_a_port_of_this_hub_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "etc").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as hub, socket.socket(socket.AF_UNIX) as supervisor:
        port = hub.getsockname()[1]
        (tmp_path / "etc" / "local.json").write_text(json.dumps({"ports": {"proxy": port}}))
        assert look(tmp_path, ports={"port": port})["taken_ports"] == {"port": port}
        supervisor.bind(str(tmp_path / "run" / "supervisor.sock"))
        supervisor.listen()
        assert look(tmp_path, ports={"port": port})["taken_ports"] == {}


def test_node_too_old_or_without_npm_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(name: str, prints: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho {prints}\n")
        path.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    assert look(tmp_path)["node"] == ""
    program("node", "v20.1.0")
    assert look(tmp_path)["node"] == ""
    program("npm", "10")
    assert look(tmp_path)["node"] == str(tmp_path / "node")
    program("node", "v18.20.0")
    assert look(tmp_path)["node"] == ""
