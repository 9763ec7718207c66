# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A list of wanted resources: what refers to what, and in which order that puts them.

A text may hold references ``${name.path.to.value}``; ``name`` is another resource of the list, the path leads into that
resource as Azure answers it. A text that is one reference becomes the value itself, whatever its type. Where a
``${`` is no reference, ``$${`` is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_ids import IdError, folded, last_segment, parse
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import UNKNOWN

ASSIGNMENT = "microsoft.authorization/roleassignments"

_REFERENCE = re.compile(r"(?<!\$)\$\{\s*([^{}.\s]+)((?:\.[^{}]*)?)\s*\}")
_MENTION = re.compile(r"/subscriptions/[^\s\"'<>,;]+", re.IGNORECASE)
# Paths that need no answer of Azure.
_STATIC = ("id", "name")
# Whoever runs the engine, as Bicep's deployer() says: no resource, but something to refer to.
DEPLOYER = "deployer"


class ReferencesError(Exception):
    """What is wrong with a list of resources, one sentence each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True)
class Wanted:
    """One resource of the list.

    :ivar name: its symbolic name
    :ivar id: its id, which may hold references
    :ivar existing: only read
    """

    name: str
    id: str
    api_version: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    existing: bool = False
    depends_on: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """``${name.path}``."""

    name: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return "${" + ".".join((self.name, *self.path)) + "}"


class MissingValue(Exception):
    """A reference leads to a value that the resource does not have."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        super().__init__(str(reference))


# What a reference stands for; may raise MissingValue.
LookUp = Callable[[Reference], Any]


def _reference(match: re.Match[str]) -> Reference:
    return Reference(match[1], tuple(part.strip() for part in match[2].split(".")[1:]))


def texts(value: Any) -> Iterator[str]:
    """All texts of a value, keys of maps too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield str(key)
            yield from texts(below)
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from texts(below)


def references(value: Any) -> list[Reference]:
    """All references in a value, each once.

    >>> [str(one) for one in references({"id": "${group.id}/providers/x", "${identity.id}": {}})]
    ['${group.id}', '${identity.id}']
    """
    return list(dict.fromkeys(_reference(match) for text in texts(value) for match in _REFERENCE.finditer(text)))


def resolve(value: Any, look_up: LookUp) -> Any:
    """A value with what its references stand for."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return look_up(_reference(whole))
        return _REFERENCE.sub(lambda match: str(look_up(_reference(match))), value).replace("$${", "${")
    if isinstance(value, Mapping):
        return {resolve(str(key), look_up): resolve(below, look_up) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(below, look_up) for below in value]
    return value


def is_unknown(value: Any) -> bool:
    """Whether a part of the value is only known after the apply."""
    return any(UNKNOWN in text for text in texts(value))


def value_at(resource: Mapping[str, Any], reference: Reference) -> Any:
    """The value that a reference leads to, found without regard to case.

    :raises MissingValue: the resource has none there
    """
    value: Any = resource
    for part in reference.path:
        if isinstance(value, Mapping):
            key = next((key for key in value if str(key).casefold() == part.casefold()), None)
            if key is None:
                raise MissingValue(reference)
            value = value[key]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise MissingValue(reference)
    if value is None:
        raise MissingValue(reference)
    return value


class Listing:
    """A checked list of resources with the order that it implies.

    :param wanted: the resources that take part
    :param left_out: symbolic names of those that do not (their condition is false)
    :raises ReferencesError: names or ids given twice, references that lead nowhere, circles

    :ivar ids: id by symbolic name, without references; ``UNKNOWN`` in it where it needs an answer of Azure
    :ivar needs: what has to be there before, by symbolic name
    """

    def __init__(self, wanted: Iterable[Wanted], left_out: Iterable[str] = ()) -> None:
        self.all = list(wanted)
        self._left_out = frozenset(left_out)
        problems = _twice(self.all, self._left_out)
        if not problems:
            self.by_name = {one.name: one for one in self.all}
            problems = [problem for one in self.all for problem in self._astray(one)]
        if problems:
            raise ReferencesError(problems)
        self._refuse_circle({one.name: self._said(one) for one in self.all})
        self.ids: dict[str, str] = {}
        for one in self.all:
            self._find_id(one)
        problems = [*_malformed(self.all, self.ids), *_same_id(self.all, self.ids)]
        if problems:
            raise ReferencesError(problems)
        self.needs = {one.name: self._said(one) | self._implied(one) for one in self.all}
        self._refuse_circle(self.needs)

    def needed_by(self) -> dict[str, set[str]]:
        """The opposite of ``needs``."""
        opposite: dict[str, set[str]] = {one.name: set() for one in self.all}
        for name, needed in self.needs.items():
            for other in needed:
                opposite[other].add(name)
        return opposite

    def _astray(self, one: Wanted) -> Iterator[str]:
        for reference in references([one.id, one.body]):
            where = f'resource "{one.name}" refers to {reference}'
            if reference.name == one.name:
                yield f"{where}, which is itself; write the value."
            elif reference.name in self._left_out:
                yield f'{where}, but "{reference.name}" is left out by its condition; leave the reference out as well.'
            elif reference.name not in {*self.by_name, DEPLOYER}:
                yield f'{where}, but no resource is named "{reference.name}"; {_known(self.by_name)}.'
            elif not reference.path:
                yield f"{where}; say which of its values, such as ${{{reference.name}.id}}."
        for name in one.depends_on:
            if name == one.name:
                yield f'resource "{one.name}" depends on itself; remove it from depends_on.'
            elif name not in self.by_name and name not in self._left_out:
                yield f'resource "{one.name}" depends on "{name}", which does not exist; {_known(self.by_name)}.'

    def _said(self, one: Wanted) -> set[str]:
        """What it names itself."""
        named = {reference.name for reference in references([one.id, one.body])} | set(one.depends_on)
        return named & self.by_name.keys()

    def _implied(self, one: Wanted) -> set[str]:
        """The resources above it, and those whose ids its body mentions."""
        own = folded(self.ids[one.name])
        mentioned = {
            folded(mention) for text in texts(one.body) for mention in _MENTION.findall(text) if "${" not in mention
        }
        # What a resource says of itself and of its own parts orders nothing.
        mentioned = {mention for mention in mentioned if not _below(mention, own)}
        found = set()
        for other in self.all:
            its = folded(self.ids[other.name])
            if other.name == one.name or UNKNOWN in self.ids[other.name] or is_assignment(other.id):
                continue
            if (its != own and _below(own, its)) or any(_below(mention, its) for mention in mentioned):
                found.add(other.name)
        return found

    def _find_id(self, one: Wanted) -> str:
        if one.name not in self.ids:

            def look_up(reference: Reference) -> Any:
                if reference.name == DEPLOYER:
                    return UNKNOWN
                other = self.by_name[reference.name]
                path = tuple(part.casefold() for part in reference.path)
                if path not in {(part,) for part in _STATIC} or is_assignment(other.id):
                    return UNKNOWN
                its = self._find_id(other)
                return its if path == ("id",) or UNKNOWN in its else last_segment(its)

            self.ids[one.name] = str(resolve(one.id, look_up)).rstrip("/")
        return self.ids[one.name]

    @staticmethod
    def _refuse_circle(needs: Mapping[str, set[str]]) -> None:
        circle = find_circle(needs)
        if circle:
            way = " → ".join(circle)
            raise ReferencesError(
                [f"The resources need each other in a circle: {way}; remove one of these references."]
            )


def is_assignment(text: str) -> bool:
    """Whether an id is that of role assignments without a name, which are found by scope, role and principal."""
    return text.rstrip("/").casefold().endswith(f"/providers/{ASSIGNMENT}")


def parseable(text: str) -> str:
    """An id whose beginning is not known yet, with one that can be taken apart."""
    return text if text.startswith("/") else text.replace(UNKNOWN, "/subscriptions/unknown", 1)


def find_circle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """A way from a name back to itself; empty when there is none.

    >>> find_circle({"a": ["b"], "b": ["c"], "c": ["b"]})
    ['b', 'c', 'b']
    """
    finished: set[str] = set()
    way: list[str] = []

    def visit(name: str) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in finished:
            return []
        way.append(name)
        for other in sorted(needs.get(name, ())):
            circle = visit(other)
            if circle:
                return circle
        way.pop()
        finished.add(name)
        return []

    return next((circle for circle in map(visit, needs) if circle), [])


def _below(text: str, above: str) -> bool:
    """Whether an id is another one, or something below it; both folded."""
    return text == above or text.startswith(f"{above}/")


def _known(by_name: Mapping[str, Wanted]) -> str:
    return f"the names are {', '.join(sorted(by_name))}"


def _twice(wanted: list[Wanted], left_out: frozenset[str]) -> list[str]:
    names = [one.name for one in wanted] + sorted(left_out)
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f'Two resources are named "{name}"; give each a name of its own.' for name in twice]
    if DEPLOYER in names:
        problems.append(f'A resource is named "{DEPLOYER}", which stands for whoever deploys; give it another name.')
    return problems


def _malformed(wanted: list[Wanted], ids: Mapping[str, str]) -> Iterator[str]:
    for one in wanted:
        try:
            parsed = parse(parseable(ids[one.name]))
        except IdError as error:
            yield f'resource "{one.name}": {error}'
            continue
        if parsed.is_collection and not is_assignment(one.id):
            yield (
                f'resource "{one.name}": the id {ids[one.name]} ends with a type; append the name'
                " (only role assignments are found without one)."
            )


def _same_id(wanted: list[Wanted], ids: Mapping[str, str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for one in wanted:
        key = folded(ids[one.name])
        if is_assignment(one.id):
            properties = one.body.get("properties") or {}
            role = last_segment(str(properties.get("roleDefinitionId") or ""))
            key = f"{key} {role} {properties.get('principalId')}".casefold()
        elif UNKNOWN in ids[one.name]:
            key = folded(one.id)
        if key in seen:
            yield (
                f'resources "{seen[key]}" and "{one.name}" are the same one, {ids[one.name]}; remove one of them, or'
                " give it another id."
            )
        seen.setdefault(key, one.name)
