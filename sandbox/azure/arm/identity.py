# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Managed identities of a resource: the block ``identity`` of its body."""

from __future__ import annotations

import uuid
from typing import Any

from ..store import Record
from ..web import Refusal
from .kinds import Call

USER = "Microsoft.ManagedIdentity/userAssignedIdentities"


def fill(call: Call, body: dict[str, Any], live: Record | None) -> None:
    """Put in the ids that Azure gives; make the principal of a system-assigned identity."""
    identity = body.get("identity")
    if not isinstance(identity, dict):
        return
    wanted = {part.strip().lower() for part in str(identity.get("type", "None")).split(",")}
    names = [name for name in ("SystemAssigned", "UserAssigned") if name.lower() in wanted]
    result: dict[str, Any] = {"type": ", ".join(names) or "None"}
    if "SystemAssigned" in names:
        result |= _system(call, live)
    if "UserAssigned" in names:
        users = identity.get("userAssignedIdentities") or {}
        result["userAssignedIdentities"] = {key: _user(call, key) for key, value in users.items() if value is not None}
    body["identity"] = result


def _system(call: Call, live: Record | None) -> dict[str, str]:
    old = (live.body.get("identity") or {}) if live else {}
    principal = call.cloud.directory.by_object_id(old.get("principalId", ""))
    if principal is None:
        principal = call.cloud.directory.add(call.target.name, "ManagedIdentity", object_id=str(uuid.uuid4()))
    return {"principalId": principal.object_id, "tenantId": call.cloud.tenant}


def _user(call: Call, resource_id: str) -> dict[str, str]:
    record = call.cloud.store.get(resource_id)
    if record is None or record.type != USER:
        inner = f"Resource '{resource_id}' was not found."
        raise Refusal(
            400,
            "FailedIdentityOperation",
            f"Identity operation for resource '{call.target.path}' failed with error 'Failed to perform resource "
            "identity operation. "
            f'Status: \'BadRequest\'. Response: \'{{"error":{{"code":"BadRequest","message":"{inner}"}}}}\'.\'.',
        )
    return {"principalId": record.properties["principalId"], "clientId": record.properties["clientId"]}
