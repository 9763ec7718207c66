# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users: a new one with what Graph fills in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .call import READ_ONLY, Call, find
from .refusals import bad


def blank(principal_name: str, display_name: str = "", object_id: str = "") -> dict[str, Any]:
    """A user with the properties that Graph gives when none are selected."""
    first, _, last = (display_name or principal_name.partition("@")[0]).partition(" ")
    return {
        "id": object_id or str(uuid.uuid4()),
        "businessPhones": [],
        "displayName": display_name or principal_name.partition("@")[0],
        "givenName": first or None,
        "jobTitle": None,
        "mail": principal_name,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": last or None,
        "userPrincipalName": principal_name,
    }


def new(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The user that a body asks for."""
    for name in ("displayName", "userPrincipalName", "mailNickname", "passwordProfile"):
        if not body.get(name):
            raise bad(f"A value is required for property '{name}' of resource 'User'.")
    name = str(body["userPrincipalName"])
    if find(call, "users", name, "userPrincipalName"):
        raise bad("Another object with the same value for property userPrincipalName already exists.")
    given = {key: value for key, value in body.items() if key not in READ_ONLY | {"passwordProfile"}}
    password = str(body["passwordProfile"].get("password") or "")
    return {**blank(name, str(body["displayName"])), **given, "__password": password}
