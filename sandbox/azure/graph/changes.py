# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Objects of the directory made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..web import Answer
from . import applications, service_principals, users
from .answers import single
from .call import Call, may_write, merged
from .refusals import missing, refuse

NEW = {"applications": applications.new, "servicePrincipals": service_principals.new, "users": users.new}


def create(call: Call, collection: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A new object of a collection, kept."""
    may_write(call)
    if collection not in NEW:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    item = NEW[collection](call, body)
    call.directory.setdefault(collection, {})[item["id"]] = item
    return item


def upsert(call: Call, collection: str, value: str, by: str, item: dict[str, Any] | None) -> Answer:
    """Change an object; one asked for by its unique name is made when it is missing and the caller prefers that."""
    if item is None:
        if "create-if-missing" not in call.headers.get("prefer", "") or by != "uniqueName":
            raise missing(value)
        return single(call, collection, create(call, collection, {**call.body, "uniqueName": value}), 201)
    may_write(call)
    changed = merged(item, call.body)
    if collection == "applications":
        applications.check(call, changed)
    call.directory[collection][item["id"]] = changed
    return Answer(204)


def delete(call: Call, collection: str, item: Mapping[str, Any]) -> Answer:
    """Delete an object; with an app registration goes its service principal."""
    may_write(call)
    call.directory[collection].pop(item["id"], None)
    if collection == "applications":
        held = call.directory.get("servicePrincipals", {})
        for key in [key for key, one in held.items() if one["appId"] == item["appId"]]:
            held.pop(key)
    return Answer(204)
