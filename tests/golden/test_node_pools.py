# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Pools in, what Azure and Kubernetes get out: for each purpose, for each inventory, and the device plugin's manifest.

`HUB_GOLDEN_UPDATE=1 pytest tests/golden/test_node_pools.py` writes the files anew; read the difference before you
commit it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes
from ansible_collections.planetary.hub.plugins.module_utils._cluster_pools import device_plugin
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import body, node_pool_bodies
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_values import POOL_PURPOSES
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import node_pools
from ansible_collections.planetary.hub.plugins.module_utils._vm_sizes import allocatable

from rendering import golden, rendered

GOLDEN = Path(__file__).parent / "node_pools"
GIB = 2**30
SUBNET = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Network"
    "/virtualNetworks/n/subnets/nodes"
)
# Cores, GiB, GPUs of the sizes of the inventories.
SIZES = {"Standard_E8s_v5": (8, 64, 0), "Standard_E4ds_v5": (4, 32, 0), "Standard_NC4as_T4_v3": (4, 28, 1)}
# One pool for each purpose, as the original hub has them.
POOLS: dict[str, dict[str, Any]] = {
    "core": {"vm_size": "Standard_E4ds_v5", "count": 2, "os_disk_size": 100, "os_disk_type": "Ephemeral"},
    "user": {"vm_size": "Standard_E8s_v5", "min": 1, "max": 100, "os_disk_size": 200},
    "worker": {"vm_size": "Standard_E8s_v5", "min": 0, "max": 100, "priority": "Spot", "os_disk_size": 128},
    "gpu_user": {"vm_size": "Standard_NC4as_T4_v3", "min": 0, "max": 25},
    "gpu_worker": {"vm_size": "Standard_NC4as_T4_v3", "min": 0, "max": 25, "priority": "Spot"},
}


def role_variables(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "roles/node_pools/defaults/main.yml").read_text(encoding="utf-8"))
    return loaded


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("purpose", POOL_PURPOSES)
def test_a_row_for_each_purpose(purpose: str, root: Path) -> None:
    defaults = {**role_variables(root)["node_pools_defaults"], "subnet_id": SUBNET}
    (pool,) = node_pools([{"name": purpose.replace("_", ""), "purpose": purpose, **POOLS[purpose]}], defaults)
    cores, memory, gpus = SIZES[pool.vm_size]
    found = {
        "pool": body(pool),
        "allocatable": allocatable({"cores": cores, "memory": memory * GIB, "gpus": gpus}, pool.max_pods),
        "pods": purposes.pod_placement(purpose, "require"),
    }
    golden(GOLDEN / f"purpose.{purpose}.json", as_json(found))


@pytest.mark.parametrize("inventory", ["simple", "staging", "prod"])
def test_pools_of_an_inventory(inventory: str, root: Path) -> None:
    variables = role_variables(root)
    file = root / "inventories" / inventory / "group_vars/all/node_pools.yml"
    variables.update(yaml.safe_load(file.read_text(encoding="utf-8")))
    defaults = {**variables["node_pools_defaults"], "subnet_id": SUBNET, "tags": variables["node_pools_tags"]}
    golden(GOLDEN / f"inventory.{inventory}.json", as_json(node_pool_bodies(variables["node_pools_pools"], defaults)))


PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_vars: "{{ root }}/roles/node_pools/defaults/main.yml"
    - ansible.builtin.copy:
        dest: "{{ output }}"
        mode: "0600"
        content: "{{ lookup('ansible.builtin.template', root ~ '/roles/node_pools/templates/device_plugin.yml.j2') }}"
"""

TAINTED = [{"name": "gpu", "purpose": "gpu_worker", **POOLS["gpu_worker"], "taints": ["team=imagery:NoExecute"]}]
DIVIDED = [
    {"name": "gpu", "purpose": "gpu_user", "vm_size": "Standard_NC24ads_A100_v4", "count": 1, "mig_profile": "MIG3g"}
]


def manifest(pools: list[dict[str, Any]], root: Path, folder: Path) -> str:
    """The device plugin's manifest as the role renders it."""
    here = ("-i", "localhost,", "-c", "local")
    given: dict[str, Any] = {"ansible_python_interpreter": sys.executable}
    given["__node_pools_found"] = {"device_plugin": device_plugin(node_pools(pools))}
    return rendered(PLAY, root, folder, *here, **given)


@pytest.mark.parametrize(("name", "pools"), [("tainted", TAINTED), ("divided", DIVIDED)])
def test_device_plugin(name: str, pools: list[dict[str, Any]], root: Path, tmp_path: Path) -> None:
    found = manifest(pools, root, tmp_path)
    golden(GOLDEN / f"device_plugin.{name}.yml", found)
    daemon_set = yaml.safe_load(found)
    spec = daemon_set["spec"]["template"]["spec"]
    # A pod of it comes onto every node of these pools.
    for pool in node_pools(pools):
        assert spec["nodeSelector"].items() - {("kubernetes.io/os", "linux")} <= pool.labels.items()
        for taint in pool.taints:
            assert {**taint, "operator": "Equal"} in spec["tolerations"]
    assert ":" in spec["containers"][0]["image"] and not spec["containers"][0]["image"].endswith(":latest")
