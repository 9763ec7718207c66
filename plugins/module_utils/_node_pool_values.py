# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Values of one agent pool, each checked on its own: numbers of nodes, Azure's words, labels and taints.

Sources: https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update (bounds, names),
https://learn.microsoft.com/azure/aks/use-labels (labels).
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    nearest,
    number,
    quote,
    text,
    texts,
    wrong,
)

# Purposes that have pools; a scheduler has none of its own.
POOL_PURPOSES = ("core", "user", "worker", "gpu_user", "gpu_worker")
# What the device plugin looks for.
GPU_LABELS = {"accelerator": "nvidia"}
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
_SURGE = re.compile(r"[1-9][0-9]*|([1-9][0-9]?|100)%")
_SUBNET = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/.*/virtualNetworks/[^/]+/subnets/[^/]+", re.IGNORECASE)
# Kubernetes' rules: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
_LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_RESERVED = "kubernetes.azure.com/"


def read_name(where: str, value: Any) -> str:
    return read_matching(
        where, "name", value, _NAME, "1 to 12 lowercase letters and digits that begin with a letter", required=True
    )


def read_purpose(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if value not in POOL_PURPOSES:
        raise InputError(f"{where} has the purpose {quote(value)}; {nearest(value, POOL_PURPOSES)}")
    return str(value)


def read_counts(where: str, pool: dict[str, Any], mode: str) -> tuple[int, int | None, int | None]:
    """Nodes at creation, and the autoscaler's bounds."""
    least = 1 if mode == "System" else 0
    wanted = f"a number of nodes from {least} to {MOST_NODES}"
    count = read_integer(where, pool, "count", least, MOST_NODES, wanted)
    minimum = read_integer(where, pool, "min", least, MOST_NODES, wanted)
    maximum = read_integer(where, pool, "max", 1, MOST_NODES, f"a number of nodes from 1 to {MOST_NODES}")
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


def read_integer(where: str, pool: dict[str, Any], key: str, least: int, most: int, wanted: str) -> int | None:
    value = pool.get(key)
    if value is None:
        return None
    if number(f"{where}: {key}", value, wanted, least) > most or not isinstance(value, int):
        raise wrong(f"{where}: {key}", value, wanted)
    return int(value)


def read_word(where: str, key: str, value: Any) -> str | None:
    if value is None:
        return None
    words = {word.lower(): word for word in WORDS[key]}
    if not isinstance(value, str) or value.lower() not in words:
        raise wrong(f"{where}: {key}", value, f"one of {', '.join(WORDS[key])}")
    return words[value.lower()]


def read_matching(
    where: str, key: str, value: Any, pattern: re.Pattern[str], wanted: str, required: bool = False
) -> Any:
    if value is None and not required and key != "vm_size":
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise wrong(f"{where}: {key}", value, wanted)
    return value


def read_price(where: str, value: Any) -> float:
    wanted = "the most US dollars an hour such as 0.05, or -1 for the price of a regular node"
    price = number(f"{where}: price", value, wanted)
    if price != -1 and price <= 0:
        raise wrong(f"{where}: price", value, wanted)
    return price


def read_surge(where: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not _SURGE.fullmatch(str(value)):
        raise wrong(f"{where}: max_surge", value, 'a number of nodes such as 1 or a share such as "10%"')
    return str(value)


def read_zones(where: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    wanted = 'a list of zones such as ["1", "2", "3"]'
    if not isinstance(value, list):
        raise wrong(f"{where}: zones", value, wanted)
    zones = [str(zone) for zone in value if not isinstance(zone, bool)]
    if len(zones) < len(value) or not all(zone.isdigit() for zone in zones) or len(set(zones)) < len(zones):
        raise wrong(f"{where}: zones", value, wanted)
    return tuple(sorted(zones)) or None


def read_subnet(where: str, value: Any) -> str | None:
    """An id, or a reference to one that the engine fills in."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not (_SUBNET.fullmatch(value) or "${" in value):
        raise wrong(f"{where}: subnet_id", value, "the full id of a subnet, /subscriptions/…/subnets/<name>")
    return value


def read_strings(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise wrong(where, value, "a mapping of texts")
    for key, item in value.items():
        if not isinstance(item, str):
            raise wrong(f"{where}: {key}", item, "a text, in quotes")
    return {str(key): item for key, item in value.items()}


def read_labels(where: str, value: Any, purpose: str | None, spot: bool, plugin: bool) -> dict[str, str]:
    """The labels of the purpose, what the device plugin looks for, and own ones."""
    own = read_strings(f"{where}: labels", value)
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


def read_taints(where: str, value: Any, purpose: str | None, spot: bool) -> tuple[dict[str, str], ...]:
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
