# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a user does, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

#: Milliseconds that a server, a Dask cluster or a worker may take to come or to go.
START = 120_000


def choose_another_profile(page: Page) -> str:
    """Choose the first profile that is not chosen already; its value."""
    chosen = page.locator("input[name=profile]:checked")
    expect(chosen).to_have_count(1)
    other = page.locator(f"input[name=profile]:not([value='{chosen.get_attribute('value')}'])").first
    other.check()
    return other.get_attribute("value") or ""


def test_a_user_works(visit: Callable[..., Any], clean_account: Any) -> None:
    account = clean_account
    with visit() as window:
        page: Page = window.page
        window.sign_in(account)

        # A profile
        page.wait_for_url(re.compile(r"/hub/spawn"))
        profile = choose_another_profile(page)
        window.picture("profiles")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url(re.compile(r"/hub/spawn-pending/"))
        window.picture("starting")

        # JupyterLab
        page.wait_for_url(re.compile(rf"/user/{account.name}/lab"), timeout=START)
        # As on the first visit: without the panels that JupyterLab remembers.
        page.goto(f"{account.url}user/{account.name}/lab?reset")
        expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=START)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)
        window.picture("jupyterlab")

        # A cluster of Dask Gateway, with one worker
        page.locator(".lm-TabBar-tab[data-id='dask-dashboard-launcher']").click()
        page.locator(".dask-DaskClusterManager").get_by_role("button", name="New").click()
        cluster = page.locator(".dask-ClusterListingItem")
        dialog = page.get_by_role("dialog")
        expect(cluster.or_(dialog).first).to_be_visible(timeout=START)
        assert dialog.all_inner_texts() == []
        expect(cluster).to_contain_text("GatewayCluster")
        cluster.get_by_role("button", name="Scale").click()
        dialog.locator(".dask-ScalingInput").first.fill("1")
        dialog.get_by_role("button", name="Scale").click()
        expect(cluster).to_contain_text("Number of Workers: 1", timeout=START)
        window.picture("cluster")

        # Its dashboard: the worker is in a table that Bokeh fills through a websocket
        page.locator("#dask-dashboard-launcher button[value='Workers']").click()
        workers = page.frame_locator("iframe[src*='individual-workers']")
        expect(workers.locator(".slick-row", has_text="tls://").first).to_be_visible()
        window.picture("workers")
        page.locator("#dask-dashboard-launcher button[value='Task Stream']").click()
        stream = page.frame_locator("iframe[src*='individual-task-stream']")
        expect(stream.locator("canvas").first).to_be_visible()
        window.picture("task-stream")

        # The link to all of it, which a notebook shows too
        with page.context.expect_page() as opened:
            cluster.get_by_role("link").click()
        expect(opened.value.locator("canvas").first).to_be_visible()
        opened.value.close()

        # The end of it
        cluster.get_by_role("button", name="Shutdown").click()
        expect(cluster).to_have_count(0, timeout=START)
        window.picture("no-cluster")
        page.goto(f"{account.url}hub/home")
        # JupyterHub's own sign that its buttons do something by now.
        page.wait_for_function("window._jupyterhub_page_loaded")
        page.get_by_role("button", name="Stop My Server").click()
        expect(page.get_by_role("button", name="Start My Server")).to_be_visible(timeout=START)
        window.picture("stopped")
        page.goto(f"{account.url}hub/spawn")
        expect(page.locator(f"input[name=profile][value='{profile}']")).to_be_checked()
        page.get_by_role("button", name="Logout").click()
        expect(page.get_by_label("Password")).to_be_visible()
        page.goto(f"{account.url}hub/home")
        expect(page.get_by_label("Password")).to_be_visible()
        window.picture("signed-out")
