# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""JupyterLab tells when the hub will stop the server, with the files that the hub's servers get."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from living_hub import ROOT, free_ports

NOTICE = ROOT / "roles/daskhub/files/stop_notice"
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {configurable: true, value: hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def program(own_hub: Any) -> Path:
    """JupyterLab as users have it."""
    if own_hub is None:
        pytest.skip("another hub's JupyterLab cannot be started here: leave HUB_STATUS out")
    return next(own_hub.directory.glob("venv/user-*/bin/jupyter-lab"))


@pytest.fixture
def lab(program: Path, tmp_path: Path) -> Callable[[dict[str, Any]], Any]:
    """Start JupyterLab with what the hub says of the stop; its address."""

    @contextmanager
    def started(plan: dict[str, Any]) -> Iterator[str]:
        share, etc = tmp_path / "share/jupyter", tmp_path / "etc"
        shutil.copytree(NOTICE / "labextension", share / "labextensions/planetary-hub-stop-notice")
        etc.mkdir()
        shutil.copy(NOTICE / "jupyter_server_config.py", etc)
        (port,) = free_ports(1)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))},
            "HOME": str(tmp_path),
            "HUB_STOP_NOTICE": json.dumps(plan),
            "JUPYTER_CONFIG_PATH": str(etc),
            "JUPYTER_PATH": str(share),
        }
        words = [str(program), "--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while "/lab" not in (tmp_path / "log").read_text(errors="replace"):
                assert time.monotonic() < end and process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/lab"
        finally:
            process.terminate()
            process.wait(30)

    return started


def test_the_longest_age_is_told_before(visit: Callable[..., Any], lab: Callable[..., Any]) -> None:
    with lab({"stop_at": int(time.time()) + 300, "idle": 3600, "notice": 600}) as address, visit() as window:
        page: Page = window.page
        page.goto(address)
        expect(page.get_by_text("This server will be stopped at").first).to_be_visible(timeout=60_000)
        window.picture("age")


def test_nobody_there_is_told_until_somebody_comes_back(visit: Callable[..., Any], lab: Callable[..., Any]) -> None:
    with lab({"stop_at": int(time.time()) + 9999, "idle": 600, "notice": 600}) as address, visit() as window:
        page: Page = window.page
        page.goto(address)
        expect(page.locator(".jp-LauncherCard").first).to_be_visible(timeout=60_000)
        told = page.get_by_text("Nobody used this server").first
        expect(told).to_have_count(0)
        page.evaluate(HIDE, True)
        expect(told).to_be_visible()
        window.picture("idle")
        page.evaluate(HIDE, False)
        expect(told).to_have_count(0)
