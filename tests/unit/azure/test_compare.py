# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What holds for every type. Wherever Azure's answer differs without meaning it, a row beside it really differs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of

from unit.azure.rows import GROUP, IDENTITY, NETWORK, SUBNET, TODAY, UNKNOWN, Row, changed, check, properties, table

OTHER = "Microsoft.Example/things"
RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"
STATE = "properties.provisioningState"
MOVE = "write its location, another name, or delete it first."
NAMING = "Azure Resource Manager: tag, resource group and resource names are case-insensitive"


@table(
    Row("ids: another case", OTHER, properties(subnet={"id": SUBNET}), properties(subnet={"id": SUBNET.upper()})),
    Row(
        "ids: another resource",
        OTHER,
        properties(subnet={"id": SUBNET}),
        properties(subnet={"id": f"{SUBNET}2"}),
        changes=(("properties.subnet.id", f"{SUBNET}2", SUBNET),),
    ),
    Row("ids: a slash at the end", OTHER, properties(target=SUBNET), properties(target=f"{SUBNET}/")),
    Row(
        "location: with a space",
        OTHER,
        {"location": "westeurope"},
        {"location": "West Europe"},
        source="Azure regions: name and display name",
    ),
    Row("location: of a replica", OTHER, properties(locations=["West Europe"]), properties(locations=["westeurope"])),
    Row(
        "location: another one",
        OTHER,
        {"location": "westeurope"},
        {"location": "northeurope"},
        forbidden=(("location", MOVE),),
    ),
    Row("location: nobody said one", OTHER, {"tags": {}}, {"location": "westeurope"}),
    Row("words: another case", OTHER, {"sku": {"name": "Standard_LRS"}}, {"sku": {"name": "standard_lrs"}}),
    Row(
        "words: another word",
        OTHER,
        {"sku": {"name": "Standard_LRS"}},
        {"sku": {"name": "Standard_ZRS"}},
        changes=(("sku.name", "Standard_ZRS", "Standard_LRS"),),
    ),
    Row(
        "sentences: another case is another sentence",
        OTHER,
        properties(text="Users of the hub"),
        properties(text="users of the hub"),
        changes=(("properties.text", "users of the hub", "Users of the hub"),),
    ),
    Row(
        "descriptions: another case is another description",
        OTHER,
        properties(description="Hub"),
        properties(description="hub"),
        changes=(("properties.description", "hub", "Hub"),),
    ),
    Row(
        "GUIDs: another case",
        OTHER,
        properties(tenantId="7f951dda-4ed3-4680-a7ca-43fe172d538d"),
        properties(tenantId="7F951DDA-4ED3-4680-A7CA-43FE172D538D"),
    ),
    Row(
        "GUIDs: another one",
        OTHER,
        properties(tenantId="7f951dda-4ed3-4680-a7ca-43fe172d538d"),
        properties(tenantId="7f951dda-4ed3-4680-a7ca-43fe172d538e"),
        changes=(
            (
                "properties.tenantId",
                "7f951dda-4ed3-4680-a7ca-43fe172d538e",
                "7f951dda-4ed3-4680-a7ca-43fe172d538d",
            ),
        ),
    ),
    Row("keys: another case", OTHER, properties(Application_Type="web"), properties(application_type="web")),
    Row(
        "keys: another case and another value",
        OTHER,
        properties(Application_Type="web"),
        properties(application_type="other"),
        changes=(("properties.Application_Type", "other", "web"),),
    ),
    Row("numbers: as texts", OTHER, properties(count=10), properties(count="10")),
    Row("numbers: as fractions", OTHER, properties(price=-1), properties(price=-1.0)),
    Row(
        "numbers: another one",
        OTHER,
        properties(count=10),
        properties(count="11"),
        changes=(("properties.count", "11", 10),),
    ),
    Row(
        "numbers: zero is not nothing",
        OTHER,
        properties(count=0),
        properties(),
        changes=(("properties.count", None, 0),),
    ),
    Row("booleans: as texts", OTHER, properties(enabled=True), properties(enabled="True")),
    Row("booleans: false is often left out", OTHER, properties(enabled=False), properties()),
    Row(
        "booleans: true is not left out",
        OTHER,
        properties(enabled=True),
        properties(),
        changes=(("properties.enabled", None, True),),
    ),
    Row(
        "booleans: the other one",
        OTHER,
        properties(enabled=False),
        properties(enabled=True),
        changes=(("properties.enabled", True, False),),
    ),
    Row(
        "nothing: null, no text, an empty list and an empty map are dropped",
        OTHER,
        properties(a=None, b="", c=[], d={}),
        {},
    ),
    Row("nothing: an empty map wants nothing of a full one", OTHER, properties(a={}), properties(a={"b": 1})),
    Row("nothing: null wants nothing", OTHER, properties(a=None), properties(a="b")),
    Row(
        "nothing: an empty list where there are items",
        OTHER,
        properties(ranges=[]),
        properties(ranges=["10.0.0.0/8"]),
        changes=(("properties.ranges", ["10.0.0.0/8"], []),),
    ),
    Row(
        "nothing: an empty text where there is one",
        OTHER,
        properties(a=""),
        properties(a="b"),
        changes=(("properties.a", "b", ""),),
    ),
    Row(
        "defaults: what nobody wants is no difference",
        OTHER,
        properties(a="b"),
        properties(a="b", publicNetworkAccess="Enabled", limits={"cpu": 1}, provisioningState="Succeeded"),
    ),
    Row(
        "read-only: neither compared nor sent",
        OTHER,
        {"name": "x", "properties": {"provisioningState": "Succeeded", "a": "b"}},
        {"id": GROUP, "name": "X", "type": OTHER, "properties": {"a": "b", "resourceGuid": "1"}, "etag": 'W/"1"'},
    ),
    Row(
        "sets: another order",
        OTHER,
        {"zones": ["1", "2", "3"]},
        {"zones": ["3", "1", "2"]},
        source="Azure answers zones as they were filled",
    ),
    Row(
        "sets: another member",
        OTHER,
        {"zones": ["1", "2"]},
        {"zones": ["1", "3"]},
        changes=(("zones", ["1", "3"], ["1", "2"]),),
    ),
    Row(
        "sets: one more",
        OTHER,
        {"zones": ["1", "2"]},
        {"zones": ["2", "1", "3"]},
        changes=(("zones", ["2", "1", "3"], ["1", "2"]),),
    ),
    Row(
        "sets: the same twice is not two",
        OTHER,
        {"zones": ["1", "1"]},
        {"zones": ["1", "2"]},
        changes=(("zones", ["1", "2"], ["1", "1"]),),
    ),
    Row(
        "lists: another order is another list",
        OTHER,
        properties(dnsServers=["10.0.0.4", "10.0.0.5"]),
        properties(dnsServers=["10.0.0.5", "10.0.0.4"]),
        changes=(("properties.dnsServers", ["10.0.0.5", "10.0.0.4"], ["10.0.0.4", "10.0.0.5"]),),
    ),
    Row(
        "lists without names: what is wanted of each item",
        OTHER,
        properties(flows=[{"a": 1}, {"a": 2}]),
        properties(flows=[{"a": 1, "filled": "in"}, {"a": 2, "filled": "in"}]),
    ),
    Row(
        "lists without names: another item",
        OTHER,
        properties(flows=[{"a": 1}, {"a": 3}]),
        properties(flows=[{"a": 1}, {"a": 2}]),
        changes=(("properties.flows", [{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}]),),
    ),
    Row(
        "lists of named items: another order and more of them",
        OTHER,
        properties(rules=[{"name": "b", "p": 2}, {"name": "a", "p": 1}]),
        properties(rules=[{"name": "A", "p": 1}, {"name": "B", "p": 2}, {"name": "other", "p": 3}]),
    ),
    Row(
        "lists of named items: one differs",
        OTHER,
        properties(rules=[{"name": "b", "p": 2}]),
        properties(rules=[{"name": "a", "p": 1}, {"name": "b", "p": 3}]),
        changes=(("properties.rules[b].p", 3, 2),),
    ),
    Row(
        "lists of named items: one is missing",
        OTHER,
        properties(rules=[{"name": "b", "p": 2}]),
        properties(rules=[{"name": "a", "p": 1}]),
        changes=(("properties.rules[b]", None, {"name": "b", "p": 2}),),
    ),
    Row(
        "identity: words in another order",
        OTHER,
        {"identity": {"type": "SystemAssigned,UserAssigned"}},
        {"identity": {"type": "UserAssigned, SystemAssigned", "principalId": "1", "tenantId": "2"}},
    ),
    Row(
        "identity: another one",
        OTHER,
        {"identity": {"type": "SystemAssigned"}},
        {"identity": {"type": "None"}},
        changes=(("identity.type", "None", "SystemAssigned"),),
    ),
    Row(
        "identity: keys that are ids",
        OTHER,
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        {
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {
                    IDENTITY.replace("resourceGroups", "resourcegroups"): {"clientId": "1", "principalId": "2"}
                },
            }
        },
    ),
    Row(
        "identity: one more",
        OTHER,
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"userAssignedIdentities": {f"{IDENTITY}2": {"clientId": "1"}}}},
        changes=((f"identity.userAssignedIdentities[{IDENTITY}]", None, {}),),
    ),
    Row(
        "tags: names in another case",
        RESOURCE_GROUP,
        {"tags": {"Owner": "me"}},
        {"tags": {"owner": "me"}},
        source=NAMING,
    ),
    Row(
        "tags: values in another case",
        RESOURCE_GROUP,
        {"tags": {"owner": "Me"}},
        {"tags": {"owner": "me"}},
        changes=(("tags.owner", "me", "Me"),),
        source=NAMING,
    ),
    Row(
        "tags: their names mean nothing to Azure",
        RESOURCE_GROUP,
        {"tags": {"location": "West Europe", "addressPrefix": "a", "etag": "1"}},
        {"tags": {"location": "westeurope", "addressPrefixes": "a", "etag": "2"}},
        changes=(
            ("tags.location", "westeurope", "West Europe"),
            ("tags.addressPrefix", None, "a"),
            ("tags.etag", "2", "1"),
        ),
    ),
    Row("tags: those of others", RESOURCE_GROUP, {"tags": {"a": "1"}}, {"tags": {"a": "1", "cost-center": "7"}}),
    Row("tags: none wanted", RESOURCE_GROUP, {"tags": {}}, {"tags": {"cost-center": "7"}}),
    Row(
        "tags: a policy's own, if so configured",
        RESOURCE_GROUP,
        {"tags": {"a": "1", "Policy-Env": "prod"}},
        {"tags": {"a": "1", "policy-env": "staging"}},
        options={"ignore_tags": ["policy-*"]},
    ),
    Row(
        "tags: a policy's own that is not there",
        RESOURCE_GROUP,
        {"tags": {"policy-env": "prod"}},
        {"tags": {}},
        options={"ignore_tags": ["policy-*"]},
    ),
    Row(
        "tags: not a policy's own",
        RESOURCE_GROUP,
        {"tags": {"a": "1", "policy-env": "prod"}},
        {"tags": {"a": "2", "policy-env": "staging"}},
        changes=(("tags.a", "2", "1"), ("tags.policy-env", "staging", "prod")),
        options={"ignore_tags": ["policy"]},
    ),
    Row("secrets: masked", OTHER, properties(adminPassword="new"), properties(adminPassword="****")),
    Row(
        "secrets: shown to nobody",
        OTHER,
        properties(adminPassword="new"),
        properties(adminPassword="old"),
        changes=(("properties.adminPassword", "****", "****"),),
    ),
    Row(
        "unknown: differs from everything",
        OTHER,
        properties(principalId=UNKNOWN, scope=f"{UNKNOWN}/subnets/x"),
        properties(principalId="1", scope=SUBNET),
        changes=(("properties.principalId", "1", UNKNOWN), ("properties.scope", SUBNET, f"{UNKNOWN}/subnets/x")),
    ),
    Row(
        "failed: is never nothing to change",
        OTHER,
        properties(a="b"),
        properties(a="b", provisioningState="Failed"),
        changes=((STATE, "Failed", "Succeeded"),),
        source="Understand the provisioning state of resources: PUT again",
    ),
    Row(
        "failed: and more",
        OTHER,
        properties(a="b"),
        properties(a="c", provisioningState="Canceled"),
        changes=(("properties.a", "c", "b"), (STATE, "Canceled", "Succeeded")),
    ),
    Row("succeeded: in any case", OTHER, properties(a="b"), properties(a="b", provisioningState="succeeded")),
    Row(
        "updating: is waited for, not a difference",
        OTHER,
        properties(a="b"),
        properties(a="b", provisioningState="Updating"),
    ),
    Row(
        "another kind of value",
        OTHER,
        properties(a={"b": 1}, c=["d"]),
        properties(a="b", c={"d": 1}),
        changes=(("properties.a", "b", {"b": 1}), ("properties.c", {"d": 1}, ["d"])),
    ),
    Row(
        "keys that are no words are shown in brackets",
        OTHER,
        properties(labels={"hub.jupyter.org/node-purpose": "core"}),
        properties(),
        changes=(("properties.labels[hub.jupyter.org/node-purpose]", None, "core"),),
    ),
)
def test_every_type(row: Row) -> None:
    check(row)


def test_a_new_resource_is_sent_as_it_is_wanted() -> None:
    desired = {
        "location": "westeurope",
        "name": "x",
        "tags": {"policy-env": "prod", "none": None},
        "properties": {
            "id": UNKNOWN,
            "provisioningState": "Succeeded",
            "empty": [],
            "off": False,
            "rules": [{"name": "a", "p": None, "q": 1}],
            "list": ["x", "y"],
            "clientSecret": "s",
        },
    }
    result = compare(of(f"{GROUP}/providers/{OTHER}/x"), desired, None, ignore_tags=["policy-*"], today=TODAY)
    assert result.forbidden == ()
    assert result.changes == changed(
        ("location", None, "westeurope"),
        ("tags.policy-env", None, "prod"),
        ("properties.id", None, UNKNOWN),
        ("properties.off", None, False),
        ("properties.rules[a].name", None, "a"),
        ("properties.rules[a].q", None, 1),
        ("properties.list", None, ["x", "y"]),
        ("properties.clientSecret", None, "****"),
    )
    assert result.steps == (
        {
            "location": "westeurope",
            "tags": {"policy-env": "prod"},
            "properties": {
                "id": UNKNOWN,
                "empty": [],
                "off": False,
                "rules": [{"name": "a", "q": 1}],
                "list": ["x", "y"],
                "clientSecret": "s",
            },
        },
    )


def test_what_lives_goes_back() -> None:
    live = {
        "id": f"{GROUP}/providers/{OTHER}/x",
        "name": "x",
        "type": OTHER,
        "etag": 'W/"1"',
        "systemData": {"createdBy": "me"},
        "location": "West Europe",
        "kind": "thing",
        "tags": {"Owner": "me", "policy-env": "staging", "cost-center": "7"},
        "identity": {"type": "SystemAssigned", "principalId": "1", "tenantId": "2"},
        "properties": {
            "provisioningState": "Succeeded",
            "secretKey": "****",
            "nothing": None,
            "kept": {"by": "another", "resourceGuid": "1"},
            "rules": [{"name": "theirs", "p": 1}, {"name": "Ours", "p": 2, "theirs": True}],
        },
    }
    desired = {
        "location": "westeurope",
        "tags": {"owner": "you", "policy-env": "prod"},
        "properties": {"rules": [{"name": "new", "p": 3}, {"name": "ours", "p": 4}]},
    }
    before = copy.deepcopy((live, desired))
    result = compare(of(live["id"]), desired, live, ignore_tags=["policy-*"], today=TODAY)  # type: ignore[arg-type]
    assert (live, desired) == before
    assert result.steps == (
        {
            "location": "westeurope",
            "kind": "thing",
            "tags": {"owner": "you", "policy-env": "staging", "cost-center": "7"},
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "kept": {"by": "another"},
                "rules": [
                    {"name": "theirs", "p": 1},
                    {"name": "ours", "p": 4, "theirs": True},
                    {"name": "new", "p": 3},
                ],
            },
        },
    )


def test_what_is_forbidden_leaves_nothing_to_send() -> None:
    result = compare(
        of(GROUP), {"location": "northeurope", "tags": {"a": "b"}}, {"location": "westeurope"}, today=TODAY
    )
    assert result.steps == ()
    assert result.changes == changed(("tags.a", None, "b"))
    assert [(found.path, found.before, found.after) for found in result.forbidden] == [
        ("location", "westeurope", "northeurope")
    ]


def test_an_unknown_value_of_what_cannot_change_is_no_error() -> None:
    """It is known before anything is written, and compared again."""
    result = compare(of(GROUP), {"location": UNKNOWN}, {"location": "westeurope"}, today=TODAY)
    assert result.forbidden == ()
    assert result.changes == changed(("location", "westeurope", UNKNOWN))


@pytest.mark.parametrize("state", ["Failed", "Canceled", "cancelled"])
def test_the_unfinished_is_written_again_as_it_is(state: str) -> None:
    live: dict[str, Any] = {"location": "westeurope", "properties": {"provisioningState": state, "a": "b", "c": 1}}
    result = compare(of(f"{NETWORK}/other/x"), {"location": "westeurope", "properties": {"a": "b"}}, live, today=TODAY)
    assert result.steps == ({"location": "westeurope", "properties": {"a": "b", "c": 1}},)
