# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub's pages on a desk and on a phone, by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from living_hub import LivingHub

WIDER_THAN_WINDOW = "document.documentElement.scrollWidth > window.innerWidth"
IMAGES_NOT_SHOWN = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"


def check(page: Page) -> None:
    """Everything is there, and nothing sticks out."""
    assert not page.evaluate(WIDER_THAN_WINDOW), page.url
    assert page.evaluate(IMAGES_NOT_SHOWN) == [], page.url


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light"), (390, 844, "dark")],
)
def test_pages(visit: Callable[..., Any], account: Any, width: int, height: int, scheme: str) -> None:
    # With a token, so that the page of tokens has a table.
    with visit(width, height, scheme) as window, account.api():
        page: Page = window.page
        requested: list[str] = []
        answered: list[tuple[str, int]] = []
        page.on("request", lambda sent: requested.append(sent.url))
        page.on("response", lambda got: answered.append((got.url, got.status)))

        page.goto(account.url)
        check(page)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        window.sign_in(account)
        page.wait_for_url("**/hub/spawn")
        for path in ("spawn", "home", "token", "nowhere"):
            page.goto(f"{account.url}hub/{path}")
            check(page)
            window.picture(path)
        assert [url for url in requested if not url.startswith((account.url, "data:"))] == []
        assert [url for url, code in answered if "/static/" in url and code >= 400] == []


def test_a_new_look_restarts_nothing(visit: Callable[..., Any], own_hub: LivingHub | None, status: Any) -> None:
    if own_hub is None:
        pytest.skip("the hub of HUB_STATUS belongs to somebody else: without HUB_STATUS the test has one of its own")
    look: dict[str, Any] = {
        "ui_title": "Example Hub",
        "ui_links": [{"label": "Documentation", "url": "https://docs.example.org/"}],
        "ui_announcement": "Maintenance on <i>Sunday</i>.",
    }
    before = own_hub.services()
    try:
        with visit() as window:
            page: Page = window.page
            page.goto(status["url"])
            expect(page.get_by_role("status")).to_have_count(0)
            own_hub.playbook("playbooks/daskhub.yml", **look)
            page.reload()
            window.picture("announced")
            expect(page.get_by_role("status")).to_have_text("Maintenance on <i>Sunday</i>.")
            expect(page).to_have_title("Example Hub")
            expect(page.get_by_role("link", name="Documentation").first).to_be_visible()
    finally:
        own_hub.playbook("playbooks/daskhub.yml")
    assert own_hub.services() == before
