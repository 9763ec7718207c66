# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The identity that deploys: who may become it, what it may do."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _deployment_identity as identity
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
GROUP = f"{SUBSCRIPTION}/resourceGroups/hub-rg"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
OTHER = {"name": "gitlab", "issuer": "https://gitlab.example.org", "subject": "project_path:example/hub"}


def credentials(others: list[dict[str, str]], **more: Any) -> dict[str, dict[str, Any]]:
    """Properties by the name of the credential."""
    found = identity.credentials(others, "/id", "2024-11-30", **more)
    return {one["id"].rpartition("/")[2]: one["body"]["properties"] for one in found}


@pytest.mark.parametrize(
    ("github", "name", "subject"),
    [
        ({"environments": ["prod"]}, "github-environment-prod", "repo:example/hub:environment:prod"),
        ({"branches": ["main"]}, "github-branch-main", "repo:example/hub:ref:refs/heads/main"),
        ({"branches": ["fix/a b"]}, "github-branch-fix-a-b", "repo:example/hub:ref:refs/heads/fix/a b"),
    ],
)
def test_jobs_of_github(github: dict[str, Any], name: str, subject: str) -> None:
    assert credentials([], github={"repository": "example/hub", **github}) == {
        name: {
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": subject,
            "audiences": ["api://AzureADTokenExchange"],
        }
    }


def test_jobs_of_awx_and_of_others() -> None:
    found = credentials([OTHER], awx={"issuer": "https://awx.example.org", "subject": "awx"})
    assert {name: one["subject"] for name, one in found.items()} == {"awx": "awx", "gitlab": "project_path:example/hub"}


def test_nobody() -> None:
    nobody = {"repository": "", "environments": ["prod"], "branches": []}
    assert credentials([], github=nobody, awx={"issuer": "", "subject": "x"}) == {}


@pytest.mark.parametrize(
    ("others", "github", "sentence"),
    [
        ([], {"repository": "https://github.com/example/hub"}, "write it as owner/name, as in example/hub."),
        ([OTHER, OTHER], {}, "The federated credential 'gitlab' is there twice; give each another name."),
        ([OTHER | {"name": "a"}], {}, "'a' has a name that Azure refuses; use 3 to 120 letters"),
        ([OTHER | {"issuer": "http://x"}], {}, "has the issuer 'http://x'; Entra ID reads only addresses that begin"),
        ([OTHER | {"subject": ""}], {}, "has no subject; say whose tokens are meant."),
        ([], {"repository": "a/b", "branches": [f"b{n}" for n in range(21)]}, "There are 21 federated credentials"),
    ],
)
def test_what_entra_refuses_is_one_sentence(
    others: list[dict[str, str]], github: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        credentials(others, github=github)
    assert sentence in str(caught.value)


TABLE = [
    {"scope": "group", "why": "Build.", "actions": ["Microsoft.Network/virtualNetworks/write", identity.ASSIGN]},
    {"scope": "registry", "why": "Read.", "actions": ["Microsoft.ContainerRegistry/registries/read"]},
    {"scope": "vault", "why": "Never.", "actions": ["Microsoft.KeyVault/vaults/read"]},
]


def roles(**more: Any) -> list[dict[str, Any]]:
    registry = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/r/providers/Microsoft.X/registries/x"
    scopes = {"group": [GROUP], "registry": [registry], "vault": []}
    return identity.roles(TABLE, scopes, "hub", [ACR_PULL], "${identity.properties.principalId}", "2022-04-01", **more)


def test_a_role_and_its_assignment_for_each_scope() -> None:
    group_role, group_right, registry_role, registry_right = roles()
    assert group_role["body"]["properties"]["permissions"] == [{"actions": TABLE[0]["actions"], "notActions": []}]
    assert group_role["body"]["properties"]["assignableScopes"] == [SUBSCRIPTION]
    assert group_role["id"].startswith(f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/")
    assert group_right["id"] == f"{GROUP}/providers/Microsoft.Authorization/roleAssignments"
    assert group_right["body"]["properties"]["roleDefinitionId"] == f"${{{group_role['name']}.id}}"
    # What lies in another subscription has its role there.
    assert registry_role["id"].startswith("/subscriptions/99999999-")
    assert "condition" not in registry_right["body"]["properties"]
    names = [one["body"]["properties"]["roleName"] for one in (group_role, registry_role)]
    assert len(set(names)) == 2 and all(name.startswith("hub deployment: ") for name in names)


def test_the_same_names_at_every_run() -> None:
    assert roles() == roles()


def test_who_may_give_roles_may_give_only_those_that_are_listed() -> None:
    right = roles()[1]["body"]["properties"]
    assert right["conditionVersion"] == "2.0"
    assert right["condition"] == (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
        " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals"
        f" {{{ACR_PULL}}})) AND ((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/delete'}})) OR"
        " (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals"
        f" {{{ACR_PULL}}}))"
    )


def test_only_on_request_may_it_delete() -> None:
    assert not any("delete" in action for one in roles()[::2] for action in actions_of(one))
    assert actions_of(roles(deletes=True)[0]) == [
        *TABLE[0]["actions"],
        "Microsoft.Network/virtualNetworks/delete",
        identity.UNASSIGN,
    ]


def test_rows_of_one_scope_are_one_role() -> None:
    more = {"scope": "group", "why": "Look.", "actions": ["Microsoft.Network/virtualNetworks/read", identity.ASSIGN]}
    definition, _right = identity.roles([TABLE[0], more], {"group": [GROUP]}, "hub", [ACR_PULL], "p", "v")
    assert actions_of(definition) == [*TABLE[0]["actions"], "Microsoft.Network/virtualNetworks/read"]


def actions_of(role: dict[str, Any]) -> list[str]:
    actions: list[str] = role["body"]["properties"]["permissions"][0]["actions"]
    return actions
