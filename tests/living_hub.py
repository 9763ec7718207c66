# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub of the local platform for tests: deployed by the site as users do it, beside the hub of the checkout.

A plugin of pytest: all tests of one call share the hub of the fixture `living_hub`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: Seconds for one run of a playbook; the smoke test is part of the site.
LIMIT = 600
PORTS = ("port", "proxy_api_port", "hub_port", "gateway_proxy_port", "gateway_port")


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [server.getsockname()[1] for server in sockets]
    finally:
        for server in sockets:
            server.close()


@dataclass(frozen=True)
class Process:
    """A process of this machine."""

    pid: int
    command: str


@dataclass
class LivingHub:
    """One hub in one directory, with ports of its own."""

    directory: Path
    variables: dict[str, Any] = field(default_factory=dict)
    #: Secrets that only people have, by key.
    given: dict[str, str] = field(default_factory=dict)
    #: All that playbooks have printed.
    said: str = ""

    def __post_init__(self) -> None:
        ports = {f"daskhub_local_{name}": port for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
        self.variables = {
            **ports,
            # The Azure side has tests of its own, and the scenario `default` builds both.
            "hub_azure": False,
            "hub_local_directory": str(self.directory),
            "smoke_test_results_directory": str(self.directory / "results"),
            **self.variables,
        }

    def playbook(
        self, name: str, *arguments: str, check: bool = True, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the checkout against this hub and return what came of it; ``check``: it must succeed."""
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("ansible-playbook")), name, "-i", "inventories/sandbox"),
                *("-e", json.dumps({**self.variables, **variables}), *self._given(), *arguments),
            ],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        self.said += done.stdout + done.stderr
        if check and done.returncode:
            raise AssertionError(f"{name} failed:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
        return done

    def _given(self) -> list[str]:
        """The secrets of people, as a file: what stands in a command everybody reads."""
        if not self.given:
            return []
        path = self.directory.with_suffix(".given.json")
        path.touch(mode=0o600)
        path.write_text(json.dumps({"secrets_given": self.given}), encoding="utf-8")
        return ["-e", f"@{path}"]

    def status(self) -> dict[str, Any]:
        """What `make -s status FORMAT=json` says of this hub."""
        found: dict[str, Any] = json.loads(
            self.ask("python", "etc/local_hub.py", "status", str(self.directory), "--format=json")
        )
        return found

    def ask(self, program: str, *arguments: str) -> str:
        """Run a program of the hub's environment in the hub's directory and return what it prints."""
        command = [str(self.directory / "venv/hub/bin" / program), *arguments]
        return subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    def password(self, user: str) -> str:
        (path,) = (found["password_file"] for found in self.status()["users"] if found["name"] == user)
        return Path(path).read_text(encoding="utf-8").strip()

    def services(self) -> dict[str, int]:
        """The process of each service that runs."""
        words = [
            line.split() for line in self.ask("supervisorctl", "-c", "run/supervisord.conf", "status").splitlines()
        ]
        return {line[0]: int(line[3].rstrip(",")) for line in words if line[1] == "RUNNING"}

    def processes(self) -> list[Process]:
        """All processes that carry this hub's mark or name its directory."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (folder / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.directory) in command or f"HUB_LOCAL_DIRECTORY={self.directory}\0" in environment:
                found.append(Process(int(folder.name), command))
        return found

    def forget(self) -> None:
        self.playbook("playbooks/stop.yml")
        shutil.rmtree(self.directory)
        self.directory.with_suffix(".given.json").unlink(missing_ok=True)


#: A key that all users share, so that what is fetched for them is there without any cloud.
SHARED_KEY = {
    "source": "static",
    "name": "shared",
    "variables": {"SHARED_API_KEY": "shared-api-key"},
    "cache": 0,
}


@pytest.fixture(scope="session")
def living_hub() -> Iterator[LivingHub]:
    """One hub for all tests, below a base URL, which asks more of links than a hub at the root of its host."""
    variables = {"daskhub_base_url": "/compute/", "hub_user_environment_sources": [SHARED_KEY]}
    hub = LivingHub(ROOT / ".sandbox" / "test" / "hub", variables, {"shared-api-key": "recognisable-sunrise"})
    hub.directory.parent.mkdir(parents=True, exist_ok=True)
    with hub.directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail(f"Another run of the tests uses the hub in {hub.directory}; wait for its end.", pytrace=False)
        if hub.directory.exists():
            hub.forget()
        try:
            # Everything is said, from nothing on: test_secrets_nowhere reads it.
            hub.playbook("site.yml", "--diff", "-vvv")
        except BaseException:
            # Its logs stay for whoever looks into it.
            hub.playbook("playbooks/stop.yml", check=False)
            raise
        yield hub
        hub.forget()
