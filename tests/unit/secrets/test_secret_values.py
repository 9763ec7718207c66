# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import decoded, digests, encoded, generated
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

VALUES = {"token": b"0" * 64, "password": b"hub", "other": b"x"}
HUB = {"hub": ["token", "password"]}


def test_values_arrive_as_they_left() -> None:
    values = {"text": "ä\n", "empty": ""}
    assert {key: value.decode() for key, value in decoded(encoded(values), "values").items()} == values


def test_a_value_that_is_not_base64_is_named_but_not_shown() -> None:
    with pytest.raises(InputError) as error:
        decoded({"token": "hunter2!"}, "values")
    assert str(error.value) == "values.token is not base64; write it with the filter b64encode."


def test_what_is_generated_is_long_and_never_the_same() -> None:
    assert len(bytes.fromhex(generated(32).decode())) == 32
    assert generated(32) != generated(32)


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"token": b"1" * 64}, True), ({"password": b"hubs"}, True), ({"other": b"y"}, False), ({}, False)],
)
def test_a_digest_tells_of_its_own_secrets_only(change: dict[str, bytes], differs: bool) -> None:
    assert (digests(HUB, VALUES) != digests(HUB, VALUES | change)) is differs


def test_a_digest_of_a_password_depends_on_what_nobody_can_guess() -> None:
    other = VALUES | {"token": b"2" * 64}
    assert digests({"hub": ["token", "password"]}, VALUES)["hub"] != digests(HUB, other)["hub"]
    assert digests(HUB, {}) == {"hub": digests(HUB, {})["hub"]}
