# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Checks as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

# XML 1.0 has no way to write these, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def printable(text: str) -> str:
    """The text without terminal colours and characters that XML cannot hold."""
    return FORBIDDEN.sub("", ESCAPE_SEQUENCE.sub("", text))


def junit_xml(suite: str, classname: str, timestamp: str, checks: Sequence[Mapping[str, Any]]) -> str:
    """One test suite with one test case a check.

    :param suite: the suite's name
    :param classname: what was tested (the hub's URL)
    :param timestamp: when it began, ISO 8601
    :param checks: ``[{name, status: passed|failed|skipped, seconds, message}]``
    """
    counts = {status: sum(check["status"] == status for check in checks) for status in ("failed", "skipped")}
    total = sum(check["seconds"] for check in checks)
    totals = {
        "tests": str(len(checks)),
        "failures": str(counts["failed"]),
        "errors": "0",
        "skipped": str(counts["skipped"]),
        "time": f"{total:.3f}",
    }
    root = ElementTree.Element("testsuites", totals)
    element = ElementTree.SubElement(root, "testsuite", {"name": printable(suite), "timestamp": timestamp, **totals})
    for check in checks:
        case = ElementTree.SubElement(
            element,
            "testcase",
            {
                "classname": printable(classname),
                "name": printable(check["name"]),
                "time": f"{check['seconds']:.3f}",
            },
        )
        message = printable(check["message"])
        if check["status"] == "failed":
            ElementTree.SubElement(case, "failure", {"message": message}).text = message
        elif check["status"] == "skipped":
            ElementTree.SubElement(case, "skipped", {"message": message})
        elif message:
            ElementTree.SubElement(case, "system-out").text = message
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
