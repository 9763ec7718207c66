# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is wrong with chart values, and who said it; the schema of our own chart is the one that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._chart_values import chart_values, schemas
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
from ansible_collections.planetary.hub.plugins.module_utils._values_schema import problems

TYPED: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "size": {"type": "string", "pattern": "^[0-9]+Gi$", "description": "a size such as 1Gi"},
        "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "share": {"type": "number"},
        "policy": {"enum": [None, "", "Always", "Never"]},
        "ports": {"type": "array", "items": {"type": "object", "properties": {"port": {"type": "integer"}}}},
        "free": {"type": "object"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "files": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^[a-z]+$": {"type": "boolean"}},
        },
    },
}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"size": "1Gi", "count": 1, "share": 0.5, "policy": "", "ports": [{"port": 80, "name": "x"}]},
        {
            "count": None,
            "share": 2,
            "policy": None,
            "free": {"a": {"b": [1]}},
            "labels": {"a": "b"},
            "files": {"a": True},
        },
        # Helm takes the chart's own value away.
        {"size": None, "ports": None},
        {"count": 2.0},
    ],
)
def test_nothing_is_wrong(value: dict[str, Any]) -> None:
    assert list(problems(TYPED, value)) == []


@pytest.mark.parametrize(
    ("value", "path", "rest"),
    [
        ({"sizes": 1}, ("sizes",), 'is not known; did you mean "size"?'),
        ({"size": 1}, ("size",), "is a whole number; write a text."),
        ({"size": "1G"}, ("size",), "is not of the form that it has to have; write a size such as 1Gi."),
        ({"count": 0}, ("count",), "is too small; write a number from 1 on."),
        ({"count": 10}, ("count",), "is too large; write a number up to 9."),
        ({"count": True}, ("count",), "is a boolean; write a whole number."),
        ({"count": 1.5}, ("count",), "is a number; write a whole number."),
        ({"share": "1"}, ("share",), "is a text; write a number."),
        ({"policy": "always"}, ("policy",), 'is none of "", "Always", "Never"; write one of them.'),
        ({"ports": {}}, ("ports",), "is a mapping; write a list."),
        ({"ports": [{"port": 80}, {"port": "http"}]}, ("ports", 1, "port"), "is a text; write a whole number."),
        ({"free": []}, ("free",), "is a list; write a mapping."),
        ({"labels": {"a": 1}}, ("labels", "a"), "is a whole number; write a text."),
        ({"files": {"A": True}}, ("files", "A"), "is not known; take it away."),
    ],
)
def test_what_is_wrong(value: dict[str, Any], path: tuple[Any, ...], rest: str) -> None:
    assert list(problems(TYPED, value)) == [(path, rest)]


@pytest.fixture(scope="module")
def own(root: Path) -> dict[str, Any]:
    name = "values.schema.json"
    return dict(schemas({name: (root / "roles/daskhub/files/chart" / name).read_bytes()}))


def refusal(own: dict[str, Any], *fragments: dict[str, Any], **options: Any) -> str:
    with pytest.raises(InputError) as error:
        chart_values(fragments if not options else list(fragments), own, **options)
    return str(error.value)


ROLE = {"origin": "role a", "values": {"networkPolicies": {"enabled": True}, "jupyterhub": {"hub": {"baseUrl": "/"}}}}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"networkPolicy": {}},
            'The chart value networkPolicy, said by daskhub_values, is not known; did you mean "networkPolicies"?',
        ),
        (
            {"networkPolicies": {"enabled": "yes"}},
            "The chart value networkPolicies.enabled, said by daskhub_values, is a text; write true or false.",
        ),
        (
            {"databaseCopy": {"keep": 0}},
            "The chart value databaseCopy.keep, said by daskhub_values, is too small; write a number from 1 on.",
        ),
        (
            {"databaseCopy": {"schedule": "hourly"}},
            "The chart value databaseCopy.schedule, said by daskhub_values, is not of the form that it has to have; "
            "write a schedule of cron, five fields such as 17 * * * *.",
        ),
        (
            {"data": {"profiles.json": []}},
            'The chart value data["profiles.json"], said by daskhub_values, is a list; write a text.',
        ),
        (
            {"jupyterhub": ["hub"]},
            "The chart value jupyterhub, said by daskhub_values, is a list; write a mapping.",
        ),
    ],
)
def test_our_own_keys(own: dict[str, Any], values: dict[str, Any], sentence: str) -> None:
    last = {"origin": "daskhub_values", "values": values, "wins": True}
    assert refusal(own, ROLE, last, place=lambda *_asked: "") == sentence


def test_who_said_it_and_where(own: dict[str, Any]) -> None:
    last = {"origin": "daskhub_values", "values": {"jupyterhub": {"hub": {"baseURL": "s3cret"}}}, "wins": True}
    charts = {
        **own,
        "jupyterhub": {"properties": {"hub": {"additionalProperties": False, "properties": {"baseUrl": {}}}}},
    }
    asked = []

    def place(origin: str, path: tuple[Any, ...]) -> str:
        asked.append((origin, path))
        return "all.yml:3"

    assert refusal(charts, ROLE, last, place=place) == (
        "The chart value jupyterhub.hub.baseURL, said by daskhub_values (all.yml:3), is not known; "
        'did you mean "baseUrl"?'
    )
    assert asked == [("daskhub_values", ("jupyterhub", "hub", "baseURL"))]


def test_two_roles_that_set_one_key(own: dict[str, Any]) -> None:
    other = {"origin": "role b", "values": {"networkPolicies": {"enabled": False}}}
    assert refusal(own, ROLE, other, place=lambda origin, _path: f"{origin}.yml") == (
        "The chart value networkPolicies.enabled is set differently by role a (role a.yml) and by role b (role b.yml); "
        "let one of them set it."
    )


def test_the_schema_uses_what_is_understood_here(own: dict[str, Any]) -> None:
    understood = {"$schema", "type", "enum", "properties", "patternProperties", "additionalProperties", "items"}
    understood |= {"minimum", "maximum", "minLength", "pattern", "description"}

    def words(schema: Any) -> set[str]:
        if not isinstance(schema, dict):
            return set()
        found = set(schema)
        for key in ("properties", "patternProperties"):
            for part in (schema.get(key) or {}).values():
                found |= words(part)
        return found | words(schema.get("items")) | words(schema.get("additionalProperties"))

    assert words(own[""]) <= understood


def test_schemas_of_a_chart_and_of_those_it_carries() -> None:
    files = {
        "values.schema.json": b'{"type": "object"}',
        "charts/jupyterhub/values.schema.json": b"{}",
        "charts/jupyterhub/charts/x/values.schema.json": b"not read",
        "Chart.yaml": b"",
    }
    assert json.dumps(schemas(files), sort_keys=True) == '{"": {"type": "object"}, "jupyterhub": {}}'
