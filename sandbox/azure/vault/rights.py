# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who may do what in a vault: by roles, or by its access policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import rbac
from .model import Vault
from .refusals import not_granted, not_in_policy

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..store import Record

# The word of an access policy for each data action.
POLICY_WORD = {
    "getsecret": "get",
    "readmetadata": "list",
    "setsecret": "set",
    "update": "update",
    "delete": "delete",
    "recover": "recover",
    "purge": "purge",
    "backup": "backup",
    "read": "get",
    "import": "import",
    "create": "create",
}


def policy_permission(action: str) -> tuple[str, str]:
    """``Microsoft.KeyVault/vaults/secrets/getSecret/action`` → ``("secrets", "get")``; updates need ``set``."""
    kind, verb = action.split("/")[2:4]
    word = POLICY_WORD[verb.casefold()]
    return kind, "set" if (kind, word) == ("secrets", "update") else word


def action_of(kind: str, verb: str) -> str:
    """The data action of a verb; secrets and certificates have their own words for reading."""
    words = {
        ("secrets", "get"): "getSecret/action",
        ("secrets", "list"): "readMetadata/action",
        ("secrets", "set"): "setSecret/action",
        ("certificates", "get"): "read",
        ("certificates", "list"): "read",
    }
    return f"Microsoft.KeyVault/vaults/{kind}/" + words.get(
        (kind, verb), "delete" if verb == "delete" else f"{verb}/action"
    )


def demand_for(cloud: Cloud, record: Record, vault: Vault, claims: Mapping[str, Any]) -> Callable[[str, str], None]:
    """How a call asks whether its caller may: by roles, or by the vault's access policies."""
    who = rbac.Caller(str(claims.get("oid", "")), str(claims.get("appid", "")))

    def by_role(action: str, name: str) -> None:
        kind = action.split("/")[2]
        scope = f"{record.id}/{kind}/{name}" if name else record.id
        need = rbac.Need(action, scope, data=True)
        if not rbac.allowed(who, need, rbac.grants(cloud), now=cloud.now(), taken=rbac.taken(cloud)):
            raise not_granted(vault, cloud.tenant, who.client, who.object_id, action, name)

    def by_policy(action: str, _name: str) -> None:
        kind, word = policy_permission(action)
        for policy in record.properties.get("accessPolicies") or ():
            given = [str(one).casefold() for one in (policy.get("permissions") or {}).get(kind) or ()]
            if str(policy.get("objectId")).casefold() == who.object_id.casefold() and {word, "all"} & set(given):
                return
        raise not_in_policy(vault, cloud.tenant, who.client, who.object_id, kind, word)

    return by_role if record.properties.get("enableRbacAuthorization", True) else by_policy
