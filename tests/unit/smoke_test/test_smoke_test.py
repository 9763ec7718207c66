# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _smoke_report, _smoke_settings
from ansible_collections.planetary.hub.plugins.module_utils import _smoke_test as smoke_test
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress
from ansible_collections.planetary.hub.plugins.module_utils._smoke_report import Busy, Failed, Report, Skipped
from ansible_collections.planetary.hub.plugins.module_utils._smoke_settings import Limits, Settings
from ansible_collections.planetary.hub.plugins.module_utils._smoke_test import CHECKS, Check, SmokeTest

LIMITS = Limits(request=1, start=1, cluster=1, worker=1, compute=1, clean_up=1)


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Of a hub that is not there: the port is taken and nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        yield Settings(
            url=url,
            user="ann",
            password="pass-word",
            token="",
            profile="",
            cpu_limit=None,
            memory_limit=None,
            cluster_options={},
            environment={},
            limits=LIMITS,
            proof="",
            gateway=f"{url}services/dask-gateway",
            logs={"hub": "/var/log/hub.log", "proxy": "/var/log/proxy.log"},
        )


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("", None),
        (" ", None),
        ("1024", 1024),
        ("1K", 1024),
        ("512M", 536870912),
        ("1.5G", 1610612736),
        ("2g", 2147483648),
        ("1T", 1099511627776),
    ],
)
def test_byte_count(size: str, count: int | None) -> None:
    assert _smoke_settings.byte_count(size) == count


@pytest.mark.parametrize("size", ["G", "lots", "1GB"])
def test_no_size(size: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        _smoke_settings.byte_count(size)


@pytest.mark.parametrize(("cores", "threads"), [(0.1, 1), (1, 1), (1.9, 1), (2, 2), (8.0, 8)])
def test_expected_threads(cores: float, threads: int) -> None:
    assert smoke_test.expected_threads(cores) == threads


def test_a_check_needs_only_earlier_ones() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen, check.name
        assert check.name not in seen
        seen.add(check.name)


def checks(*statuses: str) -> list[dict[str, Any]]:
    return [
        {"name": f"check_{number}", "status": status, "seconds": 0.5, "message": f"words {number}"}
        for number, status in enumerate(statuses, 1)
    ]


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (["passed", "passed"], "The smoke test passed: 2 checks, 0 skipped."),
        (["passed", "skipped"], "The smoke test passed: 1 checks, 1 skipped."),
        (["passed", "failed"], "The smoke test failed at check 2: words 2; all checks: r.json"),
        (
            ["failed", "skipped", "failed"],
            "The smoke test failed at check 1: words 1 (1 other check failed too); all checks: r.json",
        ),
        (
            ["failed"] * 3,
            "The smoke test failed at check 1: words 1 (2 other checks failed too); all checks: r.json",
        ),
    ],
)
def test_sentence(statuses: list[str], sentence: str) -> None:
    assert Report(checks(*statuses)).sentence("r.json") == sentence


def test_document(settings: Settings) -> None:
    report = Report(checks("passed", "failed"), seconds_to_server=2.5)
    document = _smoke_report.document(settings, report, "ann", "2026-11-22T16:00:00+00:00")
    assert document == json.loads(_smoke_report.as_json(document))
    assert (document["passed"], document["seconds"], document["user"]) == (False, 1.0, "ann")
    assert (document["seconds_to_server"], document["seconds_to_worker"]) == (2.5, None)
    assert "pass-word" not in _smoke_report.as_json(document)


def test_present() -> None:
    assert _smoke_report.present("the worker", ["A", "B"], []) == "the worker has A, B"
    with pytest.raises(Failed, match="the worker lacks B"):
        _smoke_report.present("the worker", ["A", "B"], ["B"])


def test_without_a_hub_one_check_fails_and_the_others_say_why_not(settings: Settings) -> None:
    report = SmokeTest(settings, Progress()).run()
    outcome = {check["name"]: (check["status"], check["message"]) for check in report.checks}
    assert list(outcome) == [check.name for check in CHECKS] + ["clean_up"]
    assert outcome["sign_in"] == (
        "failed",
        f"GET {settings.url}hub/login got no answer: connection refused (log of hub: /var/log/hub.log)",
    )
    assert outcome["server"] == ("skipped", "needs clean start, which did not pass")
    assert outcome["clean_up"] == ("passed", "")
    assert {check["status"] for check in report.checks[1:-1]} == {"skipped"}


def raising(error: BaseException) -> Any:
    def look(_: SmokeTest) -> str:
        raise error

    return look


@pytest.mark.parametrize(
    ("look", "status", "message"),
    [
        (lambda _: "fine", "passed", "fine"),
        (raising(Failed("a sentence.")), "failed", "a sentence (log of hub: /var/log/hub.log)"),
        (raising(Skipped("nothing named")), "skipped", "nothing named"),
        (
            raising(KeyError("url")),
            "failed",
            "an answer was not understood (KeyError: 'url') (log of hub: /var/log/hub.log)",
        ),
        (raising(Failed("not pass-word")), "failed", "not ******** (log of hub: /var/log/hub.log)"),
    ],
)
def test_outcomes(settings: Settings, monkeypatch: pytest.MonkeyPatch, look: Any, status: str, message: str) -> None:
    monkeypatch.setattr(smoke_test, "CHECKS", (Check("only", look),))
    first = SmokeTest(settings, Progress()).run().checks[0]
    assert (first["status"], first["message"]) == (status, message)


def test_an_interrupt_is_reported_and_cleaned_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    three = (
        Check("first", lambda _: ""),
        Check("second", raising(SystemExit(1))),
        Check("third", lambda _: ""),
    )
    monkeypatch.setattr(smoke_test, "CHECKS", three)
    report = SmokeTest(settings, Progress()).run()
    assert [(check["name"], check["status"]) for check in report.checks] == [
        ("first", "passed"),
        ("second", "skipped"),
        ("third", "skipped"),
        ("run", "failed"),
        ("clean_up", "passed"),
    ]
    assert report.failed[0]["message"] == "the test was stopped before its end: it was interrupted"


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        _smoke_report.exclusive(tmp_path, 1, Progress()),
        pytest.raises(Busy, match="has not ended for 1 s"),
        _smoke_report.exclusive(tmp_path, 1, Progress()),
    ):
        pass
    with _smoke_report.exclusive(tmp_path, 1, Progress()):
        pass


def test_write_leaves_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    for text in ("first", "second"):
        _smoke_report.write(target, text)
    assert target.read_text() == "second"
    assert list(tmp_path.iterdir()) == [target]
