# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is sent is what was wanted: compared with it, nothing is left to do. Tried with many made-up resources."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import TYPES, of

from unit.azure.rows import GROUP, TODAY, resource_id

OTHER = f"{GROUP}/providers/Microsoft.Example/things/x"
WORDS = ("a", "Hub", "hub", "Standard_LRS", "West Europe", "10.0.0.0/8", "two words", GROUP, GROUP.lower(), "")
KEYS = ("a", "B", "b", "name", "zones", "addressPrefix", "addressPrefixes", "enabled", "id", "location", "hub.io/x")


def anything(source: random.Random, depth: int) -> Any:
    """A value as a body may hold it."""
    kind = source.randrange(9 if depth else 5)
    if kind < 2:
        return source.choice(WORDS)
    if kind < 5:
        return source.choice((None, True, False, 0, 1, 2.5))
    if kind < 7:
        return {source.choice(KEYS): anything(source, depth - 1) for _ in range(source.randrange(4))}
    if kind == 7:
        return [source.choice(WORDS) for _ in range(source.randrange(4))]
    names = source.sample("abcdef", source.randrange(4))
    return [{"name": name, "x": anything(source, depth - 1)} for name in names]


def folded(value: Any) -> Any:
    """A body has no two keys that differ by case alone."""
    if isinstance(value, dict):
        found: dict[str, tuple[str, Any]] = {}
        for key, item in value.items():
            found.setdefault(key.casefold(), (key, folded(item)))
        return dict(found.values())
    return [folded(item) for item in value] if isinstance(value, list) else value


def resource(source: random.Random) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "tags": folded({key: source.choice(WORDS) for key in source.sample(KEYS, 2)}),
        "properties": folded({key: anything(source, 3) for key in source.sample(KEYS, 4)}),
    }


def held_by(body: Any, wanted: Any) -> bool:
    """Whether what lived is still there where nothing was wanted of it."""
    if isinstance(wanted, dict) and isinstance(body, dict):
        keys = {key.casefold() for key in body}
        return all(key.casefold() in keys or value in (None, {}, []) for key, value in wanted.items())
    return True


@pytest.mark.parametrize("seed", range(300))
def test_one_write_is_enough(seed: int) -> None:
    source = random.Random(seed)  # noqa: S311
    desired, live = resource(source), resource(source)
    live["properties"]["provisioningState"] = source.choice(("Succeeded", "Failed", "Updating"))
    before = copy.deepcopy((desired, live))
    result = compare(of(OTHER), desired, live, today=TODAY)
    assert (desired, live) == before
    assert result.forbidden == ()
    assert bool(result.steps) == bool(result.changes)
    if result.steps:
        again = compare(of(OTHER), desired, result.steps[-1], today=TODAY)
        assert again.changes == ()
        assert held_by(result.steps[-1]["tags"], live["tags"])


@pytest.mark.parametrize("seed", range(100))
def test_a_new_resource_is_then_as_it_is_wanted(seed: int) -> None:
    desired = resource(random.Random(seed))  # noqa: S311
    (body,) = compare(of(OTHER), desired, None, today=TODAY).steps
    assert compare(of(OTHER), desired, body, today=TODAY).changes == ()


@pytest.mark.parametrize("name", [kind.name for kind in TYPES.values()])
def test_what_lives_differs_from_itself_in_nothing(name: str) -> None:
    source = random.Random(name)  # noqa: S311
    for _attempt in range(20):
        live = resource(source)
        result = compare(of(resource_id(name)), live, live, today=TODAY)
        assert result.changes == ()
        assert result.forbidden == ()
