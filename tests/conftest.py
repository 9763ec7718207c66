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

SKIPPED: list[dict[str, str]] = []


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each skip with its reason; with CI set, turn it into a failure."""
    report = yield
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        SKIPPED.append({"test": item.nodeid, "reason": reason})
        if os.environ.get("CI"):
            report.outcome = "failed"
            report.longrepr = f"CI allows no skip, but this test was skipped: {reason}"
    return report


def pytest_sessionfinish() -> None:
    """Leave the skips for the summary of `make test`."""
    target = os.environ.get("HUB_TEST_SKIPS")
    if target and SKIPPED:
        with Path(target).open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(entry) + "\n" for entry in SKIPPED)
