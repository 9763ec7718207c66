# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the rules of a type, and those of every type, say of one place in a resource."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids
from ansible_collections.planetary.hub.plugins.module_utils import _azure_values as values
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import (
    DIFFERENT,
    ITEM,
    Fixed,
    Path,
    ResourceType,
    any_of,
    found,
    found_above,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import GENERIC

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass
class Where:
    """A place in a resource: for the rules, and for people."""

    path: Path = ()
    shown: str = ""

    def key(self, name: str) -> Where:
        plain = re.fullmatch(r"[\w-]+", name)
        dot = "." if self.shown else ""
        return Where((*self.path, name.casefold()), f"{self.shown}{dot}{name}" if plain else f"{self.shown}[{name}]")

    def item(self, name: Any) -> Where:
        return Where((*self.path, ITEM), f"{self.shown}[{name}]")


@dataclass(frozen=True)
class Rules:
    """The rules of a type, asked by place."""

    kind: ResourceType
    ignore_tags: tuple[str, ...]
    today: str

    def says(self, rule: str, path: Path) -> bool:
        """Whether the type, or every type, has this rule for the path."""
        return any_of(getattr(self.kind, rule), path) or any_of(getattr(GENERIC, rule), path)

    def row(self, rule: str, path: Path) -> Any:
        """The row of a table that means the path, of the type's or of every type's."""
        own = found(getattr(self.kind, rule), path)
        return found(getattr(GENERIC, rule), path) if own is None else own

    def is_ignored(self, at: Where) -> bool:
        """Whether others own this tag."""
        return at.path[-2:-1] == ("tags",) and any(
            fnmatch.fnmatchcase(at.path[-1], text.casefold()) for text in self.ignore_tags
        )

    def is_dropped(self, at: Where, want: Any) -> bool:
        """Whether Azure refuses to be told this, though it is what it has without being told."""
        return any(values.plainly_same(want, value) for value in self.row("dropped", at.path) or ())

    def is_past(self, at: Where, value: Any) -> bool:
        """Whether a value is a day that is over, where such days are left out."""
        return self.says("dates", at.path) and bool(_DATE.match(str(value))) and str(value)[:10] < self.today

    def is_owned(self, at: Where, context: Mapping[str, Any]) -> bool:
        """Whether a value is Azure's, as long as what is beside it (keys folded) is as it is."""
        row = self.row("owned", at.path)
        return row is not None and values.loosely_same(row[1], context.get(row[0].casefold()))

    def is_idle(self, at: Where, context: Mapping[str, Any]) -> bool:
        """Whether a value makes no sense beside what is beside it (keys folded)."""
        row = self.row("only_with", at.path)
        return row is not None and not values.loosely_same(row[1], context.get(row[0].casefold()))

    def fixed(self, at: Where) -> Fixed | None:
        """What is to be said of a change here, where Azure makes none."""
        own = found_above(self.kind.immutable, at.path)
        row = found_above(GENERIC.immutable, at.path) if own is None else own
        return row if isinstance(row, Fixed) else None

    def missing(self, at: Where, want: Any) -> Any:
        """What a missing live value means."""
        default = self.row("defaults", at.path)
        if default is DIFFERENT:
            return None
        return False if default is None and isinstance(want, bool) else default

    def masked(self, at: Where, value: Any) -> Any:
        """A value for people."""
        if isinstance(value, dict):
            return {key: self.masked(at.key(key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.masked(at.item(index), item) for index, item in enumerate(value)]
        hidden = values.is_secret(at.path[-1]) or self.says("write_only", at.path)
        return values.MASK if hidden and isinstance(value, str) and not values.is_unknown(value) else value

    def same(self, at: Where, want: Any, have: Any) -> bool:
        """Whether two values that are not both maps or lists mean the same."""
        if values.is_unknown(want):
            return False
        if values.is_empty(have):
            have = None if values.is_empty(want) else self.missing(at, want)
            if have is None:
                return values.is_empty(want)
        if isinstance(want, (dict, list)) or isinstance(have, (dict, list)):
            return bool(want == have)
        if values.plainly_same(want, have):
            return True
        if self.says("exact", at.path):
            return False
        if self.says("caseless", at.path):
            return str(want).casefold() == str(have).casefold()
        if self.says("documents", at.path):
            return bool(values.document(want) == values.document(have))
        if self.says("locations", at.path):
            return values.place(want) == values.place(have)
        if self.says("words", at.path):
            return values.words(want) == values.words(have)
        if self.says("durations", at.path):
            length = values.seconds(want)
            if length is not None:
                return length == values.seconds(have)
        if self.says("last_segment", at.path):
            return ids.same(ids.last_segment(str(want)), ids.last_segment(str(have)))
        return values.loosely_same(want, have)
