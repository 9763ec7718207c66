# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Bodies checked by someone else's types: the models of the official ``azure-mgmt-*`` packages.

The models' own constructors take anything, so their field maps (:mod:`.sdk_models`) are walked instead.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .sdk_models import ANY, Node, class_of, load, node_of, subclass

ProblemKind = Literal["unknown", "type", "read_only", "required", "enum"]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one place of a body.

    :ivar path: such as ``properties.agentPoolProfiles[0].vmSize``
    :ivar kind: ``unknown`` (no such property), ``type``, ``read_only`` (only Azure sets it, and ignores it in a
        request),
        ``required`` (missing), ``enum`` (none of the known values; case does not matter)
    :ivar message: a sentence
    :ivar value: what was found; None for ``required``
    """

    path: str
    kind: ProblemKind
    message: str
    value: Any = None


def problems(body: Any, model: type | str) -> list[Problem]:
    """What a model does not allow in a body, in the order of the body.

    :param model: the class, or its dotted path (``azure.mgmt.network.models.VirtualNetwork``), imported when first used
    """
    return list(_walk(body, node_of(load(model) if isinstance(model, str) else model), ""))


def _walk(value: Any, node: Node, path: str) -> Iterator[Problem]:
    if value is None or node.kind == "any":
        return
    if node.kind == "model":
        node = subclass(value, node_of(class_of(node)))
    if node.kind == "object":
        yield from _walk_object(value, node, path)
    elif node.kind == "list":
        if not isinstance(value, list):
            yield _wrong(value, "a list", path)
            return
        for index, item in enumerate(value):
            yield from _walk(item, node.inner or ANY, f"{path}[{index}]")
    elif node.kind == "dict":
        if not isinstance(value, Mapping):
            yield _wrong(value, "an object", path)
            return
        for key, item in value.items():
            yield from _walk(item, node.inner or ANY, _join(path, str(key)))
    elif node.kind == "union":
        tries = [list(_walk(value, choice, path)) for choice in node.choices]
        yield from min(tries, key=len)
    else:
        yield from _walk_scalar(value, node, path)


def _walk_object(value: Any, node: Node, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield _wrong(value, "an object", path)
        return
    for key, item in value.items():
        place = _join(path, str(key))
        known = node.fields.get(key)
        if known is None:
            if node.extra is None:
                yield Problem(place, "unknown", f"Could not find member '{key}' on object of type '{node.name}'.", item)
            else:
                yield from _walk(item, node.extra, place)
        elif known.read_only:
            if item is not None:
                yield Problem(place, "read_only", f"The property '{key}' of '{node.name}' is read-only.", item)
        else:
            yield from _walk(item, known.node, place)
    for key, known in node.fields.items():
        if known.required and not known.read_only and value.get(key) is None:
            yield Problem(_join(path, key), "required", f"Required property '{key}' not found in '{node.name}'.")


def _walk_scalar(value: Any, node: Node, path: str) -> Iterator[Problem]:
    if node.kind == "enum":
        if not isinstance(value, str):
            yield _wrong(value, "a text", path)
        elif value.lower() not in {known.lower() for known in node.values}:
            known = ", ".join(node.values)
            yield Problem(path, "enum", f"The value '{value}' is none of {known}.", value)
        return
    what, fits = _SCALARS[node.kind]
    if not fits(value):
        yield _wrong(value, what, path)


def _wrong(value: Any, wanted: str, path: str) -> Problem:
    return Problem(path, "type", f"Wanted {wanted}, found {_json_type(value)}: {_short(value)}.", value)


def _json_type(value: Any) -> str:
    names = ((bool, "a boolean"), (int, "a whole number"), (float, "a number"), (str, "a text"), (list, "a list"))
    return next((name for kind, name in names if isinstance(value, kind)), "an object")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _is_date_time(value: Any) -> bool:
    try:
        return (
            isinstance(value, str)
            and "T" in value.upper()
            and bool(datetime.datetime.fromisoformat(_python_time(value)))
        )
    except ValueError:
        return False


def _python_time(value: str) -> str:
    """A time with at most six digits after the point: Azure writes seven."""
    return re.sub(r"(\.\d{6})\d+", r"\1", value)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.date.fromisoformat(value))
    except ValueError:
        return False


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_") is not None
    except binascii.Error:
        return False


_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?")
_SCALARS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("a text", lambda value: isinstance(value, str)),
    "bool": ("a boolean", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "float": ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "datetime": ("a time of ISO 8601", _is_date_time),
    "date": ("a date of ISO 8601", _is_date),
    "time": ("a time of day", lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value))),
    "duration": ("a duration of ISO 8601", lambda value: isinstance(value, str) and bool(_DURATION.fullmatch(value))),
    "bytes": ("base64", _is_base64),
}
