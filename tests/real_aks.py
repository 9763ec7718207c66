# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real Kubernetes cluster behind a stand-in for Azure, which hands it out as a cluster of AKS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure_modules import Cloud
from stand_in import StandIn

ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"  # Azure Kubernetes Service RBAC Cluster Admin
VERSION = "2026-08-01"
#: Seconds for which an API server may remember a token that has ended.
MEMORY = 15


@dataclass
class Aks:
    """A real cluster as Azure hands it out.

    :ivar owner: the kubeconfig of KUBECONFIG: its cluster-admin, past Azure
    :ivar id: of the cluster in Azure
    """

    stand_in: StandIn
    cloud: Cloud
    owner: Path
    id: str

    @property
    def env(self) -> dict[str, str]:
        """The environment of clients."""
        rest = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        return {**rest, **self.stand_in.env}

    def let(self, state: str) -> None:
        """Give the deployer the right to everything in the cluster (``present``), or take it away (``absent``)."""
        right = {
            "name": "right",
            "id": f"{self.id}/providers/Microsoft.Authorization/roleAssignments",
            "api_version": "2022-04-01",
            "body": {"properties": {"roleDefinitionId": ADMIN, "principalId": "${deployer.objectId}"}},
        }
        done = self.cloud.run([right], state=state)
        assert done.get("changed"), done

    def access(self, path: Path, **arguments: Any) -> dict[str, Any]:
        """Run aks_kubeconfig."""
        result = self.cloud.begin("aks_kubeconfig", cluster_id=self.id, path=str(path), **arguments).result()
        assert not result.get("failed"), result
        return result

    def run(self, *words: str, limit: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a client's program."""
        return subprocess.run(
            words, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit, check=False
        )

    def kubectl(self, *words: str) -> str:
        """What kubectl prints to the cluster's owner."""
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.owner}", *words], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *words: str) -> list[dict[str, Any]]:
        """The objects that kubectl gets."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *words, "-o", "json"))["items"]
        return found


@contextmanager
def real_aks(owner: Path, directory: Path) -> Iterator[Aks]:
    """A cluster with Entra ID, Azure RBAC and no local accounts, whose administrator the deployer is."""
    stand_in = StandIn(directory).start("--latency", "0", "--kubeconfig", str(owner))
    cloud = Cloud(stand_in.env)
    group = f"{cloud.subscription}/resourceGroups/e2e-rg"
    cluster = f"{group}/providers/Microsoft.ContainerService/managedClusters/e2e"
    pool = {"name": "core", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}
    properties = {
        "dnsPrefix": "e2e",
        "aadProfile": {"managed": True, "enableAzureRBAC": True},
        "disableLocalAccounts": True,
        "agentPoolProfiles": [pool],
    }
    rows = {
        "group": (group, "2025-04-01", {"location": "westeurope"}),
        "cluster": (
            cluster,
            VERSION,
            {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": properties},
        ),
    }
    made = cloud.run(
        [{"name": name, "id": row[0], "api_version": row[1], "body": row[2]} for name, row in rows.items()]
    )
    assert not made.get("failed"), made
    found = Aks(stand_in, cloud, owner, cluster)
    found.let("present")
    yield found
    stand_in.stop()
