# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Writes that Azure refuses to begin side by side, though it works on many of them at once."""

from __future__ import annotations

import threading
from collections import defaultdict

from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import LOOK, Task


class Turns:
    """One lock for each key, such as a virtual network."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def turn(self, key: str) -> Turn:
        """The turn of one write; with an empty key it is always its turn."""
        return Turn(self._locks[key] if key else None)


class Turn:
    """Held from the first try until Azure accepts the write, so that the others need not try in vain."""

    def __init__(self, lock: threading.Lock | None) -> None:
        self._lock = lock
        self._held = False

    def take(self, task: Task) -> None:
        """Wait for it.

        :raises Stopped: when the run ends
        """
        if self._lock is None or self._held:
            return
        while not self._lock.acquire(timeout=LOOK):
            task.pause(0, "another one on the same network is being begun")
        self._held = True

    def give(self) -> None:
        """Let the next one begin."""
        if self._lock is not None and self._held:
            self._held = False
            self._lock.release()
