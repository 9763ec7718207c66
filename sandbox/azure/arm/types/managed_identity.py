# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Refusal
from ..kinds import Body, Call, ResourceType

if TYPE_CHECKING:
    from ...cloud import Cloud

VERSIONS = (
    "2015-08-31-preview", "2018-11-30", "2021-09-30-preview", "2022-01-31-preview", "2023-01-31", "2023-07-31-preview",
    "2024-11-30", "2025-01-31-preview", "2025-05-31-preview",
)  # fmt: skip
#: So many federated credentials an identity has at most.
MOST_CREDENTIALS = 20
_CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"


def lower_group(resource_id: str) -> str:
    """This provider answers ids with ``/resourcegroups/``."""
    return resource_id.replace("/resourceGroups/", "/resourcegroups/")


def _store_identity(call: Call, body: Body, live: Record | None) -> Body:
    if live is None:
        principal = call.cloud.directory.add(call.target.name, "ManagedIdentity", resource=call.target.path)
        given = {"tenantId": call.cloud.tenant, "principalId": principal.object_id, "clientId": principal.app_id}
    else:
        given = {name: live.properties[name] for name in ("tenantId", "principalId", "clientId")}
    return {**body, "tags": body.get("tags", {}), "properties": {**body.get("properties", {}), **given}}


def _forget_principal(cloud: Cloud, record: Record) -> None:
    cloud.directory.remove(record.properties["principalId"])


def _answer_identity(_cloud: Cloud, _record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    shown["properties"].pop("provisioningState", None)
    return shown


def _check_credential(call: Call, body: Body, live: Record | None) -> None:
    properties = body.get("properties") or {}
    for name in ("issuer", "subject", "audiences"):
        if not properties.get(name):
            raise Refusal(400, "BadRequest", f"Missing required property '{name}'.")
    if len(properties["audiences"]) != 1:
        raise Refusal(400, "BadRequest", "Federated Identity Credential audiences must have exactly one value.")
    others = [
        one for one in call.cloud.store.of_type(_CREDENTIALS, call.target.parent) if one.key != call.target.path.lower()
    ]
    if live is None and len(others) >= MOST_CREDENTIALS:
        message = f"Too many Federated Identity Credentials: an identity can have at most {MOST_CREDENTIALS}."
        raise Refusal(400, "FederatedIdentityCredentialQuotaExceeded", message)
    for one in others:
        if all(one.properties[name] == properties[name] for name in ("issuer", "subject")):
            message = (
                "Issuer and subject combination already exists for this Managed Identity: federated identity "
                "credential "
                f"'{one.name}'."
            )
            raise Refusal(409, "Conflict", message)


TYPES = (
    ResourceType(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        versions=VERSIONS,
        model="azure.mgmt.msi.models.Identity",
        tracked=True,
        name_rule=r"[A-Za-z0-9][\w-]{2,127}",
        name_error=("BadRequest", "Resource name '{name}' is invalid: 3 to 128 letters, digits, '-' and '_'."),
        seconds={"PUT": 1.5, "PATCH": 1.0, "DELETE": 1.0},
        read_only=("properties.tenantId", "properties.principalId", "properties.clientId"),
        spell_id=lower_group,
        store=_store_identity,
        answer=_answer_identity,
        deleted=_forget_principal,
    ),
    ResourceType(
        _CREDENTIALS,
        versions=VERSIONS[2:],
        model="azure.mgmt.msi.models.FederatedIdentityCredential",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=r"[A-Za-z0-9][\w-]{2,119}",
        name_error=("BadRequest", "Federated Identity Credential name '{name}' is invalid."),
        seconds={"PUT": 1.5, "DELETE": 1.0},
        spell_id=lower_group,
        shows_state=False,
        siblings=lambda call: (f"{call.target.parent}/federatedIdentityCredentials",),
        busy=(
            409,
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "Too many Federated Identity Credentials are written concurrently for the managed identity '{id}'. "
            "Concurrent Federated "
            "Identity Credentials writes under the same managed identity are not supported.",
        ),
        check=_check_credential,
    ),
)  # fmt: skip
