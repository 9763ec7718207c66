# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A stand-in for Azure for tests: started, asked and stopped as people do it, and the official clients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from azure.identity import ClientSecretCredential
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from azure_modules import Cloud

ROOT = Path(__file__).resolve().parents[1]
LAUNCH = ROOT / "sandbox/azure/launch.py"
#: One environment of the stand-in for each Python, kept between runs.
ENVIRONMENT = ROOT / f".sandbox/test/azure/{sys.version_info.major}.{sys.version_info.minor}"
#: Seconds for a start; the first one installs.
LIMIT = 180
#: Seconds for a playbook.
PLAYBOOK_LIMIT = 180


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class StandIn:
    """A stand-in in a directory of its own.

    :ivar env: what clients have in their environment, as `launch.py env` says it
    """

    def __init__(self, directory: Path, launcher: Path = LAUNCH) -> None:
        self.directory = directory
        self.launcher = launcher
        self.env: dict[str, str] = {}

    def launch(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run launch.py."""
        command = [sys.executable, str(self.launcher), *words, "--directory", str(self.directory)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)

    def start(self, *words: str) -> StandIn:
        """Start it; at first any free port, not the one that another process of the tests is about to take."""
        port = [] if (self.directory / "port").exists() else ["--port", str(free_port())]
        done = self.launch("start", "--venv", str(ENVIRONMENT / "venv"), *port, *words)
        assert done.returncode == 0, done.stderr
        self.env = json.loads(self.launch("env", "--format", "json").stdout)
        return self

    def stop(self) -> None:
        """Stop it."""
        assert self.launch("stop").returncode == 0

    @property
    def pid(self) -> int:
        """Its process."""
        return int((self.directory / "pid").read_text(encoding="ascii"))

    @property
    def subscription(self) -> str:
        """The id of the subscription, without the path before it."""
        return self.env["AZURE_SUBSCRIPTION_ID"]

    def dial(self, method: str, path: str, body: Any = None) -> Any:
        """Turn a dial, or read one."""
        return Cloud(self.env).dial(method, path, body)

    def calls(self, kind: str = "request") -> list[dict[str, Any]]:
        """What was asked (``request``), or which operations ran (``operation``), since the start of the module."""
        return [entry for entry in self.dial("GET", "/calls") if entry["kind"] == kind]

    def credential(self, **changed: str) -> ClientSecretCredential:
        """The deployer's credential, or one that differs from it."""
        values = {name: self.env[f"AZURE_{name.upper()}"] for name in ("tenant_id", "client_id", "client_secret")}
        return ClientSecretCredential(**{**values, **changed})

    @property
    def arm(self) -> ResourceManagementClient:
        """The official client of Azure Resource Manager."""
        return ResourceManagementClient(self.credential(), self.subscription)

    @property
    def network(self) -> NetworkManagementClient:
        """The official client of networks."""
        return NetworkManagementClient(self.credential(), self.subscription)

    @property
    def identities(self) -> ManagedServiceIdentityClient:
        """The official client of managed identities."""
        return ManagedServiceIdentityClient(self.credential(), self.subscription)

    def playbook(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook against it; words such as a playbook, ``-i`` and ``-e``."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), *words],
            cwd=ROOT,
            env={**os.environ, **self.env, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PLAYBOOK_LIMIT,
        )
