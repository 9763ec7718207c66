# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a teardown removes, what it leaves, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._teardown import Asked, teardown

GROUP = "/subscriptions/s/resourceGroups/hub-rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/hub"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/hub-v"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/hub"
DETECTOR = "microsoft.alertsmanagement/smartDetectorAlertRules"
ALERTS = {
    "id": f"{GROUP}/providers/microsoft.insights/actionGroups/Application Insights Smart Detection",
    "name": "Application Insights Smart Detection",
    "type": "microsoft.insights/actionGroups",
}


def plan(name: str, resource_id: str, action: str = "delete") -> dict[str, Any]:
    return {"name": name, "id": resource_id, "type": "/".join(resource_id.split("/")[-3:-1]), "action": action}


def anomalies(name: str) -> dict[str, Any]:
    """What Azure makes beside Application Insights."""
    full = f"Failure Anomalies - {name}"
    return {"id": f"{GROUP}/providers/{DETECTOR}/{full}", "name": full, "type": DETECTOR}


def resource(resource_id: str) -> dict[str, Any]:
    kind = "/".join(resource_id.split("/")[-3:-1])
    return {"id": resource_id, "name": resource_id.rpartition("/")[2], "type": kind}


def run(
    found: dict[str, Any], *plans: dict[str, Any], confirm: str = "prod", data: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    asked = Asked("prod", "hub-rg", confirm, data, more.pop("keep", ()))
    return teardown(plans, {"group": {}, **found}, more.pop("adopted", []), "hub-insights", asked)


DISKS = [{"properties": {"diskSizeGB": 15}}, {"properties": {"diskSizeGB": 10}}]
SHARES = [{"name": "driven-data"}, {"name": "maps"}]


@pytest.mark.parametrize(
    ("found", "plans", "data", "named"),
    [
        (
            {"disks": DISKS},
            [plan("cluster", CLUSTER)],
            "homes",
            "2 disks of homes (25 GiB), which die with the cluster",
        ),
        ({"shares": SHARES}, [plan("storage_account", ACCOUNT)], "shares", "the file shares driven-data and maps"),
        ({"vault": {"name": "hub-v"}}, [plan("vault", VAULT)], "vault", "the vault hub-v with its secrets"),
    ],
)
def test_user_data_goes_only_when_it_is_named(
    found: dict[str, Any], plans: list[dict[str, Any]], data: str, named: str
) -> None:
    refused = run(found, *plans)
    assert named in refused["problem"] and f"name {data} in infrastructure_teardown_data" in refused["problem"]
    allowed = run(found, *plans, data=(data,))
    assert allowed["problem"] == ""
    assert f"User data that go: {named}" in allowed["lines"]


def test_all_that_is_missing_is_said_at_once() -> None:
    found = {"disks": DISKS[:1], "vault": {"name": "hub-v"}, "group": {"name": "hub-rg"}}
    assert run(found, plan("cluster", CLUSTER), plan("vault", VAULT))["problem"] == (
        "The teardown of hub prod would delete user data: 1 disk of homes (15 GiB), which die with the cluster and"
        " the vault hub-v with its secrets; save what is needed and name homes and vault in"
        " infrastructure_teardown_data, or keep vault with infrastructure_teardown_keep."
    )


@pytest.mark.parametrize(
    ("found", "plans"),
    [
        # Disks, shares and a vault that stay are no reason to ask.
        ({"disks": DISKS}, [plan("cluster", CLUSTER, "none")]),
        ({"shares": SHARES, "vault": {"name": "v"}}, [plan("hub_identity", f"{GROUP}/providers/M.M/u/i")]),
        ({"disks": [], "shares": None, "vault": None}, [plan("cluster", CLUSTER), plan("storage_account", ACCOUNT)]),
    ],
)
def test_what_stays_is_not_asked_about(found: dict[str, Any], plans: list[dict[str, Any]]) -> None:
    assert run(found, *plans)["problem"] == ""


@pytest.mark.parametrize(
    ("confirm", "refused"),
    [("prod", False), ("hub-rg", False), ("", True), ("staging", True), ("yes", True), ("true", True)],
)
def test_the_confirmation_names_the_hub(confirm: str, refused: bool) -> None:
    problem = run({}, plan("cluster", CLUSTER), confirm=confirm)["problem"]
    assert bool(problem) is refused
    assert not refused or f"infrastructure_teardown_confirm is {confirm!r}; set it to prod" in problem


def test_nothing_to_remove_needs_no_confirmation() -> None:
    done = run({"group": None}, plan("cluster", CLUSTER, "none"), confirm="")
    assert (done["problem"], done["anything"], done["lines"]) == ("", False, ["There is nothing to remove."])


def test_what_azure_made_beside_goes_with_it() -> None:
    made = anomalies("hub-insights")
    found = {"contents": [resource(CLUSTER), made, ALERTS]}
    done = run(found, plan("cluster", CLUSTER.upper()), data=("group",))
    assert [one["id"] for one in done["beside"]] == [made["id"], ALERTS["id"]]
    assert [one["api_version"] for one in done["beside"]] == ["2021-04-01", "2023-01-01"]
    assert (done["others"], done["group"]) == ([], False)
    assert run(found | {"group": {"name": "hub-rg"}}, plan("cluster", CLUSTER), data=("group",))["group"]


def test_what_azure_made_for_others_stays() -> None:
    other = anomalies("somebody")
    done = run({"contents": [anomalies("hub-insights"), other, ALERTS]}, data=("group",))
    assert [one["id"] for one in done["beside"]] == [anomalies("hub-insights")["id"]]
    assert done["others"] == [other["id"], ALERTS["id"]] and not done["group"]


def test_a_group_with_something_else_in_it_stays() -> None:
    other = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/somebody"
    found = {"group": {"name": "hub-rg"}, "contents": [resource(CLUSTER), resource(other)]}
    done = run(found, plan("cluster", CLUSTER), data=("group",))
    assert (done["others"], done["group"]) == ([other], False)
    assert f"Stays, not of this inventory or kept: {other}" in done["lines"]
    assert "Stays: the resource group hub-rg" in done["lines"]


def test_a_name_that_begins_like_another_is_not_below_it() -> None:
    done = run({"contents": [resource(f"{ACCOUNT}2")]}, plan("storage_account", ACCOUNT), data=("shares",))
    assert done["others"] == [f"{ACCOUNT}2"]


def test_people_read_what_goes_and_what_stays() -> None:
    found = {"group": {"name": "x"}, "cluster": {"properties": {"nodeResourceGroup": "hub-node-rg"}}}
    right = "/subscriptions/s/resourceGroups/shared/providers/Microsoft.KeyVault/vaults/v/providers/A/b/c"
    plans = [plan("cluster", CLUSTER), plan("vault", VAULT), plan("right", right), plan("x", ACCOUNT, "none")]
    assert run(found, *plans, adopted=["/a"])["lines"] == [
        "Removed: Microsoft.ContainerService/managedClusters/hub",
        "Removed: Microsoft.KeyVault/vaults/hub-v",
        f"Removed: {right}",
        "Removed with the cluster: its node pools and the resource group hub-node-rg",
        "Kept by Azure: the vault hub-v can be recovered, and holds its name, until its retention ends",
        "Stays, adopted: /a",
        "Stays: the resource group hub-rg",
    ]
