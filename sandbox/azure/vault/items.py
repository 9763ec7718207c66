# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What secrets and certificates have in common: changed, deleted, listed, recovered, purged."""

from __future__ import annotations

from ..web import Answer
from .call import Call, listed, page
from .content import attributes_of, live_item, put_version, version_of, without
from .model import Vault
from .refusals import Refused, missing
from .rights import action_of


def update_item(vault: Vault, call: Call, kind: str, name: str, version: str) -> Answer:
    """Change what describes a version; its value stays."""
    call.demand(action_of(kind, "update"), name)
    bundle = version_of(vault, kind, name, version)
    changed = {
        **bundle,
        **{key: call.body[key] for key in ("contentType", "tags") if call.body.get(key) is not None},
        "attributes": attributes_of(vault, call.body.get("attributes") or {}, bundle["attributes"]),
    }
    stored = put_version(vault, kind, name, changed, bundle["id"].rsplit("/", 1)[-1])
    return Answer(200, without(stored, "value"))


def delete_item(vault: Vault, call: Call, kind: str, name: str) -> Answer:
    """Delete softly, a certificate with its secret."""
    call.demand(action_of(kind, "delete"), name)
    item = live_item(vault, kind, name)
    deleted = {
        "recoveryId": f"{vault.url}/deleted{kind}/{item['name']}",
        "deletedDate": vault.now,
        "scheduledPurgeDate": vault.now + vault.retention_days * 86400,
    }
    vault.items(kind)[name.casefold()] = {**item, "deleted": deleted}
    if kind == "certificates" and name.casefold() in vault.items("secrets"):
        secret = vault.items("secrets")[name.casefold()]
        vault.items("secrets")[name.casefold()] = {
            **secret,
            "deleted": {**deleted, "recoveryId": f"{vault.url}/deletedsecrets/{item['name']}"},
        }
    return Answer(200, {**without(item["versions"][-1], "value"), **deleted})


def deleted_items(vault: Vault, call: Call, kind: str, rest: tuple[str, ...]) -> Answer | None:
    """What was deleted: listed, read, recovered, purged."""
    items = vault.items(kind)
    if call.method == "GET" and not rest:
        call.demand(action_of(kind, "list"), "")
        gone = [item for _key, item in sorted(items.items()) if item.get("deleted")]
        return page(vault, call, [{**listed(one["versions"][-1], versions=False), **one["deleted"]} for one in gone])
    name = rest[0]
    item = items.get(name.casefold())
    if item is None or not item.get("deleted"):
        raise missing(kind, name)
    if call.method == "GET":
        call.demand(action_of(kind, "list"), name)
        return Answer(200, {**without(item["versions"][-1], "value"), **item["deleted"]})
    both = (kind, "secrets") if kind == "certificates" else (kind,)
    if call.method == "POST" and rest[1:] == ("recover",):
        call.demand(action_of(kind, "recover"), name)
        for one in both:
            if name.casefold() in vault.items(one):
                vault.items(one)[name.casefold()] = {**vault.items(one)[name.casefold()], "deleted": None}
        return Answer(200, without(item["versions"][-1], "value"))
    if call.method == "DELETE":
        call.demand(action_of(kind, "purge"), name)
        if vault.purge_protected:
            raise Refused(
                403,
                "Forbidden",
                "Operation purge is not allowed because purge protection is enabled for this vault.",
                "ForbiddenByPolicy",
            )
        for one in both:
            vault.items(one).pop(name.casefold(), None)
        return Answer(204)
    return None
