# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How long an event loop stands still."""

from __future__ import annotations

import asyncio
import time

#: Seconds between two looks.
PERIOD = 0.002


def waited() -> float:
    """Seconds that this thread has been ready to run and did not; 0 where the kernel does not say.

    Source: https://docs.kernel.org/scheduler/sched-stats.html
    """
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


class Probe:
    """A task that wants to run every two milliseconds and notes how late it is, in seconds by the moment it ran.

    The time for which the loop's thread was ready and other programs had the processor is no stall of the loop's.
    """

    def __init__(self) -> None:
        self.late: list[tuple[float, float]] = []
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        before, waited_before = time.monotonic(), waited()
        while True:
            await asyncio.sleep(PERIOD)
            now, waited_now = time.monotonic(), waited()
            self.late.append((now, now - before - PERIOD - (waited_now - waited_before)))
            before, waited_before = now, waited_now

    def longest(self, since: float = 0, until: float = float("inf")) -> float:
        """The longest stall between two moments of time.monotonic()."""
        return max((late for moment, late in self.late if since <= moment <= until), default=0.0)
