# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the types of monitoring have in common."""

from __future__ import annotations

from typing import Any

from ...web import Refusal
from ..kinds import Body, Call


def given_properties(body: Body) -> dict[str, Any]:
    found = body.get("properties")
    return dict(found) if isinstance(found, dict) else {}


def mentioned(call: Call, resource_id: Any, code: str = "BadRequest") -> None:
    if resource_id and call.cloud.store.get(str(resource_id)) is None:
        raise Refusal(400, code, f"The resource '{resource_id}' was not found.")
