# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Agent pools of AKS: what people write, checked, and the body that Azure gets, built in this one place.

A pool is a mapping of the keys of KEYS; `defaults` is one too and stands behind every pool. Labels and taints follow
from the purpose (`_purposes.py`), own ones are added. Bodies are in ARM's words for API_VERSION.
Sources: https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update (bounds, names),
https://learn.microsoft.com/azure/aks/spot-node-pool (spot), https://learn.microsoft.com/azure/aks/use-labels (labels),
https://learn.microsoft.com/azure/aks/use-nvidia-gpu (GPU drivers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    nearest,
    number,
    plain,
    quote,
    text,
    texts,
    wrong,
)

API_VERSION = "2026-08-01"
VARIABLE = "node_pools_pools"  # what errors call the list

# Purposes that have pools; a scheduler has none of its own.
POOL_PURPOSES = ("core", "user", "worker", "gpu_user", "gpu_worker")
GPU_PURPOSES = ("gpu_user", "gpu_worker")
# What the device plugin looks for.
GPU_LABELS = {"accelerator": "nvidia"}

KEYS = (
    "name",
    "purpose",
    "vm_size",
    "min",
    "max",
    "count",
    "priority",
    "eviction_policy",
    "price",
    "os_sku",
    "os_disk_size",
    "os_disk_type",
    "zones",
    "max_surge",
    "max_pods",
    "version",
    "labels",
    "taints",
    "tags",
    "subnet_id",
    "mode",
    "gpu",
    "gpu_driver",
    "mig_profile",
    "managed_gpu",
    "headers",
)
# What every pool has for itself.
OWN_KEYS = ("name", "purpose", "vm_size", "min", "max", "count", "priority")
# Without a meaning on the nodes of the other kind: from the defaults they are left out, from the pool refused.
SPOT_KEYS = ("eviction_policy", "price")
GPU_KEYS = ("gpu_driver", "mig_profile", "managed_gpu")

# Words as Azure writes them; people may write them in any case.
WORDS = {
    "priority": ("Regular", "Spot"),
    "eviction_policy": ("Delete", "Deallocate"),
    "os_sku": ("AzureLinux", "AzureLinux3", "AzureContainerLinux", "Ubuntu", "Ubuntu2204", "Ubuntu2404"),
    "os_disk_type": ("Ephemeral", "Managed"),
    "mode": ("System", "User"),
    "gpu_driver": ("Install", "None"),
    "mig_profile": ("MIG1g", "MIG2g", "MIG3g", "MIG4g", "MIG7g"),
}

MOST_NODES = 1000
_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_VM_SIZE = re.compile(r"(standard|basic)_[a-z0-9_-]+", re.IGNORECASE)
_SURGE = re.compile(r"[1-9][0-9]*|([1-9][0-9]?|100)%")
_VERSION = re.compile(r"1\.[0-9]+(\.[0-9]+)?")
_SUBNET = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/.*/virtualNetworks/[^/]+/subnets/[^/]+", re.IGNORECASE)
# Kubernetes' rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_RESERVED = "kubernetes.azure.com/"


@dataclass(frozen=True)
class Pool:
    """One pool, checked; everything decided, nothing to look up.

    `minimum` and `maximum` are None without the autoscaler; `count` is the number of nodes, under the autoscaler only
    the number at creation. `taints` are in Kubernetes' words: {key, value, effect}. None: left to Azure.
    """

    name: str
    purpose: str | None
    vm_size: str
    count: int
    minimum: int | None = None
    maximum: int | None = None
    spot: bool = False
    eviction_policy: str | None = None
    price: float | None = None
    os_sku: str | None = None
    os_disk_size: int | None = None
    os_disk_type: str | None = None
    zones: tuple[str, ...] | None = None
    max_surge: str | None = None
    max_pods: int | None = None
    version: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    taints: tuple[dict[str, str], ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    subnet_id: str | None = None
    mode: str = "User"
    gpu: bool = False
    gpu_driver: str | None = None
    mig_profile: str | None = None
    managed_gpu: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def autoscaled(self) -> bool:
        return self.maximum is not None

    @property
    def least(self) -> int:
        """Nodes that it has at least."""
        return self.count if self.minimum is None else self.minimum

    @property
    def most(self) -> int:
        """Nodes that it has at most."""
        return self.count if self.maximum is None else self.maximum


def node_pools(pools: Any, defaults: Any = None, variable: str = VARIABLE) -> list[Pool]:
    """Check the list of pools.

    :param pools: list of mappings of KEYS
    :param defaults: mapping of KEYS without OWN_KEYS; labels and tags are added to those of a pool, the rest replaced
    :param variable: name of the list, for errors
    :raises InputError: one sentence that names the pool
    """
    pools = plain(pools)
    if not isinstance(pools, list):
        raise wrong(variable, pools, "a list of pools with name, purpose, vm_size, min and max")
    defaults = read_defaults(plain(defaults or {}))
    found: list[Pool] = []
    for index, item in enumerate(pools):
        pool = node_pool(item, defaults, _where(variable, index, item))
        if pool.name in [other.name for other in found]:
            raise InputError(
                f"{_where(variable, index, item)} is the second pool of this name; give each pool a name of its own."
            )
        found.append(pool)
    return found


def named(pools: Iterable[Pool], variable: str = VARIABLE) -> list[tuple[str, Pool]]:
    """Checked pools, each with what errors call it."""
    return [(f"{variable}[{index}] {quote(pool.name)}", pool) for index, pool in enumerate(pools)]


def read_defaults(defaults: Any, variable: str = "node_pools_defaults") -> dict[str, Any]:
    """Check the keys of the defaults; their values are checked with each pool."""
    return mapping(variable, defaults, [key for key in KEYS if key not in OWN_KEYS])


def node_pool(item: Any, defaults: dict[str, Any], where: str) -> Pool:
    """Check one pool; :func:`node_pools` says the rest."""
    given = {key: value for key, value in mapping(where, item, KEYS).items() if value is not None}
    name = _name(where, given.get("name"))
    purpose = _purpose(where, given.get("purpose"))
    spot = _word(where, "priority", given.get("priority")) == "Spot"
    gpu = boolean(f"{where}: gpu", given.get("gpu", purpose in GPU_PURPOSES))
    if purpose in GPU_PURPOSES and not gpu:
        raise InputError(f"{where} has gpu false but the purpose {purpose}; take the purpose {purpose[4:]} instead.")
    _refuse_misplaced(where, given, spot, gpu)
    merged = _with_defaults(given, defaults, spot, gpu)
    mode = _word(where, "mode", merged.get("mode")) or ("System" if purpose == "core" else "User")
    if spot and mode == "System":
        raise InputError(f"{where} is a system pool on spot nodes, which AKS refuses; leave out priority: Spot.")
    managed = boolean(f"{where}: managed_gpu", merged.get("managed_gpu", False))
    count, minimum, maximum = _counts(where, merged, mode)
    if managed and maximum is not None:
        raise InputError(
            f"{where} asks for managed_gpu under the autoscaler, which AKS does not support; "
            "give count instead of min and max, or leave out managed_gpu."
        )
    return Pool(
        name=name,
        purpose=purpose,
        vm_size=_matching(where, "vm_size", merged.get("vm_size"), _VM_SIZE, 'a size such as "Standard_E8s_v5"') or "",
        count=count,
        minimum=minimum,
        maximum=maximum,
        spot=spot,
        eviction_policy=(_word(where, "eviction_policy", merged.get("eviction_policy")) or "Delete") if spot else None,
        price=_price(where, merged.get("price", -1)) if spot else None,
        os_sku=_word(where, "os_sku", merged.get("os_sku")),
        os_disk_size=_integer(where, merged, "os_disk_size", 30, 2048, "a number of GB such as 128"),
        os_disk_type=_word(where, "os_disk_type", merged.get("os_disk_type")),
        zones=_zones(where, merged.get("zones")),
        max_surge=_surge(where, merged.get("max_surge")),
        max_pods=_integer(where, merged, "max_pods", 10, 250, "a number of pods such as 110"),
        version=_matching(
            where, "version", merged.get("version"), _VERSION, 'a version of Kubernetes in quotes, such as "1.35"'
        ),
        labels=_labels(where, merged.get("labels", {}), purpose, spot, gpu and not managed),
        taints=_taints(where, merged.get("taints", []), purpose, spot),
        tags=_strings(f"{where}: tags", merged.get("tags", {})),
        subnet_id=_subnet(where, merged.get("subnet_id")),
        mode=mode,
        gpu=gpu,
        gpu_driver=(_word(where, "gpu_driver", merged.get("gpu_driver")) or "Install") if gpu else None,
        mig_profile=_word(where, "mig_profile", merged.get("mig_profile")),
        managed_gpu=managed,
        headers=_strings(f"{where}: headers", merged.get("headers", {})),
    )


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


def _where(variable: str, index: int, item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return f"{variable}[{index}]" + (f" {quote(name)}" if isinstance(name, str) and name else "")


def _name(where: str, value: Any) -> str:
    return _matching(
        where, "name", value, _NAME, "1 to 12 lowercase letters and digits that begin with a letter", required=True
    )


def _purpose(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if value not in POOL_PURPOSES:
        raise InputError(f"{where} has the purpose {quote(value)}; {nearest(value, POOL_PURPOSES)}")
    return str(value)


def _refuse_misplaced(where: str, given: dict[str, Any], spot: bool, gpu: bool) -> None:
    for key in SPOT_KEYS if not spot else ():
        if key in given:
            raise InputError(f"{where} has {key} but no spot nodes; add priority: Spot or leave it out.")
    for key in GPU_KEYS if not gpu else ():
        if key in given:
            raise InputError(f"{where} has {key} but no GPU; take the purpose gpu_user or gpu_worker or leave it out.")
    if spot and "max_surge" in given:
        raise InputError(f"{where} has max_surge on spot nodes, which AKS refuses; leave it out.")


def _with_defaults(given: dict[str, Any], defaults: dict[str, Any], spot: bool, gpu: bool) -> dict[str, Any]:
    useless = (*(() if spot else SPOT_KEYS), *(() if gpu else GPU_KEYS), *(("max_surge",) if spot else ()))
    merged = {key: value for key, value in defaults.items() if value is not None and key not in useless}
    for key, value in given.items():
        together = (
            key in ("labels", "tags", "headers") and isinstance(value, dict) and isinstance(merged.get(key), dict)
        )
        merged[key] = {**merged[key], **value} if together else value
    return merged


def _counts(where: str, pool: dict[str, Any], mode: str) -> tuple[int, int | None, int | None]:
    """Nodes at creation, and the autoscaler's bounds."""
    least = 1 if mode == "System" else 0
    wanted = f"a number of nodes from {least} to {MOST_NODES}"
    count = _integer(where, pool, "count", least, MOST_NODES, wanted)
    minimum = _integer(where, pool, "min", least, MOST_NODES, wanted)
    maximum = _integer(where, pool, "max", 1, MOST_NODES, f"a number of nodes from 1 to {MOST_NODES}")
    if minimum is None and maximum is None:
        if count is None:
            raise InputError(f"{where} does not say how many nodes; give min and max, or count without the autoscaler.")
        return count, None, None
    if maximum is None:
        raise InputError(f"{where} has min without max; give both for the autoscaler, or count without it.")
    minimum = least if minimum is None else minimum
    if minimum > maximum:
        raise InputError(f"{where} has min {minimum} above max {maximum}; swap them or raise max.")
    if count is not None and not minimum <= count <= maximum:
        raise InputError(
            f"{where} starts with count {count}, which is not between min {minimum} and max {maximum}; "
            "change one of them."
        )
    return minimum if count is None else count, minimum, maximum


def _integer(where: str, pool: dict[str, Any], key: str, least: int, most: int, wanted: str) -> int | None:
    value = pool.get(key)
    if value is None:
        return None
    if number(f"{where}: {key}", value, wanted, least) > most or not isinstance(value, int):
        raise wrong(f"{where}: {key}", value, wanted)
    return int(value)


def _word(where: str, key: str, value: Any) -> str | None:
    if value is None:
        return None
    words = {word.lower(): word for word in WORDS[key]}
    if not isinstance(value, str) or value.lower() not in words:
        raise wrong(f"{where}: {key}", value, f"one of {', '.join(WORDS[key])}")
    return words[value.lower()]


def _matching(where: str, key: str, value: Any, pattern: re.Pattern[str], wanted: str, required: bool = False) -> Any:
    if value is None and not required and key != "vm_size":
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise wrong(f"{where}: {key}", value, wanted)
    return value


def _price(where: str, value: Any) -> float:
    wanted = "the most US dollars an hour such as 0.05, or -1 for the price of a regular node"
    price = number(f"{where}: price", value, wanted)
    if price != -1 and price <= 0:
        raise wrong(f"{where}: price", value, wanted)
    return price


def _surge(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not _SURGE.fullmatch(str(value)):
        raise wrong(f"{where}: max_surge", value, 'a number of nodes such as 1 or a share such as "10%"')
    return str(value)


def _zones(where: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    wanted = 'a list of zones such as ["1", "2", "3"]'
    if not isinstance(value, list):
        raise wrong(f"{where}: zones", value, wanted)
    zones = [str(zone) for zone in value if not isinstance(zone, bool)]
    if len(zones) < len(value) or not all(zone.isdigit() for zone in zones) or len(set(zones)) < len(zones):
        raise wrong(f"{where}: zones", value, wanted)
    return tuple(sorted(zones)) or None


def _subnet(where: str, value: Any) -> str | None:
    """An id, or a reference to one that the engine fills in."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not (_SUBNET.fullmatch(value) or "${" in value):
        raise wrong(f"{where}: subnet_id", value, "the full id of a subnet, /subscriptions/…/subnets/<name>")
    return value


def _strings(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong(where, value, "a mapping of texts")
    for key, item in value.items():
        if not isinstance(item, str):
            raise wrong(f"{where}: {key}", item, "a text, in quotes")
    return {str(key): item for key, item in value.items()}


def _labels(where: str, value: Any, purpose: str | None, spot: bool, plugin: bool) -> dict[str, str]:
    """The labels of the purpose, what the device plugin looks for, and own ones."""
    own = _strings(f"{where}: labels", value)
    ours = {**purposes.labels(purpose, spot)} if purpose else {**(purposes.SPOT_LABELS if spot else {})}
    ours.update(GPU_LABELS if plugin else {})
    for key, item in own.items():
        if not _LABEL_KEY.fullmatch(key):
            raise InputError(f"{where} has a label with the key {quote(key)}, which Kubernetes refuses; rename it.")
        if not _LABEL_VALUE.fullmatch(item):
            raise wrong(f"{where}: labels: {key}", item, "at most 63 letters, digits, hyphens, underscores and dots")
        if key in ours and item != ours[key]:
            why = f"its purpose {purpose}" if purpose and key in purposes.labels(purpose) else "its kind of nodes"
            raise InputError(
                f"{where} has the label {key}={item}, but {why} has {key}={ours[key]}; leave the label out."
            )
        if key.startswith(_RESERVED) and key not in ours:
            raise InputError(f"{where} has the label {key}, which AKS keeps for itself; leave it out.")
    return {**own, **ours}


def _taints(where: str, value: Any, purpose: str | None, spot: bool) -> tuple[dict[str, str], ...]:
    """The taints of the purpose and own ones, each once."""
    found = purposes.taints(purpose, spot) if purpose else [dict(purposes.SPOT_TAINT)] if spot else []
    for index, item in enumerate(texts(f"{where}: taints", value, 'taints such as "team=imagery:NoSchedule"')):
        taint = read_taint(f"{where}: taints[{index}]", item)
        if taint not in found:
            found.append(taint)
    return tuple(found)


def read_taint(where: str, value: Any) -> dict[str, str]:
    """Read key=value:Effect into {key, value, effect}."""
    written_taint = text(where, value)
    pair, colon, effect = written_taint.rpartition(":")
    key, equals, content = pair.partition("=")
    if not (colon and equals and _LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(content)):
        raise wrong(where, value, 'key=value:Effect, such as "team=imagery:NoSchedule"')
    if effect not in _EFFECTS:
        raise InputError(f"{where} has the effect {quote(effect)}; {nearest(effect, _EFFECTS)}")
    return {"key": key, "value": content, "effect": effect}
