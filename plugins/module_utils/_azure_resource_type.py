# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What Azure does with the properties of a type of resource, as data: the form of the tables in ``_azure_types_*``.

Patterns of paths are written ``properties.subnets[].properties.addressPrefix``: ``[]`` is any item of a list, ``*`` any
key of a map, and ``**.`` in front any place. Case does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

# One part of a path: a key of a map, or ("[]", what names the item).
Path = tuple[str, ...]
ITEM = "[]"
# The keys in these maps are people's own: a rule for any place means none of them.
OWN_KEYS = ("tags", "nodelabels", "metadata")
# A missing live value equals no wanted one.
DIFFERENT = object()


@dataclass(frozen=True)
class Fixed:
    """A property that cannot be changed after creation.

    remedy: what to do instead, as the end of a sentence.
    leaves: live values from which Azure does offer a way, such as kubenet to azure.
    stays: only these live values are for ever; None: all.
    grows: a larger number is possible.
    """

    remedy: str
    leaves: tuple[Any, ...] = ()
    stays: tuple[Any, ...] | None = None
    grows: bool = False


@dataclass(frozen=True)
class Version:
    """A Kubernetes version.

    current: path, from the top of the resource, to what really runs.
    channel: path, from the top, to the upgrade channel.
    in_parent: the channel is one of the parent resource.
    """

    current: str
    channel: str
    in_parent: bool = False


@dataclass(frozen=True)
class ResourceType:
    """The rules of a type. Everything is empty by default: the generic rules of ``_azure_types.GENERIC`` always count.

    read_only: Azure's own; neither compared nor sent.
    filled_in: compared when wanted; the live value is not sent back.
    write_only: never answered; never a difference, sent with every write, not shown to people.
    create_only: sent at creation; afterwards not compared, and the live value goes back.
    immutable: path to what to do instead.
    keys: lists whose items are matched by these keys (default: ``name``, where every item has one); "a|b": a, else b.
    sets: lists whose order means nothing.
    members: maps whose keys mean something without a value.
    whole: lists and maps in which nothing but what is wanted stays.
    caseless: texts that never differ by case, such as names; without a rule that holds for Azure's words and ids.
    exact: texts that differ by case too.
    exact_keys: maps whose keys differ by case too.
    durations: 10m = 600s, PT1H = PT60M.
    documents: texts that are JSON, of which Azure changes the spaces.
    locations: regions, written "West Europe" or westeurope.
    words: lists in one text, such as "SystemAssigned, UserAssigned".
    last_segment: ids of which only the last part counts.
    dates: days; one in the past is neither compared nor sent.
    twins: singular to plural, of which Azure answers either.
    defaults: what a missing live value means; a missing boolean means false, unless it is DIFFERENT here.
    owned: path to (sibling, value): while the sibling has the value, Azure owns the property: not compared, and not
        sent; while it gets the value, what lives is sent.
    refilled: path to a sibling whose live value is sent where there is none.
    only_with: path to (sibling, value): dropped from what is sent unless the sibling has the value.
    dropped: path to values that Azure refuses to be told, though they are what it has.
    versions: Kubernetes versions.
    own_put: changes of these are a write of their own, after the others.
    etag_at: where the live etag stands, which a write may carry as If-Match; "" for none.
    locks: what is written one at a time: "id", "parent", or the path of an id in the body.
    turns: path of an id in the body below whose parent creations are begun one at a time: the next once Azure has
        accepted the one before.
    put_again: codes of errors after which the same write is tried again.
    query: what a GET must say beside the api-version to be answered in full.
    soft_delete: a deleted one keeps its name for a while.
    """

    name: str = ""
    read_only: tuple[str, ...] = ()
    filled_in: tuple[str, ...] = ()
    write_only: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    immutable: Mapping[str, Fixed] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    caseless: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    exact_keys: tuple[str, ...] = ()
    durations: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    last_segment: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    twins: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    owned: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    refilled: Mapping[str, str] = field(default_factory=dict)
    only_with: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    dropped: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    versions: Mapping[str, Version] = field(default_factory=dict)
    own_put: tuple[str, ...] = ()
    etag_at: str = ""
    locks: tuple[str, ...] = ()
    turns: str = ""
    put_again: tuple[str, ...] = ()
    query: str = ""
    soft_delete: bool = False

    @property
    def etag(self) -> bool:
        """Whether a write may carry If-Match with the live etag."""
        return bool(self.etag_at)


@cache
def pattern(text: str) -> tuple[str, ...]:
    """The parts of a pattern."""
    return tuple(part for part in text.casefold().replace("[]", f".{ITEM}").split(".") if part)


@cache
def matches(text: str, path: Path) -> bool:
    """Whether a pattern means this path; asked of the same few many times."""
    parts = pattern(text)
    if parts[0] == "**":
        if path[-2:-1] and path[-2] in OWN_KEYS:
            return False
        parts = parts[1:]
        path = path[-len(parts) :]
    return len(parts) == len(path) and all(
        part in ("*", key) if key != ITEM else part == ITEM for part, key in zip(parts, path, strict=True)
    )


def any_of(patterns: Iterable[str], path: Path) -> bool:
    """Whether one of the patterns means this path."""
    return any(matches(text, path) for text in patterns)


def found(table: Mapping[str, Any], path: Path) -> Any:
    """The row of a table whose pattern means this path; None without one."""
    return next((value for text, value in table.items() if matches(text, path)), None)


def found_above(table: Mapping[str, Any], path: Path) -> Any:
    """The row of a table whose pattern means this path or something above it."""
    return next((row for end in range(len(path), 0, -1) if (row := found(table, path[:end])) is not None), None)


def under(prefix: str, patterns: Iterable[str]) -> tuple[str, ...]:
    """Patterns of a resource that is also found inside another one."""
    return tuple(f"{prefix}.{text}" for text in patterns)
