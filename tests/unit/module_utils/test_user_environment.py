# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._user_environment import escape, user_environment
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

NOTHING: dict[str, dict[str, str]] = {"notebook": {}, "scheduler": {}, "worker": {}}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], NOTHING),
        ([{"name": "A", "value": "1"}], {**NOTHING, "notebook": {"A": "1"}}),
        ([{"name": "A", "value": "", "targets": ["worker"]}], {**NOTHING, "worker": {"A": ""}}),
        (
            [{"name": "A", "value": "{X} $y", "targets": ["notebook", "scheduler", "worker"]}],
            {"notebook": {"A": "{X} $y"}, "scheduler": {"A": "{X} $y"}, "worker": {"A": "{X} $y"}},
        ),
        (
            [{"name": "A", "value": "n"}, {"name": "A", "value": "w", "targets": ["worker"]}],
            {"notebook": {"A": "n"}, "scheduler": {}, "worker": {"A": "w"}},
        ),
    ],
)
def test_user_environment(entries: Any, expected: Any) -> None:
    assert user_environment(entries) == expected


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            {},
            "daskhub_user_environment is a mapping of nothing; write a list of variables with name, value and targets.",
        ),
        (
            ["A=1"],
            'daskhub_user_environment[0] is the text "A=1"; write a mapping with keys such as name, value, targets.',
        ),
        (
            [{"name": "A", "vlaue": "1"}],
            'daskhub_user_environment[0] "A" has the unknown key "vlaue"; did you mean "value"?',
        ),
        (
            [{"value": "1"}],
            "daskhub_user_environment[0]: name is empty; "
            "write a name of letters, digits and underscores, such as STAC_URL.",
        ),
        (
            [{"name": "A-B", "value": "1"}],
            'daskhub_user_environment[0] "A-B": name is the text "A-B"; '
            "write a name of letters, digits and underscores, such as STAC_URL.",
        ),
        ([{"name": "A"}], 'daskhub_user_environment[0] "A": value is empty; write a text, in quotes.'),
        (
            [{"name": "A", "value": True}],
            'daskhub_user_environment[0] "A": value is the boolean true; write a text, in quotes.',
        ),
        (
            [{"name": "A", "value": 83}],
            'daskhub_user_environment[0] "A": value is the number 83; write a text, in quotes.',
        ),
        (
            [{"name": "A", "value": "a\0b"}],
            'daskhub_user_environment[0] "A": value holds a NUL character, '
            "which no environment variable can; remove it.",
        ),
        (
            [{"name": "A", "value": "1", "targets": "worker"}],
            'daskhub_user_environment[0] "A": targets is the text "worker"; '
            "write a list of some of notebook, scheduler, worker.",
        ),
        (
            [{"name": "A", "value": "1", "targets": ["workers"]}],
            'daskhub_user_environment[0] "A": targets names the unknown "workers"; did you mean "worker"?',
        ),
        (
            [{"name": "A", "value": "1", "targets": []}],
            'daskhub_user_environment[0] "A": targets is an empty list; '
            "name some of notebook, scheduler, worker, or remove it.",
        ),
        (
            [{"name": "A", "value": "1"}, {"name": "A", "value": "2", "targets": ["worker", "notebook"]}],
            'daskhub_user_environment[1] "A": A was set for the notebook before; keep one of the two entries.',
        ),
    ],
)
def test_refused(entries: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        user_environment(entries)
    assert str(error.value) == sentence


@pytest.mark.parametrize("value", ["", "plain", "{JUPYTER_IMAGE_SPEC}", "{}", "}{", "{{x}}", '{"a": {"b": 1}}'])
def test_escape_survives_a_format(value: str) -> None:
    assert escape(value).format(JUPYTER_IMAGE_SPEC="expanded", x="expanded") == value
