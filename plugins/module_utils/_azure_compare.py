# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What has to be written so that a resource becomes what is wanted, and what of it differs: pure functions over data.

Azure answers with more, less and other than was sent. The wanted properties alone drive the comparison; what else lives
there goes back as it is. What the types do is data, see ``_azure_types``.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Path, ResourceType, any_of
from ansible_collections.planetary.hub.plugins.module_utils._azure_rules import Rules
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import get
from ansible_collections.planetary.hub.plugins.module_utils._azure_walk import Change, Forbidden, Walk

__all__ = ["Change", "Comparison", "Forbidden", "compare"]

# Azure says so of what it could not finish; writing the same again finishes it.
UNFINISHED = ("failed", "canceled", "cancelled")
STATE = "properties.provisioningState"


@dataclass(frozen=True)
class Comparison:
    """What differs, and the bodies to PUT in this order; no steps: nothing to do, or nothing that may be done."""

    changes: tuple[Change, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()


def compare(
    kind: ResourceType,
    desired: Mapping[str, Any],
    live: Mapping[str, Any] | None,
    ignore_tags: Iterable[str] = (),
    parent: Mapping[str, Any] | None = None,
    today: str | None = None,
) -> Comparison:
    """Compare what is wanted of a resource with what Azure answers.

    Args:
        kind: the rules of its type, from ``_azure_types.of``.
        desired: the wanted body, in ARM's words; nulls count as not said; texts with "(known after apply)" differ from
            everything that lives.
        live: Azure's answer; None when there is no such resource.
        ignore_tags: patterns of the names of tags that others own: no difference, never reset.
        parent: the wanted or live body of the resource above, where a rule looks there (a pool's upgrade channel).
        today: as 2026-11-22, instead of the clock, in UTC.
    """
    today = today or datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    rules = Rules(kind, tuple(ignore_tags), today)
    walk = Walk(rules, dict(parent or {}), dict(desired), copy.deepcopy(dict(live or {})))
    if live is None:
        body = walk.created()
        return Comparison(changes=tuple(walk.changes), steps=(body,))
    body = walk.updated()
    if walk.forbidden:
        return Comparison(tuple(walk.changes), tuple(walk.forbidden))
    own = [change for change in walk.changes if any_of(kind.own_put, _folded(change.path))]
    steps = [body] if walk.changes else []
    if own and len(own) < len(walk.changes):
        before = Walk(rules, walk.parent, walk.desired, walk.live, held=True)
        steps.insert(0, before.updated())
    state = get(walk.live, STATE)
    if str(state).casefold() in UNFINISHED:
        walk.changes.append(Change(STATE, state, "Succeeded"))
        steps = steps or [body]
    return Comparison(tuple(walk.changes), (), tuple(steps))


def _folded(shown: str) -> Path:
    """The path of a change, where none of its keys is in brackets."""
    return tuple(shown.casefold().split("."))
