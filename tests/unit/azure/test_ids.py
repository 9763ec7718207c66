# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids

S = "/subscriptions/5a5a5a5a-0000-4000-8000-000000000001"
G = f"{S}/resourceGroups/hub-rg"
VNET = f"{G}/providers/Microsoft.Network/virtualNetworks/hub"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/platform"
ROLES = "providers/Microsoft.Authorization/roleAssignments"
GUID = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


@pytest.mark.parametrize(
    ("text", "kind", "names", "scope", "parent", "group"),
    [
        (S, "Microsoft.Resources/subscriptions", (S[15:],), "", "", ""),
        ("/subscriptions", "Microsoft.Resources/subscriptions", (), "", "", ""),
        (G, "Microsoft.Resources/resourceGroups", ("hub-rg",), S, S, "hub-rg"),
        (f"{S}/resourceGroups", "Microsoft.Resources/resourceGroups", (), S, S, ""),
        (VNET, "Microsoft.Network/virtualNetworks", ("hub",), G, G, "hub-rg"),
        (VNET[:-4], "Microsoft.Network/virtualNetworks", (), G, G, "hub-rg"),
        (f"{VNET}/subnets/n", "Microsoft.Network/virtualNetworks/subnets", ("hub", "n"), G, VNET, "hub-rg"),
        (f"{VNET}/subnets", "Microsoft.Network/virtualNetworks/subnets", ("hub",), G, VNET, "hub-rg"),
        (
            f"{G}/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/data",
            "Microsoft.Storage/storageAccounts/fileServices/shares",
            ("a", "default", "data"),
            G,
            f"{G}/providers/Microsoft.Storage/storageAccounts/a/fileServices/default",
            "hub-rg",
        ),
        (f"{G}/{ROLES}/{GUID}", "Microsoft.Authorization/roleAssignments", (GUID,), G, G, "hub-rg"),
        (f"{VNET}/{ROLES}/{GUID}", "Microsoft.Authorization/roleAssignments", (GUID,), VNET, VNET, "hub-rg"),
        (f"{VNET}/{ROLES}", "Microsoft.Authorization/roleAssignments", (), VNET, VNET, "hub-rg"),
        (f"{S}/{ROLES}/{GUID}", "Microsoft.Authorization/roleAssignments", (GUID,), S, S, ""),
        (f"/{ROLES}/{GUID}", "Microsoft.Authorization/roleAssignments", (GUID,), "", "", ""),
        (MANAGEMENT, "Microsoft.Management/managementGroups", ("platform",), "", "", ""),
        (
            f"{MANAGEMENT}/{ROLES}/{GUID}",
            "Microsoft.Authorization/roleAssignments",
            (GUID,),
            MANAGEMENT,
            MANAGEMENT,
            "",
        ),
        (
            f"{VNET}/providers/Microsoft.Insights/diagnosticSettings/logs",
            "Microsoft.Insights/diagnosticSettings",
            ("logs",),
            VNET,
            VNET,
            "hub-rg",
        ),
        (
            f"{S}/providers/Microsoft.Compute/locations/westeurope/usages",
            "Microsoft.Compute/locations/usages",
            ("westeurope",),
            S,
            f"{S}/providers/Microsoft.Compute/locations/westeurope",
            "",
        ),
    ],
)
def test_parts(text: str, kind: str, names: tuple[str, ...], scope: str, parent: str, group: str) -> None:
    found = ids.parse(text)
    assert (found.type, found.names, found.scope, found.parent, found.group) == (kind, names, scope, parent, group)
    assert found.name == (names[-1] if len(names) == kind.count("/") else "")


def test_a_name_and_a_collection() -> None:
    assert ids.parse(f"{VNET}/subnets/n").name == "n"
    assert ids.parse(f"{VNET}/subnets").name == ""
    assert ids.parse(f"{VNET}/subnets").is_collection
    assert not ids.parse(VNET).is_collection


def test_an_extension_lies_on_another_resource() -> None:
    assert ids.parse(f"{VNET}/{ROLES}/{GUID}").is_extension
    assert not ids.parse(f"{G}/{ROLES}/{GUID}").is_extension
    assert not ids.parse(VNET).is_extension


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (VNET, VNET.upper(), True),
        (VNET, f"{VNET}/", True),
        (G, G.replace("resourceGroups", "resourcegroups"), True),
        (VNET, f"{VNET}2", False),
        (VNET, f"{VNET}/subnets/n", False),
        (G, G.replace("hub-rg", "hub_rg"), False),
    ],
)
def test_same(one: str, other: str, same: bool) -> None:
    assert ids.same(one, other) is same


def test_parts_are_found_in_any_case() -> None:
    found = ids.parse(
        f"{VNET}/subnets/Nodes".replace("/subscriptions", "/SUBSCRIPTIONS").replace("providers", "Providers")
    )
    assert (found.subscription, found.group, found.name) == (S[15:], "hub-rg", "Nodes")
    assert found.type == "Microsoft.Network/virtualNetworks/subnets"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "An id of Azure is empty; write it as"),
        ("hub-rg", '"hub-rg" is no id of Azure: it starts with one "/"'),
        (f"/{S}", "has no empty part"),
        (f"{G}//x", "has no empty part"),
        (f"{G}/virtualNetworks/x", "is no id of Azure; write it as /subscriptions/"),
        (f"{G}/providers", 'after "providers" come a namespace, a type and a name'),
        (f"{G}/providers/Microsoft.Network", 'after "providers" come a namespace, a type and a name'),
        (f"{S}/groups/x", "is no id of Azure; write it as /subscriptions/"),
    ],
)
def test_no_id(text: str, says: str) -> None:
    with pytest.raises(ids.IdError) as error:
        ids.parse(text)
    assert says in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (S, True),
        (f"/{ROLES}/x", True),
        (S.upper(), True),
        ("/data", False),
        ("westeurope", False),
        (None, False),
        (1, False),
    ],
)
def test_is_id(value: object, expected: bool) -> None:
    assert ids.is_id(value) is expected


def test_last_segment() -> None:
    assert ids.last_segment(f"{S}/{ROLES}/{GUID}") == GUID
    assert ids.last_segment(GUID) == GUID
