# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Chart values from several roles, merged into one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, mapping, plain, text, wrong

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")

#: Keys of mappings from the root, and indexes or names of items of lists.
Path = tuple[Any, ...]


class ConflictError(InputError):
    """Two fragments set one key; ``path`` is where, ``origins`` are the two."""

    def __init__(self, path: Path, first: str, second: str) -> None:
        super().__init__(
            f"the chart value {dotted(path)} is set differently by {first} and by {second}; let one of them set it."
        )
        self.path = path
        self.origins = (first, second)


@dataclass
class Merged:
    """Chart values, and who set which.

    :ivar origins: path -> origin of the fragment that set it last
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)

    def origin(self, path: Path) -> str:
        """Who set a key, or else what it is in: the items of a list are not claimed one by one."""
        return next((self.origins[path[:size]] for size in range(len(path), 0, -1) if path[:size] in self.origins), "")


def merge_values(fragments: Any) -> dict[str, Any]:
    """The values alone of ``merge``."""
    return merge(fragments).values


def merge(fragments: Any) -> Merged:
    """Merge chart values; two fragments may not set one key differently.

    Mappings merge. Lists whose items all have a name (volumes, variables, containers), or all a mountPath, merge by it
    and keep their order. Everything else is a value, other lists too. Equal values are fine, but 1, 1.0, "1" and true
    differ.

    Args:
        fragments: list of {"origin": who wrote it, "values": mapping of chart values, "wins": true for one whose values
            take the place of what was set before, which is what an operator says last}.

    Returns:
        One mapping that shares nothing with the fragments, and the origin of each key.

    Raises:
        InputError: one sentence that names both origins and the key, never the values: they may be secrets.
    """
    fragments = plain(fragments)
    if not isinstance(fragments, list):
        raise wrong("the fragments to merge", fragments, "a list of mappings with origin and values")
    merged = Merged()
    for index, fragment in enumerate(fragments):
        where = f"fragment [{index}] of the chart values"
        fragment = mapping(where, fragment, ("origin", "values", "wins"))
        origin = text(f"{where}: origin", fragment.get("origin"), "the name of the role it comes from")
        values = fragment.get("values")
        if not isinstance(values, dict):
            raise wrong(f"{where}, from {origin}: values", values, "a mapping")
        _merge(merged.values, values, (), origin, merged, fragment.get("wins") is True)
    return merged


def _merge(target: dict[str, Any], values: dict[str, Any], path: Path, origin: str, merged: Merged, wins: bool) -> None:
    for key, value in values.items():
        here = (*path, key)
        if key not in target:
            target[key] = value
            _claim(value, here, origin, merged.origins)
        elif isinstance(value, dict) and isinstance(target[key], dict):
            _merge(target[key], value, here, origin, merged, wins)
        elif identity := _identity(value, target[key]):
            before, after = ({item[identity]: item for item in items} for items in (target[key], value))
            for name in before:
                merged.origins.setdefault((*here, name), merged.origins[here])
            _merge(before, after, here, origin, merged, wins)
            target[key] = list(before.values())
        elif wins:
            target[key] = value
            _claim(value, here, origin, merged.origins)
        elif not _same(value, target[key]):
            raise ConflictError(here, merged.origin(here), origin)


def _identity(one: Any, other: Any) -> str:
    """By which key the items of two lists are told apart; empty where they are not, and the lists are values."""
    if not isinstance(one, list) or not isinstance(other, list) or not one or not other:
        return ""
    for key in ("mountPath", "name"):
        names = [[item.get(key) if isinstance(item, dict) else None for item in items] for items in (one, other)]
        if all(all(isinstance(name, str) for name in each) and len(set(each)) == len(each) for each in names):
            return key
    return ""


def _claim(value: Any, path: Path, origin: str, origins: dict[Path, str]) -> None:
    """Remember who set a key first, and every key below it."""
    origins[path] = origin
    if isinstance(value, dict):
        for key, item in value.items():
            _claim(item, (*path, key), origin, origins)


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def dotted(path: Path) -> str:
    """Write a path of keys as in Helm's documentation: hub.config["a.b"].c[0]."""
    return "".join(_step(key) for key in path).lstrip(".")


def _step(key: Any) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(str(key)) else f"[{json.dumps(str(key))}]"
