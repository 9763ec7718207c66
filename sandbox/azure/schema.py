# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Bodies checked by someone else's types: the models of the official ``azure-mgmt-*`` packages.

The models' own constructors take anything, so their field maps are walked instead. There are two kinds of packages:
those
whose models have ``rest_field`` descriptors (names, annotations and visibility), and older ones with
``_attribute_map`` and
``_validation`` (types as texts, flattened names such as ``properties.issuer``). Both become one tree of nodes, made
when
first needed and kept.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import enum
import functools
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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


@dataclass(frozen=True)
class Field:
    """One property of an object."""

    node: Node
    read_only: bool = False
    required: bool = False


@dataclass
class Node:
    """What a value may be.

    :ivar kind: any, str, int, float, bool, datetime, date, time, duration, bytes, enum, list, dict, object, union
    :ivar values: the known values of an enum
    :ivar inner: of a list's items or a dict's values
    :ivar fields: of an object; ``extra``: other properties are allowed, of this node
    :ivar discriminator: the property whose value names one of ``subclasses``
    """

    kind: str
    name: str = ""
    values: tuple[str, ...] = ()
    inner: Node | None = None
    choices: tuple[Node, ...] = ()
    fields: dict[str, Field] = field(default_factory=dict)
    extra: Node | None = None
    discriminator: str = ""
    subclasses: dict[str, type] = field(default_factory=dict)
    model: type | None = None


ANY = Node("any")


def problems(body: Any, model: type | str) -> list[Problem]:
    """What a model does not allow in a body, in the order of the body.

    :param model: the class, or its dotted path (``azure.mgmt.network.models.VirtualNetwork``), imported when first used
    """
    return list(_walk(body, node_of(load(model) if isinstance(model, str) else model), ""))


@functools.cache
def load(path: str) -> type:
    """The class of a dotted path."""
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


# ------------------------------------------------------------------------------------------------------ walking a body
def _walk(value: Any, node: Node, path: str) -> Iterator[Problem]:
    if value is None or node.kind == "any":
        return
    if node.kind == "model":
        node = _subclass(value, node_of(_class_of(node)))
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


# --------------------------------------------------------------------------------------------------- models into nodes
def _class_of(node: Node) -> type:
    if node.model is None:
        raise TypeError(f"{node.name} has no model.")
    return node.model


def _subclass(value: Any, node: Node) -> Node:
    """The node of the subclass that the discriminator of a value names."""
    seen: set[str] = set()
    while node.discriminator and node.discriminator not in seen and isinstance(value, Mapping):
        seen.add(node.discriminator)
        found = node.subclasses.get(str(value.get(node.discriminator)).lower())
        if found is None:
            return node
        node = node_of(found)
    return node


@functools.cache
def node_of(model: type) -> Node:
    """The node of a model, of either kind of package; the fields' own models stay unread until they are walked."""
    if hasattr(model, "_attribute_map"):
        return _mapped_node(model)
    return _described_node(model)


# --- models with rest_field descriptors
def _described_node(model: Any) -> Node:
    node = Node("object", model.__name__, model=model)
    annotations: dict[str, tuple[Any, type]] = {}
    descriptors: dict[str, Any] = {}
    for base in reversed(model.__mro__):
        annotations |= {name: (hint, base) for name, hint in vars(base).get("__annotations__", {}).items()}
        descriptors |= {name: item for name, item in vars(base).items() if hasattr(item, "_visibility")}
    for name, item in descriptors.items():
        hint, owner = annotations.get(name, (Any, model))
        inner, optional = _of_hint(hint, owner)
        read_only = item._visibility == ["read"]
        has_default = isinstance(getattr(item, "_default", None), (str, int, float, bool))
        required = not optional and not has_default
        node.fields[item._rest_name_input or name] = Field(_formatted(inner, item), read_only, required)
        if item._is_discriminator and name in vars(model):
            node.discriminator = item._rest_name_input or name
    mapping = getattr(model, "__mapping__", {}) if node.discriminator else {}
    node.subclasses = {_text_of(key).lower(): subclass for key, subclass in mapping.items()}
    return node


def _formatted(node: Node, item: Any) -> Node:
    """Formats of the wire: some times travel as numbers, bytes as base64."""
    if getattr(item, "_format", None) == "unix-timestamp" and node.kind == "datetime":
        return Node("int")
    return node


def _text_of(value: Any) -> str:
    return str(value.value) if isinstance(value, enum.Enum) else str(value)


def _of_hint(hint: Any, owner: type) -> tuple[Node, bool]:
    """The node of an annotation, and whether it may be left out."""
    hint = _resolved(hint, owner)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kept = [_resolved(item, owner) for item in arguments if item is not type(None)]
        optional = len(kept) < len(arguments)
        return _union([_of_hint(item, owner)[0] for item in kept]), optional
    if origin is typing.Literal:
        return Node("enum", values=tuple(_text_of(item) for item in arguments)), False
    if origin in (list, set, tuple, typing.Sequence):
        return Node("list", inner=_of_hint(arguments[0], owner)[0]), False
    if origin in (dict, Mapping):
        return Node("dict", inner=_of_hint(arguments[1], owner)[0]), False
    return _of_class(hint), False


_PLAIN: dict[Any, str] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    bytes: "bytes",
    list: "list",
    dict: "dict",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "duration",
}


def _of_class(hint: Any) -> Node:
    if hint in _PLAIN:
        return Node(_PLAIN[hint])
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Node("enum", hint.__name__, values=tuple(_text_of(item) for item in hint))
    if isinstance(hint, type) and (hasattr(hint, "_attribute_map") or hasattr(hint, "_is_model")):
        return Node("model", hint.__name__, model=hint)
    return ANY


def _union(nodes: list[Node]) -> Node:
    """``Union[str, Enum]`` is how the packages write an enum; anything else is tried one by one."""
    enums = [node for node in nodes if node.kind == "enum"]
    if enums and all(node.kind in ("enum", "str") for node in nodes):
        return Node("enum", enums[0].name, tuple(value for node in enums for value in node.values))
    return nodes[0] if len(nodes) == 1 else Node("union", choices=tuple(nodes))


def _resolved(hint: Any, owner: type) -> Any:
    """An annotation in quotes, as the class it names in its package."""
    text = hint.__forward_arg__ if isinstance(hint, typing.ForwardRef) else hint
    if not isinstance(text, str):
        return hint
    name = text.rpartition(".")[2]
    modules = (sys.modules[owner.__module__], sys.modules[owner.__module__.rpartition(".")[0]])
    return next((vars(module)[name] for module in modules if name in vars(module)), Any)


# --- models with _attribute_map and _validation
def _mapped_node(model: Any) -> Node:
    node = Node("object", model.__name__, model=model)
    validation = getattr(model, "_validation", {})
    hints = _hints_of_constructors(model)
    for attribute, entry in model._attribute_map.items():
        rules = validation.get(attribute, {})
        inner = _of_text(entry["type"], model)
        if inner.kind == "str" and attribute in hints:
            inner = _enum_of(*hints[attribute]) or inner
        if not entry["key"]:
            node.extra = inner.inner or ANY
            continue
        read_only = bool(rules.get("readonly"))
        required = bool(rules.get("required")) and not rules.get("constant")
        _put(node, _parts(entry["key"]), Field(inner, read_only, required))
    for attribute, subclasses in getattr(model, "_subtype_map", {}).items():
        module = sys.modules[model.__module__]
        node.discriminator = model._attribute_map[attribute]["key"].replace("\\.", ".")
        node.subclasses = {key.lower(): getattr(module, name) for key, name in subclasses.items()}
    return node


def _parts(key: str) -> list[str]:
    """A flattened name taken apart; a point behind a backslash belongs to the name."""
    return [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", key)]


def _put(node: Node, parts: list[str], item: Field) -> None:
    for part in parts[:-1]:
        inner = node.fields.get(part)
        if inner is None or inner.node.kind != "object":
            inner = Field(Node("object", f"{node.name}.{part}"))
        if item.required and not item.read_only and not inner.required:
            inner = Field(inner.node, required=True)
        node.fields[part] = inner
        node = inner.node
    node.fields[parts[-1]] = item


_TEXTS = {
    "str": "str",
    "int": "int",
    "long": "int",
    "float": "float",
    "decimal": "float",
    "bool": "bool",
    "iso-8601": "datetime",
    "rfc-1123": "str",
    "unix-time": "int",
    "date": "date",
    "time": "time",
    "duration": "duration",
    "bytearray": "bytes",
    "base64": "bytes",
}


def _of_text(text: str, model: type) -> Node:
    if text.startswith("["):
        return Node("list", inner=_of_text(text[1:-1], model))
    if text.startswith("{"):
        return Node("dict", inner=_of_text(text[1:-1], model))
    if text in _TEXTS:
        return Node(_TEXTS[text])
    package = sys.modules[model.__module__.rpartition(".")[0]]
    found = getattr(sys.modules[model.__module__], text, None) or getattr(package, text, None)
    return _of_class(found) if found is not None else ANY


def _hints_of_constructors(model: type) -> dict[str, tuple[Any, type]]:
    """The annotations of the constructors' parameters: only they tell which texts are enums."""
    found: dict[str, tuple[Any, type]] = {}
    for base in reversed(model.__mro__[:-1]):
        constructor = vars(base).get("__init__")
        if constructor is not None and hasattr(base, "_attribute_map"):
            parameters = inspect.signature(constructor).parameters
            found |= {name: (parameter.annotation, base) for name, parameter in parameters.items()}
    return found


def _enum_of(hint: Any, owner: type) -> Node | None:
    if hint is inspect.Parameter.empty:
        return None
    node = _of_hint(hint, owner)[0]
    return node if node.kind == "enum" else None
