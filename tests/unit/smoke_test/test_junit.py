# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._junit import junit_xml, printable

CHECKS = [
    {"name": "sign_in", "status": "passed", "seconds": 0.25, "message": "as <smoke-test>"},
    {"name": "server", "status": "failed", "seconds": 1.5, "message": 'no "server" & no \x1b[31mreason\x1b[0m\x00'},
    {"name": "kernel", "status": "skipped", "seconds": 0.0, "message": "needs server, which did not pass"},
    {"name": "clean_up", "status": "passed", "seconds": 1.0, "message": ""},
]


@pytest.fixture
def suite() -> ElementTree.Element:
    text = junit_xml("smoke test", "https://hub.example.org/", "2026-11-22T16:00:00+00:00", CHECKS)
    assert text.startswith("<?xml version=")
    root = ElementTree.fromstring(text)  # noqa: S314 (our own)
    assert root.tag == "testsuites"
    found = root.find("testsuite")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("tests", "4"), ("failures", "1"), ("skipped", "1"), ("errors", "0"), ("time", "2.750"), ("name", "smoke test")],
)
def test_counts(suite: ElementTree.Element, attribute: str, value: str) -> None:
    assert suite.get(attribute) == value


@pytest.mark.parametrize(
    ("name", "outcome", "message"),
    [
        ("sign_in", "system-out", "as <smoke-test>"),
        ("server", "failure", 'no "server" & no reason'),
        ("kernel", "skipped", "needs server, which did not pass"),
    ],
)
def test_a_case_has_its_outcome(suite: ElementTree.Element, name: str, outcome: str, message: str) -> None:
    case = suite.find(f"testcase[@name='{name}']")
    assert case is not None
    (child,) = case
    assert child.tag == outcome
    assert (child.get("message") or child.text) == message
    assert case.get("classname") == "https://hub.example.org/"


def test_a_passed_case_without_a_message_is_empty(suite: ElementTree.Element) -> None:
    case = suite.find("testcase[@name='clean_up']")
    assert case is not None
    assert list(case) == []
    assert case.get("time") == "1.000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("ü ☃ 🎉\ttab\nline", "ü ☃ 🎉\ttab\nline"),
        ("\x1b[0;31mred\x1b[0m", "red"),
        ("nul\x00 bell\x07 \ufffe", "nul bell "),
        ("\ud800", ""),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
