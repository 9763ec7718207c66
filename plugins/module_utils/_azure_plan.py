# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A plan: what would happen to each resource, for people (a diff) and for programs (a list)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_values import MASK, is_secret

CREATE, UPDATE, DELETE, NONE, FORBIDDEN = "create", "update", "delete", "none", "forbidden"
VERBS = {CREATE: "to create", UPDATE: "to update", DELETE: "to delete", FORBIDDEN: "forbidden", NONE: "unchanged"}

# Secrets to the eye, but what a hub is told to send its telemetry to.
TOLD = frozenset({"connectionstring", "instrumentationkey"})
# Texts that YAML would read as something else.
_PLAIN = re.compile(r"[A-Za-z_/(][\w./()@ +*-]*[\w./()*-]|[A-Za-z_/*]")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none"})


@dataclass(frozen=True)
class Planned:
    """What would happen to one resource.

    :ivar action: create, update, delete, none or forbidden
    :ivar changes: of an update: path, value before, value after
    :ivar body: of a create: what would be sent
    """

    name: str
    id: str
    type: str
    action: str
    changes: tuple[tuple[str, Any, Any], ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)


def masked(value: Any, key: str = "", told: frozenset[str] = frozenset()) -> Any:
    """A value without its secrets.

    :param told: names of properties, in lower case, that are shown all the same
    """
    if isinstance(value, Mapping):
        return {name: masked(below, str(name), told) for name, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(below, key, told) for below in value]
    hidden = isinstance(value, str) and value and is_secret(key) and key.casefold() not in told
    return MASK if hidden else value


def secrets(value: Any, key: str = "") -> Iterator[str]:
    """The secrets that a value holds."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from secrets(below, str(name))
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from secrets(below, key)
    elif isinstance(value, str) and value and is_secret(key) and key.casefold() not in TOLD:
        yield value


def changed(plan: Iterable[Planned]) -> bool:
    return any(one.action in (CREATE, UPDATE, DELETE) for one in plan)


def summary(plan: Iterable[Planned]) -> str:
    """The plan in one line.

    >>> summary([Planned("a", "", "", CREATE), Planned("b", "", "", NONE), Planned("c", "", "", NONE)])
    '1 to create, 2 unchanged'
    """
    actions = [one.action for one in plan]
    return ", ".join(f"{actions.count(key)} {verb}" for key, verb in VERBS.items() if key in actions) or "nothing"


def listed(plan: Iterable[Planned]) -> list[dict[str, Any]]:
    """The plan for programs: name, id, type, action, changes."""
    return [
        {
            "name": one.name,
            "id": one.id,
            "type": one.type,
            "action": one.action,
            "changes": [
                {"path": path, "before": masked(before, path), "after": masked(after, path)}
                for path, before, after in one.changes
            ],
        }
        for one in plan
    ]


def diff(plan: Iterable[Planned]) -> list[dict[str, str]]:
    """The plan for people, as Ansible shows it: one entry for each resource that changes, and only what changes."""
    return [entry for one in plan if one.action in (CREATE, UPDATE, DELETE) for entry in (_entry(one),)]


def _entry(one: Planned) -> dict[str, str]:
    before = after = ""
    if one.action == CREATE:
        after = as_yaml(masked(one.body))
    elif one.action == DELETE:
        before = as_yaml({"id": one.id})
    else:
        before = "".join(_line(path, old) for path, old, _new in one.changes)
        after = "".join(_line(path, new) for path, _old, new in one.changes)
    return {
        "before_header": f"{one.name} ({one.id})",
        "after_header": f"{one.name} ({one.action})",
        "before": before,
        "after": after,
    }


def _line(path: str, value: Any) -> str:
    return "" if value is None else as_yaml({path: masked(value, path)})


def as_yaml(value: Any, indent: int = 0) -> str:
    """A value as YAML that a person likes to read.

    >>> print(as_yaml({"sku": {"tier": "Standard"}, "zones": ["1"], "tags": {}}), end="")
    sku:
      tier: Standard
    zones:
    - "1"
    tags: {}
    """
    space = "  " * indent
    lines = []
    if isinstance(value, Mapping):
        for key, below in value.items():
            if isinstance(below, (Mapping, list)) and below:
                lines += [
                    f"{space}{_scalar(key)}:\n",
                    as_yaml(below, indent + (1 if isinstance(below, Mapping) else 0)),
                ]
            else:
                lines.append(f"{space}{_scalar(key)}: {_scalar(below)}\n")
        return "".join(lines)
    for item in value:
        if isinstance(item, (Mapping, list)) and item:
            # The first line of what is below stands behind the dash.
            lines.append(f"{space}- {as_yaml(item, indent + 1).lstrip()}")
        else:
            lines.append(f"{space}- {_scalar(item)}\n")
    return "".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
