# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Role definitions, and Azure's built-in ones out of ``roles.yml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_TABLE = Path(__file__).with_suffix(".yml")


@dataclass(frozen=True)
class Role:
    """A role definition: what it is called and which actions it allows, with ``*`` for any text."""

    name: str
    guid: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    built_in: bool = True
    assignable_scopes: tuple[str, ...] = ("/",)


def _flat(items: Iterable[Any]) -> tuple[str, ...]:
    """The texts of a list, a list inside of it standing for its items."""
    return tuple(text for item in items for text in ([item] if isinstance(item, str) else _flat(item)))


def _role(row: dict[str, Any]) -> Role:
    values: dict[str, Any] = {key: value if isinstance(value, str) else _flat(value) for key, value in row.items()}
    return Role(**values)


BUILT_IN: tuple[Role, ...] = tuple(map(_role, yaml.safe_load(_TABLE.read_text(encoding="utf-8"))["roles"]))
BY_GUID: dict[str, Role] = {role.guid: role for role in BUILT_IN}
BY_NAME: dict[str, Role] = {role.name.casefold(): role for role in BUILT_IN}
