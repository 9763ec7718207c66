# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Sizes of virtual machines: what Azure offers where, what the quota leaves, and what AKS leaves of a node to pods.

A size and a quota are plain mappings, so that modules can return them and filters read them:
size {name, family, cores, quota_cores, memory (bytes), gpus, zones, restricted_zones, restriction, spot, ephemeral_disk
(GB), architecture}; quota {name, label, used, limit}, in vCPUs. Both are looked up by their name in lower case.
Sources: https://learn.microsoft.com/rest/api/compute/resource-skus/list,
https://learn.microsoft.com/azure/aks/node-resource-reservations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool
from ansible_collections.planetary.hub.plugins.module_utils._quantities import GIB
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, nearest

SKUS_API_VERSION = "2021-07-01"
USAGES_API_VERSION = "2026-04-01"

MIB = 2**20
# All spot nodes of a region share one quota; regular ones have that of their family and the region's.
SPOT_QUOTA = "lowprioritycores"
REGION_QUOTA = "cores"
# Azure CNI overlay's most pods of a node, when the pool does not say.
MAX_PODS = 250
# Slices of one GPU: https://learn.microsoft.com/azure/aks/gpu-multi-instance
MIG_SLICES = {"MIG1g": 7, "MIG2g": 3, "MIG3g": 2, "MIG4g": 1, "MIG7g": 1}

Sizes = Mapping[str, Mapping[str, Any]]


def skus_filter(location: str) -> dict[str, str]:
    """The query that leaves of all regions' sizes those of one."""
    return {"$filter": f"location eq '{region(location)}'"}


def region(location: str) -> str:
    """West Europe and westeurope are one region."""
    return location.replace(" ", "").lower()


def vm_sizes(skus: Iterable[Mapping[str, Any]], location: str) -> dict[str, dict[str, Any]]:
    """The sizes of a region, from the answer of Microsoft.Compute/skus."""
    found = [
        vm_size(sku, location)
        for sku in skus
        if sku.get("resourceType") == "virtualMachines"
        and region(location) in [region(name) for name in sku.get("locations") or []]
    ]
    return {size["name"].lower(): size for size in found}


def vm_size(sku: Mapping[str, Any], location: str) -> dict[str, Any]:
    """One size, from one item of the answer."""
    able = {item["name"]: str(item.get("value", "")) for item in sku.get("capabilities") or []}
    places = [item for item in sku.get("locationInfo") or [] if region(item.get("location", "")) == region(location)]
    restricted_zones: set[str] = set()
    restriction = ""
    for item in sku.get("restrictions") or []:
        information = item.get("restrictionInfo") or {}
        where = information.get("locations") or item.get("values") or []
        if where and region(location) not in [region(name) for name in where]:
            continue
        if item.get("type") == "Zone":
            restricted_zones |= set(information.get("zones") or [])
        else:
            restriction = item.get("reasonCode") or "restricted"
    cores = int(float(able.get("vCPUs") or 0))
    return {
        "name": sku["name"],
        "family": sku.get("family") or "",
        "cores": int(float(able.get("vCPUsAvailable") or cores)),
        "quota_cores": cores,
        "memory": int(float(able.get("MemoryGB") or 0) * GIB),
        "gpus": int(float(able.get("GPUs") or 0)),
        "zones": sorted({zone for place in places for zone in place.get("zones") or []}),
        "restricted_zones": sorted(restricted_zones),
        "restriction": restriction,
        "spot": able.get("LowPriorityCapable", "True") == "True",
        "ephemeral_disk": _ephemeral_disk(able),
        "architecture": able.get("CpuArchitectureType", "x64"),
    }


def _ephemeral_disk(able: Mapping[str, str]) -> int:
    """GB of the largest disk that a node can have on its host: in the cache, on the temporary or on the NVMe disk."""
    if able.get("EphemeralOSDiskSupported") != "True":
        return 0
    places = (("CachedDiskBytes", 2**30), ("MaxResourceVolumeMB", 1024), ("NvmeDiskSizeInMiB", 1024))
    return max(int(float(able.get(name) or 0)) // unit for name, unit in places)


def vm_quotas(usages: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The quotas of a region, from the answer of Microsoft.Compute/locations/usages."""
    return {
        usage["name"]["value"].lower(): {
            "name": usage["name"]["value"],
            "label": usage["name"].get("localizedValue") or usage["name"]["value"],
            "used": int(usage.get("currentValue") or 0),
            "limit": int(usage.get("limit") or 0),
        }
        for usage in usages
    }


def size_of(where: str, name: str, sizes: Sizes, location: str) -> Mapping[str, Any]:
    """The size of a name.

    :raises InputError: when the region does not offer it
    """
    if name.lower() not in sizes:
        names = [size["name"] for size in sizes.values()]
        close = nearest(name, [item.lower() for item in names]) if names else ""
        proper = {f'did you mean "{item.lower()}"?': f'did you mean "{item}"?' for item in names}
        hint = proper.get(close, "az vm list-skus shows what there is.")
        raise InputError(f"{where} has the vm_size {name}, which {location} does not offer; {hint}")
    return sizes[name.lower()]


def check_size(where: str, pool: Pool, sizes: Sizes, location: str) -> Mapping[str, Any]:
    """Refuse a size on which AKS cannot make the pool, before it is asked to.

    :returns: the size
    :raises InputError: one sentence
    """
    size = size_of(where, pool.vm_size, sizes, location)
    name = size["name"]
    if pool.gpu and not size["gpus"]:
        raise InputError(
            f"{where} is a pool for GPUs, but {name} has none; choose a size such as Standard_NC4as_T4_v3."
        )
    if size["restriction"]:
        raise InputError(
            f"{where} asks for {name}, which this subscription cannot have in {location} ({size['restriction']}); "
            "choose another size or region, or ask Azure's support for access."
        )
    for zone in pool.zones or ():
        if zone not in size["zones"] or zone in size["restricted_zones"]:
            left = [other for other in size["zones"] if other not in size["restricted_zones"]]
            rest = f"it is in zones {', '.join(left)}" if left else "it is in no zone of the region"
            raise InputError(f"{where} asks for {name} in zone {zone} of {location}, but {rest}; change zones.")
    if pool.spot and not size["spot"]:
        raise InputError(f"{where} asks for spot nodes of {name}, which there are none of; leave out priority: Spot.")
    if pool.os_disk_type == "Ephemeral" and (pool.os_disk_size or 1) > size["ephemeral_disk"]:
        room = f"{size['ephemeral_disk']} GB on its host" if size["ephemeral_disk"] else "no room for it on its host"
        wanted = f"an ephemeral disk of {pool.os_disk_size} GB" if pool.os_disk_size else "an ephemeral disk"
        raise InputError(
            f"{where} asks for {wanted}, but {name} has {room}; "
            "take os_disk_type: Managed, a smaller disk or another size."
        )
    return size


def quotas_of(size: Mapping[str, Any], spot: bool) -> tuple[str, ...]:
    """Names of the quotas that nodes of a size count against."""
    return (SPOT_QUOTA,) if spot else (size["family"].lower(), REGION_QUOTA)


def check_quotas(
    wanted: Iterable[tuple[str, Pool, int | None]], sizes: Sizes, quotas: Mapping[str, Mapping[str, Any]], location: str
) -> list[str]:
    """Refuse pools of which the quotas leave no room for the first node, or for the least number of nodes.

    Room for all nodes that the autoscaler may ask for is not demanded, because quotas are raised while hubs grow: a
    warning says it.

    :param wanted: (where, pool, nodes that it has; None: there is no such pool yet) of each pool
    :returns: warnings, one sentence each
    :raises InputError: one sentence that names the quota, its limit, what is used and what is needed
    """
    warnings = []
    taken: dict[str, int] = {}
    for where, pool, has in wanted:
        size = sizes[pool.vm_size.lower()]
        each = size["quota_cores"]
        # A pool that is there already has passed this once: it needs room only for nodes that are to come for sure.
        least = max(pool.least - (has or 0), 0)
        first = least or int(has is None and pool.most > 0)
        for name in quotas_of(size, pool.spot):
            quota = quotas.get(name)
            if quota is None:
                continue
            free = quota["limit"] - quota["used"] - taken.get(name, 0)
            said = f'the quota "{quota["label"]}" ({quota["name"]}) in {location}'
            figures = f"limit {quota['limit']}, used {quota['used']}"
            if taken.get(name):
                figures += f", {taken[name]} for the pools before it"
            if first and first * each > free:
                raise InputError(
                    f"{where} needs {first * each} vCPUs for {_nodes(first)} of {size['name']}, but {said} leaves "
                    f"{max(free, 0)} ({figures}); raise it to at least {quota['limit'] + first * each - free}, "
                    "with az quota update or in the portal, or choose another size."
                )
            further = (pool.most - (has or 0)) * each
            if further > max(free, 0):
                warnings.append(
                    f"{where} may grow to {_nodes(pool.most)} of {size['name']}, but {said} leaves "
                    f"{max(free, 0)} of the {further} vCPUs for them ({figures})."
                )
            taken[name] = taken.get(name, 0) + least * each
    return warnings


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def allocatable(size: Mapping[str, Any], max_pods: int | None = None, mig_profile: str | None = None) -> dict[str, Any]:
    """What AKS leaves of a node to pods: {cpu (cores), memory (bytes), gpu}.

    Memory counts from the size's nominal one; what the node's own kernel keeps comes off that, about 2 %.

    >>> allocatable({"cores": 8, "memory": 64 * 2**30, "gpus": 0}, max_pods=110)
    {'cpu': 7.82, 'memory': 66255323136, 'gpu': 0}
    """
    memory = size["memory"]
    kept = min((20 * (max_pods or MAX_PODS) + 50) * MIB, memory // 4)
    slices = MIG_SLICES.get(mig_profile or "", 1)
    return {
        "cpu": round(size["cores"] - reserved_cpu(size["cores"]) / 1000, 3),
        "memory": max(memory - kept - 100 * MIB, 0),
        "gpu": size["gpus"] * slices,
    }


def reserved_cpu(cores: int) -> int:
    """Thousandths of a core that AKS keeps: 60 for the first, 40 for the second, 20 for two more, 10 for each further.

    >>> [reserved_cpu(cores) for cores in (1, 2, 4, 8, 16, 32, 64)]
    [60, 100, 140, 180, 260, 420, 740]
    """
    steps = ((1, 60), (1, 40), (2, 20), (cores, 10))
    kept = 0
    for width, each in steps:
        kept += min(max(cores, 0), width) * each
        cores -= width
    return kept


def read_region(client: Any, subscription: str, location: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sizes and the quotas of a region, read side by side.

    :param client: an AzureClient
    :raises AzureError: when Azure does not say them
    """
    compute = f"/subscriptions/{subscription}/providers/Microsoft.Compute"
    usages = f"{compute}/locations/{region(location)}/usages"
    with ThreadPoolExecutor(2) as pool:
        skus = pool.submit(client.list, f"{compute}/skus", SKUS_API_VERSION, skus_filter(location))
        used = pool.submit(client.list, usages, USAGES_API_VERSION)
        return vm_sizes(skus.result() or [], location), vm_quotas(used.result() or [])
