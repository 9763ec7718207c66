# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A walk through what is wanted and what lives: what differs, and what is to be sent."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids
from ansible_collections.planetary.hub.plugins.module_utils import _azure_values as values
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import (
    Fixed,
    Version,
    any_of,
    matches,
    pattern,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_rules import Rules, Where
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import GENERIC
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import get

# Upgrade channels under which Azure chooses the Kubernetes version.
VERSION_CHANNELS = ("patch", "stable", "rapid")


@dataclass(frozen=True)
class Change:
    """A property that will change; before and after are plain JSON, None for absent, secrets as ****."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Forbidden:
    """A property that differs and that Azure cannot change; remedy: what to do instead, a sentence."""

    path: str
    before: Any
    after: Any
    remedy: str


@dataclass
class Walk:
    """One walk through wanted and live: notes what differs and builds what is sent."""

    rules: Rules
    parent: dict[str, Any]
    desired: dict[str, Any]
    live: dict[str, Any]
    held: bool = False  # leave what has a write of its own as it is
    changes: list[Change] = field(default_factory=list)
    forbidden: list[Forbidden] = field(default_factory=list)

    # What is sent.

    def created(self) -> dict[str, Any]:
        """What is sent to create it."""
        return self._map(Where(), self.desired, {}, new=True)

    def updated(self) -> dict[str, Any]:
        """What is sent to change it."""
        return self._map(Where(), self.desired, self.live)

    def _map(self, at: Where, want: Mapping[str, Any], have: Any, new: bool = False) -> dict[str, Any]:
        """Lay a wanted map over a live one."""
        have = have if isinstance(have, dict) else {}
        fold = str if self.rules.says("exact_keys", at.path) else str.casefold
        left = {fold(key): key for key in have}
        wanted = {key: value for key, value in want.items() if value is not None}
        before_all = {key.casefold(): value for key, value in have.items()}
        said = {key.casefold(): value for key, value in wanted.items()}
        context = {**before_all, **said}
        result: dict[str, Any] = {}
        for key, value in wanted.items():
            below = at.key(key)
            spelt = left.pop(fold(key), None)
            before = have.get(spelt) if spelt is not None else None
            if self._unsaid(below, value, context, new):
                self._keep(result, below, spelt, before, before_all, context)
                continue
            twin = self._twin(below, have, left, said)
            before = twin if values.is_empty(before) else before
            if spelt is None and values.is_empty(value) and self.rules.says("members", at.path):
                self._note(below, None, value)
            sent = self._value(below, value, before, new)
            if self.rules.is_dropped(below, sent):
                self._keep(result, below, spelt, before, before_all, context)
            elif sent is not None:
                result[key] = sent
        for key in left.values():
            below = at.key(key)
            if self.rules.says("whole", at.path) and have[key] is not None:
                self._note(below, have[key], None)
            else:
                self._keep(result, below, key, have[key], before_all, context)
        self._drop_idle(at, result)
        return result

    def _keep(
        self,
        result: dict[str, Any],
        at: Where,
        key: str | None,
        have: Any,
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> None:
        """Send back what lives, unless it is not ours to send; before, after: what is beside it."""
        if key is None or have is None or values.is_masked(have) or self.rules.is_past(at, have):
            return
        if any(self.rules.says(rule, at.path) for rule in ("read_only", "filled_in", "write_only")):
            return
        if not (self.rules.is_owned(at, before) and self.rules.is_owned(at, after)):
            result[key] = self._stripped(at, have)

    def _drop_idle(self, at: Where, result: dict[str, Any]) -> None:
        """Take out what lives only beside a value that a sibling will not have."""
        context = {key.casefold(): value for key, value in result.items()}
        for key in [key for key in result if self.rules.is_idle(at.key(key), context)]:
            del result[key]

    def _unsaid(self, at: Where, want: Any, context: dict[str, Any], new: bool) -> bool:
        """Whether a wanted value is neither compared nor sent."""
        if self.rules.says("read_only", at.path) or self.rules.is_past(at, want) or self.rules.is_idle(at, context):
            return True
        if self.rules.is_dropped(at, want):
            # What cannot be unset is compared, so that it is said.
            fixed = self.rules.fixed(at)
            return new or fixed is None or fixed.stays is None
        if new:
            return False
        return self.rules.is_ignored(at) or self.rules.says("create_only", at.path) or self.rules.is_owned(at, context)

    def _twin(self, at: Where, have: dict[str, Any], left: dict[str, str], wanted: dict[str, Any]) -> Any:
        """The live value under the property's other name, which is not sent beside the wanted one."""
        for single, many in (*GENERIC.twins.items(), *self.rules.kind.twins.items()):
            for mine, other in ((single, many), (many, single)):
                name = pattern(other)[-1]
                if matches(mine, at.path) and name in left and name not in wanted:
                    return _as_twin(have[left.pop(name)], to_list=mine == many)
        return None

    def _stripped(self, at: Where, have: Any) -> Any:
        """What lives, without what is not ours to send."""
        if isinstance(have, dict):
            result: dict[str, Any] = {}
            context = {key.casefold(): value for key, value in have.items()}
            for key, value in have.items():
                self._keep(result, at.key(key), key, value, context, context)
            for text, source in self.rules.kind.refilled.items():
                name = text.rsplit(".", 1)[1]
                if matches(text, at.key(name).path) and name.casefold() not in context and get(have, source):
                    result[name] = get(have, source)
            return result
        if isinstance(have, list):
            return [self._stripped(at.item(index), value) for index, value in enumerate(have)]
        return have

    # What differs.

    def _value(self, at: Where, want: Any, have: Any, new: bool) -> Any:
        """Compare one value; what is sent of it."""
        if self.held and any_of(self.rules.kind.own_put, at.path):
            return have
        if new:
            return self._new(at, want)
        if self.rules.says("write_only", at.path) or values.is_masked(have):
            return want
        rule = self.rules.row("versions", at.path)
        if rule is not None:
            return self._version(at, rule, want, have)
        if isinstance(want, dict) and (have is None or isinstance(have, dict)):
            return self._map(at, want, have)
        if isinstance(want, list) and isinstance(have, list):
            return self._list(at, want, have)
        if not self.rules.same(at, want, have):
            self._note(at, have, want)
        return copy.deepcopy(want)

    def _new(self, at: Where, want: Any) -> Any:
        """What is not there yet, as it is sent."""
        if isinstance(want, dict) and want:
            return self._map(at, want, {}, new=True)
        if isinstance(want, list) and any(isinstance(item, dict) for item in want):
            names = self._names(at, want)
            return [self._new(at.item(names[index] if names else index), item) for index, item in enumerate(want)]
        if not values.is_empty(want):
            self._note(at, None, want)
        return copy.deepcopy(want)

    def _list(self, at: Where, want: list[Any], have: list[Any]) -> list[Any]:
        keys = self.rules.row("keys", at.path) or ("name",)
        if _keyed(want, keys) and _keyed(have, keys) and (want or have):
            return self._named(at, keys, want, have)
        matched = self._matched(at, want, have)
        if matched is None:
            self._note(at, have, want)
            return copy.deepcopy(want)
        return matched

    def _named(self, at: Where, keys: tuple[str, ...], want: list[Any], have: list[Any]) -> list[Any]:
        """Lay a wanted list over a live one whose items have names; the live order stays."""
        wanted = {_key(item, keys): item for item in want}
        result = []
        for item in have:
            key = _key(item, keys)
            below = at.item(_shown(item, keys))
            if key in wanted:
                result.append(self._map(below, wanted.pop(key), item))
            elif self.rules.says("whole", at.path):
                self._note(below, item, None)
            else:
                result.append(self._stripped(below, item))
        for item in wanted.values():
            below = at.item(_shown(item, keys))
            self._note(below, None, item)
            result.append(self._quietly(below, item, None))
        return result

    def _matched(self, at: Where, want: list[Any], have: list[Any]) -> list[Any] | None:
        """Lay lists without names over each other, where each item has its like; None when one has not."""
        if len(want) != len(have):
            return None
        left = list(have)
        result = []
        for index, item in enumerate(want):
            below = at.item(index)
            others = left if self.rules.says("sets", at.path) else left[:1]
            like = next((other for other in others if self._alike(below, item, other)), None)
            if like is None:
                return None
            left.remove(like)
            result.append(self._quietly(below, item, like))
        return result

    def _alike(self, at: Where, want: Any, have: Any) -> bool:
        walk = self._aside()
        walk._value(at, want, have, new=False)
        return not walk.changes and not walk.forbidden

    def _quietly(self, at: Where, want: Any, have: Any) -> Any:
        return self._aside()._value(at, want, have, new=have is None)

    def _aside(self) -> Walk:
        return Walk(self.rules, self.parent, self.desired, self.live, self.held)

    def _names(self, at: Where, items: list[Any]) -> list[str]:
        keys = self.rules.row("keys", at.path) or ("name",)
        return [_shown(item, keys) for item in items] if _keyed(items, keys) else []

    def _version(self, at: Where, rule: Version, want: Any, have: Any) -> Any:
        """A Kubernetes version: a minor stands for all its patches, and there is no way back."""
        current = get(self.live, rule.current) or have
        wanted, running = values.version(want), values.version(current)
        if current is None and wanted is not None:
            return None  # nothing to compare with
        if wanted is None or running is None:
            if not self.rules.same(at, want, have):
                self._note(at, have, want)
            return want
        if wanted == running[: len(wanted)]:
            return have if have is not None else want
        if wanted > running:
            self._note(at, current, want)
            return want
        if not self._channel(rule) and not (rule.in_parent and not self.parent):
            remedy = f"Azure does not go back to an older version; write {current} or newer."
            self.forbidden.append(Forbidden(at.shown, current, want, remedy))
        return have

    def _channel(self, rule: Version) -> bool:
        """Whether Azure chooses the version."""
        if rule.in_parent:
            channel = get(self.parent, rule.channel)
        else:
            channel = get(self.desired, rule.channel) or get(self.live, rule.channel)
        return str(channel).casefold() in VERSION_CHANNELS

    def _note(self, at: Where, before: Any, after: Any) -> None:
        """Note a difference: as a change, or as one that Azure does not make."""
        fixed = self.rules.fixed(at)
        shown = (at.shown, self.rules.masked(at, before), self.rules.masked(at, after))
        live = self.rules.missing(at, after) if values.is_empty(before) else before
        if fixed is None or not self.live or values.is_unknown(after) or _may_leave(fixed, live, after):
            self.changes.append(Change(*shown))
        else:
            self.forbidden.append(Forbidden(*shown, fixed.remedy))


def _may_leave(fixed: Fixed, before: Any, after: Any) -> bool:
    """Whether Azure does make this one change of what it does not change otherwise."""
    if fixed.grows and isinstance(before, (int, float)) and isinstance(after, (int, float)):
        return after > before
    return _among(before, fixed.leaves) or (fixed.stays is not None and not _among(before, fixed.stays))


def _among(value: Any, others: Iterable[Any]) -> bool:
    return any(values.loosely_same(other, value) for other in others)


def _as_twin(value: Any, to_list: bool) -> Any:
    """The value of a property under its singular or plural name."""
    if to_list:
        return [value] if value not in (None, "", []) else None
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value or None
    return value


def _keyed(items: list[Any], keys: tuple[str, ...]) -> bool:
    return all(isinstance(item, dict) and all(get(item, key) is not None for key in keys) for item in items)


def _key(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(ids.folded(str(get(item, key))) for key in keys)


def _shown(item: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return ",".join(ids.last_segment(str(get(item, key))) for key in keys)
