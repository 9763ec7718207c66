# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets as private files, one for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ansible_collections.planetary.hub.plugins.module_utils._secret_values import generated
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


def write(path: Path, value: bytes) -> None:
    """Write a secret; a reader sees a whole one or the one before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(value + b"\n")
    os.replace(temporary, path)


def updated(path: Path, text: str) -> bool:
    """Write a text like a secret, unless the file has it already; whether it was written."""
    if path.is_file() and path.read_bytes() == text.encode() + b"\n":
        return False
    write(path, text.encode())
    return True


def present(directory: Path, keys: Iterable[str]) -> dict[str, bytes]:
    """The secrets of some keys, as far as they are there."""
    found = {key: directory / key for key in keys}
    return {key: path.read_bytes().rstrip(b"\r\n") for key, path in found.items() if path.is_file()}


def plan(
    before: Mapping[str, bytes],
    generate: Iterable[str],
    given: Mapping[str, bytes],
    rotate: Iterable[str] = (),
    size: int = 32,
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The values that change, and how: generated, rotated, added, changed.

    >>> plan({"a": b"1"}, ["a"], {"b": b"2"})
    ({'b': b'2'}, {'b': 'added'})
    """
    values = dict(given)
    how = {}
    again = set(rotate)
    for key in generate:
        if key not in given and (not before.get(key) or key in again):
            values[key] = generated(size)
            how[key] = "rotated" if before.get(key) else "generated"
    changed = {key: value for key, value in values.items() if before.get(key) != value}
    return changed, {key: how.get(key, "changed" if key in before else "added") for key in changed}


def refuse_missing(required: Mapping[str, str], there: Mapping[str, bytes]) -> None:
    """Raise one error for all that only people can bring about.

    :param required: key to what to do about it
    """
    missing = [f"  {key}: {text}" for key, text in required.items() if not there.get(key)]
    if missing:
        count = f"{len(missing)} secrets are" if len(missing) > 1 else "A secret is"
        raise InputError(
            f"{count} missing that the hub needs and that cannot be generated; bring about what follows, and then run"
            " this again:\n" + "\n".join(missing)
        )
