# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""azure_resources: create, modify and delete, each as check, for real, check again, for real again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from azure_modules import Cloud, actions

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
KINDS = {
    "group": "2025-04-01",
    "network": "2025-05-01",
    "nodes": "2025-05-01",
    "gateway": "2025-05-01",
    "identity": "2024-11-30",
    "first": "2024-11-30",
    "second": "2024-11-30",
    "right": "2022-04-01",
}


def credential(subject: str) -> dict[str, Any]:
    return {
        "properties": {
            "issuer": "https://issuer.example.org/",
            "subject": f"system:serviceaccount:{subject}:hub",
            "audiences": ["api://AzureADTokenExchange"],
        }
    }


def site(cloud: Cloud, modified: bool = False) -> list[dict[str, Any]]:
    """A small deployment: something above, beside and below, siblings, a right, references."""
    ids = {
        "group": f"{cloud.subscription}/resourceGroups/matrix",
        "network": "${group.id}/providers/Microsoft.Network/virtualNetworks/matrix-network",
        "nodes": "${network.id}/subnets/nodes",
        "gateway": "${network.id}/subnets/gateway",
        "identity": "${group.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/matrix-identity",
        "first": "${identity.id}/federatedIdentityCredentials/first",
        "second": "${identity.id}/federatedIdentityCredentials/second",
        "right": "${nodes.id}/providers/Microsoft.Authorization/roleAssignments",
    }
    ranges = ["10.0.0.0/16", "10.9.0.0/16"] if modified else ["10.0.0.0/16"]
    bodies: dict[str, dict[str, Any]] = {
        "group": {"location": "West Europe", "tags": {"stage": "two" if modified else "one"}},
        "network": {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ranges}}},
        "nodes": {"properties": {"addressPrefix": "10.0.0.0/20"}},
        "gateway": {"properties": {"addressPrefix": "10.0.16.0/24"}},
        "identity": {"location": "${network.location}"},
        "first": credential("staging"),
        "second": credential("prod2" if modified else "prod"),
        "right": {"properties": {"roleDefinitionId": READER, "principalId": "${identity.properties.principalId}"}},
    }
    return [{"name": name, "id": ids[name], "api_version": KINDS[name], "body": bodies[name]} for name in reversed(ids)]


STEPS = [
    pytest.param(state, modified, check, again, id=f"{name}, {'check' if check else 'real'}{' again' if again else ''}")
    for name, state, modified in (("create", "present", False), ("modify", "present", True), ("delete", "absent", True))
    for again in (False, True)
    for check in (True, False)
]
EXPECTED = {
    "create": dict.fromkeys(KINDS, "create"),
    "modify": {"group": "update", "network": "update", "second": "update"},
    "delete": dict.fromkeys(KINDS, "delete"),
}


@pytest.fixture(scope="module")
def seen(cloud: Cloud) -> dict[str, Any]:
    """What the steps hand on to each other."""
    cloud.reset()
    return {}


@pytest.mark.parametrize(("state", "modified", "check", "again"), STEPS)
def test_matrix(cloud: Cloud, seen: dict[str, Any], state: str, modified: bool, check: bool, again: bool) -> None:
    step = "delete" if state == "absent" else "modify" if modified else "create"
    start = time.time()
    result = cloud.run(site(cloud, modified), check=check, state=state)
    assert not result.get("failed"), result["msg"]
    expected = {} if again else EXPECTED[step]
    assert actions(result) == expected
    assert result["changed"] is bool(expected)
    assert {entry["before_header"].split()[0] for entry in result["diff"]} == set(expected)
    written = cloud.writes(start)
    assert bool(written) is (bool(expected) and not check), written
    if step == "create" and not check:
        # A resource is as Azure answers it: what was not sent is there, and it is the same when nothing is written.
        assert result["resources"]["identity"]["properties"]["principalId"]
        assert seen.setdefault("resources", result["resources"]) == result["resources"]
    if step == "delete" and not check:
        assert set(result["resources"].values()) == {None}


def test_what_was_written_went_in_order(cloud: Cloud) -> None:
    """Each resource is taken down before what it needs, and siblings of one network or identity never side by side."""
    cloud.reset()
    cloud.dial("PATCH", "/latency", {"scale": 0.01})
    cloud.run(site(cloud))
    created = time.time()
    cloud.run(site(cloud), state="absent")
    cloud.dial("PATCH", "/latency", {"scale": 0})
    puts = [one["id"].lower().rsplit("/", 1)[-1] for one in cloud.writes() if one["method"] == "PUT"]
    deletes = [one["id"].lower().rsplit("/", 1)[-1] for one in cloud.writes(created) if one["method"] == "DELETE"]
    assert puts.index("matrix") < puts.index("matrix-network") < puts.index("nodes")
    assert puts.index("matrix-identity") < puts.index("first")
    assert deletes.index("nodes") < deletes.index("matrix-network") < deletes.index("matrix")
    assert not [one for one in cloud.calls() if one["status"] == 409]


def test_unknown_values_show_as_such(cloud: Cloud) -> None:
    cloud.reset()
    result = cloud.run(site(cloud), check=True)
    assert result["resources"]["right"]["properties"]["principalId"] == "(known after apply)"
    assert result["resources"]["right"]["id"].endswith("/roleAssignments/(known after apply)")
    (shown,) = [entry["after"] for entry in result["diff"] if entry["before_header"].startswith("right ")]
    assert "principalId: (known after apply)" in shown


def test_a_role_assignment_of_any_name_is_found(cloud: Cloud) -> None:
    cloud.reset()
    resources = site(cloud)
    named = [dict(one) for one in resources]
    (right,) = [one for one in named if one["name"] == "right"]
    right["id"] += "/11111111-2222-3333-4444-555555555555"
    right["body"] = {
        "properties": {
            **right["body"]["properties"],
            "roleDefinitionId": f"{cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
            "principalType": "ServicePrincipal",
        }
    }
    assert cloud.run(named)["changed"]
    result = cloud.run(resources)
    assert actions(result) == {}
    assert result["resources"]["right"]["name"] == "11111111-2222-3333-4444-555555555555"
    assert actions(cloud.run(resources, state="absent"))["right"] == "delete"


def test_conditions_and_existing_ones(cloud: Cloud) -> None:
    cloud.reset()
    cloud.run([one for one in site(cloud) if one["name"] == "group"])
    resources = [
        {**one, "existing": one["name"] == "group", "condition": one["name"] in ("group", "network")}
        for one in site(cloud, modified=True)
    ]
    result = cloud.run(resources)
    assert actions(result) == {"network": "create"}
    assert set(result["resources"]) == {"group", "network"}
    assert result["resources"]["group"]["tags"] == {"stage": "one"}
    result = cloud.run(resources, state="absent")
    assert actions(result) == {"network": "delete"}
    assert result["resources"]["group"]["name"] == "matrix"


def test_what_others_set_is_kept(cloud: Cloud) -> None:
    cloud.reset()
    group = [one for one in site(cloud) if one["name"] == "group"]
    theirs = [{**group[0], "body": {"location": "westeurope", "tags": {"owner": "them", "policy-a": "1"}}}]
    cloud.run(theirs)
    result = cloud.run(group)
    assert result["resources"]["group"]["tags"] == {"stage": "one", "owner": "them", "policy-a": "1"}
    ours = [{**group[0], "body": {"tags": {"stage": "one", "policy-a": "2"}}}]
    assert actions(cloud.run(ours, ignore_tags=["policy-*"])) == {}
    assert actions(cloud.run(ours)) == {"group": "update"}
