# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Chart values from several roles, merged into one."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, mapping, plain, text, wrong

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def merge_values(fragments: Any) -> dict[str, Any]:
    """Merge chart values; two fragments may not set one key differently.

    Mappings merge. Lists whose items all have a name (volumes, variables, containers), or all a mountPath, merge by it
    and keep their order. Everything else is a value, other lists too. Equal values are fine, but 1, 1.0, "1" and true
    differ.

    Args:
        fragments: list of {"origin": who wrote it, "values": mapping of chart values, "wins": true for one whose values
            take the place of what was set before, which is what an operator says last}.

    Returns:
        One mapping that shares nothing with the fragments.

    Raises:
        InputError: one sentence that names both origins and the key, never the values: they may be secrets.
    """
    fragments = plain(fragments)
    if not isinstance(fragments, list):
        raise wrong("the fragments to merge", fragments, "a list of mappings with origin and values")
    merged: dict[str, Any] = {}
    origins: dict[tuple[Any, ...], str] = {}
    for index, fragment in enumerate(fragments):
        where = f"fragment [{index}] of the chart values"
        fragment = mapping(where, fragment, ("origin", "values", "wins"))
        origin = text(f"{where}: origin", fragment.get("origin"), "the name of the role it comes from")
        values = fragment.get("values")
        if not isinstance(values, dict):
            raise wrong(f"{where}, from {origin}: values", values, "a mapping")
        _merge(merged, values, (), origin, origins, fragment.get("wins") is True)
    return merged


def _merge(
    target: dict[str, Any],
    values: dict[str, Any],
    path: tuple[Any, ...],
    origin: str,
    origins: dict[tuple[Any, ...], str],
    wins: bool,
) -> None:
    for key, value in values.items():
        here = (*path, key)
        if key not in target:
            target[key] = value
            _claim(value, here, origin, origins)
        elif isinstance(value, dict) and isinstance(target[key], dict):
            _merge(target[key], value, here, origin, origins, wins)
        elif _identity(value, target[key]):
            identity = _identity(value, target[key])
            before, after = ({item[identity]: item for item in items} for items in (target[key], value))
            for name in before:
                origins.setdefault((*here, name), origins[here])
            _merge(before, after, here, origin, origins, wins)
            target[key] = list(before.values())
        elif wins:
            target[key] = value
            _claim(value, here, origin, origins)
        elif not _same(value, target[key]):
            raise InputError(
                f"the chart value {_dotted(here)} is set differently by {_claimed(here, origins)} and by {origin}; "
                "let one of them set it."
            )


def _identity(one: Any, other: Any) -> str:
    """By which key the items of two lists are told apart; empty where they are not, and the lists are values."""
    if not isinstance(one, list) or not isinstance(other, list) or not one or not other:
        return ""
    for key in ("mountPath", "name"):
        names = [[item.get(key) if isinstance(item, dict) else None for item in items] for items in (one, other)]
        if all(all(isinstance(name, str) for name in each) and len(set(each)) == len(each) for each in names):
            return key
    return ""


def _claim(value: Any, path: tuple[Any, ...], origin: str, origins: dict[tuple[Any, ...], str]) -> None:
    """Remember who set a key first, and every key below it."""
    origins[path] = origin
    if isinstance(value, dict):
        for key, item in value.items():
            _claim(item, (*path, key), origin, origins)


def _claimed(path: tuple[Any, ...], origins: dict[tuple[Any, ...], str]) -> str:
    """Who set a key, or else what it is in: the items of a list are not claimed one by one."""
    return next((origins[path[:size]] for size in range(len(path), 0, -1) if path[:size] in origins), "")


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def _dotted(path: tuple[Any, ...]) -> str:
    """Write a path of keys as in Helm's documentation: hub.config["a.b"].c."""
    parts = [f".{key}" if _PLAIN_KEY.fullmatch(str(key)) else f"[{json.dumps(str(key))}]" for key in path]
    return "".join(parts).lstrip(".")
