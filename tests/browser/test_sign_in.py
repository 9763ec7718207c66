# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Somebody signs in with Entra ID, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from living_hub import LivingHub
from sign_in_hub import Provider, SignInHub


@pytest.fixture(scope="module")
def hub(own_hub: LivingHub | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInHub]:
    if own_hub is None:
        pytest.skip("HUB_STATUS names a hub whose provider is not the stand-in")
    directory = tmp_path_factory.mktemp("sign-in")
    provider = Provider(directory / "azure")
    found = SignInHub(directory / "etc", own_hub.directory / "venv/hub/bin/jupyterhub", provider, "secret")
    yield found.wait()
    found.stop()
    provider.stop()


def test_somebody_signs_in_with_entra_id(visit: Callable[..., Any], hub: SignInHub) -> None:
    # The certificates are the stand-in's own.
    proxy = {"server": hub.provider.env["HTTPS_PROXY"], "bypass": "127.0.0.1"}
    with visit(proxy=proxy, ignore_https_errors=True) as window:
        page: Page = window.page
        page.goto(hub.url)
        expect(page.get_by_label("Password")).to_have_count(0)
        window.picture("hub")
        page.get_by_role("button", name="Sign in with Microsoft Entra ID").click()
        page.wait_for_url("https://login.microsoftonline.com/**")
        page.get_by_label("User").fill(hub.provider.email("ada"))
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("AADSTS50126")
        window.picture("provider")
        page.get_by_label("Password").fill("ada's")
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{hub.url}hub/home")
        expect(page.get_by_text(f"Hello, {hub.provider.email('ada')}")).to_be_visible()
        window.picture("home")
