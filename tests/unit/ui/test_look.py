# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_extensions import ui
from hub_extensions.data_files import DataFile

Show = Callable[[Any], ui.Look]
DOCS = {"label": "Docs", "url": "https://docs.example.org/"}


@pytest.mark.parametrize(
    ("key", "written", "shown"),
    [
        ("title", "Example Hub", "Example Hub"),
        ("title", "", "JupyterHub"),
        ("title", 7, "JupyterHub"),
        ("logo", "external/ours.png", "external/ours.png"),
        ("logo", None, "external/logo.svg"),
        ("announcement", "Maintenance on Sunday.", "Maintenance on Sunday."),
        ("announcement", ["Maintenance"], ""),
        ("severity", "danger", "danger"),
        ("severity", "loud", "info"),
        ("links", [DOCS], [DOCS]),
        ("links", [DOCS, {"label": "Status", "url": "/status"}], [DOCS, {"label": "Status", "url": "/status"}]),
        ("links", "https://docs.example.org/", []),
        ("links", [DOCS, "x", {"label": "no address"}, {"url": "/no-label"}, {"label": 1, "url": 2}], [DOCS]),
        ("links", [{"label": "Script", "url": "javascript:alert(1)"}, DOCS], [DOCS]),
    ],
)
def test_what_a_page_shows(show: Show, key: str, written: Any, shown: Any) -> None:
    assert getattr(show({key: written}), key) == shown


def test_a_missing_key_has_its_default(show: Show) -> None:
    look = show({})
    assert {key: getattr(look, key) for key in ui.DEFAULTS} == ui.DEFAULTS


def test_a_change_is_shown_by_the_look_there_is(show: Show) -> None:
    look = show({"announcement": "Soon"})
    assert look.announcement == "Soon"
    show({"announcement": "Now"})
    assert look.announcement == "Now"


@pytest.mark.parametrize("broken", ["", "{", "[]", "7"])
def test_a_broken_file_gives_defaults_until_it_was_read_once(show: Show, broken: str) -> None:
    assert show(broken).title == "JupyterHub"
    assert show({"title": "Example Hub"}).title == "Example Hub"
    assert show(broken).title == "Example Hub"


def test_a_missing_file_gives_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ETC_DIRECTORY", "/nowhere")
    monkeypatch.setattr(ui, "UI", DataFile("ui.json", dict))
    assert ui.Look().title == "JupyterHub"


def test_nothing_else_is_shown(show: Show) -> None:
    with pytest.raises(AttributeError):
        _ = show({"secret": "x"}).secret
