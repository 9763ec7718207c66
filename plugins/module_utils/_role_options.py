# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Values of a role's variables against its argument specs, in a sentence.

What passes here passes Ansible's own check, which runs when a role starts: it converts "8" and "yes" as this does. It
takes a text for a list or a mapping too, which templates would not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_int
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, kind, nearest, quote

WORDS = {
    "bool": "true or false",
    "dict": "a mapping",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "a text",
}
MANY = {"dict": "mappings", "int": "whole numbers", "str": "texts"}
# Whoever mistypes a secret does not want to read it.
SECRET = re.compile(r"secret|password|token|_key$")

Spec = Mapping[str, Any]


def check_options(options: Mapping[str, Spec], values: Mapping[str, Any], place: Callable[[Any], str]) -> None:
    """Check the variables of a role; those without a value are not looked at.

    :param options: of an entry point of meta/argument_specs.yml
    :param values: name to value
    :param place: says where a value was written, or nothing
    :raises InputError: one sentence about the first that cannot be used
    """
    for name, spec in options.items():
        value = values.get(name)
        if value is not None:
            written = place(value)
            _check(name, f"{name} ({written})" if written else name, value, spec)


def _check(name: str, where: str, value: Any, spec: Spec) -> None:
    wanted = spec.get("type", "str")
    read = _read(value, wanted)
    if read is None:
        of = f" of {MANY[spec['elements']]}" if spec.get("elements") in MANY else ""
        raise InputError(f"{where} is {_kind(name, value)}; write {WORDS.get(wanted, wanted)}{of}.")
    choices = spec.get("choices")
    if choices and read not in choices:
        raise InputError(f"{where} is {_kind(name, value)}; write {_either([str(choice) for choice in choices])}.")
    if wanted == "list" and spec.get("elements"):
        element = {"type": spec["elements"], **({"options": spec["options"]} if "options" in spec else {})}
        for index, item in enumerate(read):
            _check(name, f"{where}[{index}]", item, element)
    elif wanted == "dict" and "options" in spec:
        _check_keys(where, read, spec["options"])


def _check_keys(where: str, value: Mapping[str, Any], options: Mapping[str, Spec]) -> None:
    for key in value:
        if key not in options:
            raise InputError(f"{where} has the unknown key {quote(key)}; {nearest(key, options)}")
    for key, spec in options.items():
        if value.get(key) is not None:
            _check(key, f"{where}: {key}", value[key], spec)
        elif spec.get("required"):
            raise InputError(f"{where} has no {key}; write {WORDS.get(spec.get('type', 'str'), 'it')}.")


def _read(value: Any, wanted: str) -> Any:
    """The value as its type; None if it is none."""
    if wanted in ("str", "path"):
        return None if value is None or isinstance(value, (dict, list, tuple)) else str(value)
    if wanted in ("dict", "list"):
        return value if isinstance(value, Mapping if wanted == "dict" else (list, tuple)) else None
    reader = {"bool": check_type_bool, "int": check_type_int}.get(wanted)
    if reader is None:
        return value
    # A boolean is a number for Python alone.
    if isinstance(value, bool) and wanted != "bool":
        return None
    try:
        return reader(value)
    except (TypeError, ValueError):
        return None


def _kind(name: str, value: Any) -> str:
    if not SECRET.search(name) or isinstance(value, (dict, list)):
        return kind(value)
    return "a text" if isinstance(value, str) else "a value of another type"


def _either(words: list[str]) -> str:
    """Words to choose from.

    >>> _either(["a", "b", "c"])
    'a, b or c'
    """
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
