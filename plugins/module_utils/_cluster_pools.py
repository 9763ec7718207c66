# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Wanted pools beside those that a cluster has: what is refused, what is warned of, what others read of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids
from ansible_collections.planetary.hub.plugins.module_utils import _vm_sizes as vm
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import API_VERSION, written
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_values import GPU_LABELS
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, quote

CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters"


@dataclass(frozen=True)
class Cluster:
    """What Azure has: the cluster (None: not yet), its pools by name, and the region's sizes and quotas."""

    live: Mapping[str, Any] | None
    pools: Mapping[str, Mapping[str, Any]]
    location: str
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quotas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def check_cluster_id(value: str, option: str = "cluster_id") -> ids.ResourceId:
    """The parts of a cluster's id.

    :raises InputError: when it is none
    """
    wanted = f"the full id of a cluster, /subscriptions/…/providers/{CLUSTER_TYPE}/<name>"
    try:
        parsed = ids.parse(value)
    except ids.IdError:
        raise InputError(f"{option} is {quote(value)}; write {wanted}.") from None
    if parsed.type.lower() != CLUSTER_TYPE.lower():
        raise InputError(f"{option} is {quote(value)}; write {wanted}.")
    return parsed


def read_cluster(client: Any, cluster_id: str, location: str = "") -> Cluster:
    """Read the cluster, its pools, and the region's sizes and quotas, side by side where the location is known.

    :param client: an AzureClient
    :param location: the region, for a cluster that does not exist yet
    """
    subscription = check_cluster_id(cluster_id).subscription
    with ThreadPoolExecutor(3) as threads:
        cluster = threads.submit(client.get, cluster_id, API_VERSION)
        pools = threads.submit(client.list, f"{cluster_id}/agentPools", API_VERSION)
        region = threads.submit(vm.read_region, client, subscription, location) if location else None
        live = cluster.result()
        found = (live or {}).get("location") or location
        if region is None or (vm.region(found) != vm.region(location)):
            sizes, quotas = vm.read_region(client, subscription, found) if found else ({}, {})
        else:
            sizes, quotas = region.result()
        by_name = {pool["name"].lower(): pool for pool in pools.result() or []}
    return Cluster(live, by_name, vm.region(found), sizes, quotas)


def nodes(live: Mapping[str, Any]) -> int:
    """Nodes of a pool as Azure answers it."""
    return int((live.get("properties") or {}).get("count") or 0)


def check_pools(wanted: Sequence[tuple[str, Pool]], cluster: Cluster) -> list[str]:
    """Refuse what cannot become true, for all pools before any is touched.

    A pool that exists is not measured again, except for nodes that are to be added to it for sure.

    :param wanted: (how errors name it, pool)
    :returns: warnings, a sentence each
    :raises InputError: one sentence
    """
    new = []
    for where, pool in wanted:
        live = cluster.pools.get(pool.name)
        if live is None:
            vm.check_size(where, pool, cluster.sizes, cluster.location)
        elif pool.vm_size.lower() not in cluster.sizes:
            continue
        # Of a pool with another size the engine says what to do.
        if live is None or _same_size(pool, live):
            new.append((where, pool, None if live is None else nodes(live)))
    return vm.check_quotas(new, cluster.sizes, cluster.quotas, cluster.location)


def _same_size(pool: Pool, live: Mapping[str, Any]) -> bool:
    return str((live.get("properties") or {}).get("vmSize", "")).lower() == pool.vm_size.lower()


def rows(pools: Iterable[Pool], cluster: Cluster) -> list[dict[str, Any]]:
    """What other roles read of the pools."""
    return [row(pool, cluster) for pool in pools]


def row(pool: Pool, cluster: Cluster) -> dict[str, Any]:
    """One pool: {name, purpose, vm_size, min, max, spot, gpu, labels, taints, allocatable, exists}; a size that the
    region does not offer any more has no allocatable."""
    size = cluster.sizes.get(pool.vm_size.lower())
    return {
        "name": pool.name,
        "purpose": pool.purpose,
        "vm_size": pool.vm_size,
        "min": pool.least,
        "max": pool.most,
        "spot": pool.spot,
        "gpu": pool.gpu,
        "labels": dict(pool.labels),
        "taints": [written(taint) for taint in pool.taints],
        "allocatable": vm.allocatable(size, pool.max_pods, pool.mig_profile) if size else None,
        "exists": pool.name in cluster.pools,
    }


def unlisted(pools: Iterable[Pool], cluster: Cluster) -> list[dict[str, Any]]:
    """Pools of the cluster that nobody listed: [{name, mode, vm_size, gpu, resource}], resource as the engine takes it.

    ``gpu`` is whether the device plugin of the role node_pools runs there, which a label decides.
    """
    names = {pool.name for pool in pools}
    return [
        {
            "name": name,
            "mode": live["properties"].get("mode"),
            "vm_size": live["properties"].get("vmSize"),
            "gpu": GPU_LABELS.items() <= (live["properties"].get("nodeLabels") or {}).items(),
            "resource": {"name": name, "id": live["id"], "api_version": API_VERSION},
        }
        for name, live in sorted(cluster.pools.items())
        if name not in names
    ]


def device_plugin(pools: Iterable[Pool]) -> dict[str, Any]:
    """What the NVIDIA device plugin has to know: {pools, tolerations, mig}; AKS looks after its managed GPUs itself."""
    served = [pool for pool in pools if pool.gpu and not pool.managed_gpu]
    return {
        "pools": [pool.name for pool in served],
        "tolerations": plugin_tolerations(served),
        "mig": any(pool.mig_profile for pool in served),
    }


def plugin_tolerations(pools: Iterable[Pool]) -> list[dict[str, str]]:
    """What the device plugin puts up with: every taint of its pools, each once.

    Without those a spot node has GPUs that nobody can use (https://github.com/Azure/AKS/issues/4418).
    """
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    for pool in pools:
        for taint in pool.taints:
            toleration = {**taint, "operator": "Equal"}
            if toleration not in tolerations:
                tolerations.append(toleration)
    return tolerations
