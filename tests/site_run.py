# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""site.yml run as people run it, against a stand-in for Azure with a real cluster behind it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from stand_in import ROOT, StandIn

#: Seconds for a run: images may have to be pulled.
LIMIT = 2400
OVERRIDES = ROOT / "tests/e2e/overrides"


def address_for_pods(owner: Path) -> str:
    """The address of this machine on the way to a node, at which the node's pods reach it."""
    command = ["kubectl", f"--kubeconfig={owner}", "get", "nodes", "-o"]
    path = 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    node = subprocess.run([*command, path], capture_output=True, text=True, timeout=60, check=True).stdout
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        # Nothing is sent: the socket only chooses its own end.
        way.connect((node, 9))
        return str(way.getsockname()[0])


class Site:
    """One hub.

    :ivar first: the run that deployed it
    :ivar state: where the roles keep what is theirs on this machine, and the results of the smoke test
    """

    def __init__(
        self, name: str, inventory: str, variables: dict[str, Any], owner: Path, directory: Path, stand_in: StandIn
    ) -> None:
        self.name = name
        self.inventory = inventory
        self.variables = variables
        self.owner = owner
        self.home = directory / "home"
        self.home.mkdir()
        self.stand_in = stand_in
        self.state = self.home / f".local/state/planetary.hub/{inventory}"
        self.namespace = variables.get("hub_namespace", {"prod": "prod"}.get(inventory, "dhub"))
        self.first: subprocess.CompletedProcess[str]

    @classmethod
    @contextmanager
    def deployed(
        cls, name: str, inventory: str, variables: dict[str, Any], owner: Path, directory: Path
    ) -> Iterator[Site]:
        """A hub, gone at the end."""
        stand_in = StandIn(directory / "azure")
        words = ("--prepared", "--kubeconfig", str(owner), "--listen", address_for_pods(owner))
        stand_in.start("--latency", "0", *words)
        site = cls(name, inventory, variables, owner, directory, stand_in)
        with ExitStack() as undone:
            undone.callback(stand_in.stop)
            undone.callback(site.remove)
            site.remove()
            site.first = site.play()
            yield site

    def play(self, *words: str, playbook: str = "site.yml") -> subprocess.CompletedProcess[str]:
        """Run a playbook; the charts come from the folder of HUB_CHARTS, otherwise from the public repositories."""
        charts = os.environ.get("HUB_CHARTS", "")
        folders = dict.fromkeys(("jupyterhub", "dask-gateway"), charts)
        sources = {"daskhub_chart_repositories": folders} if charts else {}
        return subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *(playbook, "-i", f"inventories/{self.inventory}"),
                *("-e", f"@{OVERRIDES / self.inventory}.yml", "-e", json.dumps({**sources, **self.variables}), *words),
            ],
            cwd=ROOT,
            env={
                **{name: value for name, value in os.environ.items() if name != "KUBECONFIG"},
                **(self.stand_in.env if self.variables.get("hub_azure", True) else {}),
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "HOME": str(self.home),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )

    def changed(self, done: subprocess.CompletedProcess[str]) -> int:
        """How many tasks changed something; each playbook ends with a recap of all so far."""
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr
        return int(re.findall(rf"^{self.inventory} +: ok=\d+ +changed=(\d+)", done.stdout, re.M)[-1])

    def kubectl(self, *words: str) -> str:
        """What kubectl prints to the cluster's owner."""
        command = ["kubectl", f"--kubeconfig={self.owner}", f"--namespace={self.namespace}", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout

    def pods(self) -> dict[str, tuple[str, int]]:
        """The release's pods, not those of people: id and restarts."""
        found = json.loads(
            self.kubectl("get", "pods", "-l", "app.kubernetes.io/managed-by!=kubespawner", "-o", "json")
        )["items"]
        return {
            one["metadata"]["name"]: (
                one["metadata"]["uid"],
                sum(status["restartCount"] for status in one["status"].get("containerStatuses", [])),
            )
            for one in found
            if one["metadata"].get("ownerReferences", [{"kind": ""}])[0]["kind"] != "Job"
        }

    def homes(self) -> list[str]:
        """Names of the claims of the test user's home."""
        found = self.kubectl("get", "persistentvolumeclaims", "-o", "name", "-l", "component=singleuser-storage")
        return [name.partition("/")[2] for name in found.split() if "smoke-test" in name]

    def remove(self) -> None:
        """Delete all that is the hub's in the cluster."""
        for release in self.kubectl("get", "secrets", "-l", "owner=helm,status=deployed", "-o", "name").split():
            name = release.partition("sh.helm.release.v1.")[2].rpartition(".v")[0]
            words = ["uninstall", name, "--namespace", self.namespace, "--wait"]
            subprocess.run(["helm", f"--kubeconfig={self.owner}", *words], check=False, capture_output=True)
        plugin = self.variables.get("node_pools_device_plugin_namespace")
        spaces = [self.namespace, *([plugin] if plugin else [])]
        self.kubectl("delete", "namespace", *spaces, "--ignore-not-found", "--timeout=150s")
