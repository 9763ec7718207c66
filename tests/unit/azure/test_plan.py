# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The plan: what a person reads of it, and what a program."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils._azure_plan import (
    CREATE,
    DELETE,
    FORBIDDEN,
    NONE,
    TOLD,
    UPDATE,
    Planned,
    as_yaml,
    changed,
    diff,
    listed,
    masked,
    secrets,
    summary,
)

PLAN = [
    Planned("group", "/g", "T/g", NONE),
    Planned("network", "/n", "T/n", CREATE, body={"location": "westeurope", "properties": {"ranges": ["10.0.0.0/8"]}}),
    Planned("vault", "/v", "T/v", UPDATE, changes=(("tags.a", "1", "2"), ("properties.on", None, True))),
    Planned("old", "/o", "T/o", DELETE),
]


def test_only_what_changes_is_shown() -> None:
    assert diff(PLAN) == [
        {
            "before_header": "network (/n)",
            "after_header": "network (create)",
            "before": "",
            "after": 'location: westeurope\nproperties:\n  ranges:\n  - "10.0.0.0/8"\n',
        },
        {
            "before_header": "vault (/v)",
            "after_header": "vault (update)",
            "before": 'tags.a: "1"\n',
            "after": 'tags.a: "2"\nproperties.on: true\n',
        },
        {"before_header": "old (/o)", "after_header": "old (delete)", "before": "id: /o\n", "after": ""},
    ]


def test_the_list_for_programs_has_every_resource() -> None:
    assert [(one["name"], one["action"]) for one in listed(PLAN)] == [
        ("group", "none"),
        ("network", "create"),
        ("vault", "update"),
        ("old", "delete"),
    ]
    assert listed(PLAN)[2]["changes"] == [
        {"path": "tags.a", "before": "1", "after": "2"},
        {"path": "properties.on", "before": None, "after": True},
    ]


@pytest.mark.parametrize(
    ("plan", "line", "changes"),
    [
        (PLAN, "1 to create, 1 to update, 1 to delete, 1 unchanged", True),
        (PLAN[:1], "1 unchanged", False),
        ([Planned("a", "", "", FORBIDDEN)], "1 forbidden", False),
        ([], "nothing", False),
    ],
)
def test_summary(plan: list[Planned], line: str, changes: bool) -> None:
    assert summary(plan) == line
    assert changed(plan) is changes


def test_secrets_are_neither_shown_nor_returned() -> None:
    body = {"properties": {"clientSecret": "hush", "keys": [{"password": "quiet"}], "enableSecretRotation": True}}
    assert sorted(secrets(body)) == ["hush", "quiet"]
    plan = [
        Planned("a", "/a", "T", CREATE, body=body),
        Planned("b", "/b", "T", UPDATE, changes=(("properties.clientSecret", "hush", "quiet"),)),
    ]
    shown = f"{diff(plan)}{listed(plan)}{masked(body)}"
    assert "hush" not in shown
    assert "quiet" not in shown
    assert "'enableSecretRotation': True" in shown


def test_what_a_hub_sends_its_telemetry_to_is_returned() -> None:
    insights = {"properties": {"ConnectionString": "InstrumentationKey=1", "InstrumentationKey": "1"}}
    assert masked(insights, told=TOLD) == insights
    assert masked(insights) != insights


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": {}, "b": [], "c": None, "d": True, "e": 1.5},
        {"tags": {"on": "yes", "1e3": "0123", "x": "2026-11-22", "y": "null", "z": "a: b", "#": "# no"}},
        {"list": [{"name": "a", "deep": {"x": [1, [2, 3], {"y": "ä\n"}]}}, "b", []]},
        {"/subscriptions/0/x": {"key with space": "(known after apply)"}},
    ],
)
def test_what_is_shown_is_yaml(value: Any) -> None:
    assert (yaml.safe_load(as_yaml(value)) or {}) == value
