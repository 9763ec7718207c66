# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""ui.json as a deployment writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_extensions import ui
from hub_extensions.data_files import DataFile

Show = Callable[[Any], ui.Look]


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Write ui.json, text as it is, and return what templates get."""
    monkeypatch.setenv("HUB_ETC_DIRECTORY", str(tmp_path))
    # As in a hub that has just started: no last good version is remembered.
    monkeypatch.setattr(ui, "UI", DataFile("ui.json", dict))
    path = tmp_path / "data" / "ui.json"
    path.parent.mkdir()

    def write(content: Any) -> ui.Look:
        new = path.with_suffix(".new")
        new.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        new.replace(path)
        return ui.Look()

    return write
