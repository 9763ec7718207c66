# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Service principals: a new one of an app registration, with what Graph fills in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .call import Call
from .filters import same
from .refusals import bad, refuse, stamp


def blank(
    app_id: str, display_name: str, tenant: str, *, kind: str = "Application", object_id: str = "", now: float = 0.0
) -> dict[str, Any]:
    """A service principal; ``kind`` ManagedIdentity for a managed identity."""
    return {
        "id": object_id or str(uuid.uuid4()),
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": display_name,
        "appId": app_id,
        "appOwnerOrganizationId": tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": stamp(now),
        "displayName": display_name,
        "homepage": None,
        "keyCredentials": [],
        "notificationEmailAddresses": [],
        "passwordCredentials": [],
        "replyUrls": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": kind,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
    }


def new(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The service principal that a body asks for."""
    app_id = str(body.get("appId") or "")
    apps = call.directory.get("applications", {}).values()
    app = next((one for one in apps if same(one["appId"], app_id)), None)
    if app is None:
        text = (
            "When using this permission, the backing application of the service principal being created must in the "
            f"local tenant. The appId '{app_id}' of the service principal does not reference a valid application "
            "object."
        )
        raise bad(text)
    if any(same(one["appId"], app_id) for one in call.directory.get("servicePrincipals", {}).values()):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app_id} is already in use."
        )
        raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
    return blank(app["appId"], app["displayName"], str(call.directory.get("tenant", "")), now=call.now)
