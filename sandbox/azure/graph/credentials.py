# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How an app registration proves that it is itself: client secrets and federated credentials."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from ..web import Answer
from .answers import context_of, page, single
from .call import Call, key_of, may_write
from .filters import same
from .refusals import bad, missing, refuse, stamp


def add_password(call: Call, item: dict[str, Any]) -> Answer:
    """A new client secret; only this answer shows it."""
    may_write(call)
    asked = call.body.get("passwordCredential") or {}
    text = secrets.token_urlsafe(30)
    credential = {
        "customKeyIdentifier": None,
        "displayName": asked.get("displayName"),
        "endDateTime": asked.get("endDateTime") or stamp(call.now + 2 * 365 * 86400),
        "hint": text[:3],
        "keyId": str(uuid.uuid4()),
        "secretText": None,
        "startDateTime": asked.get("startDateTime") or stamp(call.now),
    }
    item["passwordCredentials"] = [*item["passwordCredentials"], credential]
    item["__secrets"] = {**item.get("__secrets", {}), credential["keyId"]: text}
    return Answer(
        200,
        {"@odata.context": context_of(call, "microsoft.graph.passwordCredential"), **credential, "secretText": text},
    )


def remove_password(call: Call, item: dict[str, Any]) -> Answer:
    """Take a client secret away, by its key id."""
    may_write(call)
    key = str(call.body.get("keyId") or "")
    left = [one for one in item["passwordCredentials"] if not same(one["keyId"], key)]
    if len(left) == len(item["passwordCredentials"]):
        raise bad(f"No password credential found with keyId {key}.")
    item["passwordCredentials"] = left
    item["__secrets"] = {name: text for name, text in item.get("__secrets", {}).items() if not same(name, key)}
    return Answer(204)


def federated_credentials(call: Call, item: dict[str, Any], rest: list[str]) -> Answer:
    """Federated credentials of an app registration, by id or by name."""
    held: list[dict[str, Any]] = item.setdefault("__federated", [])
    context = f"applications('{item['id']}')/federatedIdentityCredentials"
    name, by_key = key_of(rest[0], "federatedIdentityCredentials") if rest else ("", "")
    found = next((one for one in held if same(one["id"], name) or same(one["name"], name)), None)
    if call.method == "GET":
        if not rest or (not name and not by_key):
            return page(call, context, held)
        if found is None:
            raise missing(name)
        return single(call, context, found)
    may_write(call)
    if call.method == "DELETE":
        if found is None:
            raise missing(name)
        item["__federated"] = [one for one in held if one is not found]
        return Answer(204)
    upsert = call.method == "PATCH" and found is None and "create-if-missing" in call.headers.get("prefer", "")
    if call.method == "POST" or upsert:
        body = {"name": name, **call.body} if upsert else dict(call.body)
        return single(call, context, _new_federated(item, body), 201)
    if found is None:
        raise missing(name)
    new = {**found, **{key: value for key, value in call.body.items() if key not in {"id", "name"}}}
    item["__federated"] = [new if one is found else one for one in held]
    return Answer(204)


def _new_federated(item: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    held = item["__federated"]
    for key in ("name", "issuer", "subject", "audiences"):
        if not body.get(key):
            raise bad(f"The {key} property of the federated identity credential must not be empty.")
    if any(same(one["name"], body["name"]) for one in held):
        text = f"FederatedIdentityCredential with name {body['name']} already exists."
        raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
    if any((one["issuer"], one["subject"]) == (body["issuer"], body["subject"]) for one in held):
        text = "A FederatedIdentityCredential with the same issuer and subject already exists."
        raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
    if len(held) >= 20:
        raise bad("The number of federated identity credentials exceeds the limit of 20.", "Directory_QuotaExceeded")
    new = {
        "id": str(uuid.uuid4()),
        "name": body["name"],
        "issuer": body["issuer"],
        "subject": body["subject"],
        "description": body.get("description"),
        "audiences": list(body["audiences"]),
    }
    item["__federated"] = [*held, new]
    return new
