# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Agent pools of AKS: what people write, checked.

A pool is a mapping of the keys of KEYS; `defaults` is one too and stands behind every pool. Labels and taints follow
from the purpose (`_purposes.py`), own ones are added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._node_pool_values import (
    read_counts,
    read_integer,
    read_labels,
    read_matching,
    read_name,
    read_price,
    read_purpose,
    read_strings,
    read_subnet,
    read_surge,
    read_taints,
    read_word,
    read_zones,
)
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    plain,
    quote,
    wrong,
)

VARIABLE = "node_pools_pools"  # what errors call the list
GPU_PURPOSES = ("gpu_user", "gpu_worker")
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
_VM_SIZE = re.compile(r"(standard|basic)_[a-z0-9_-]+", re.IGNORECASE)
_VM_SIZE_WANTED = 'a size such as "Standard_E8s_v5"'
_VERSION = re.compile(r"1\.[0-9]+(\.[0-9]+)?")


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
    name = read_name(where, given.get("name"))
    purpose = read_purpose(where, given.get("purpose"))
    spot = read_word(where, "priority", given.get("priority")) == "Spot"
    gpu = boolean(f"{where}: gpu", given.get("gpu", purpose in GPU_PURPOSES))
    if purpose in GPU_PURPOSES and not gpu:
        raise InputError(f"{where} has gpu false but the purpose {purpose}; take the purpose {purpose[4:]} instead.")
    _refuse_misplaced(where, given, spot, gpu)
    merged = _with_defaults(given, defaults, spot, gpu)
    mode = read_word(where, "mode", merged.get("mode")) or ("System" if purpose == "core" else "User")
    if spot and mode == "System":
        raise InputError(f"{where} is a system pool on spot nodes, which AKS refuses; leave out priority: Spot.")
    managed = boolean(f"{where}: managed_gpu", merged.get("managed_gpu", False))
    count, minimum, maximum = read_counts(where, merged, mode)
    if managed and maximum is not None:
        raise InputError(
            f"{where} asks for managed_gpu under the autoscaler, which AKS does not support; "
            "give count instead of min and max, or leave out managed_gpu."
        )
    eviction = read_word(where, "eviction_policy", merged.get("eviction_policy"))
    return Pool(
        name=name,
        purpose=purpose,
        vm_size=read_matching(where, "vm_size", merged.get("vm_size"), _VM_SIZE, 'a size such as "Standard_E8s_v5"')
        or "",
        count=count,
        minimum=minimum,
        maximum=maximum,
        spot=spot,
        eviction_policy=(eviction or "Delete") if spot else None,
        price=read_price(where, merged.get("price", -1)) if spot else None,
        os_sku=read_word(where, "os_sku", merged.get("os_sku")),
        os_disk_size=read_integer(where, merged, "os_disk_size", 30, 2048, "a number of GB such as 128"),
        os_disk_type=read_word(where, "os_disk_type", merged.get("os_disk_type")),
        zones=read_zones(where, merged.get("zones")),
        max_surge=read_surge(where, merged.get("max_surge")),
        max_pods=read_integer(where, merged, "max_pods", 10, 250, "a number of pods such as 110"),
        version=read_matching(
            where, "version", merged.get("version"), _VERSION, 'a version of Kubernetes in quotes, such as "1.35"'
        ),
        labels=read_labels(where, merged.get("labels", {}), purpose, spot, gpu and not managed),
        taints=read_taints(where, merged.get("taints", []), purpose, spot),
        tags=read_strings(f"{where}: tags", merged.get("tags", {})),
        subnet_id=read_subnet(where, merged.get("subnet_id")),
        mode=mode,
        gpu=gpu,
        gpu_driver=(read_word(where, "gpu_driver", merged.get("gpu_driver")) or "Install") if gpu else None,
        mig_profile=read_word(where, "mig_profile", merged.get("mig_profile")),
        managed_gpu=managed,
        headers=read_strings(f"{where}: headers", merged.get("headers", {})),
    )


def _where(variable: str, index: int, item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return f"{variable}[{index}]" + (f" {quote(name)}" if isinstance(name, str) and name else "")


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
