# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is wrong with chart values, by the JSON schemas that charts have in values.schema.json.

Helm checks them too, with the chart's own values below those of the inventory; it does not say who wrote what is wrong.
Here the values are looked at that are added to the chart's: what is required may be the chart's, and so what depends on
it (`if`, `oneOf`) is left to Helm. The part of JSON Schema that is used here: type, enum, properties,
patternProperties, additionalProperties, items, minimum, maximum, minLength, pattern.

Source: https://json-schema.org/draft-07/json-schema-validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._merge_values import Path
from ansible_collections.planetary.hub.plugins.module_utils._values import nearest, quote

Schema = Mapping[str, Any]

#: For a sentence: what to write, what was found.
_WANTED = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
}
_FOUND = {**_WANTED, "boolean": "a boolean"}


def problems(schema: Schema | bool, value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each key that the schema does not allow: its path, and the rest of a sentence. Values are never said.

    Nothing is wrong with null: Helm takes the chart's own value away then.
    """
    if value is None or schema is True or not schema:
        return
    if not isinstance(schema, Mapping):
        yield path, "is not known."
        return
    wrong = _simple(schema, value)
    if wrong:
        yield path, wrong
    elif isinstance(value, dict):
        yield from _of_mapping(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(schema.get("items", True), item, (*path, index))


def _of_mapping(schema: Schema, value: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    known: Mapping[str, Any] = schema.get("properties") or {}
    patterns: Mapping[str, Any] = schema.get("patternProperties") or {}
    for key, item in value.items():
        here = (*path, key)
        below = [part for pattern, part in patterns.items() if re.search(pattern, str(key))]
        if key in known:
            below.append(known[key])
        if not below:
            rest = schema.get("additionalProperties", True)
            if rest is False:
                yield here, f"is not known; {nearest(key, known) if known else 'take it away.'}"
                continue
            below = [rest]
        for part in below:
            yield from problems(part, item, here)


def _simple(schema: Schema, value: Any) -> str:
    """What is wrong with a value by itself; empty if nothing is."""
    types = schema.get("type") or []
    types = [types] if isinstance(types, str) else list(types)
    found = _type(value)
    if types and found not in types and not (found == "integer" and "number" in types):
        wanted = " or ".join(_WANTED[kind] for kind in types if kind in _WANTED) or "nothing"
        return f"is {_FOUND[found]}; write {wanted}."
    choices = schema.get("enum") or []
    if choices and not any(
        choice == value and isinstance(choice, bool) == isinstance(value, bool) for choice in choices
    ):
        return f"is none of {', '.join(quote(choice) for choice in choices if choice is not None)}; write one of them."
    if found in ("integer", "number") and value < schema.get("minimum", value):
        return f"is too small; write a number from {schema['minimum']} on."
    if found in ("integer", "number") and value > schema.get("maximum", value):
        return f"is too large; write a number up to {schema['maximum']}."
    if found == "string" and (
        len(value) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), value)
    ):
        return f"is not of the form that it has to have; write {schema.get('description', 'another text')}."
    return ""


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, (list, tuple)):
        return "array"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    return "number" if isinstance(value, float) else "string"
