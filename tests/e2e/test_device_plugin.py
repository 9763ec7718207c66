# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The GPU device plugin on a real cluster, by playbooks/node_pools.yml; one of the nodes plays a spot GPU node.

NVIDIA's image would find no GPU, so that a pause takes its place.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from real_aks import Aks

NAMESPACE = "e2e-gpu-resources"
PAUSE = "registry.k8s.io/pause:3.10"
LABELS = {"accelerator": "nvidia", "kubernetes.azure.com/scalesetpriority": "spot"}
TAINTS = ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule", "team=imagery:NoSchedule"]
GPU = {
    "name": "gpuworker",
    "purpose": "gpu_worker",
    "vm_size": "Standard_NC4as_T4_v3",
    "min": 0,
    "max": 4,
    "priority": "Spot",
    "taints": TAINTS[1:],
}


class Hub:
    """An inventory, and runs of the playbook with it."""

    def __init__(self, aks: Aks, directory: Path) -> None:
        self.aks = aks
        self.directory = directory

    def run(self, pools: list[dict[str, Any]], *words: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run it; what it changed is in the recap."""
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "infrastructure_outputs": {"cluster": {"id": self.aks.id}, "location": "westeurope", "network": None},
            "node_pools_pools": pools,
            "node_pools_device_plugin_namespace": NAMESPACE,
            "node_pools_device_plugin_image": PAUSE,
            **variables,
        }
        inventory = self.directory / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"hub": host}}}))
        home = str(self.directory / "home")
        done = self.aks.stand_in.playbook("playbooks/node_pools.yml", "-i", str(inventory), *words, HOME=home)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    @property
    def plugins(self) -> list[dict[str, Any]]:
        """The daemon sets that there are."""
        return self.aks.objects("daemonsets", f"--namespace={NAMESPACE}")


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tasks changed something."""
    found = re.search(r"changed=(\d+)", done.stdout)
    assert found, done.stdout
    return int(found[1])


@pytest.fixture
def hub(aks: Aks, tmp_path: Path) -> Iterator[Hub]:
    """No plugin and no GPU pool yet."""
    (tmp_path / "home").mkdir()
    yield Hub(aks, tmp_path)
    aks.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


@pytest.fixture
def gpu_node(aks: Aks) -> Iterator[str]:
    """A node with labels and taints of a spot GPU pool."""
    name = aks.objects("nodes")[0]["metadata"]["name"]
    aks.kubectl("label", "node", name, *(f"{key}={value}" for key, value in LABELS.items()))
    aks.kubectl("taint", "node", name, *TAINTS)
    yield name
    aks.kubectl("taint", "node", name, *(f"{taint}-" for taint in TAINTS))
    aks.kubectl("label", "node", name, *(f"{key}-" for key in LABELS))


def test_from_the_first_gpu_pool_to_the_last(hub: Hub, gpu_node: str) -> None:
    planned = hub.run([GPU], "--check", "--diff")
    assert changed(planned) == 1 and "is (known after apply)" in planned.stdout
    assert changed(hub.run([GPU])) == 3
    assert changed(hub.run([GPU])) == 0
    hub.aks.kubectl(
        "rollout", "status", "daemonset", "nvidia-device-plugin", f"--namespace={NAMESPACE}", "--timeout=90s"
    )
    (pod,) = hub.aks.objects("pods", f"--namespace={NAMESPACE}")
    assert (pod["spec"]["nodeName"], pod["status"]["phase"]) == (gpu_node, "Running")
    # Check mode tells the truth and changes nothing.
    resources = {"node_pools_device_plugin_resources": {"requests": {"cpu": "77m"}}}
    planned = hub.run([GPU], "--check", "--diff", **resources)
    assert changed(planned) == 1 and re.search(r"^\+.*cpu: 77m", planned.stdout, flags=re.MULTILINE)
    assert changed(hub.run([GPU], "--check")) == 0
    # A pool that has only left the list keeps its plugin.
    assert changed(hub.run([])) == 0 and len(hub.plugins) == 1
    removed = {"node_pools_removed": ["gpuworker"]}
    assert changed(hub.run([], "--check", **removed)) == 2 and len(hub.plugins) == 1
    assert changed(hub.run([], **removed)) == 2 and hub.plugins == []
    assert changed(hub.run([], **removed)) == 0


def test_every_taint_is_tolerated(hub: Hub) -> None:
    hub.run([GPU, {**GPU, "name": "gpuuser", "purpose": "gpu_user", "priority": "Regular", "taints": []}])
    (plugin,) = hub.plugins
    tolerated = {
        f"{one['key']}={one['value']}:{one['effect']}"
        for one in plugin["spec"]["template"]["spec"]["tolerations"]
        if one["operator"] == "Equal"
    }
    pools = hub.aks.cloud.begin(
        "azure_resources_info",
        resources=[{"name": "pools", "id": f"{hub.aks.id}/agentPools", "api_version": "2026-08-01"}],
    ).result()["resources"]["pools"]
    taints = {taint for pool in pools for taint in pool["properties"].get("nodeTaints") or []}
    assert taints == tolerated and len(taints) == 3, json.dumps(pools)
    hub.run([], node_pools_removed=["gpuworker", "gpuuser"])
