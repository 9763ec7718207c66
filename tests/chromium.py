# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Chromium: the one that CHROMIUM names, one on the PATH or Playwright's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
#: Seconds for a page and what is on it; starts have limits of their own.
PATIENCE = 30
expect.set_options(timeout=PATIENCE * 1000)


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """A browser; without one the test is skipped."""
    own = playwright.chromium.executable_path
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found and not Path(own).exists():
        pytest.skip("there is no Chromium: install it (Debian: apt install chromium) or name it in CHROMIUM")
    # Chromium refuses its sandbox to root.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    started = playwright.chromium.launch(executable_path=found, args=arguments, timeout=PATIENCE * 1000)
    yield started
    started.close()
