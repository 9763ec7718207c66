# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What Key Vault answers instead of the wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..web import Refusal
from .model import Vault

_SEE = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid="


class Refused(Refusal):
    """A refusal in Key Vault's form, with its inner code."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        error: dict[str, Any] = {"code": code, "message": message}
        if inner:
            error["innererror"] = {"code": inner}
        super().__init__(status, code, message, body={"error": error})

    def with_headers(self, headers: Mapping[str, str]) -> Refused:
        self.headers.update(headers)
        return self


def not_granted(vault: Vault, tenant: str, app_id: str, object_id: str, action: str, name: str) -> Refused:
    """The 403 of a vault with role-based access."""
    kind = action.split("/")[2]
    resource = vault.id.lower() + (f"/{kind}/{name}" if name else "")
    return Refused(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\r\n"
        f"Caller: appid={app_id};oid={object_id};iss=https://sts.windows.net/{tenant}/\r\nAction: '{action}'\r\n"
        f"Resource: '{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"
        f"Vault: {vault.name};location={vault.location}\r\n",
        "ForbiddenByRbac",
    )


def not_in_policy(vault: Vault, tenant: str, app_id: str, object_id: str, kind: str, permission: str) -> Refused:
    """The 403 of a vault with access policies."""
    return Refused(
        403,
        "Forbidden",
        f"The user, group or application 'appid={app_id};oid={object_id};iss=https://sts.windows.net/{tenant}/' does "
        "not have "
        f"{kind} {permission} permission on key vault '{vault.name};location={vault.location}'. {_SEE}2125287",
        "AccessDenied",
    )


def closed(vault: Vault, *, by_firewall: bool) -> Refused:
    """The 403 of a vault that is not open to this network."""
    if by_firewall:
        text, inner = "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"
    else:
        inner = "ForbiddenByConnection"
        text = "Public network access is disabled and request is not from a trusted service nor via an approved private"
        text += " link."
    return Refused(403, "Forbidden", f"{text}\r\nVault: {vault.name};location={vault.location}", inner)


def missing(kind: str, name: str) -> Refused:
    noun = kind.rstrip("s").capitalize()
    return Refused(
        404,
        f"{noun}NotFound",
        f"A {noun.lower()} with (name/id) {name} was not found in this key vault. If you recently deleted this "
        f"{noun.lower()} "
        f"you may be able to recover it using the correct recovery command. {_SEE}2125182",
    )
