# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._merge_values import merge_values
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


def fragments(*values: Any) -> list[dict[str, Any]]:
    return [{"origin": f"role {'abc'[index]}", "values": value} for index, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "merged"),
    [
        ([], {}),
        ([{}], {}),
        ([{"x": 1}], {"x": 1}),
        ([{"x": {"y": 1}}, {"x": {"z": 2}}], {"x": {"y": 1, "z": 2}}),
        ([{"x": {}}, {"x": {"z": 2}}], {"x": {"z": 2}}),
        ([{"x": {"z": 2}}, {"x": {}}], {"x": {"z": 2}}),
        ([{"x": 1}, {"x": 1}], {"x": 1}),
        ([{"x": [1, {"y": 2}]}, {"x": [1, {"y": 2}]}], {"x": [1, {"y": 2}]}),
        ([{"x": None}, {"x": None}], {"x": None}),
        ([{"x": {"y": {"z": 1}}}, {"x": {"y": {"a": 2}}}, {"b": 3}], {"x": {"y": {"z": 1, "a": 2}}, "b": 3}),
    ],
)
def test_merge(values: list[Any], merged: Any) -> None:
    given = fragments(*values)
    before = copy.deepcopy(given)
    assert merge_values(given) == merged
    assert given == before


@pytest.mark.parametrize(
    ("values", "key", "first", "second"),
    [
        ([{"x": 1}, {"x": 2}], "x", "a", "b"),
        ([{"x": {"y": {"z": "s3cret"}}}, {}, {"x": {"y": {"z": "other"}}}], "x.y.z", "a", "c"),
        ([{"x": {"y": 1}}, {"x": {"z": 1}}, {"x": {"z": 2}}], "x.z", "b", "c"),
        ([{"x": [1]}, {"x": [2]}], "x", "a", "b"),
        ([{"x": {"y": 1}}, {"x": 1}], "x", "a", "b"),
        ([{"x": 1}, {"x": {"y": 1}}], "x", "a", "b"),
        ([{"x": 1}, {"x": True}], "x", "a", "b"),
        ([{"x": 1}, {"x": 1.0}], "x", "a", "b"),
        ([{"x": 1}, {"x": "1"}], "x", "a", "b"),
        ([{"x": None}, {"x": {}}], "x", "a", "b"),
        ([{"hub": {"10.conf": 1}}, {"hub": {"10.conf": 2}}], 'hub["10.conf"]', "a", "b"),
    ],
)
def test_conflict(values: list[Any], key: str, first: str, second: str) -> None:
    with pytest.raises(InputError) as error:
        merge_values(fragments(*values))
    assert str(error.value) == (
        f"the chart value {key} is set differently by role {first} and by role {second}; let one of them set it."
    )


def test_the_result_shares_nothing_with_the_fragments() -> None:
    given = fragments({"x": {"y": [1]}})
    merge_values(given)["x"]["y"].append(2)
    assert given[0]["values"] == {"x": {"y": [1]}}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "the fragments to merge is a mapping of nothing; write a list of mappings with origin and values."),
        (
            [{"values": {}}],
            "fragment [0] of the chart values: origin is empty; write the name of the role it comes from.",
        ),
        (
            [{"origin": "ui", "values": [1]}],
            "fragment [0] of the chart values, from ui: values is a list; write a mapping.",
        ),
        (
            [{"origin": "ui", "value": {}}],
            'fragment [0] of the chart values has the unknown key "value"; did you mean "values"?',
        ),
    ],
)
def test_no_fragments(value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        merge_values(value)
    assert str(error.value) == sentence


def test_lists_merge_by_name() -> None:
    one = {"volumes": [{"name": "a", "x": 1}, {"name": "b"}], "mounts": [{"name": "a", "mountPath": "/a"}]}
    other = {
        "volumes": [{"name": "c"}, {"name": "a", "y": 2}],
        "mounts": [{"name": "a", "mountPath": "/b"}, {"name": "a", "mountPath": "/c"}],
    }
    assert merge_values(fragments(one, other)) == {
        "volumes": [{"name": "a", "x": 1, "y": 2}, {"name": "b"}, {"name": "c"}],
        "mounts": [{"name": "a", "mountPath": path} for path in ("/a", "/b", "/c")],
    }
    with pytest.raises(InputError, match=r"volumes\.a\.x is set differently by role a and by role b"):
        merge_values(fragments({"volumes": [{"name": "a", "x": 1}]}, {"volumes": [{"name": "a", "x": 2}]}))


def test_the_operator_wins() -> None:
    last = {"origin": "daskhub_values", "values": {"x": {"y": 2}, "z": [3]}, "wins": True}
    assert merge_values([*fragments({"x": {"y": 1, "w": 0}, "z": [1, 2]}), last]) == {"x": {"y": 2, "w": 0}, "z": [3]}
