# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub, a browser and one of the hub's users.

The hub is the one that all tests share, or the one that the file HUB_STATUS describes in the words of
`make -s status FORMAT=json`. The browser is Chromium: the one that CHROMIUM names, one on the PATH or Playwright's own.
Each step leaves a picture in `.sandbox/results/browser`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub
from playwright.sync_api import Browser, Page, sync_playwright

from chromium import PATIENCE, launched
from living_hub import ROOT, LivingHub

PICTURES = ROOT / ".sandbox" / "results" / "browser"


@dataclass(frozen=True)
class Account:
    """A user of a hub."""

    url: str
    name: str
    password: str = field(repr=False)

    @contextmanager
    def api(self) -> Iterator[Hub]:
        """The hub's REST API as this user."""
        hub = Hub(self.url)
        token = hub.sign_in(self.name, self.password, token_seconds=300, note="browser test")
        try:
            yield hub
        finally:
            hub.revoke(token)

    def clean_up(self) -> None:
        """Stop the user's Dask clusters and server, and wait until they are gone."""
        with self.api() as hub:
            gateway = f"{self.url}services/dask-gateway"
            for cluster in hub.clusters(gateway):
                hub.stop_cluster(gateway, cluster)
            hub.stop_server()
            until(lambda: not hub.clusters(gateway) and hub.server() is None, "the end of server and clusters")


def until(met: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as started:
        yield started


@pytest.fixture(scope="session")
def own_hub(request: pytest.FixtureRequest) -> LivingHub | None:
    """The tests' own hub, which they may deploy again; `None` when HUB_STATUS names another."""
    if os.environ.get("HUB_STATUS"):
        return None
    hub: LivingHub = request.getfixturevalue("living_hub")
    return hub


@pytest.fixture(scope="session")
def status(own_hub: LivingHub | None) -> dict[str, Any]:
    """What `make -s status FORMAT=json` says of the hub."""
    if own_hub:
        return own_hub.status()
    found: dict[str, Any] = json.loads(Path(os.environ["HUB_STATUS"]).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def account(status: dict[str, Any]) -> Account:
    """The user `user`, or the first one there is."""
    users = status["users"]
    user = next((found for found in users if found["name"] == "user"), users[0])
    return Account(status["url"], user["name"], Path(user["password_file"]).read_text(encoding="utf-8").strip())


@pytest.fixture
def clean_account(account: Account) -> Iterator[Account]:
    """A user who has nothing running, before and after."""
    account.clean_up()
    yield account
    account.clean_up()


@dataclass
class Visit:
    """A window of the browser, and pictures of what is in it."""

    page: Page
    test: str
    number: int = 0

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.number += 1
        self.page.screenshot(path=PICTURES / f"{self.test}-{self.number:02}-{name}.png")

    def sign_in(self, account: Account) -> None:
        self.page.goto(account.url)
        self.page.get_by_label("Username").fill(account.name)
        self.page.get_by_label("Password").fill(account.password)
        self.picture("sign-in")
        self.page.get_by_role("button", name="Sign in").click()


Open = Callable[..., Any]


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Open:
    """Open a window: `with visit(width=390, height=844) as window`; a failure inside leaves a picture too."""
    test = request.node.name.removeprefix("test_").translate({ord("["): "-", ord("]"): None})

    @contextmanager
    def opened(width: int = 1280, height: int = 800, scheme: str = "light", **more: Any) -> Iterator[Visit]:
        for old in PICTURES.glob(f"{test}-[0-9]*.png"):
            old.unlink()
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        context.set_default_timeout(PATIENCE * 1000)
        window = Visit(context.new_page(), test)
        try:
            yield window
        except BaseException:
            window.picture("failure")
            raise
        finally:
            context.close()

    return opened
