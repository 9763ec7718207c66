# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The models of the official ``azure-mgmt-*`` packages as trees of nodes, made when first needed and kept.

There are two kinds of packages: those whose models have ``rest_field`` descriptors (names, annotations and
visibility), and older ones with ``_attribute_map`` and ``_validation`` (types as texts, flattened names such as
``properties.issuer``). Both become one tree.
"""

from __future__ import annotations

import datetime
import enum
import functools
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@functools.cache
def load(path: str) -> type:
    """The class of a dotted path."""
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


def class_of(node: Node) -> type:
    if node.model is None:
        raise TypeError(f"{node.name} has no model.")
    return node.model


def subclass(value: Any, node: Node) -> Node:
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
