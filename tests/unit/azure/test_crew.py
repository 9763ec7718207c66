# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Work side by side: order, bounds, siblings, failures, time, and what is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _azure_crew as crews
from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import Crew, Job, OutOfTime, Stopped, Task
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress


class Lines(Progress):
    """Remembers what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@contextmanager
def crew_of(parallel: int = 4, timeout: float = 20) -> Iterator[tuple[Crew, list[str]]]:
    lines = Lines()
    crew = Crew(parallel, timeout, lines)
    try:
        yield crew, lines.lines
    finally:
        crew.close()


def job(name: str, work: Callable[[Task], Any], needs: Iterable[str] = (), lock: str = "") -> Job:
    return Job(name, work, frozenset(needs), lambda: frozenset([lock] if lock else []))


def always(_error: Exception) -> bool:
    return True


def test_a_job_starts_when_what_it_needs_is_done() -> None:
    order: list[str] = []
    started = threading.Event()

    def slow(_task: Task) -> None:
        assert started.wait(10), "the job that needs nothing of this one has not begun"
        order.append("slow")

    def last(_task: Task) -> None:
        order.append("after quick")
        started.set()

    jobs = [
        job("after slow", lambda _: order.append("after slow"), ["slow"]),
        job("slow", slow),
        job("after quick", last, ["quick"]),
        job("quick", lambda _: order.append("quick")),
    ]
    with crew_of() as (crew, _):
        outcome = crew.run(jobs, always)
    assert order == ["quick", "after quick", "slow", "after slow"]
    assert outcome.errors == {}


@pytest.mark.parametrize(("parallel", "lock", "most"), [(3, "", 3), (8, "", 6), (8, "one", 1)])
def test_bounds_and_siblings(parallel: int, lock: str, most: int) -> None:
    running, seen, guard = 0, 0, threading.Lock()

    def work(task: Task) -> None:
        nonlocal running, seen
        with guard:
            running += 1
            seen = max(seen, running)
        task.pause(0.1, "")
        with guard:
            running -= 1

    with crew_of(parallel) as (crew, lines):
        crew.run([job(f"job{number}", work, lock=lock) for number in range(6)], always)
    assert seen == most
    assert bool([line for line in lines if "waits for job0, Azure takes these one at a time" in line]) is bool(lock)


def test_after_a_failure_what_runs_is_followed_and_nothing_starts() -> None:
    failed = threading.Event()

    def fails(_task: Task) -> None:
        failed.set()
        raise ValueError("no")

    def followed(task: Task) -> str:
        failed.wait(10)
        while not crew.failing:
            time.sleep(0.01)
        task.pause(0.05, "")
        return "to its end"

    def again(task: Task) -> None:
        failed.wait(10)
        while not crew.failing:
            time.sleep(0.01)
        task.again(10, "refused")

    jobs = [
        job("followed", followed),
        job("fails", fails),
        job("again", again),
        job("after", lambda _: None, ["fails"]),
        job("beside", lambda _: None, ["followed"]),
    ]
    with crew_of() as (crew, _):
        start = time.monotonic()
        outcome = crew.run(jobs, always)
    assert time.monotonic() - start < 5
    assert outcome.results == {"followed": "to its end"}
    assert {name: type(error) for name, error in outcome.errors.items()} == {"fails": ValueError, "again": Stopped}
    assert outcome.not_started == ["after", "beside"]


def test_the_time_is_over() -> None:
    with crew_of(timeout=0.2) as (crew, _):
        outcome = crew.run(
            [job("long", lambda task: task.pause(30, "")), job("next", lambda _: None, ["long"])], always
        )
    assert isinstance(outcome.errors["long"], OutOfTime)
    assert outcome.not_started == ["next"]


def test_what_runs_is_listed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "EVERY", 0.1)
    monkeypatch.setattr(crews, "LOOK", 0.05)

    def work(task: Task) -> None:
        task.begin("creating")
        task.pause(0.4, "Azure is busy")
        task.finish("created")

    with crew_of() as (crew, lines):
        crew.run([job("network", work)], always)
    assert lines[:2] == ["network: creating", "network: waits, Azure is busy"]
    assert "running: network creating 0 s (Azure is busy)" in lines
    assert lines[-1] == "network: created in 0 s"


def test_a_play_that_is_gone_ends_everything(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.touch()  # nobody holds its lock
    crew = Crew(2, 20, Progress(str(path)))
    ended = threading.Event()

    def work(task: Task) -> None:
        try:
            task.pause(30, "")
        except Stopped:
            ended.set()
            raise

    with pytest.raises(Abandoned):
        crew.run([job("long", work)], always)
    assert ended.wait(5)
    crew.close()
