# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Writes that Azure refuses to begin side by side, though it works on many of them at once."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import LOOK, Task

# Seconds from one accepted write to the next try. How long Azure minds is not documented, so it is found out: longer
# after a refusal, a little shorter after none.
LEAST, MOST = 0.1, 15.0
LONGER, SHORTER = 1.5, 0.9


class _Lane:
    """What the writes of one key share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.gap = 0.0
        self.given = 0.0  # time.monotonic() at which the last one was accepted

    def refused(self) -> None:
        self.gap = min(MOST, max(LEAST, self.gap * LONGER))

    def accepted(self) -> None:
        self.gap *= SHORTER


class Turns:
    """One lane for each key, such as a virtual network."""

    def __init__(self) -> None:
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)

    def turn(self, key: str) -> Turn:
        """The turn of one write; with an empty key it is always its turn."""
        return Turn(self._lanes[key] if key else None)


class Turn:
    """Held from the first try until Azure accepts the write, so that the others need not try in vain."""

    def __init__(self, lane: _Lane | None) -> None:
        self._lane = lane
        self._held = False
        self._refused = False

    def take(self, task: Task) -> None:
        """Wait for it.

        :raises Stopped: when the run ends
        """
        if self._lane is None or self._held:
            return
        while not self._lane.lock.acquire(timeout=LOOK):
            task.pause(0, "another one on the same network is being begun")
        self._held = True
        wait = self._lane.given + self._lane.gap - time.monotonic()
        if wait > 0:
            task.pause(wait, "another one on the same network is being begun")

    def refused(self) -> None:
        """Azure minded that another one had just been begun."""
        if self._lane is not None and self._held and not self._refused:
            self._refused = True
            self._lane.refused()

    def give(self) -> None:
        """Let the next one begin."""
        if self._lane is None or not self._held:
            return
        self._held = False
        if not self._refused:
            self._lane.accepted()
        self._lane.given = time.monotonic()
        self._lane.lock.release()
