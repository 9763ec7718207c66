# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._secret_table import (
    service_keys,
    source_secrets,
    wanted_secrets,
    with_sources,
)
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

PREFIXES = {"environment": "pcc-staging", "shared": "pcc"}
ROW = {"key": "proxy-token", "consumer": "proxy"}


def test_a_row_is_filled_in() -> None:
    assert wanted_secrets([ROW], PREFIXES) == [
        {
            "key": "proxy-token",
            "consumer": "proxy",
            "generate": 0,
            "scope": "environment",
            "vault_name": "pcc-staging--proxy-token",
            "condition": True,
            "certificate": False,
            "services": [],
            "second_names": [],
            "rotates": False,
            "vault": True,
        }
    ]


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({"scope": "shared"}, "vault_name", "pcc--proxy-token"),
        ({"vault_name": "planetarycomputer-hub-test"}, "vault_name", "planetarycomputer-hub-test"),
        ({"generate": 32}, "rotates", True),
        ({"generate": 32, "rotates": False}, "rotates", False),
    ],
)
def test_what_a_row_says(change: dict[str, Any], key: str, value: Any) -> None:
    assert wanted_secrets([ROW | change], PREFIXES)[0][key] == value


def test_a_row_whose_condition_does_not_hold_is_left_out() -> None:
    assert wanted_secrets([ROW | {"condition": False}], PREFIXES) == []


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"key": "a"}, "secrets_extra is a mapping; write a list of rows."),
        ([{"key": "A b", "consumer": "x"}], 'key is the text "A b"; write lowercase letters, digits and hyphens.'),
        ([{"key": "a"}], "secrets_extra: a: consumer is empty; write who reads it."),
        ([ROW | {"scope": "all"}], 'secrets_extra: proxy-token: scope is "all"; known are environment, shared.'),
        ([ROW | {"generate": 8}], "generate is the number 8; write 0, or 16 random bytes or more."),
        ([ROW | {"condition": "yes"}], 'condition is the text "yes"; write true or false.'),
        ([ROW | {"vault_name": "a_b"}], 'its name in a vault is the text "a_b"; write at most 127 letters'),
        ([ROW | {"service": ["hub"]}], 'has the unknown key "service"; did you mean "services"?'),
        ([ROW, ROW], 'secrets_extra has the key "proxy-token" twice; give one of them another name.'),
        (
            [ROW, {"key": "b", "consumer": "x", "vault_name": "PCC-staging--proxy-token"}],
            "b and proxy-token have the same name in a vault",
        ),
    ],
)
def test_a_wrong_table_is_one_sentence(rows: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        wanted_secrets(rows, PREFIXES)
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ({"source": "api_management"}, []),
        ({"source": "api_management", "identity_url": "https://id.example.org/{user}/"}, ["pc-id-token"]),
        ({"source": "api_management", "identity_url": "https://x/{user}/", "identity_token": "other"}, ["other"]),
        ({"source": "key_vault", "credential": {"type": "workload_identity"}}, []),
        ({"source": "key_vault", "credential": {"type": "service_principal"}}, ["azure-client-secret"]),
        ({"source": "key_vault", "credential": {"type": "service_principal", "secret": "own"}}, ["own"]),
        ({"source": "static", "variables": {"A": "one", "B": "two"}}, ["one", "two"]),
        ({"source": "callable", "variables": {"A": "one"}}, []),
    ],
)
def test_sources_say_which_secrets_they_read(source: dict[str, Any], keys: list[str]) -> None:
    assert list(source_secrets([source])) == keys


def test_a_source_adds_a_row_only_for_what_has_none() -> None:
    sources = [{"source": "static", "name": "shared", "variables": {"A": "proxy-token", "B": "weather-key"}}]
    rows = wanted_secrets(with_sources([ROW], sources), PREFIXES)
    assert [(row["key"], row["consumer"]) for row in rows] == [
        ("proxy-token", "proxy"),
        ("weather-key", "users, from the source shared"),
    ]


def test_the_digest_of_a_service_begins_with_a_random_secret() -> None:
    rows = [
        ROW | {"services": ["hub"], "key": "password"},
        ROW | {"services": ["hub", "proxy"], "generate": 32, "key": "token"},
    ]
    assert service_keys(wanted_secrets(rows, PREFIXES)) == {"hub": ["token", "password"], "proxy": ["token"]}
