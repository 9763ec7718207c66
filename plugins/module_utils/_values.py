# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people write, read with care: plain copies, and errors of one sentence that say where and what to do."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """Something that was written cannot be used; the text is one sentence for whoever wrote it."""


def plain(value: Any) -> Any:
    """Copy a value into plain Python data.

    ansible-core 2.19 and later hand over subclasses of str, int, dict and list that carry tags and templates; copies
    keep neither, so that the result can be dumped, pickled and compared.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    # Values still encrypted by Ansible Vault become their text here.
    return str(value)


def kind(value: Any) -> str:
    """Say what a value is, short enough for a sentence."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return "the empty text" if not value else f"the text {quote(value)}"
    name = "a list" if isinstance(value, (list, tuple)) else "a mapping"
    return name if value else f"{name} of nothing"


def quote(value: Any, limit: int = 60) -> str:
    """Write a value as JSON, cut to about limit characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def wrong(where: str, value: Any, wanted: str) -> InputError:
    """An error that says what was found and what to write instead; where names the item and the key."""
    return InputError(f"{where} is {kind(value)}; write {wanted}.")


def nearest(name: Any, known: Iterable[str]) -> str:
    """Suggest the known name nearest to a misspelt one, or list them all."""
    names = list(known)
    close = difflib.get_close_matches(str(name).lower(), names, n=1)
    return f"did you mean {quote(close[0])}?" if close else f"known are {', '.join(names)}."


def mapping(where: str, value: Any, known: Iterable[str]) -> dict[str, Any]:
    """Check that a value is a mapping of known keys and return it."""
    names = list(known)
    if not isinstance(value, dict):
        raise wrong(where, value, f"a mapping with keys such as {', '.join(names[:3])}")
    for key in value:
        if key not in names:
            raise InputError(f"{where} has the unknown key {quote(key)}; {nearest(key, names)}")
    return value


def boolean(where: str, value: Any) -> bool:
    """Check that a value is a boolean; texts such as "no" are not."""
    if not isinstance(value, bool):
        raise wrong(where, value, "true or false")
    return value


def text(where: str, value: Any, wanted: str = "a text") -> str:
    """Check that a value is a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(where, value, wanted)
    return value


def texts(where: str, value: Any, wanted: str) -> list[str]:
    """Check that a value is a list of texts."""
    if not isinstance(value, list):
        raise wrong(where, value, f"a list of {wanted}")
    return [text(f"{where}[{index}]", item, wanted) for index, item in enumerate(value)]


def number(where: str, value: Any, wanted: str, minimum: float | None = None) -> int | float:
    """Check that a value is a finite number that is not below minimum."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise wrong(where, value, wanted)
    if minimum is not None and value < minimum:
        raise wrong(where, value, wanted)
    return value
