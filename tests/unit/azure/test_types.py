# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The table of types: looked up by id, and what writes of a type hold for themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_ids import IdError
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Fixed, found_above, matches
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import TYPES, locks, of

from unit.azure.rows import GROUP, IDENTITY, NETWORK, SUBNET, resource_id

NSG = f"{NETWORK}/networkSecurityGroups/hub"
VNET = f"{NETWORK}/virtualNetworks/hub-network"


@pytest.mark.parametrize("name", [kind.name for kind in TYPES.values()])
def test_a_type_is_found_by_an_id_in_any_case(name: str) -> None:
    assert of(resource_id(name)).name == name
    assert of(resource_id(name).upper()).name == name


def test_a_type_without_a_table_has_no_rules_of_its_own() -> None:
    kind = of(f"{GROUP}/providers/Microsoft.Example/things/x")
    assert kind.name == "Microsoft.Example/things"
    assert kind == dataclasses.replace(type(kind)(), name=kind.name)


def test_no_id_no_type() -> None:
    with pytest.raises(IdError):
        of("hub")


@pytest.mark.parametrize("name", [kind.name for kind in TYPES.values()])
def test_every_remedy_is_a_sentence(name: str) -> None:
    for path, fixed in TYPES[name.casefold()].immutable.items():
        assert isinstance(fixed, Fixed), path
        assert fixed.remedy[0].isupper(), path
        assert fixed.remedy.endswith("."), path


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("location", ("location",), True),
        ("location", ("properties", "location"), False),
        ("**.location", ("properties", "location"), True),
        ("properties.subnets[].name", ("properties", "subnets", "[]", "name"), True),
        ("properties.subnets[].name", ("properties", "subnets", "name"), False),
        ("properties.*.name", ("properties", "a", "name"), True),
        ("properties.*.name", ("properties", "[]", "name"), False),
        ("properties.Application_Type", ("properties", "application_type"), True),
        ("**.zones", ("zones",), True),
        ("**.zones", ("properties", "timezones"), False),
        ("**.zones", ("tags", "zones"), False),
        ("**.zones", ("properties", "nodelabels", "zones"), False),
        ("properties.nodeTaints[]", ("properties", "nodetaints", "[]"), True),
        ("properties.nodeTaints[]", ("properties", "nodetaints"), False),
    ],
)
def test_patterns(text: str, path: tuple[str, ...], expected: bool) -> None:
    assert matches(text, path) is expected


def test_a_rule_above_counts_below() -> None:
    table = {"properties.creationData": "fixed"}
    assert found_above(table, ("properties", "creationdata", "sourceresourceid")) == "fixed"
    assert found_above(table, ("properties",)) is None


@pytest.mark.parametrize(
    ("resource", "body", "held"),
    [
        (VNET, {}, {VNET}),
        (SUBNET, {}, {VNET}),
        (SUBNET, {"properties": {"NetworkSecurityGroup": {"id": NSG}}}, {VNET, NSG}),
        (NSG, {}, {NSG}),
        (f"{NSG}/securityRules/web", {}, {NSG}),
        (f"{IDENTITY}/federatedIdentityCredentials/hub", {}, {IDENTITY}),
        (f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/x/agentPools/a", {}, set()),
        (f"{NETWORK}/publicIPAddresses/x", {}, set()),
    ],
)
def test_what_a_write_holds_alone(resource: str, body: dict[str, Any], held: set[str]) -> None:
    """Azure refuses writes side by side of subnets of one network, and of credentials of one identity."""
    assert locks(resource, body) == {text.casefold() for text in held}


@pytest.mark.parametrize(
    ("resource", "at"),
    [
        (VNET, "etag"),
        (f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/x", "eTag"),
        (f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/x/agentPools/a", "properties.eTag"),
        (IDENTITY, ""),
    ],
)
def test_where_the_etag_stands(resource: str, at: str) -> None:
    assert of(resource).etag_at == at
    assert of(resource).etag is bool(at)
