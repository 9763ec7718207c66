# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Compute: sizes and their quota, disks, snapshots, and the scale sets that AKS makes.

Dials: quota ``{"standardDSv3Family": 10}`` (also ``"westeurope/standardDSv3Family"``, ``cores``,
``lowPriorityCores``), setting
``skus`` ``{"Standard_NC4as_T4_v3": {"restricted": ["westeurope"], "zones": ["1"], "absent": ["uksouth"]}}``.
Sources: https://learn.microsoft.com/rest/api/compute/resource-skus/list, https://learn.microsoft.com/rest/api/compute/usage/list
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from .. import answers
from ..kinds import Action, Body, Call, ResourceType, look
from ..locations import REGIONS, normal
from ..operations import stamp
from ._vm_sizes import SIZES, Size, find, offered, zones_of

if TYPE_CHECKING:
    from ...cloud import Cloud

POOL = "Microsoft.ContainerService/managedClusters/agentPools"
DISK = "Microsoft.Compute/disks"
SNAPSHOT = "Microsoft.Compute/snapshots"
SCALE_SET = "Microsoft.Compute/virtualMachineScaleSets"

VERSIONS = (
    "2018-06-01", "2019-04-01", "2019-07-01", "2020-06-01", "2021-03-01", "2021-07-01", "2021-11-01", "2022-03-01",
    "2022-08-01",
    "2022-11-01", "2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01",
    "2025-11-01",
    "2026-04-01",
)  # fmt: skip
SKU_VERSIONS = ("2017-03-30", "2017-09-01", "2019-04-01", "2021-07-01")
DISK_VERSIONS = (
    "2018-06-01", "2019-07-01", "2020-06-30", "2020-12-01", "2021-04-01", "2021-12-01", "2022-03-02", "2022-07-02",
    "2023-01-02",
    "2023-04-02", "2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02",
)  # fmt: skip

#: vCPUs of the region, of spot nodes, of a family: what a subscription has when no dial says otherwise.
REGIONAL, LOW_PRIORITY = "cores", "lowPriorityCores"
LIMITS = {
    REGIONAL: 5000,
    LOW_PRIORITY: 3000,
    "virtualMachines": 25000,
    "virtualMachineScaleSets": 2500,
    "availabilitySets": 2500,
}
FAMILY_LIMIT = 1000


# ---------------------------------------------------------------------------------------------------------------- sizes
def setting(cloud: Cloud, name: str, what: str) -> list[str]:
    """What the setting ``skus`` says of a size."""
    said = {key.lower(): value for key, value in cloud.dials.settings.get("skus", {}).items()}
    return [str(value) for value in said.get(name.lower(), {}).get(what, [])]


def size_at(cloud: Cloud, name: str, location: str) -> Size | None:
    """The size when a region has it and the subscription may use it."""
    size = find(name)
    if size is None or not offered(size, location) or location in setting(cloud, name, "absent"):
        return None
    return None if location in setting(cloud, name, "restricted") else size


def zones_at(cloud: Cloud, size: Size, location: str) -> list[str]:
    """The zones of a region in which the size can be had."""
    return setting(cloud, size.name, "zones") or list(zones_of(size, location))


def _capabilities(size: Size) -> list[dict[str, str]]:
    values = {
        "MaxResourceVolumeMB": size.temporary,
        "OSVhdSizeMB": 1047552,
        "vCPUs": size.cores,
        "MemoryPreservingMaintenanceSupported": not size.gpus,
        "HyperVGenerations": size.generations,
        "MemoryGB": f"{size.memory:g}",
        "MaxDataDiskCount": size.disks,
        "CpuArchitectureType": size.architecture,
        "LowPriorityCapable": size.low_priority,
        "PremiumIO": size.premium,
        "VMDeploymentTypes": "IaaS",
        "CachedDiskBytes": size.cache * 2**30 if size.cache else None,
        "vCPUsAvailable": size.cores,
        "GPUs": size.gpus or None,
        "ACUs": None if size.gpus else 160,
        "vCPUsPerCore": 2,
        "EphemeralOSDiskSupported": size.ephemeral,
        "EncryptionAtHostSupported": True,
        "AcceleratedNetworkingEnabled": size.accelerated,
        "RdmaEnabled": False,
        "MaxNetworkInterfaces": max(2, min(8, size.cores // 2)),
    }
    return [{"name": name, "value": str(value)} for name, value in values.items() if value is not None]


def _restrictions(cloud: Cloud, size: Size, location: str) -> list[dict[str, Any]]:
    if location not in setting(cloud, size.name, "restricted"):
        return []
    return [
        {
            "type": "Location",
            "values": [location],
            "restrictionInfo": {"locations": [location]},
            "reasonCode": "NotAvailableForSubscription",
        }
    ]


def _skus_of(cloud: Cloud, location: str) -> Iterator[dict[str, Any]]:
    for size in SIZES.values():
        if not offered(size, location) or location in setting(cloud, size.name, "absent"):
            continue
        zones = zones_at(cloud, size, location)
        yield {
            "resourceType": "virtualMachines",
            "name": size.name,
            "tier": size.tier,
            "size": size.name.partition("_")[2],
            "family": size.family,
            "locations": [location],
            # The order of zones means nothing.
            "locationInfo": [{"location": location, "zones": zones[::-1], "zoneDetails": []}],
            "capabilities": _capabilities(size),
            "restrictions": _restrictions(cloud, size, location),
        }
    for name in ("Standard_LRS", "Premium_LRS", "StandardSSD_LRS"):
        yield {
            "resourceType": "disks",
            "name": name,
            "tier": name.partition("_")[0],
            "locations": [location],
            "locationInfo": [{"location": location, "zones": []}],
            "capabilities": [],
            "restrictions": [],
        }


def _skus(call: Call) -> Answer:
    wanted = list(REGIONS)
    for operator, name, value in answers.terms(call.query["$filter"]) if call.query.get("$filter") else []:
        if (operator, name.lower()) != ("eq", "location"):
            raise Refusal(400, "BadRequest", "The $filter of resource SKUs supports only location eq '<region>'.")
        wanted = [one for one in wanted if one == normal(value)]
    return answers.page(call, [sku for location in wanted for sku in _skus_of(call.cloud, location)])


def _location(call: Call) -> str:
    location = normal(call.target.names[0])
    if location not in REGIONS:
        message = (
            f"The provided location '{location}' is not available for resource type"
            f" 'locations/{call.target.types[-1]}'."
        )
        raise Refusal(400, "LocationNotAvailableForResourceType", message)
    return location


def _vm_sizes(call: Call) -> Answer:
    location = _location(call)
    value = [
        {
            "name": size.name,
            "numberOfCores": size.cores,
            "osDiskSizeInMB": 1047552,
            "resourceDiskSizeInMB": size.temporary,
            "memoryInMB": int(size.memory * 1024),
            "maxDataDiskCount": size.disks,
        }
        for size in SIZES.values()
        if size_at(call.cloud, size.name, location)
    ]
    return Answer(200, {"value": value})


# ---------------------------------------------------------------------------------------------------------------- quota
def limit(cloud: Cloud, location: str, name: str) -> int:
    """The quota of a region by the dials."""
    dials = {key.lower(): value for key, value in cloud.dials.quota.items()}
    for key in (f"{location}/{name}", name):
        if key.lower() in dials:
            return int(dials[key.lower()])
    return LIMITS.get(name, FAMILY_LIMIT)


def used(cloud: Cloud, location: str, without: str = "") -> dict[str, int]:
    """vCPUs in use in a region, by the name of their quota; ``without`` the pool of this id."""
    figures: dict[str, int] = {}
    for pool in cloud.store.of_type(POOL):
        cluster = cloud.store.get(pool.id.rpartition("/agentPools/")[0])
        if cluster is None or pool.key == without.lower() or normal(cluster.body.get("location", "")) != location:
            continue
        stopped = "Stopped" in (
            look(cluster.body, "properties.powerState.code"),
            look(pool.body, "properties.powerState.code"),
        )
        size = find(pool.properties.get("vmSize", ""))
        if size is None or stopped:
            continue
        count = int(pool.properties.get("count") or 0)
        for name in quotas(size, spot=pool.properties.get("scaleSetPriority") == "Spot"):
            figures[name] = figures.get(name, 0) + count * size.cores
        figures["virtualMachines"] = figures.get("virtualMachines", 0) + count
    return figures


def quotas(size: Size, *, spot: bool) -> tuple[str, ...]:
    """The quotas that a node of this size draws on."""
    return (LOW_PRIORITY,) if spot else (size.family, REGIONAL)


def _usages(call: Call) -> Answer:
    location = _location(call)
    inuse = used(call.cloud, location)
    labels = {
        "availabilitySets": "Availability Sets",
        REGIONAL: "Total Regional vCPUs",
        "virtualMachines": "Virtual Machines",
        "virtualMachineScaleSets": "Virtual Machine Scale Sets",
        LOW_PRIORITY: "Total Regional Spot vCPUs",
    }
    families = dict.fromkeys(size.family for size in SIZES.values())
    labels |= {
        family: f"{family[:1].upper()}{family[1:].removesuffix('Family').strip()} Family vCPUs" for family in families
    }
    value = [
        {
            "limit": limit(call.cloud, location, name),
            "unit": "Count",
            "currentValue": inuse.get(name, 0),
            "name": {"value": name, "localizedValue": label},
        }
        for name, label in labels.items()
    ]
    return answers.page(call, value)


# ----------------------------------------------------------------------------------------------------- disks, snapshots
def _check_disk(call: Call, body: Body, live: Record | None) -> None:
    size, created = look(body, "properties.diskSizeGB"), look(body, "properties.creationData.createOption")
    if live is None and created is None:
        raise Refusal(400, "InvalidParameter", "Required parameter 'disk.creationData' is missing (null).")
    source = look(body, "properties.creationData.sourceResourceId")
    if live is None and str(created).lower() == "copy":
        if source is None:
            raise Refusal(400, "InvalidParameter", "Required parameter 'sourceResourceId' is missing (null).")
        if call.cloud.store.get(source) is None:
            raise Refusal(404, "ResourceNotFound", f"The Resource '{source}' was not found.")
    elif live is None and size is None:
        raise Refusal(400, "InvalidParameter", "Required parameter 'disk.diskSizeGB' is missing (null).")
    old = live.properties.get("diskSizeGB") if live else None
    if old is not None and size is not None and size < old:
        message = (
            f"Cannot reduce the size of disk {call.target.name} from {old} GB to {size} GB: reducing the size is not"
            " supported."
        )
        raise Refusal(400, "OperationNotAllowed", message)


def _store_disk(call: Call, body: Body, live: Record | None) -> Body:
    properties = {**(live.properties if live else {}), **body.get("properties", {})}
    source = call.cloud.store.get(look(body, "properties.creationData.sourceResourceId", ""))
    size = properties.get("diskSizeGB") or (source.properties.get("diskSizeGB", 0) if source else 0)
    properties |= {
        "diskSizeGB": size,
        "diskSizeBytes": size * 2**30,
        "timeCreated": properties.get("timeCreated") or stamp(call.cloud.now()),
        "uniqueId": properties.get("uniqueId") or str(uuid.uuid4()),
        "diskState": properties.get("diskState", "Unattached"),
    }
    sku = dict(body.get("sku") or {"name": "Standard_LRS"})
    sku["tier"] = sku["name"].partition("_")[0]
    return {**body, "sku": sku, "properties": properties}


_DISK_DEFAULTS = {
    "properties": {
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
    }
}
_DISK_NAME = r"[A-Za-z0-9][\w.-]{0,78}"
_SKUS = (
    "Standard_LRS",
    "Premium_LRS",
    "StandardSSD_LRS",
    "UltraSSD_LRS",
    "Premium_ZRS",
    "StandardSSD_ZRS",
    "PremiumV2_LRS",
)


def _deletable(_call: Call, live: Record) -> None:
    owner = live.body.get("managedBy")
    if owner:
        message = f"Disk {live.name} is attached to VM {owner}."
        raise Refusal(409, "OperationNotAllowed", message)


def _disk_type(name: str, model: str) -> ResourceType:
    return ResourceType(
        name,
        versions=DISK_VERSIONS,
        model=model,
        tracked=True,
        name_rule=_DISK_NAME,
        seconds={"PUT": 3.0, "PATCH": 2.0, "DELETE": 3.0},
        long=("PUT", "PATCH", "DELETE"),
        poll="both",
        created=200,
        defaults=_DISK_DEFAULTS,
        read_only=tuple(
            f"properties.{name}" for name in ("timeCreated", "uniqueId", "diskState", "diskSizeBytes", "shareInfo")
        ),
        enums={"sku.name": _SKUS},
        check=_check_disk,
        store=_store_disk,
        deletable=_deletable,
    )


TYPES = (
    _disk_type(DISK, "azure.mgmt.compute.models.Disk"),
    _disk_type(SNAPSHOT, "azure.mgmt.compute.models.Snapshot"),
    # Scale sets are AKS's own: looked at, never written by hand.
    ResourceType(SCALE_SET, versions=VERSIONS, tracked=True, methods=("GET", "HEAD")),
)


def _instances(call: Call) -> Answer:
    """The nodes of a scale set."""
    assert call.live is not None
    capacity = int(look(call.live.body, "sku.capacity", 0))
    value = [
        {
            "id": f"{call.live.id}/virtualMachines/{index}",
            "name": f"{call.live.name}_{index}",
            "type": f"{SCALE_SET}/virtualMachines",
            "instanceId": str(index),
            "location": call.live.body.get("location"),
            "sku": {"name": look(call.live.body, "sku.name"), "tier": "Standard"},
            "properties": {"provisioningState": "Succeeded", "latestModelApplied": True},
        }
        for index in range(capacity)
    ]
    return answers.page(call, value)


ACTIONS = {
    "GET Microsoft.Compute/skus": Action(_skus, SKU_VERSIONS),
    "GET Microsoft.Compute/locations/usages": Action(_usages, VERSIONS, needs=False),
    "GET Microsoft.Compute/locations/vmSizes": Action(_vm_sizes, VERSIONS, needs=False),
    f"GET {SCALE_SET}/virtualMachines": Action(_instances, VERSIONS),
}
