# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is in a vault: names and versions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from .model import Vault
from .refusals import Refused, missing

NAME = re.compile(r"[0-9A-Za-z-]{1,127}\Z")


def live_item(vault: Vault, kind: str, name: str) -> dict[str, Any]:
    """What is there under a name and is not deleted: {name, versions, deleted}."""
    item = vault.items(kind).get(name.casefold())
    if item is None or item.get("deleted"):
        raise missing(kind, name)
    return dict(item)


def version_of(vault: Vault, kind: str, name: str, version: str = "") -> dict[str, Any]:
    """One version, the newest when none is named."""
    versions = live_item(vault, kind, name)["versions"]
    for one in versions:
        if one["id"].rsplit("/", 1)[-1] == version:
            return dict(one)
    if version or not versions:
        raise missing(kind, f"{name}/{version}" if version else name)
    return dict(versions[-1])


def put_version(vault: Vault, kind: str, name: str, bundle: dict[str, Any], version: str = "") -> dict[str, Any]:
    """Add a version (or write one again) and return it."""
    items = vault.items(kind)
    item = items.get(name.casefold())
    if item and item.get("deleted"):
        noun = kind.rstrip("s").capitalize()
        raise Refused(
            409,
            "Conflict",
            f"{noun} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
            "state, the "
            f"{noun.lower()} can only be recovered or purged.",
            "ObjectIsDeletedButRecoverable",
        )
    spelt = item["name"] if item else name
    bundle = {**bundle, "id": f"{vault.url}/{kind}/{spelt}/{version or uuid.uuid4().hex}"}
    versions = [one for one in (item["versions"] if item else []) if one["id"] != bundle["id"]]
    # A new list, so that a store that watches for assignments sees it.
    items[name.casefold()] = {"name": spelt, "versions": [*versions, bundle], "deleted": None}
    return bundle


def attributes_of(vault: Vault, given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The attributes of a version, new or changed."""
    base = before or {"enabled": True, "created": vault.now}
    kept = {key: given[key] for key in ("enabled", "nbf", "exp") if given.get(key) is not None}
    return {**base, **kept, "updated": vault.now, **vault.recovery}


def without(bundle: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A version without some of its fields."""
    return {key: value for key, value in bundle.items() if key not in keys}


def check_name(name: str) -> None:
    """Refuse what is no name in a vault."""
    if not NAME.match(name):
        raise Refused(400, "BadParameter", f"The request URI contains an invalid name: {name}")
