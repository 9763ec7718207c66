# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""For how long a refused write is tried again."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_writer import (
    SPREAD,
    UNKNOWN_PRINCIPAL,
    longest_wait,
    principals_of,
    seconds_of,
)


@pytest.mark.parametrize(
    ("code", "status", "timeout", "new", "seconds"),
    [
        ("PrincipalNotFound", 400, 900, True, SPREAD),
        ("PrincipalNotFound", 400, 900, False, UNKNOWN_PRINCIPAL),
        ("PrincipalNotFound", 400, 30, True, 30),
        ("PrincipalNotFound", 400, 30, False, 30),
        ("AuthorizationFailed", 403, 900, False, SPREAD),
        ("AuthorizationFailed", 403, 30, False, 30),
        ("AnotherOperationInProgress", 409, 900, False, 900),
    ],
)
def test_longest_wait(code: str, status: int, timeout: float, new: bool, seconds: float) -> None:
    assert longest_wait(AzureError("refused", status=status, code=code), timeout, new) == seconds


def test_principals_of() -> None:
    cluster = {
        "identity": {"type": "SystemAssigned", "principalId": "AA"},
        "properties": {"identityProfile": {"kubeletidentity": {"objectId": "BB", "clientId": "CC"}}},
    }
    assert principals_of(cluster) == {"aa", "bb"}
    assert principals_of({"properties": {"principalId": "DD", "clientId": "EE"}}) == {"dd"}
    assert principals_of({"properties": {"addressPrefix": "10.0.0.0/20"}}) == set()


def test_seconds_of() -> None:
    moment = datetime.datetime(2026, 11, 22, 20, 0, tzinfo=datetime.UTC).timestamp()
    assert seconds_of("2026-11-22T20:00:00Z") == moment
    assert seconds_of("2026-11-22T20:00:00") == moment
    assert seconds_of(None) == 0
