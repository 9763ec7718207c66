# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""One request to Microsoft Graph, and the names of what it may ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .filters import same
from .refusals import bad, refuse

RESOURCE = "https://graph.microsoft.com"
APPLICATION = "00000003-0000-0000-c000-000000000000"
COLLECTIONS = ("applications", "servicePrincipals", "users", "groups")
# Properties that name one object besides its id: ``applications(appId='…')``, ``users/<userPrincipalName>``.
ALTERNATE_KEYS = {
    "applications": ("appId", "uniqueName"),
    "servicePrincipals": ("appId",),
    "users": ("userPrincipalName",),
    "groups": ("uniqueName",),
}
KINDS = {"applications": "application", "servicePrincipals": "servicePrincipal", "users": "user", "groups": "group"}
READ_ONLY = {"id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain", "passwordCredentials"}


@dataclass(frozen=True)
class Call:
    """One request of an authenticated caller; ``write`` is whether this caller may change the directory."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    directory: dict[str, Any]
    caller: str
    now: float
    read: bool = True
    write: bool = True


def may_write(call: Call) -> None:
    """Refuse who may only read."""
    if not call.write:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


_KEYED = re.compile(r"(\w+)\((?:(\w+)=)?'((?:[^']|'')*)'\)\Z")


def key_of(segment: str, collection: str) -> tuple[str, str]:
    """``(value, property)`` of ``…(appId='x')``, or the segment itself as an id."""
    match = _KEYED.match(segment)
    if match is None:
        return ("" if segment == collection else segment), ""
    return match.group(3).replace("''", "'"), match.group(2) or "id"


def find(call: Call, collection: str, value: str, by: str) -> dict[str, Any] | None:
    """The object that a segment names, by its id or by one of its other keys."""
    objects: dict[str, dict[str, Any]] = call.directory.get(collection, {})
    properties = (by,) if by else ("id", *(ALTERNATE_KEYS[collection] if collection == "users" else ()))
    return next((one for one in objects.values() if any(same(one.get(key), value) for key in properties)), None)


def merged(item: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Complex properties (web, api, …) are merged, all others replaced; read-only ones may not be sent."""
    result = dict(item)
    for key, value in change.items():
        if key.startswith("@"):
            continue
        if key in READ_ONLY and value != item.get(key):
            raise bad(f"Property '{key}' is read-only and cannot be set.")
        before = item.get(key)
        result[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
    return result
