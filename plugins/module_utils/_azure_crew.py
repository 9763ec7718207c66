# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Work side by side: each piece starts once what it needs is done, a bounded number at once, and says how it goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress

LOOK = 0.5  # seconds between two looks whether the play still lives
EVERY = 10.0  # seconds between two lines that list what is running


class Stopped(Exception):
    """A piece of work was given up because the run ends."""


class OutOfTime(Exception):
    """The time for the whole run is over, in a few words."""


@dataclass(frozen=True)
class Job:
    """A piece of work.

    :ivar work: does it; what it returns is its result
    :ivar needs: names of the jobs that have to be done before
    :ivar locks: what it must have for itself; asked when its needs are done
    """

    name: str
    work: Callable[[Task], Any]
    needs: frozenset[str] = frozenset()
    locks: Callable[[], frozenset[str]] = frozenset


@dataclass
class Outcome:
    """How the jobs ended, by name."""

    results: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    not_started: list[str] = field(default_factory=list)


class Task:
    """A job at work: what it tells, and how it waits."""

    def __init__(self, name: str, crew: Crew) -> None:
        self.name = name
        self.doing = ""  # empty: nothing worth a line
        self.waits = ""
        self._crew = crew
        self._start = time.monotonic()
        self._said = ""

    @property
    def passed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds until the whole run's end."""
        return max(0.0, self._crew.end - time.monotonic())

    def begin(self, doing: str) -> None:
        """Say what is begun, such as "creating"."""
        self.doing = doing
        self._crew.progress.say(f"{self.name}: {doing}")

    def finish(self, done: str) -> None:
        """Say what is done, such as "created", and how long it took."""
        if self.doing:
            self._crew.progress.say(f"{self.name}: {done} in {self.passed:.0f} s")

    def pause(self, seconds: float, reason: str) -> None:
        """Wait; a reason is worth a line, once.

        :raises Stopped: when the run ends
        """
        if reason and reason != self._said:
            self._said = reason
            self._crew.progress.say(f"{self.name}: waits, {reason}")
        self.waits = reason
        self._crew.rest(min(seconds, self.left + LOOK))
        self.waits = ""

    def again(self, seconds: float, reason: str) -> None:
        """:meth:`pause` before a new try, which is not worth it when another job has failed."""
        if self._crew.failing:
            raise Stopped
        self.pause(seconds, reason)
        if self._crew.failing:
            raise Stopped

    def state(self) -> str:
        return f"{self.name} {self.doing} {self.passed:.0f} s" + (f" ({self.waits})" if self.waits else "")


class Crew:
    """Runs jobs in threads.

    :param parallel: jobs at once
    :param timeout: seconds for everything that it runs, counted from now
    :param progress: where the lines go
    """

    def __init__(self, parallel: int, timeout: float, progress: Progress) -> None:
        self.progress = progress
        self.timeout = timeout
        self.end = time.monotonic() + timeout
        self.failing = False
        self._quit = threading.Event()
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="azure")
        self._parallel = parallel

    def rest(self, seconds: float) -> None:
        """Sleep, as long as the run goes on."""
        if self._quit.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Let everything end where it is."""
        self._quit.set()

    def close(self) -> None:
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def run(self, jobs: Iterable[Job], give_up: Callable[[Exception], bool]) -> Outcome:
        """Run all jobs; after an error for which ``give_up`` is true no further one is started.

        When the time is over, what still runs has failed with :class:`OutOfTime`.

        :raises Abandoned: the play is gone
        """
        return _Run(self, list(jobs), give_up).to_the_end()

    def submit(self, job: Job, task: Task) -> Future[Any]:
        return self._pool.submit(job.work, task)

    @property
    def slots(self) -> int:
        return self._parallel


class _Run:
    """One run of jobs."""

    def __init__(self, crew: Crew, jobs: list[Job], give_up: Callable[[Exception], bool]) -> None:
        self.crew = crew
        self.waiting = {job.name: job for job in jobs}
        self.open = set(self.waiting)
        self.running: dict[Future[Any], tuple[Job, Task, frozenset[str]]] = {}
        self.held: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.give_up = give_up
        self.outcome = Outcome()
        self.listed = time.monotonic()

    def to_the_end(self) -> Outcome:
        try:
            while self.waiting or self.running:
                if not self.crew.failing:
                    self._start_ready()
                if not self.running:
                    break
                finished, _running = wait(self.running, timeout=LOOK, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(future)
                self._look()
        except OutOfTime as error:
            self.crew.stop()
            self.outcome.errors |= {job.name: error for job, _task, _locks in self.running.values()}
        except BaseException:
            self.crew.stop()
            raise
        self.outcome.not_started = list(self.waiting)
        return self.outcome

    def _start_ready(self) -> None:
        for job in list(self.waiting.values()):
            if len(self.running) >= self.crew.slots:
                return
            if job.needs & self.open:
                continue
            locks = job.locks()
            holder = next((self.held[lock] for lock in locks if lock in self.held), None)
            if holder is not None:
                if job.name not in self.blocked:
                    self.blocked.add(job.name)
                    self.crew.progress.say(f"{job.name}: waits for {holder}, Azure takes these one at a time")
                continue
            del self.waiting[job.name]
            self.held |= dict.fromkeys(locks, job.name)
            task = Task(job.name, self.crew)
            self.running[self.crew.submit(job, task)] = (job, task, locks)

    def _take(self, future: Future[Any]) -> None:
        job, _task, locks = self.running.pop(future)
        for lock in locks:
            del self.held[lock]
        error = future.exception()
        if error is None:
            self.outcome.results[job.name] = future.result()
            self.open.discard(job.name)
        elif isinstance(error, Exception):
            self.outcome.errors[job.name] = error
            if self.give_up(error):
                self.crew.failing = True
            else:
                self.open.discard(job.name)
        else:
            raise error

    def _look(self) -> None:
        """Notice the end of the play and of the time; say what goes on."""
        self.crew.progress.check()
        now = time.monotonic()
        if now >= self.crew.end:
            raise OutOfTime(f"it was not finished after {self.crew.timeout:.0f} s")
        if now - self.listed < EVERY:
            return
        self.listed = now
        states = [task.state() for _job, task, _locks in self.running.values() if task.doing or task.waits]
        if states:
            self.crew.progress.say(f"running: {', '.join(states)}")
