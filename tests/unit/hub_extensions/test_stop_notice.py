# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a server is told at its start about its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hub_extensions import stop_notice
from hub_extensions.data_files import DataFile

from unit.hub_extensions.conftest import WriteData

SETTINGS = {"enabled": True, "timeout": 3600, "max_age": 0, "notice": 600}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, {"stop_at": None, "idle": 3600, "notice": 600}),
        ({"max_age": 86400}, {"stop_at": 1086400, "idle": 3600, "notice": 600}),
        ({"max_age": 86400, "timeout": 0}, {"stop_at": 1086400, "idle": None, "notice": 600}),
        ({"enabled": False}, None),
        ({"notice": 0}, None),
        ({"timeout": 0}, None),
    ],
)
def test_what_is_told(changed: dict[str, Any], told: dict[str, Any] | None) -> None:
    said = stop_notice.stop_notice({**SETTINGS, **changed}, 1_000_000.7)
    assert (json.loads(said) if said else None) == told


def test_a_start_reads_the_settings_of_now(write_data: WriteData) -> None:
    write_data("culling.json", {**SETTINGS, "max_age": 7200})
    assert json.loads(stop_notice.at_start(None))["stop_at"] is not None
    write_data("culling.json", {**SETTINGS, "timeout": 60})
    assert json.loads(stop_notice.at_start(None)) == {"stop_at": None, "idle": 60, "notice": 600}


@pytest.mark.parametrize("content", ["broken", {"timeout": 1}])
def test_no_settings_stop_no_start(write_data: WriteData, monkeypatch: pytest.MonkeyPatch, content: Any) -> None:
    monkeypatch.setattr(stop_notice, "_file", DataFile("culling.json", dict))
    assert stop_notice.at_start(None) == ""
    write_data("culling.json", content)
    assert stop_notice.at_start(None) == ""
