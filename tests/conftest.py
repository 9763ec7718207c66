# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Imports of the checkout for every test, and the rule that a skip in CI is a failure."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# ansible_collections.planetary.hub is the checkout, through its own link.
sys.path.insert(0, str(ROOT / ".collections"))
# What the roles ship as plain Python (extensions of the hub and of the gateway) is imported from its folder.
for files in sorted(ROOT.glob("roles/*/files")):
    sys.path.insert(1, str(files))

# The hub that integration and browser tests share.
pytest_plugins = ["living_hub"]

SKIPPED: list[dict[str, str]] = []


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


def note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Note a skip with its reason; with CI set, turn it into a failure."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    SKIPPED.append({"test": report.nodeid, "reason": reason})
    if os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"CI allows no skip, but this was skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself."""
    report = yield
    note_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips itself."""
    report = yield
    note_skip(report)
    return report


def pytest_sessionfinish() -> None:
    """Leave the skips for the summary of `make test`."""
    target = os.environ.get("HUB_TEST_SKIPS")
    if target and SKIPPED:
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(entry) + "\n" for entry in SKIPPED)
