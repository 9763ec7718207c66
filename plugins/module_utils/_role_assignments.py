# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rights as a table, written as Azure's role assignments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"


def role_assignments(permissions: list[dict[str, Any]], api_version: str) -> list[dict[str, Any]]:
    """One resource of the module azure_resources for each row.

    ``permissions``: name, role_id (a GUID), scope_id (the full id of what the right is on) or scope_ids (several of
    them), principal_id; principal_type (ServicePrincipal), why (a description), condition (false: the row is not
    meant), custom (the role is one of a subscription, not Azure's own), depends_on (names of resources to be there
    before). Azure finds the principal sooner when its type is said, which matters for an identity that was made a
    second ago.
    """
    return [
        {
            "name": name,
            "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments",
            "api_version": api_version,
            "body": {
                "properties": {
                    "roleDefinitionId": f"{_home(row, scope)}{DEFINITIONS}/{row['role_id']}",
                    "principalId": row["principal_id"],
                    "principalType": row.get("principal_type", "ServicePrincipal"),
                    "description": row.get("why"),
                }
            },
            **({"depends_on": row["depends_on"]} if row.get("depends_on") else {}),
        }
        for row in permissions
        if row.get("condition", True)
        for name, scope in _scopes(row)
    ]


def _scopes(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Symbolic name and scope of each assignment of a row."""
    if "scope_ids" not in row:
        yield row["name"], row["scope_id"]
    for number, scope in enumerate(row.get("scope_ids", ()), 1):
        yield row["name"] if number == 1 else f"{row['name']}_{number}", scope


def _home(row: dict[str, Any], scope: str) -> str:
    """What comes before a role's id: built-in roles are the same everywhere, custom ones are the subscription's."""
    return "/".join(scope.split("/")[:3]) if row.get("custom") else ""
