# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Environment variables as data: one list for notebooks, Dask schedulers and Dask workers."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    kind,
    mapping,
    nearest,
    plain,
    quote,
    texts,
    wrong,
)

TARGETS = ("notebook", "scheduler", "worker")
_KEYS = ("name", "value", "targets")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def variable_name(where: str, value: Any) -> str:
    """Check the name of an environment variable."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise wrong(where, value, "a name of letters, digits and underscores, such as STAC_URL")
    return value


def variable_value(where: str, value: Any) -> str:
    """Check the value of an environment variable: a text, because YAML turns YES into true and 0123 into 83."""
    if not isinstance(value, str):
        raise InputError(f"{where} is {kind(value)}; write a text, in quotes.")
    if "\0" in value:
        raise InputError(f"{where} holds a NUL character, which no environment variable can; remove it.")
    return value


def escape(value: str) -> str:
    """Write a value so that it comes out of KubeSpawner, which formats it with str.format, as it went in."""
    return value.replace("{", "{{").replace("}", "}}")


def user_environment(entries: Any) -> dict[str, dict[str, str]]:
    """Sort daskhub_user_environment by where each variable is wanted.

    Args:
        entries: list of {name, value, targets}; targets are of TARGETS and default to the notebook.

    Returns:
        {"notebook": {NAME: value}, "scheduler": {...}, "worker": {...}}, in the order written.

    Raises:
        InputError: one sentence that names the entry.
    """
    result: dict[str, dict[str, str]] = {target: {} for target in TARGETS}
    entries = plain(entries)
    if not isinstance(entries, list):
        raise wrong("daskhub_user_environment", entries, "a list of variables with name, value and targets")
    for index, entry in enumerate(entries):
        where = f"daskhub_user_environment[{index}]"
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            where += f" {quote(entry['name'])}"
        entry = mapping(where, entry, _KEYS)
        name = variable_name(f"{where}: name", entry.get("name"))
        value = variable_value(f"{where}: value", entry.get("value"))
        targets = texts(f"{where}: targets", entry.get("targets", ["notebook"]), f"some of {', '.join(TARGETS)}")
        if not targets:
            raise InputError(f"{where}: targets is an empty list; name some of {', '.join(TARGETS)}, or remove it.")
        for target in targets:
            if target not in TARGETS:
                raise InputError(f"{where}: targets names the unknown {quote(target)}; {nearest(target, TARGETS)}")
            if name in result[target]:
                raise InputError(f"{where}: {name} was set for the {target} before; keep one of the two entries.")
            result[target][name] = value
    return result
