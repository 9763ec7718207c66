# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The identity that deploys a hub: who may become it, and what it may do, as resources of Azure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

GITHUB = "https://token.actions.githubusercontent.com"
AUDIENCE = "api://AzureADTokenExchange"
# Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
MOST = 20
NAMESPACE = uuid.UUID("3d6d4a5e-6f0b-5d51-9b0e-2f6a0c6f8a51")
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
UNASSIGN = "Microsoft.Authorization/roleAssignments/delete"


def credentials(
    others: Iterable[Mapping[str, Any]],
    identity_id: str,
    api_version: str,
    github: Mapping[str, Any] | None = None,
    awx: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Federated credentials, whose tokens Entra ID exchanges for those of the identity: resources of azure_resources.

    Source: https://docs.github.com/actions/reference/security/oidc

    :param others: each ``name``, ``issuer``, ``subject``
    :param github: ``repository`` (owner/name), ``environments``, ``branches``
    :param awx: ``issuer``, ``subject``
    :raises InputError: for what Entra ID refuses
    """
    found = [*_github(github or {}), *([{"name": "awx", **awx}] if awx and awx.get("issuer") else []), *others]
    if len(found) > MOST:
        raise InputError(
            f"There are {len(found)} federated credentials, but an identity has {MOST} at most; remove some."
        )
    names = [str(one["name"]) for one in found]
    for one in found:
        _check(one, names)
    return [
        {
            "name": f"credential_{one['name']}",
            "id": f"{identity_id}/federatedIdentityCredentials/{one['name']}",
            "api_version": api_version,
            "body": {"properties": {"issuer": one["issuer"], "subject": one["subject"], "audiences": [AUDIENCE]}},
        }
        for one in found
    ]


def _github(github: Mapping[str, Any]) -> list[dict[str, str]]:
    repository = github.get("repository") or ""
    if not repository:
        return []
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise InputError(
            f"infrastructure_bootstrap_github_repository is {repository!r}; write it as owner/name, as in example/hub."
        )
    kinds = (("environment", "environment:", "environments"), ("branch", "ref:refs/heads/", "branches"))
    return [
        {"name": slug(f"github-{kind}-{one}"), "issuer": GITHUB, "subject": f"repo:{repository}:{prefix}{one}"}
        for kind, prefix, key in kinds
        for one in github.get(key) or []
    ]


def slug(text: str) -> str:
    """A federated credential's name of a text.

    >>> slug("github-branch-feature/new look")
    'github-branch-feature-new-look'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:120].strip("-")


def _check(one: Mapping[str, Any], names: list[str]) -> None:
    name = str(one["name"])
    what = f"The federated credential {name!r}"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", name):
        raise InputError(
            f"{what} has a name that Azure refuses; use 3 to 120 letters, digits, hyphens and underscores."
        )
    if names.count(name) > 1:
        raise InputError(f"{what} is there twice; give each another name.")
    if not str(one["issuer"]).startswith("https://"):
        raise InputError(
            f"{what} has the issuer {one['issuer']!r}; Entra ID reads only addresses that begin with https://."
        )
    if not one["subject"]:
        raise InputError(f"{what} has no subject; say whose tokens are meant.")


def roles(
    table: Iterable[Mapping[str, Any]],
    scopes: Mapping[str, Iterable[str]],
    prefix: str,
    grantable: Iterable[str],
    principal_id: str,
    api_version: str,
    deletes: bool = False,
) -> list[dict[str, Any]]:
    """A custom role for each row of the table of rights, and its assignment: resources of the module azure_resources.

    :param table: rows ``scope``, ``why``, ``actions``
    :param scopes: the ids that a row's scope stands for; none: the row is not needed here
    :param prefix: first part of the roles' names, which are unique in a tenant
    :param grantable: roles (GUIDs) that may be given on; rights to give any others are shut off by a condition
    :param principal_id: who gets the roles
    :param deletes: whether what may be written may be deleted too
    """
    # Rows of one scope are one role.
    rows: dict[str, dict[str, Any]] = {}
    for row in table:
        merged = rows.setdefault(row["scope"], {"scope": row["scope"], "why": row["why"], "actions": []})
        merged["actions"] += [action for action in row["actions"] if action not in merged["actions"]]
    found: list[dict[str, Any]] = []
    for row in rows.values():
        actions = [*row["actions"], *(_deletes(row["actions"]) if deletes else [])]
        for scope in scopes.get(row["scope"]) or []:
            found += _role(row, scope, actions, prefix, sorted(set(grantable)), principal_id, api_version)
    return found


def _deletes(actions: Iterable[str]) -> list[str]:
    deletable = [f"{action.removesuffix('write')}delete" for action in actions if action.endswith("/write")]
    return [action for action in deletable if action not in actions]


def _role(
    row: Mapping[str, Any],
    scope: str,
    actions: list[str],
    prefix: str,
    grantable: list[str],
    principal_id: str,
    api_version: str,
) -> list[dict[str, Any]]:
    title = f"{prefix} deployment: {row['scope']}"
    guid = str(uuid.uuid5(NAMESPACE, f"{scope.lower()}|{title}"))
    symbol = re.sub(r"\W+", "_", f"{row['scope']}_{guid[:8]}")
    subscription = "/".join(scope.split("/")[:3])
    definition = {
        "name": f"role_{symbol}",
        "id": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "api_version": api_version,
        "body": {
            "properties": {
                "roleName": f"{title} ({guid[:8]})",
                "description": row["why"],
                "type": "CustomRole",
                "permissions": [{"actions": actions, "notActions": []}],
                "assignableScopes": [subscription],
            }
        },
    }
    limit = {"condition": condition(grantable), "conditionVersion": "2.0"} if ASSIGN in actions else {}
    assignment = {
        "name": f"assignment_{symbol}",
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments",
        "api_version": api_version,
        "body": {
            "properties": {
                "roleDefinitionId": f"${{role_{symbol}.id}}",
                "principalId": principal_id,
                "principalType": "ServicePrincipal",
                "description": row["why"],
                **limit,
            }
        },
    }
    return [definition, assignment]


def condition(role_ids: list[str]) -> str:
    """Only these roles may be given and taken, so that nobody makes an owner of himself.

    Source: https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    listed = ", ".join(role_ids)
    parts = (("Request", ASSIGN), ("Resource", UNASSIGN))
    return " AND ".join(
        f"((!(ActionMatches{{'{action}'}})) OR (@{source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
        f" ForAnyOfAnyValues:GuidEquals {{{listed}}}))"
        for source, action in parts
    )
