# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets set and read."""

from __future__ import annotations

from ..web import Answer
from .call import Call
from .content import attributes_of, check_name, put_version, version_of
from .model import Vault
from .refusals import Refused
from .rights import action_of

MAX_SECRET = 25 * 1024


def set_secret(vault: Vault, call: Call, name: str) -> Answer:
    """A new version of a secret."""
    check_name(name)
    call.demand(action_of("secrets", "set"), name)
    value = call.body.get("value")
    if not isinstance(value, str):
        raise Refused(400, "BadParameter", "The property value is required to set a secret.")
    if len(value.encode()) > MAX_SECRET:
        raise Refused(400, "BadParameter", f"The secret value exceeds the maximum size of {MAX_SECRET} bytes.")
    bundle = {
        "value": value,
        **{key: call.body[key] for key in ("contentType", "tags") if call.body.get(key) is not None},
        "attributes": attributes_of(vault, call.body.get("attributes") or {}),
    }
    return Answer(200, put_version(vault, "secrets", name, bundle))


def get_secret(vault: Vault, call: Call, name: str, version: str) -> Answer:
    """A secret with its value, the newest version when none is named."""
    call.demand(action_of("secrets", "get"), name)
    bundle = version_of(vault, "secrets", name, version)
    if not bundle["attributes"]["enabled"]:
        raise Refused(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
    return Answer(200, bundle)
