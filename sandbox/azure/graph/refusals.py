# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What Microsoft Graph answers instead of the wanted."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ..web import Refusal


def stamp(seconds: float) -> str:
    """Graph's spelling of a moment."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse(status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> Refusal:
    """A refusal in Graph's form."""
    request = str(uuid.uuid4())
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = details
    date = stamp(time.time()).removesuffix("Z")
    error["innerError"] = {"date": date, "request-id": request, "client-request-id": request}
    return Refusal(status, code, message, body={"error": error})


def unauthenticated(found: str | None) -> Refusal:
    """The 401 for no token, or for one made for somebody else."""
    text = "Access token is empty." if found is None else "Access token validation failure. Invalid audience."
    return refuse(401, "InvalidAuthenticationToken", text)


def missing(name: str) -> Refusal:
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return refuse(404, "Request_ResourceNotFound", text)


def bad(message: str, code: str = "Request_BadRequest") -> Refusal:
    return refuse(400, code, message)
