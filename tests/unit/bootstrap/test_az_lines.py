# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Resources as lines of the az command line."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._az_lines import az_lines

GROUP = "/subscriptions/s/resourceGroups/hub rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deploy"


def resource(resource_id: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "it", "id": resource_id, "api_version": "v", "body": body, **more}


@pytest.mark.parametrize(
    ("resource_id", "body", "words"),
    [
        (
            GROUP,
            {"location": "westeurope", "tags": {"team": "data & maps"}},
            [
                "group",
                "create",
                "--subscription",
                "s",
                "--name",
                "hub rg",
                "--location",
                "westeurope",
                "--tags",
                "team=data & maps",
            ],
        ),
        (
            IDENTITY,
            {"location": "westeurope"},
            [
                "identity",
                "create",
                "--subscription",
                "s",
                "--resource-group",
                "hub rg",
                "--name",
                "deploy",
                "--location",
                "westeurope",
            ],
        ),
        (
            f"{IDENTITY}/federatedIdentityCredentials/github",
            {"properties": {"issuer": "https://i", "subject": "repo:a/b:environment:it's", "audiences": ["api://x"]}},
            [
                "identity",
                "federated-credential",
                "create",
                "--subscription",
                "s",
                "--resource-group",
                "hub rg",
                "--identity-name",
                "deploy",
                "--name",
                "github",
                "--issuer",
                "https://i",
                "--subject",
                "repo:a/b:environment:it's",
                "--audiences",
                "api://x",
            ],
        ),
        (
            f"{GROUP}/providers/Microsoft.KeyVault/vaults/v",
            {
                "location": "westeurope",
                "properties": {
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": True,
                    "enablePurgeProtection": True,
                    "softDeleteRetentionInDays": 30,
                },
            },
            [
                "keyvault",
                "create",
                "--subscription",
                "s",
                "--resource-group",
                "hub rg",
                "--name",
                "v",
                "--location",
                "westeurope",
                "--sku",
                "standard",
                "--retention-days",
                "30",
                "--enable-rbac-authorization",
                "true",
                "--enable-purge-protection",
                "true",
            ],
        ),
        (
            f"{GROUP}/providers/Microsoft.Authorization/roleAssignments",
            {
                "properties": {
                    "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/r",
                    "principalId": "p",
                    "principalType": "ServicePrincipal",
                    "condition": "(!(ActionMatches{'x'}))",
                    "conditionVersion": "2.0",
                }
            },
            [
                "role",
                "assignment",
                "create",
                "--scope",
                GROUP,
                "--role",
                "r",
                "--assignee-object-id",
                "p",
                "--assignee-principal-type",
                "ServicePrincipal",
                "--condition",
                "(!(ActionMatches{'x'}))",
                "--condition-version",
                "2.0",
            ],
        ),
        (
            f"{GROUP}/providers/Microsoft.Example/things/x",
            {"properties": {"a": None}},
            [
                "rest",
                "--method",
                "put",
                "--url",
                f"https://management.azure.com{GROUP}/providers/Microsoft.Example/things/x?api-version=v",
                "--body",
                '{"properties": {"a": null}}',
            ],
        ),
    ],
)
def test_a_line_for_each_type(resource_id: str, body: dict[str, Any], words: list[str]) -> None:
    (line,) = az_lines([resource(resource_id, body)])
    assert shlex.split(line) == ["az", *words]


def test_what_is_not_made_has_no_line() -> None:
    skipped = [resource(GROUP, {"location": "x"}, condition=False), resource(GROUP, {"location": "x"}, existing=True)]
    assert az_lines(skipped) == []


def test_outputs_of_others_are_asked_once_and_a_shell_reads_it_so() -> None:
    right = {"properties": {"roleDefinitionId": "${role.id}", "principalId": "${who.properties.principalId}"}}
    right["properties"]["principalType"] = '$HOME `id` "x" ${who.properties.principalId}'
    lines = az_lines(
        [
            resource(IDENTITY, {"location": "x"}) | {"name": "who"},
            resource("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/guid", {}) | {"name": "role"},
            resource(f"{GROUP}/providers/Microsoft.Authorization/roleAssignments", right) | {"name": "one"},
            resource(f"{GROUP}/providers/Microsoft.Authorization/roleAssignments", right) | {"name": "two"},
        ]
    )
    assert [line.split()[0] for line in lines] == ["az", "az", "who_principalId=$(az", "az", "az"]
    # A shell in which az tells what it was given.
    script = 'az() { if [ "$1" = resource ]; then echo object; else printf \'%s\\n\' "$@"; fi; }\n' + "\n".join(
        lines[2:4]
    )
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[said.index("--role") + 1] == "guid"
    assert said[said.index("--assignee-object-id") + 1] == "object"
    assert said[said.index("--assignee-principal-type") + 1] == '$HOME `id` "x" object'
