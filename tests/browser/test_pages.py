# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub's pages on a desk and on a phone, by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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
    with visit(width, height, scheme) as window:
        page: Page = window.page
        elsewhere: list[str] = []
        missing: list[str] = []
        page.on("request", lambda sent: sent.url.startswith((account.url, "data:")) or elsewhere.append(sent.url))
        page.on("response", lambda got: "/static/" in got.url and got.status >= 400 and missing.append(got.url))

        page.goto(account.url)
        check(page)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        window.sign_in(account)
        page.wait_for_url("**/hub/spawn")
        for path in ("spawn", "home", "token", "nowhere"):
            page.goto(f"{account.url}hub/{path}")
            check(page)
            window.picture(path)
        assert elsewhere == []
        assert missing == []
