# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets on their way: in base64 between modules, as digests for those who only need to know that one changed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


def encoded(values: Mapping[str, str]) -> dict[str, str]:
    """Values in base64.

    >>> encoded({"a": "b"})
    {'a': 'Yg=='}
    """
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def decoded(values: Mapping[str, Any], where: str) -> dict[str, bytes]:
    """Values out of base64.

    :raises InputError: names the key, never the value
    """
    found = {}
    for key, value in values.items():
        try:
            found[key] = base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError):
            raise InputError(f"{where}.{key} is not base64; write it with the filter b64encode.") from None
    return found


def generated(size: int) -> bytes:
    """A new secret: random bytes, written as twice as many hexadecimal digits."""
    return secrets.token_hex(size).encode()


def digests(wanted: Mapping[str, Sequence[str]], values: Mapping[str, bytes]) -> dict[str, str]:
    """Name to a digest of the values of some keys, which says when one of them changed and nothing else.

    The value of the first key, which is to be random, keys the digest: a short password cannot be guessed from it.

    >>> values = {"token": b"random", "password": b"short"}
    >>> one = digests({"hub": ["token", "password"]}, values)["hub"]
    >>> one == digests({"hub": ["token", "password", "absent"]}, values)["hub"], len(one)
    (True, 16)
    """
    found = {}
    for name, keys in wanted.items():
        there = [key for key in keys if key in values]
        state = hmac.new(values[there[0]] if there else b"", digestmod=hashlib.sha256)
        for key in sorted(there):
            state.update(key.encode() + b"\0" + hashlib.sha256(values[key]).digest())
        found[name] = state.hexdigest()[:16]
    return found
