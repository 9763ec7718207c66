# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Agent pools as Azure gets them, built in this one place. Bodies are in ARM's words for API_VERSION.

Sources: https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update,
https://learn.microsoft.com/azure/aks/spot-node-pool (spot),
https://learn.microsoft.com/azure/aks/use-nvidia-gpu (GPU drivers).
"""

from __future__ import annotations

from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._node_pools import VARIABLE, Pool, node_pools

API_VERSION = "2026-08-01"


def node_pool_bodies(
    pools: Any, defaults: Any = None, variable: str = VARIABLE, cluster_id: str = ""
) -> list[dict[str, Any]]:
    """The bodies of agent pools, [{name, body, headers}]; the body is {"properties": {…}}.

    :param cluster_id: with it there are id and api_version too: resources as the engine takes them
    :raises InputError: one sentence that names the pool
    """
    return [
        {
            "name": pool.name,
            **({"id": f"{cluster_id}/agentPools/{pool.name}", "api_version": API_VERSION} if cluster_id else {}),
            "body": body(pool),
            "headers": dict(pool.headers),
        }
        for pool in node_pools(pools, defaults, variable)
    ]


def body(pool: Pool) -> dict[str, Any]:
    """The body of one agent pool. `count` under the autoscaler is for the creation: later it is the autoscaler's."""
    properties: dict[str, Any] = {
        "type": "VirtualMachineScaleSets",
        "mode": pool.mode,
        "osType": "Linux",
        "vmSize": pool.vm_size,
        "count": pool.count,
        "enableAutoScaling": pool.autoscaled,
        "minCount": pool.minimum,
        "maxCount": pool.maximum,
        "scaleSetPriority": "Spot" if pool.spot else "Regular",
        "scaleSetEvictionPolicy": pool.eviction_policy,
        "spotMaxPrice": pool.price,
        "osSKU": pool.os_sku,
        "osDiskSizeGB": pool.os_disk_size,
        "osDiskType": pool.os_disk_type,
        "availabilityZones": list(pool.zones) if pool.zones else None,
        "maxPods": pool.max_pods,
        "orchestratorVersion": pool.version,
        "vnetSubnetID": pool.subnet_id,
        "nodeLabels": dict(pool.labels),
        "nodeTaints": [written(taint) for taint in pool.taints],
        "tags": dict(pool.tags) or None,
        "upgradeSettings": {"maxSurge": pool.max_surge} if pool.max_surge else None,
        "gpuProfile": _gpu_profile(pool),
        "gpuInstanceProfile": pool.mig_profile,
    }
    return {"properties": {key: value for key, value in properties.items() if value is not None}}


def written(taint: dict[str, str]) -> str:
    """A taint as AKS and kubectl write it."""
    return f"{taint['key']}={taint['value']}:{taint['effect']}"


def _gpu_profile(pool: Pool) -> dict[str, Any] | None:
    if not pool.gpu:
        return None
    profile: dict[str, Any] = {"driver": pool.gpu_driver}
    if pool.managed_gpu:
        profile["nvidia"] = {"managementMode": "Managed"}
    return profile
