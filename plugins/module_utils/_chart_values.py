# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The values of a release: merged from what roles and the inventory say, and checked with the schemas of its charts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._merge_values import (
    ConflictError,
    Path,
    dotted,
    merge,
)
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
from ansible_collections.planetary.hub.plugins.module_utils._values_schema import Schema, problems

_SCHEMA = re.compile(r"(?:charts/(?P<name>[^/]+)/)?values\.schema\.json")

#: File and line of a key that an origin wrote, if that is known; (origin, path) -> text.
Places = Callable[[str, Path], str]


def schemas(files: Mapping[str, bytes]) -> dict[str, Schema]:
    """The schemas of a chart (``""``) and of those that it carries (by name); files are below the chart's root."""
    found: dict[str, Schema] = {}
    for path, content in files.items():
        if match := _SCHEMA.fullmatch(path):
            found[match["name"] or ""] = json.loads(content)
    return found


def chart_values(fragments: Any, by_chart: Mapping[str, Schema], place: Places = lambda *_asked: "") -> dict[str, Any]:
    """Values that no schema forbids.

    :param fragments: see ``merge``
    :param by_chart: see ``schemas``
    :raises InputError: one sentence that names the key and who said it, never the value, which may be a secret
    """
    try:
        merged = merge(fragments)
    except ConflictError as error:
        first, second = (_told(origin, error.path, place) for origin in error.origins)
        raise _sentence(str(ConflictError(error.path, first, second))) from error
    except InputError as error:
        raise _sentence(str(error)) from error
    for name, schema in by_chart.items():
        value = merged.values.get(name) if name else merged.values
        for path, rest in problems(schema, value, (name,) if name else ()):
            told = _told(merged.origin(path), path, place)
            raise _sentence(f"the chart value {dotted(path)}, said by {told}, {rest}")
    return merged.values


def _sentence(text: str) -> InputError:
    return InputError(text[:1].upper() + text[1:])


def _told(origin: str, path: Path, place: Places) -> str:
    where = place(origin, path)
    return f"{origin} ({where})" if where else origin
