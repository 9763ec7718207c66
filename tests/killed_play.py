# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Plays that are killed: Ansible, its workers and the module that runs, at a task or when something was written."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from stand_in import ROOT, StandIn

#: Seconds for a play to come as far as it shall, and for what it leaves behind to end.
LIMIT = 600
#: Seconds between two looks at a play.
INTERVAL = 0.02


class Play:
    """A play under way.

    :ivar log: what it prints
    """

    def __init__(self, stand_in: StandIn, log: Path, *words: str) -> None:
        self.stand_in = stand_in
        self.log = log
        self.mark = f"HUB_TEST_PLAY={uuid.uuid4()}"
        self.begin = time.time()
        environment = {**os.environ, **stand_in.env, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        name, _, value = self.mark.partition("=")
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("ansible-playbook")), *words],
                cwd=ROOT,
                env={**environment, name: value},
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """What it has printed."""
        return self.log.read_text(encoding="utf-8")

    def tasks(self) -> list[str]:
        """The tasks that it has begun."""
        return re.findall(r"^TASK \[(.*)\] \*", self.said(), re.M)

    def writes(self) -> list[str]:
        """The requests by which it has changed something, as method and id."""
        calls = self.stand_in.dial("GET", f"/calls?since={self.begin}")
        methods = ("PUT", "PATCH", "DELETE")
        return [
            f"{call['method']} {call['id']}"
            for call in calls
            if call["kind"] == "request" and call["method"] in methods
        ]

    def processes(self) -> list[int]:
        """Ansible, its workers and the module that runs."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if self._owns(path)]

    def kill(self) -> None:
        """SIGKILL to all that belongs to it; what is about to start dies too."""
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(INTERVAL)

    def kill_ansible(self) -> None:
        """SIGKILL to Ansible alone; what it leaves behind notices, and ends by itself."""
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + LIMIT
        while self.processes():
            assert time.monotonic() < end, f"these go on after the end of their play: {self.processes()}"
            time.sleep(INTERVAL)

    def _owns(self, path: Path) -> bool:
        with contextlib.suppress(OSError):
            # A process that has ended has no environment any more.
            return self.mark.encode() in (path / "environ").read_bytes()
        return False

    def killed(self, when: Callable[[Play], bool], alone: bool = False) -> bool:
        """Kill it once it has come so far; whether it did, or else has gone through. ``alone``: only Ansible."""
        try:
            while self.process.poll() is None:
                if when(self):
                    if alone:
                        self.kill_ansible()
                    return True
                assert time.time() < self.begin + LIMIT, self.said()[-6000:]
                time.sleep(INTERVAL)
        finally:
            self.kill()
        assert self.process.returncode == 0, self.said()[-6000:]
        return False


def at_task(name: str) -> Callable[[Play], bool]:
    """Before a task, of this whole name without its role, has done anything."""
    return lambda play: any(task.rpartition(" : ")[2] == name for task in play.tasks())


def after_write(end: str = "") -> Callable[[Play], bool]:
    """When the write of an id that ends so was answered, or any; what it has begun is under way."""
    return lambda play: any(write.endswith(end) for write in play.writes())
