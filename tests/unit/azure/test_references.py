# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What refers to what in a list of resources, and the order that follows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_references import (
    Listing,
    MissingValue,
    Reference,
    ReferencesError,
    Wanted,
    is_unknown,
    references,
    resolve,
    value_at,
)

GROUP = "/subscriptions/0/resourceGroups/g"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/n"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


def wanted(name: str, text: str, body: dict[str, Any] | None = None, **more: Any) -> Wanted:
    return Wanted(name, text, "2025-01-01", body or {}, **more)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${a.id}", ["${a.id}"]),
        ("${a.id}/subnets/x", ["${a.id}"]),
        ({"x": ["${a.properties.p}", {"${b.id}": {}}]}, ["${a.properties.p}", "${b.id}"]),
        ("$${a.id}", []),
        ("{a.id} $a 100%", []),
        (["${a.id}", "${a.id}"], ["${a.id}"]),
    ],
)
def test_references_are_found_anywhere(value: Any, expected: list[str]) -> None:
    assert [str(one) for one in references(value)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${a.id}", "ID"),
        ("${a.properties.count}", 3),
        ("${a.properties.list}", [1, 2]),
        ("x-${a.properties.count}-${a.id}", "x-3-ID"),
        ({"${a.id}": {"y": "${a.ID}"}}, {"ID": {"y": "ID"}}),
        ("$${a.id} and ${a.id}", "${a.id} and ID"),
        (7, 7),
        (None, None),
    ],
)
def test_a_whole_reference_keeps_its_type_and_case_does_not_matter(value: Any, expected: Any) -> None:
    live = {"Id": "ID", "properties": {"Count": 3, "list": [1, 2]}}
    assert resolve(value, lambda reference: value_at(live, reference)) == expected


@pytest.mark.parametrize("path", ["b", "properties.x.y", "properties.list.5", "properties.nothing"])
def test_a_reference_that_leads_nowhere_is_said(path: str) -> None:
    live = {"properties": {"x": 1, "list": [1], "nothing": None}}
    with pytest.raises(MissingValue):
        value_at(live, Reference("a", tuple(path.split("."))))


@pytest.mark.parametrize(
    ("resources", "needs"),
    [
        pytest.param(
            [wanted("n", NETWORK), wanted("g", GROUP)],
            {"n": {"g"}, "g": set()},
            id="what lies above",
        ),
        pytest.param(
            [wanted("n", NETWORK.upper()), wanted("g", GROUP)],
            {"n": {"g"}, "g": set()},
            id="in any case",
        ),
        pytest.param(
            [wanted("g", GROUP), wanted("n", "${g.id}/providers/Microsoft.Network/virtualNetworks/n")],
            {"g": set(), "n": {"g"}},
            id="a reference in the id",
        ),
        pytest.param(
            [
                wanted("a", f"{GROUP}/providers/X.Y/as/a", {"properties": {"subnet": f"{NETWORK}/subnets/s"}}),
                wanted("n", NETWORK),
            ],
            {"a": {"n"}, "n": set()},
            id="a mentioned id, also of a part",
        ),
        pytest.param(
            [
                wanted("a", f"{GROUP}/providers/X.Y/as/a", {"properties": {"query": f"where id == '{NETWORK}'"}}),
                wanted("n", NETWORK),
            ],
            {"a": {"n"}, "n": set()},
            id="an id inside a text",
        ),
        pytest.param(
            [
                wanted("a", f"{GROUP}/providers/X.Y/as/a", {"identity": {"ids": {NETWORK: {}}}}),
                wanted("n", NETWORK),
            ],
            {"a": {"n"}, "n": set()},
            id="an id as a key",
        ),
        pytest.param(
            [
                wanted("n", NETWORK, {"properties": {"subnet": f"{NETWORK}/subnets/s"}}),
                wanted("s", f"{NETWORK}/subnets/s"),
            ],
            {"n": set(), "s": {"n"}},
            id="what a resource says of its own parts orders nothing",
        ),
        pytest.param(
            [
                wanted("n", NETWORK),
                wanted("nn", f"{NETWORK}n", {"properties": {"other": f"{NETWORK}nn"}}),
            ],
            {"n": set(), "nn": set()},
            id="a longer name is another one",
        ),
        pytest.param(
            [wanted("a", f"{GROUP}/providers/X.Y/as/a", depends_on=("n", "off")), wanted("n", NETWORK)],
            {"a": {"n"}, "n": set()},
            id="depends_on, also what is left out",
        ),
        pytest.param(
            [
                wanted("r", f"${{n.id}}/{ASSIGNMENTS}", {"properties": {"principalId": "${i.properties.p}"}}),
                wanted("n", NETWORK),
                wanted("i", f"{GROUP}/providers/X.Y/is/i"),
            ],
            {"r": {"n", "i"}, "n": set(), "i": set()},
            id="a role assignment",
        ),
    ],
)
def test_order(resources: list[Wanted], needs: dict[str, set[str]]) -> None:
    listing = Listing(resources, left_out=["off"])
    assert listing.needs == needs
    assert {name for needed in listing.needed_by().values() for name in needed} <= needs.keys()


def test_ids_are_known_before_anything_is_read() -> None:
    listing = Listing(
        [
            wanted("s", "${n.id}/subnets/s"),
            wanted("n", "${g.id}/providers/Microsoft.Network/virtualNetworks/${g.name}-network"),
            wanted("g", GROUP),
            wanted("late", f"{GROUP}/providers/X.Y/as/${{n.properties.guid}}"),
        ]
    )
    assert listing.ids["s"] == f"{GROUP}/providers/Microsoft.Network/virtualNetworks/g-network/subnets/s"
    assert is_unknown(listing.ids["late"])


@pytest.mark.parametrize(
    ("resources", "problems"),
    [
        pytest.param(
            [wanted("a", GROUP), wanted("a", NETWORK)],
            ['Two resources are named "a"; give each a name of its own.'],
            id="two of one name",
        ),
        pytest.param(
            [wanted("a", GROUP), wanted("b", GROUP.upper())],
            [f'resources "a" and "b" are the same one, {GROUP.upper()}; remove one of them, or give it another id.'],
            id="two of one id",
        ),
        pytest.param(
            [
                wanted("a", f"{GROUP}/{ASSIGNMENTS}", {"properties": {"roleDefinitionId": "x/R", "principalId": "p"}}),
                wanted("b", f"{GROUP}/{ASSIGNMENTS}", {"properties": {"roleDefinitionId": "r", "principalId": "P"}}),
                wanted("c", f"{GROUP}/{ASSIGNMENTS}", {"properties": {"roleDefinitionId": "r", "principalId": "q"}}),
            ],
            [
                f'resources "a" and "b" are the same one, {GROUP}/{ASSIGNMENTS}; remove one of them,'
                " or give it another id."
            ],
            id="two role assignments of one scope, role and principal",
        ),
        pytest.param(
            [wanted("a", GROUP, {"x": "${b.id}", "y": "${a.id}", "z": "${off.id}"}), wanted("c", NETWORK)],
            [
                'resource "a" refers to ${b.id}, but no resource is named "b"; the names are a, c.',
                'resource "a" refers to ${a.id}, which is itself; write the value.',
                'resource "a" refers to ${off.id}, but "off" is left out by its condition;'
                " leave the reference out as well.",
            ],
            id="references astray, all of them",
        ),
        pytest.param(
            [wanted("a", GROUP, {"x": "${c}"}, depends_on=("a", "b")), wanted("c", NETWORK)],
            [
                'resource "a" refers to ${c}; say which of its values, such as ${c.id}.',
                'resource "a" depends on itself; remove it from depends_on.',
                'resource "a" depends on "b", which does not exist; the names are a, c.',
            ],
            id="no path, depends on itself and on nobody",
        ),
        pytest.param(
            [
                wanted("a", f"{GROUP}/providers/X.Y/as/a", {"x": "${b.properties.y}"}),
                wanted("b", f"{GROUP}/providers/X.Y/as/b", depends_on=("c",)),
                wanted("c", f"{GROUP}/providers/X.Y/as/c", {"x": ["${a.id}"]}),
            ],
            ["The resources need each other in a circle: a → b → c → a; remove one of these references."],
            id="a circle",
        ),
        pytest.param(
            [wanted("a", f"{GROUP}/providers/X.Y/as")],
            [
                f'resource "a": the id {GROUP}/providers/X.Y/as ends with a type; append the name'
                " (only role assignments are found without one)."
            ],
            id="an id without a name",
        ),
    ],
)
def test_bad_input(resources: list[Wanted], problems: list[str]) -> None:
    with pytest.raises(ReferencesError) as caught:
        Listing(resources, left_out=["off"])
    assert caught.value.problems == problems


def test_a_text_that_is_no_id() -> None:
    with pytest.raises(ReferencesError, match=r'^resource "a": "hub" is no id of Azure'):
        Listing([wanted("a", "hub")])
