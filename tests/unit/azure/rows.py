# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rows of the comparison's tables: what is wanted, how Azure answers, what differs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import Change, Comparison, compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of

SUBSCRIPTION = "/subscriptions/5a5a5a5a-0000-4000-8000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/hub-rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/hub-network/subnets/nodes"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/hub"
TODAY = "2026-11-22"
UNKNOWN = "(known after apply)"


@dataclass(frozen=True)
class Row:
    """One row. changes: (path, before, after) in order; forbidden: (path, end of the sentence that says what to do).

    type: with the parts between namespace and last part, as in "Microsoft.Network/virtualNetworks/subnets".
    source: the page of Microsoft's documentation, or the thread, that says so; "seen" for what was only seen.
    """

    what: str
    type: str
    desired: dict[str, Any]
    live: dict[str, Any]
    changes: tuple[tuple[str, Any, Any], ...] = ()
    forbidden: tuple[tuple[str, str], ...] = ()
    source: str = "seen"
    options: dict[str, Any] = field(default_factory=dict)


def properties(**values: Any) -> dict[str, Any]:
    """A body of nothing but properties."""
    return {"properties": values}


def table(*rows: Row) -> Any:
    """Run a test once for each row."""
    names = [row.what for row in rows]
    assert len(set(names)) == len(names), "two rows have one name"
    return pytest.mark.parametrize("row", rows, ids=names)


def resource_id(kind: str) -> str:
    """An id of the type."""
    if kind == "Microsoft.Resources/resourceGroups":
        return GROUP
    namespace, *parts = kind.split("/")
    return f"{GROUP}/providers/{namespace}/" + "/".join(f"{part}/x" for part in parts)


def compared(row: Row) -> Comparison:
    """What the comparison says of a row; it changes neither side."""
    desired, live = copy.deepcopy(row.desired), copy.deepcopy(row.live)
    result = compare(of(resource_id(row.type)), desired, live, today=TODAY, **row.options)
    assert (desired, live) == (row.desired, row.live)
    return result


def check(row: Row) -> None:
    """A row holds; what it sends is then what is wanted."""
    result = compared(row)
    assert [(change.path, change.before, change.after) for change in result.changes] == list(row.changes)
    assert len(result.forbidden) == len(row.forbidden)
    for forbidden, (path, remedy) in zip(result.forbidden, row.forbidden, strict=True):
        assert forbidden.path == path
        assert forbidden.remedy.endswith(remedy)
    assert bool(result.steps) == bool(row.changes and not row.forbidden)
    if result.steps and UNKNOWN not in str(row.desired):
        again = compare(of(resource_id(row.type)), row.desired, result.steps[-1], today=TODAY, **row.options)
        assert again.changes == ()
        assert again.forbidden == ()


def changed(*changes: tuple[str, Any, Any]) -> tuple[Change, ...]:
    """Changes as the comparison answers them."""
    return tuple(Change(*change) for change in changes)
