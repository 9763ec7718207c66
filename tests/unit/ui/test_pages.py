# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The templates in front of those of the JupyterHub that is installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_extensions import ui
from hub_extensions.data_files import DataFile

jupyterhub_data = pytest.importorskip("jupyterhub._data", reason="JupyterHub is not installed here")
jinja2 = pytest.importorskip("jinja2", reason="Jinja2 is not installed here")

Show = Callable[[Any], ui.Look]
FILES = Path(__file__).resolve().parents[3] / "roles/ui/files"
OURS = sorted(path.name for path in (FILES / "templates").glob("*.html"))
PAGES = ["login.html", "spawn.html", "home.html", "spawn_pending.html", "not_running.html", "error.html", "404.html"]
BLOCK = re.compile(r"{%-?\s*block\s+(\w+)")


def environment() -> Any:
    """As JupyterHub's init_tornado_settings makes it."""
    base = str(Path(jupyterhub_data.DATA_FILES_PATH, "templates"))
    loaders = [
        jinja2.PrefixLoader({"templates": jinja2.FileSystemLoader([base])}, "/"),
        jinja2.FileSystemLoader([str(FILES / "templates"), base]),
    ]
    return jinja2.Environment(loader=jinja2.ChoiceLoader(loaders), autoescape=True)


class Page(HTMLParser):
    """What a browser would load, where links lead, and what can be filled in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: dict[str, str] = {}
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self._link = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._link = found.get("href") or "" if tag == "a" else ""
        if tag == "label":
            self.labels.add(found.get("for") or "")
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "submit"}:
            self.fields.append(found)
        if address := found.get("src") or (found.get("href") if tag == "link" else None):
            self.loaded.append(address)

    def handle_data(self, data: str) -> None:
        if self._link and data.strip():
            self.links[data.strip()] = self._link


def render(name: str, look: ui.Look, **variables: Any) -> str:
    server = SimpleNamespace(active=False)
    user = SimpleNamespace(name="ada", json_escaped_name="ada", spawner=server)
    namespace = {
        "ui": look,
        "base_url": "/compute/hub/",
        "prefix": "/compute/",
        "user": None if name == "login.html" else user,
        "for_user": user,
        "default_server": server,
        "parsed_scopes": [],
        "status_code": 500,
        "status_message": "Internal Server Error",
        "authenticator": SimpleNamespace(request_otp=False),
        "static_url": lambda path, **_: f"/compute/hub/static/{path}",
        **variables,
    }
    return str(environment().get_template(name).render(namespace))


@pytest.mark.parametrize("name", OURS)
def test_a_template_changes_only_blocks_that_jupyterhub_has(name: str) -> None:
    env = environment()
    ours = env.loader.get_source(env, name)[0]
    assert f'{{% extends "templates/{name}" %}}' in ours
    theirs = "".join(env.loader.get_source(env, f"templates/{page}")[0] for page in (name, "page.html"))
    assert set(BLOCK.findall(ours)) <= set(BLOCK.findall(theirs))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_title_logo_links_and_announcement(show: Show, name: str) -> None:
    look = show(
        {
            "title": "Example & Hub",
            "logo": "external/ours.png",
            "links": [{"label": "Docs", "url": "https://docs.example.org/?a=1&b=2"}],
            "announcement": "Save <b>now</b>",
            "severity": "warning",
        }
    )
    text = render(name, look)
    page = Page(text)
    assert "<title>Example &amp; Hub</title>" in text
    assert "/compute/hub/static/external/ours.png" in page.loaded
    assert page.links["Docs"] == "https://docs.example.org/?a=1&b=2"
    assert re.search(r'class="alert alert-warning[^>]*>Save &lt;b&gt;now&lt;/b&gt;<', text)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_elsewhere(show: Show, name: str) -> None:
    loaded = Page(render(name, show({}))).loaded
    assert "/compute/hub/static/external/hub.css" in loaded
    assert [address for address in loaded if not address.startswith("/compute/")] == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("broken", ["{", "[]", {"links": [1, {}], "title": [], "severity": {}, "logo": ""}])
def test_broken_data_break_no_page(show: Show, name: str, broken: Any) -> None:
    text = render(name, show(broken))
    assert "<title>JupyterHub</title>" in text
    assert "hub-announcement" not in text


@pytest.mark.parametrize("name", PAGES)
def test_a_missing_file_breaks_no_page(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HUB_ETC_DIRECTORY", "/nowhere")
    monkeypatch.setattr(ui, "UI", DataFile("ui.json", dict))
    assert "<title>JupyterHub</title>" in render(name, ui.Look())


def test_the_hubs_own_announcement_stays(show: Show) -> None:
    assert "From the service" in render("home.html", show({}), announcement="From the service")


def test_every_field_of_the_sign_in_has_a_label(show: Show) -> None:
    page = Page(render("login.html", show({})))
    assert {field["name"] for field in page.fields} == {"username", "password"}
    assert [field for field in page.fields if field["id"] not in page.labels] == []


def test_the_style_loads_nothing() -> None:
    style = (FILES / "static/hub.css").read_text(encoding="utf-8")
    assert re.findall(r"url\(|@import", style) == []


def luminance(colour: str) -> float:
    """The relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = "".join(digit * 2 for digit in colour[1:]) if len(colour) == 4 else colour[1:]
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "text"), [(":root", "#212529"), ('[data-bs-theme="dark"]', "#dee2e6")])
def test_text_can_be_read(theme: str, text: str) -> None:
    """Against Bootstrap's text colour of the theme, and white on buttons."""
    style = (FILES / "static/hub.css").read_text(encoding="utf-8")
    rules = style.partition(f"{theme} {{")[2].partition("}")[0]
    colours = dict(re.findall(r"--hub-([\w-]+): (#\w+);", rules))
    assert contrast(colours["page"], text) >= 7
    assert contrast(colours["surface"], text) >= 7
    assert contrast(colours["accent"], "#fff") >= 4.5
    assert contrast(colours["accent-strong"], "#fff") >= 4.5
