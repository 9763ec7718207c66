# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Agent pools: what AKS takes, fills in and refuses.

Sources: https://learn.microsoft.com/azure/aks/create-node-pools#limitations, https://learn.microsoft.com/azure/aks/use-system-pools,
https://learn.microsoft.com/azure/aks/spot-node-pool#limitations, https://learn.microsoft.com/azure/aks/concepts-storage
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from ..kinds import Call, look
from ..locations import normal
from . import _aks_versions as versions
from ._aks_versions import AksRefusal, invalid
from ._vm_sizes import SIZES, Size
from .compute import limit, quotas, size_at, used, zones_at

if TYPE_CHECKING:
    from ...cloud import Cloud

CLUSTER = "Microsoft.ContainerService/managedClusters"
POOL = f"{CLUSTER}/agentPools"
Properties = dict[str, Any]

DEFAULT_SIZE = "Standard_D4ds_v5"
MOST_NODES = 1000
SPOT_KEY = "kubernetes.azure.com/scalesetpriority"
SPOT_TAINT = f"{SPOT_KEY}=spot:NoSchedule"
_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_TAINT = re.compile(r"[A-Za-z0-9][\w./-]*(=[\w.-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)")
#: What a pool keeps for its life.
IMMUTABLE = (
    "vmSize", "osDiskSizeGB", "osDiskType", "kubeletDiskType", "osType", "type", "maxPods", "availabilityZones",
    "vnetSubnetID",
    "podSubnetID", "scaleSetEvictionPolicy", "spotMaxPrice", "gpuProfile", "gpuInstanceProfile", "kubeletConfig",
    "linuxOSConfig", "enableNodePublicIP", "enableEncryptionAtHost", "enableUltraSSD",
)  # fmt: skip
#: What Azure alone sets; ignored in a request.
READ_ONLY = (
    "eTag", "currentOrchestratorVersion", "nodeImageVersion", "provisioningState", "status",
    "virtualMachineNodesStatus",
    "recentlyUsedVersions",
)  # fmt: skip
#: A map of these is replaced as a whole; what is not mentioned at all stays.
WHOLE = ("nodeLabels", "nodeTaints", "tags", "availabilityZones", "upgradeSettings")


def pools_of(cloud: Cloud, cluster_id: str) -> list[Record]:
    """The pools of a cluster, in the order of their making."""
    return sorted(cloud.store.of_type(POOL, cluster_id), key=lambda record: record.created)


def check_name(name: str) -> None:
    """Refuse a name that is no pool's."""
    if not _NAME.fullmatch(name):
        raise invalid(
            "agentPoolProfile.name",
            f"Agent pool name '{name}' is invalid: 1 to 12 lowercase letters and digits, the first a letter",
        )


# ----------------------------------------------------------------------------------------------------------- filling in
def _os_disk(given: Properties, size: Size | None) -> tuple[str, int]:
    """Kind and size of the OS disk as AKS chooses them."""
    wanted, kind = int(given.get("osDiskSizeGB") or 0), given.get("osDiskType")
    room = size.os_disk if size and size.ephemeral else 0
    cores = size.cores if size else 2
    usual = next(gigabytes for most, gigabytes in ((7, 128), (15, 256), (63, 512), (10**6, 1024)) if cores <= most)
    if kind is None:
        kind = "Ephemeral" if (room and 0 < wanted <= room) or (room >= 128 and not wanted) else "Managed"
    if wanted:
        return kind, wanted
    return kind, min(room, usual) if kind == "Ephemeral" and room else usual


def _max_pods(cluster: Properties) -> int:
    network = cluster.get("networkProfile") or {}
    if network.get("networkPlugin") == "kubenet":
        return 110
    return 250 if network.get("networkPluginMode") == "overlay" else 30


def _merge(given: Properties, live: Properties) -> Properties:
    """What stays of a pool that exists, under what is written now."""
    merged = {**live, **given}
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(live.get(name), dict) and name not in WHOLE:
            merged[name] = {**live[name], **value}
    return merged


def fill(given: Properties, live: Properties | None, cluster: Properties, now_running: str) -> Properties:
    """A pool as AKS keeps it.

    :param given: the properties of the request, without read-only ones
    :param cluster: the properties of its cluster
    :param now_running: the Kubernetes version of the control plane
    """
    given = {key: value for key, value in given.items() if key not in READ_ONLY}
    if live is not None:
        return _update(given, live)
    size = SIZES.get(str(given.get("vmSize") or DEFAULT_SIZE).lower())
    kind, gigabytes = _os_disk(given, size)
    spot = str(given.get("scaleSetPriority", "")).lower() == "spot"
    wanted = str(given.get("orchestratorVersion") or cluster.get("kubernetesVersion") or versions.DEFAULT)
    running = now_running if wanted == versions.minor(now_running) else versions.current(wanted) or now_running
    result: Properties = {
        "kubeletDiskType": "OS",
        "maxPods": _max_pods(cluster),
        "type": "VirtualMachineScaleSets",
        "enableAutoScaling": False,
        "scaleDownMode": "Delete",
        "powerState": {"code": "Running"},
        "enableNodePublicIP": False,
        "mode": "User",
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "enableEncryptionAtHost": False,
        "enableUltraSSD": False,
        "enableFIPS": False,
        "networkProfile": {},
        "securityProfile": {"enableVTPM": False, "enableSecureBoot": False, "sshAccess": "LocalUser"},
        "upgradeSettings": {} if spot else {"maxSurge": "10%", "maxUnavailable": "0"},
        **{key: value for key, value in given.items() if value is not None},
        "vmSize": size.name if size else given.get("vmSize"),
        "osDiskType": kind,
        "osDiskSizeGB": gigabytes,
        "orchestratorVersion": wanted,
        "currentOrchestratorVersion": running,
    }
    result["maxPods"] = given.get("maxPods") or _max_pods(cluster)
    result["nodeImageVersion"] = versions.image(result)
    return _settled(result)


def _update(given: Properties, live: Properties) -> Properties:
    wanted = str(given.get("orchestratorVersion") or live.get("orchestratorVersion"))
    result = _merge({key: value for key, value in given.items() if value is not None}, live)
    running = str(live["currentOrchestratorVersion"])
    if wanted != live.get("orchestratorVersion"):
        running = versions.moved(wanted, running)
    result |= {"orchestratorVersion": wanted, "currentOrchestratorVersion": running}
    if running != live["currentOrchestratorVersion"]:
        result["nodeImageVersion"] = versions.image(result)
    return _settled(result)


def _settled(result: Properties) -> Properties:
    """What follows from the rest: the autoscaler's bounds, and what belongs to spot nodes."""
    if result.get("enableAutoScaling"):
        least, most = int(result.get("minCount") or 0), int(result.get("maxCount") or 0)
        result["count"] = min(max(int(result.get("count", least) or 0), least), most)
    else:
        result.pop("minCount", None)
        result.pop("maxCount", None)
        result["count"] = int(result.get("count", 3) if result.get("count") is not None else 3)
    if str(result.get("scaleSetPriority", "")).lower() == "spot":
        result["scaleSetPriority"] = "Spot"
        result.setdefault("scaleSetEvictionPolicy", "Delete")
        result.setdefault("spotMaxPrice", -1.0)
        result["nodeLabels"] = {**(result.get("nodeLabels") or {}), SPOT_KEY: "spot"}
        taints = list(result.get("nodeTaints") or [])
        result["nodeTaints"] = taints if SPOT_TAINT in taints else [*taints, SPOT_TAINT]
    else:
        for name in ("scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"):
            result.pop(name, None)
    return result


# ------------------------------------------------------------------------------------------------------------- checking
def check_change(given: Properties, live: Properties) -> None:
    """Refuse to change what a pool keeps for its life."""
    priority = given.get("scaleSetPriority")
    kept = str(live.get("scaleSetPriority", "Regular"))
    if priority is not None and str(priority).lower() != kept.lower():
        message = f"ScaleSetPriority is immutable. Provided value is {priority}, Please use current value {kept}."
        raise AksRefusal(400, "BadRequest", message, "agentPoolProfile.scaleSetPriority")
    for name in IMMUTABLE:
        new, old = given.get(name), live.get(name)
        if new is None or _same(name, new, old):
            continue
        message = f"Changing property 'properties.{name}' is not allowed."
        raise AksRefusal(400, "PropertyChangeNotAllowed", message, f"properties.{name}")


def _same(name: str, new: Any, old: Any) -> bool:
    if isinstance(new, str) and isinstance(old, str):
        return new.lower() == old.lower()
    if isinstance(new, list) and isinstance(old, list):
        return sorted(map(str, new)) == sorted(map(str, old))
    if isinstance(new, dict):
        return all(_same(name, value, (old or {}).get(key)) for key, value in new.items())
    empty: tuple[Any, ...] = (None, 0, "", [], {}, False)
    return bool(new == old) or (new in empty and old in empty) or (name in ("osDiskSizeGB", "maxPods") and not new)


def check(call: Call, where: str, given: Properties, wanted: Properties, live: Properties | None) -> None:
    """Refuse a pool that AKS would refuse.

    :param where: the region
    :param given: what was sent; ``wanted`` what it becomes
    """
    _check_counts(given, wanted)
    _check_spot(given, wanted)
    for taint in wanted.get("nodeTaints") or []:
        if not _TAINT.fullmatch(str(taint)):
            raise invalid("agentPoolProfile.nodeTaints", f"Taint '{taint}' is not key=value:effect")
    if wanted.get("enableAutoScaling") and look(wanted, "gpuProfile.nvidia.managementMode") == "Managed":
        raise invalid("agentPoolProfile.gpuProfile", "Managed GPU is not supported with the cluster autoscaler")
    if live is None:
        _check_size(call.cloud, where, given, wanted)


def _check_counts(given: Properties, wanted: Properties) -> None:
    if not wanted.get("enableAutoScaling"):
        if given.get("minCount") is not None or given.get("maxCount") is not None:
            raise invalid(
                "agentPoolProfile.minCount", "minCount and maxCount can only be set when enableAutoScaling is true"
            )
        count = int(wanted["count"])
        least = 1 if wanted["mode"] == "System" else 0
        if not least <= count <= MOST_NODES:
            raise invalid(
                "agentPoolProfile.count",
                f"Count {count} must be between {least} and {MOST_NODES} for a {wanted['mode']} pool",
            )
        return
    minimum, maximum = wanted.get("minCount"), wanted.get("maxCount")
    if minimum is None or maximum is None:
        raise invalid("agentPoolProfile.minCount", "minCount and maxCount are required when enableAutoScaling is true")
    if not (0 <= minimum <= maximum and 1 <= maximum <= MOST_NODES):
        raise invalid(
            "agentPoolProfile.maxCount",
            f"minCount {minimum} and maxCount {maximum} must be in order, from 0 to {MOST_NODES}",
        )
    if wanted["mode"] == "System" and minimum < 1:
        raise invalid("agentPoolProfile.minCount", "A system node pool must have at least one node")
    start = given.get("count")
    if start is not None and not minimum <= start <= maximum:
        raise invalid(
            "agentPoolProfile.count", f"Count {start} must be between minCount {minimum} and maxCount {maximum}"
        )


def _check_spot(given: Properties, wanted: Properties) -> None:
    spot = wanted.get("scaleSetPriority") == "Spot"
    if spot and wanted["mode"] == "System":
        raise invalid("agentPoolProfile.scaleSetPriority", "A system node pool cannot have spot nodes")
    if spot and (given.get("upgradeSettings") or {}).get("maxSurge"):
        raise invalid("agentPoolProfile.upgrade.maxSurge", "Spot pools can't set max surge")
    if not spot and given.get("spotMaxPrice") not in (None, -1, -1.0):
        raise invalid("agentPoolProfile.spotMaxPrice", "spotMaxPrice can only be set for spot node pools")
    price = given.get("spotMaxPrice")
    if spot and price is not None and price != -1 and price <= 0:
        raise invalid("agentPoolProfile.spotMaxPrice", "spotMaxPrice must be -1 or more than 0")


def _check_size(cloud: Cloud, where: str, given: Properties, wanted: Properties) -> None:
    name = str(wanted.get("vmSize"))
    size = size_at(cloud, name, where)
    if size is None:
        offers = ",".join(sorted(one for one in SIZES if size_at(cloud, one, where)))
        message = (
            f"The VM size of {name} is not allowed in your subscription in location '{where}'. The available VM sizes"
            f" are '{offers}' For more details, please visit https://aka.ms/aks/quotas-skus-regions"
        )
        raise AksRefusal(400, "BadRequest", message, "agentPoolProfile.vmSize")
    if wanted["mode"] == "System" and (size.cores < 2 or size.memory < 4):
        raise invalid(
            "agentPoolProfile.vmSize",
            f"System node pool must use VM sku with more than 2 cores and 4GB memory, not {name}",
        )
    zones, offered = wanted.get("availabilityZones") or [], zones_at(cloud, size, where)
    missing = [zone for zone in zones if zone not in offered]
    if missing:
        message = (
            f"Preflight validation check for resource(s) failed. Message: The zone(s) '{','.join(missing)}' for"
            f" resource '{name}' is not supported. The supported zones for location '{where}' are"
            f" '{','.join(offered)}'"
        )
        raise AksRefusal(400, "AvailabilityZoneNotSupported", message, "agentPoolProfile.availabilityZones")
    if str(given.get("osDiskType", "")).lower() == "ephemeral" and not size.ephemeral:
        message = (
            f"The virtual machine size {name} does not support ephemeral OS disks. Please use osDiskType Managed or"
            " another size."
        )
        raise AksRefusal(400, "VMSizeDoesNotSupportEphemeralOS", message, "agentPoolProfile.osDiskType")
    if wanted["osDiskType"] == "Ephemeral" and int(wanted["osDiskSizeGB"]) > size.os_disk:
        message = (
            f"OS disk of Ephemeral VM with size greater than {size.os_disk} GB is not allowed for VM size {name} when"
            " the DiffDiskPlacement is CacheDisk."
        )
        raise AksRefusal(400, "InvalidParameter", message, "osDisk.diskSizeGB")
    if wanted.get("gpuInstanceProfile") and not size.gpus:
        raise invalid("agentPoolProfile.gpuInstanceProfile", f"{name} has no GPU that could be divided")


def check_quota(cloud: Cloud, where: str, pools: list[tuple[str, Properties]]) -> None:
    """Refuse more vCPUs than the subscription has left; ``pools`` are ids and what they become."""
    inuse = used(cloud, where)
    for pool_id, wanted in pools:
        live = cloud.store.get(pool_id)
        size = SIZES.get(str(wanted.get("vmSize", "")).lower())
        more = int(wanted.get("count") or 0) - (int(live.properties.get("count") or 0) if live else 0)
        if size is None or more <= 0:
            continue
        for name in quotas(size, spot=wanted.get("scaleSetPriority") == "Spot"):
            left = max(limit(cloud, where, name) - inuse.get(name, 0), 0)
            if more * size.cores > left:
                message = (
                    f"Insufficient vcpu quota requested {more * size.cores}, remaining {left} for family {name} for"
                    f" region {where}. Surge nodes would also consume vcpu quota. If you want to increase the quota,"
                    " please follow this instruction: https://learn.microsoft.com/azure/quotas/view-quotas."
                )
                raise AksRefusal(400, "ErrCode_InsufficientVCPUQuota", message, subcode="InsufficientVCPUQuota")
            inuse[name] = inuse.get(name, 0) + more * size.cores


def shown(record: Record, cluster: Record | None) -> Properties:
    """The properties of a pool as AKS answers them."""
    properties = dict(record.properties)
    state = record.state
    if cluster is not None and record.private.get("with_cluster") and state in ("Creating", "Updating"):
        # Made by the cluster's own operation, whose end is the pool's.
        state = cluster.state
    properties["provisioningState"] = state
    properties["eTag"] = record.etag
    # Taints are a set.
    if properties.get("nodeTaints"):
        properties["nodeTaints"] = properties["nodeTaints"][::-1]
    if properties.get("availabilityZones"):
        properties["availabilityZones"] = sorted(properties["availabilityZones"], reverse=True)
    if state == "Creating":
        # Not known before there are nodes.
        properties.pop("nodeImageVersion", None)
    return properties


def new_record(cluster_id: str, name: str, properties: Properties, now: float) -> Record:
    """The record of a pool that came with its cluster."""
    record = Record(f"{cluster_id}/agentPools/{name}", POOL, {"properties": properties}, created=now, changed=now)
    record.private["with_cluster"] = True
    record.private["seed"] = str(uuid.uuid4().int % 10**8).zfill(8)
    return record


def region(cluster: Record) -> str:
    """The region of a cluster."""
    return normal(cluster.body.get("location", ""))
