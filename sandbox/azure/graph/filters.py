# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""``$filter``: what a query asks of an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .refusals import bad

_EQ = re.compile(r"([\w/]+)\s+eq\s+(?:'((?:[^']|'')*)'|(\w+))\Z", re.I)
_IN = re.compile(r"([\w/]+)\s+in\s+\((.*)\)\Z", re.I)
_STARTS = re.compile(r"startswith\(([\w/]+)\s*,\s*'((?:[^']|'')*)'\)\Z", re.I)
_ANY = re.compile(r"([\w/]+)/any\((\w+)\s*:\s*(.*)\)\Z", re.I)


def _cut(text: str, word: str) -> list[str]:
    """The parts of a filter between ``and`` or ``or``, outside quotes and brackets."""
    parts, start, depth, quoted, index = [], 0, 0, False, 0
    token = f" {word} "
    while index < len(text):
        letter = text[index]
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
        elif not quoted and depth == 0 and text[index : index + len(token)].casefold() == token:
            parts.append(text[start:index])
            index += len(token)
            start = index
            continue
        index += 1
    return [*parts, text[start:]]


def _value(item: Any, path: str) -> Any:
    for key in path.split("/"):
        if not isinstance(item, Mapping):
            return None
        item = next((value for name, value in item.items() if name.casefold() == key.casefold()), None)
    return item


def same(found: Any, wanted: str) -> bool:
    if isinstance(found, bool):
        return str(found).casefold() == wanted.casefold()
    return found is not None and str(found).casefold() == wanted.casefold()


def condition(text: str) -> Callable[[Any], bool]:
    """What an OData ``$filter`` asks, as a function of one object; refuses what needs an advanced query."""
    text = text.strip()
    for word, join in (("or", any), ("and", all)):
        parts = _cut(text, word)
        if len(parts) > 1:
            tests = [condition(part) for part in parts]
            return lambda item, join=join, tests=tests: join(test(item) for test in tests)  # type: ignore[misc]
    if text.startswith("(") and text.endswith(")"):
        return condition(text[1:-1])
    if match := _EQ.match(text):
        path, quoted, bare = match.groups()
        wanted = quoted.replace("''", "'") if quoted is not None else bare
        if bare and bare.casefold() == "null":
            return lambda item: _value(item, path) is None
        return lambda item: same(item if path == "." else _value(item, path), wanted)
    if match := _IN.match(text):
        path, inside = match.groups()
        wanted_all = [part.strip().strip("'") for part in inside.split(",")]
        return lambda item: any(same(_value(item, path), one) for one in wanted_all)
    if match := _STARTS.match(text):
        path, prefix = match.group(1), match.group(2).replace("''", "'").casefold()
        return lambda item: str(_value(item, path) or "").casefold().startswith(prefix)
    if match := _ANY.match(text):
        path, letter, inside = match.groups()
        # In ``c eq 'x'`` the letter is the element itself, in ``c/name eq 'x'`` its property.
        inner = condition(re.sub(rf"\b{letter}(?=\s)", "self", re.sub(rf"\b{letter}/", "", inside)))
        return lambda item: any(
            inner({"self": one} if not isinstance(one, Mapping) else one) for one in _value(item, path) or ()
        )
    raise bad(f"Unsupported or invalid query filter clause specified: {text}.", "Request_UnsupportedQuery")
