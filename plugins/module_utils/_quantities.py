# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Cores and memory as KubeSpawner and Dask Gateway read them."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import number, wrong

GIB = 2**30

# Both programs read K, M, G and T as powers of 1024 and know no other suffix.
_UNITS = {"K": 2**10, "M": 2**20, "G": GIB, "T": 2**40}
_MEMORY = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)(?P<unit>[KMGT])")


def cores(where: str, value: Any) -> int | float:
    """Check a number of cores, more than none: 4 or 0.5."""
    if number(where, value, "a number of cores such as 4 or 0.5") <= 0:
        raise wrong(where, value, "a number of cores such as 4 or 0.5")
    return value


def memory(where: str, value: Any) -> int:
    """Read an amount of memory such as 32G into bytes.

    A bare number is refused: KubeSpawner would take it for bytes, its writer hardly ever means them.
    """
    wanted = 'an amount with the unit K, M, G or T, such as "32G"'
    match = _MEMORY.fullmatch(value) if isinstance(value, str) else None
    size = int(float(match["number"]) * _UNITS[match["unit"]]) if match else 0
    if size <= 0:
        raise wrong(where, value, wanted)
    return size


def gibibytes(where: str, value: Any) -> int:
    """Read an amount of memory into bytes: a number counts GiB, a text has a unit as in 32G."""
    if isinstance(value, str):
        return memory(where, value)
    size = int(number(where, value, 'a number of GiB such as 8, or an amount such as "512M"') * GIB)
    if size <= 0:
        raise wrong(where, value, 'a number of GiB such as 8, or an amount such as "512M"')
    return size


def readable(size: int) -> str:
    """Write bytes with the largest unit that leaves at least 1, rounded down: 27917287424 is 26G."""
    for unit in ("T", "G", "M", "K"):
        if size >= _UNITS[unit]:
            return f"{size * 10 // _UNITS[unit] / 10:g}{unit}"
    return f"{size} bytes"
