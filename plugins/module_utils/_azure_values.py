# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Single values of Azure's resources: when two spellings mean the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids

UNKNOWN = "(known after apply)"
MASK = "****"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Words of Azure's own (Standard_LRS, ReadWriteMany, PerGB2018), as against sentences, addresses and keys.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|\*")
_SECRET = re.compile(
    r"(password|secret|connectionstring|(primary|secondary|shared|access|private|instrumentation)key)$"
)
_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_ISO_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_VERSION = re.compile(r"v?\d+(\.\d+){0,2}")


def is_unknown(value: Any) -> bool:
    """Whether a text holds something that only the apply will tell."""
    return isinstance(value, str) and UNKNOWN in value


def is_empty(value: Any) -> bool:
    """Azure drops nulls, and often empty texts, lists and maps."""
    return value is None or value == "" or value == [] or value == {}


def is_masked(value: Any) -> bool:
    """Whether Azure shows asterisks in the place of a secret."""
    return isinstance(value, str) and len(value) > 2 and not value.strip("*")


def is_secret(key: str) -> bool:
    """Whether the value of a key should not be seen."""
    return bool(_SECRET.search(key.casefold()))


def plainly_same(want: Any, have: Any) -> bool:
    """Whether two scalars are the same value: 10 and "10", true and "True", but not a and A."""
    if isinstance(want, bool) or isinstance(have, bool):
        return str(want).casefold() == str(have).casefold()
    if isinstance(want, (int, float)) != isinstance(have, (int, float)):
        return _number(want) is not None and _number(want) == _number(have)
    return bool(want == have)


def loosely_same(want: Any, have: Any) -> bool:
    """Whether two scalars are the same to Azure, which is careless of case in ids, GUIDs and its own words."""
    if plainly_same(want, have):
        return True
    if not isinstance(want, str) or not isinstance(have, str):
        return False
    if ids.is_id(want) and ids.is_id(have):
        return ids.same(want, have)
    one, other = want.casefold(), have.casefold()
    return one == other and bool(_WORD.fullmatch(want) or _GUID.fullmatch(one))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def place(value: Any) -> str:
    """A location as Azure compares it: "West Europe" is westeurope."""
    return re.sub(r"\s", "", str(value)).casefold()


def words(value: Any) -> list[str]:
    """The words of a list in one text, such as "SystemAssigned, UserAssigned", in one order."""
    return sorted(part.strip().casefold() for part in str(value).split(","))


def seconds(value: Any) -> float | None:
    """A duration such as 10m, 1h30m, PT5M or P1D; None for anything else."""
    text = str(value).strip()
    if re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        return sum(float(count) * {"h": 3600, "m": 60, "s": 1}[unit] for count, unit in _GO_DURATION.findall(text))
    found = _ISO_DURATION.fullmatch(text.upper())
    if not found or not any(found.groups()):
        return None
    sizes = (604800, 86400, 3600, 60, 1)
    return float(sum(int(part or 0) * size for part, size in zip(found.groups(), sizes, strict=True)))


def version(value: Any) -> tuple[int, ...] | None:
    """A Kubernetes version such as 1.35 or 1.35.4 as numbers; None for anything else."""
    text = str(value).strip()
    return tuple(int(part) for part in text.lstrip("v").split(".")) if _VERSION.fullmatch(text) else None


def document(value: Any) -> Any:
    """What a text of JSON says; the text itself when it is none."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def get(value: Any, path: str) -> Any:
    """The value of a key in any case, or of keys joined by dots; of "a|b" the first there; None without one."""
    for part in path.casefold().split("."):
        if not isinstance(value, Mapping):
            return None
        under = {str(name).casefold(): item for name, item in value.items()}
        value = next((under[name] for name in part.split("|") if under.get(name) is not None), None)
    return value
