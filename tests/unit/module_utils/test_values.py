# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import pickle
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _values as values


class Text(str):
    """A text that is more than a text, as ansible-core's tagged ones."""


class Number(int):
    pass


class Mapping(dict[str, Any]):
    pass


class Opaque:
    def __str__(self) -> str:
        return "decrypted"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Text("a"), str),
        (Number(3), int),
        (True, bool),
        (1.5, float),
        (None, type(None)),
        (Mapping(a=1), dict),
        ((1, 2), list),
    ],
)
def test_plain(value: Any, kind: type) -> None:
    copied = values.plain(value)
    assert type(copied) is kind
    assert copied == (list(value) if isinstance(value, tuple) else value)


def test_plain_goes_all_the_way_down() -> None:
    copied = values.plain(Mapping({Text("a"): [Mapping(b=Text("c"))]}))
    assert [type(copied), type(next(iter(copied))), type(copied["a"][0]), type(copied["a"][0]["b"])] == [
        dict,
        str,
        dict,
        str,
    ]
    assert pickle.loads(pickle.dumps(copied)) == {"a": [{"b": "c"}]}  # noqa: S301


def test_plain_reads_what_is_still_encrypted() -> None:
    assert values.plain([Opaque()]) == ["decrypted"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "empty"),
        ("", "the empty text"),
        ("4", 'the text "4"'),
        ('say "hi"', 'the text "say \\"hi\\""'),
        ("é", 'the text "é"'),
        (4, "the number 4"),
        (False, "the boolean false"),
        ([], "a list of nothing"),
        ([1], "a list"),
        ({}, "a mapping of nothing"),
        ({"a": 1}, "a mapping"),
    ],
)
def test_kind(value: Any, said: str) -> None:
    assert values.kind(value) == said


def test_kind_is_short() -> None:
    assert len(values.kind("x" * 1000)) < 80


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("immage", 'did you mean "image"?'),
        ("Image", 'did you mean "image"?'),
        ("zzz", "known are image, cores."),
        (3, "known are image, cores."),
    ],
)
def test_nearest(name: Any, said: str) -> None:
    assert values.nearest(name, ["image", "cores"]) == said
