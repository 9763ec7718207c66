# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes
from ansible_collections.planetary.hub.plugins.module_utils._cluster_facts import shapes
from ansible_collections.planetary.hub.plugins.module_utils._cluster_room import room_problem
from ansible_collections.planetary.hub.plugins.module_utils._dask_options import dask_options
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list

GIB = 2**30


def pool(name: str, purpose: str, cpu: float, memory: float, gpu: int = 0, spot: bool = False) -> dict[str, Any]:
    """As the role node_pools says one; no memory means that nobody knows its size."""
    return {
        "name": name,
        "vm_size": f"Standard_{name}",
        "labels": purposes.labels(purpose, spot),
        "taints": [f"{one['key']}={one['value']}:{one['effect']}" for one in purposes.taints(purpose, spot)],
        "allocatable": {"cpu": cpu, "memory": int(memory * GIB), "gpu": gpu} if memory else None,
    }


def node(name: str, cpu: str, memory: str, taints: Any = (), **labels: str) -> dict[str, Any]:
    """As Kubernetes says one."""
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": list(taints)},
        "status": {"allocatable": {"cpu": cpu, "memory": memory}},
    }


USERS, WORKERS = pool("users", "user", 7.82, 61), pool("workers", "worker", 7.82, 61, spot=True)
GPUS = pool("gpus", "gpu_user", 3.86, 25, gpu=1)
PYTHON = {"name": "python", "image": "a:1", "cores": {"limit": 4, "guarantee": 3}, "memory": {"limit": "25G"}}
TORCH = {"name": "torch", "image": "a:1", "cores": {"limit": 3}, "memory": {"limit": "20G"}, "gpu": 1}


def said(*profiles: dict[str, Any], pools: Any = (), nodes: Any = (), match: str = "require", dask: Any = None) -> str:
    offered = profile_list(list(profiles), match_node_purpose=match)
    options = dask_options(dask or {}, offered, match_node_purpose=match)
    return room_problem(offered, options, list(pools), shapes(nodes))


@pytest.mark.parametrize("match", purposes.MATCHES)
def test_what_has_room_is_fine(match: str) -> None:
    assert said(PYTHON, TORCH, pools=[USERS, WORKERS, GPUS], match=match) == ""
    assert said(PYTHON, pools=[pool("unknown", "user", 0, 0), WORKERS], match=match) == ""
    assert said(PYTHON) == ""


def test_the_largest_pool_is_named() -> None:
    small = pool("small", "user", 1.9, 28)
    medium = pool("medium", "user", 3.86, 12)
    assert said(PYTHON, pools=[small, medium, WORKERS]) == (
        'The profile "python" of daskhub_profiles fits on no node: it is guaranteed 3 cores and 25G of memory, and the'
        " largest for it, the pool small (Standard_small), has 1.9 cores and 28G of memory; lower its guarantees or"
        " disable it, or give that pool a larger vm_size in node_pools_pools."
    )


def test_a_pool_for_others_is_no_room() -> None:
    # A GPU pool never takes those who ask for none, and under `require` neither does one for workers.
    assert said(PYTHON, pools=[GPUS, WORKERS]).endswith(
        "none is hub.jupyter.org/node-purpose=user; add a pool for it to node_pools_pools, or disable it."
    )
    assert "none is pc.microsoft.com/userkind=gpu; add a pool" in said(PYTHON, TORCH, pools=[USERS, WORKERS])
    two = said(PYTHON, {**TORCH, "gpu": 2}, pools=[USERS, WORKERS, GPUS])
    assert "3 cores, 20G of memory and 2 GPUs" in two and "3.86 cores, 25G of memory and 1 GPU;" in two


def test_nodes_of_a_cluster_of_ones_own() -> None:
    small = node("minikube", "2", "3900Mi")
    assert (
        said({**PYTHON, "cores": {"limit": 3}}, nodes=[small], match="prefer")
        .partition("; ")[0]
        .endswith("and the largest for it, the node minikube, has 2 cores and 3.8G of memory")
    )
    plain = {"name": "plain", "image": "a:1"}
    assert said(plain, nodes=[small], match="prefer") == (
        "The largest worker of daskhub_dask_options fits on no node: it is guaranteed 1.8 cores and 5.2G of memory, and"
        " the largest for it, the node minikube, has 2 cores and 3.8G of memory; lower worker.cores.max or"
        " worker.memory.max, or add a larger node."
    )
    closed = node("own", "8", "64Gi", taints=[{"key": "team", "value": "x", "effect": "NoSchedule"}])
    assert "it does not tolerate the taint team=x:NoSchedule; take it from some node." in (
        said(plain, nodes=[closed], match="prefer")
    )
    # A node that is closed for a while is no smaller for it.
    cordoned = node("own", "8", "64Gi", taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}])
    assert said(plain, nodes=[cordoned], match="prefer") == ""


def test_a_gpu_worker_needs_a_gpu_node() -> None:
    dask = {"gpu": {"enabled": True}}
    assert said(PYTHON, pools=[USERS, WORKERS], dask=dask).startswith(
        "The largest GPU worker of daskhub_dask_options fits on no node: none is pc.microsoft.com/workerkind=gpu"
    )
    fast = pool("fast", "gpu_worker", 3.86, 25, gpu=1, spot=True)
    assert said(PYTHON, pools=[USERS, WORKERS, fast], dask=dask) == ""
