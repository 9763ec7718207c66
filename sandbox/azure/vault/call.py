# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""One request to a vault, and a page of a list as its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..web import Answer
from .content import without
from .model import Vault
from .refusals import Refused

PAGE = 25


@dataclass(frozen=True)
class Call:
    """One request: method, the path's segments, query, body; ``demand(action, name)`` raises when it is not granted."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    demand: Callable[[str, str], None]
    page: int = PAGE


def listed(bundle: Mapping[str, Any], *, versions: bool) -> dict[str, Any]:
    """An entry of a list: of an item, or of one of its versions."""
    entry = without(bundle, "value", "kid", "sid", "cer", "policy", "pending")
    if not versions:
        entry["id"] = entry["id"].rsplit("/", 1)[0]
    return entry


def page(vault: Vault, call: Call, entries: list[dict[str, Any]]) -> Answer:
    """One page of a list; the rest is behind ``nextLink``, which names the port as Azure's does."""
    asked = call.query.get("maxresults", str(call.page))
    if not asked.isdigit() or not 1 <= int(asked) <= PAGE:
        raise Refused(400, "BadParameter", "maxresults must be between 1 and 25.")
    size, start = int(asked), int(call.query.get("$skiptoken", "0") or 0)
    link = None
    if start + size < len(entries):
        query = {**call.query, "$skiptoken": str(start + size), "maxresults": asked}
        link = f"{vault.url}:443/{'/'.join(call.segments)}?{urlencode(query)}"
    return Answer(200, {"value": entries[start : start + size], "nextLink": link})
