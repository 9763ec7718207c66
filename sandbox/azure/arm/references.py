# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who mentions whom: resources that a body names, and those that name a resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..store import Record
from ..web import Refusal
from . import operations
from .kinds import Call

if TYPE_CHECKING:
    from ..cloud import Cloud

#: Providers whose resources mention others without holding on to them.
LOOSE = ("microsoft.authorization", "microsoft.insights", "microsoft.managedidentity")


def ids_in(value: Any) -> Iterator[str]:
    """All ids of resources that a body mentions, in lower case."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ids_in(key)
            yield from ids_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from ids_in(item)
    elif isinstance(value, str) and value.lower().startswith("/subscriptions/"):
        yield value.lower()


def users(cloud: Cloud, resource_id: str, *, below: bool = False) -> list[Record]:
    """The resources that mention one (or, with ``below``, anything below it) and hold on to it."""
    wanted = resource_id.lower()
    found = []
    for record in cloud.store.resources.values():
        inside = record.key == wanted or record.key.startswith(f"{wanted}/")
        if inside or record.type.lower().startswith(LOOSE) or wanted not in json.dumps(record.body).lower():
            continue
        if any(one == wanted or (below and one.startswith(f"{wanted}/")) for one in ids_in(record.body)):
            found.append(record)
    return found


def needed(call: Call, resource_id: str, user: str) -> Record:
    """A network resource that a body names: it must exist and be at rest."""
    record = call.cloud.store.get(resource_id)
    if record is None:
        message = (
            f"Resource {resource_id} referenced by resource {user} was not found. Please make sure that the "
            "referenced resource "
            "exists, and that both resources are in the same region."
        )
        raise Refusal(400, "InvalidResourceReference", message, details=[])
    if record.state != "Succeeded" or operations.of_resource(call.cloud, record.id):
        short = record.type.rpartition("/")[2]
        message = (
            f"Cannot proceed with operation because resource {record.id} used by resource {user} is not in Succeeded "
            "state. Resource "
            f"is in {record.state} state and the last operation that updated/is updating the resource is "
            f"Put{short[:1].upper()}"
            f"{short[1:]}Operation."
        )
        details = [{"code": "ReferencedResourceNotProvisioned", "message": message}]
        raise Refusal(429, "RetryableError", "A retryable error occurred.", details=details)
    return record
