# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rights as a table, written as Azure's role assignments."""

from __future__ import annotations

from typing import Any

DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"


def role_assignments(permissions: list[dict[str, Any]], api_version: str) -> list[dict[str, Any]]:
    """One resource of the module azure_resources for each row.

    ``permissions``: name, role_id (a GUID), scope_id (the full id of what the right is on), principal_id;
    principal_type (ServicePrincipal), why (a description), condition (false: the row is not meant). Azure finds the
    principal sooner when its type is said, which matters for an identity that was made a second ago.
    """
    return [
        {
            "name": row["name"],
            "id": f"{row['scope_id']}/providers/Microsoft.Authorization/roleAssignments",
            "api_version": api_version,
            "body": {
                "properties": {
                    # Built-in roles are the same everywhere; Azure answers with the scope of the subscription.
                    "roleDefinitionId": f"{DEFINITIONS}/{row['role_id']}",
                    "principalId": row["principal_id"],
                    "principalType": row.get("principal_type", "ServicePrincipal"),
                    "description": row.get("why"),
                }
            },
        }
        for row in permissions
        if row.get("condition", True)
    ]
