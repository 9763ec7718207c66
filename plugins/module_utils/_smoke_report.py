# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What came of the smoke test's checks: outcomes, figures, sentence and files; one run at a time writes them."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._smoke_settings import Settings


class Failed(Exception):
    """What a check saw instead of what it should, in one sentence."""


class Skipped(Exception):
    """Why a check has nothing to look at."""


class Busy(Exception):
    """Another run does not end."""


@dataclass
class Report:
    """What came of the checks."""

    checks: list[dict[str, Any]] = field(default_factory=list)
    seconds_to_server: float | None = None
    seconds_to_worker: float | None = None

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [check for check in self.checks if check["status"] == "failed"]

    def add(self, name: str, status: str, seconds: float, message: str) -> None:
        self.checks.append({"name": name, "status": status, "seconds": round(seconds, 3), "message": message})

    def sentence(self, json_file: str) -> str:
        """The whole result in one sentence."""
        if not self.failed:
            passed = sum(check["status"] == "passed" for check in self.checks)
            return f"The smoke test passed: {passed} checks, {len(self.checks) - passed} skipped."
        first = self.failed[0]
        more = len(self.failed) - 1
        others = f" ({more} other check{'s' if more > 1 else ''} failed too)" if more else ""
        return f"The smoke test failed at {title(first['name'])}: {first['message']}{others}; all checks: {json_file}"


def present(where: str, names: Sequence[str], missing: Sequence[str]) -> str:
    if missing:
        raise Failed(f"{where} lacks {', '.join(missing)}")
    return f"{where} has {', '.join(names)}"


def title(name: str) -> str:
    """A check's name for people."""
    return name.replace("_", " ")


def document(settings: Settings, report: Report, user: str, started: str) -> dict[str, Any]:
    """The results as JSON: what was tested, the figures, the checks."""
    return {
        "passed": not report.failed,
        "url": settings.url,
        "user": user,
        "profile": settings.profile,
        "started": started,
        "seconds": round(sum(check["seconds"] for check in report.checks), 3),
        "seconds_to_server": report.seconds_to_server,
        "seconds_to_worker": report.seconds_to_worker,
        "checks": report.checks,
    }


def write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


@contextmanager
def exclusive(directory: Path, limit: float, progress: Progress) -> Iterator[None]:
    """One run at a time with these results: an abandoned one may still be cleaning up.

    :param limit: seconds to wait for the other one
    :raises Busy: when it does not end
    """
    with open(directory / ".smoke-test.lock", "w", encoding="utf-8") as lock:
        wait = Wait(limit, "waiting for the end of another smoke test", progress, every=5)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not wait.pause():
                    raise Busy(
                        f"another smoke test with results in {directory} has not ended for {limit:.0f} s"
                    ) from None
        yield


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
