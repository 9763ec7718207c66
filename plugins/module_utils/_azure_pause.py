# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The wait of a module that only asks Azure: it says what it waits for, and ends with the play."""

from __future__ import annotations

import time
from threading import Lock

from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress

EVERY = 10.0  # seconds between two lines of the same reason
LOOK = 0.5  # seconds between two looks at whether the play still lives


class SpokenPause:
    """An ``_azure_client.Pause`` for all requests of a module, from many threads.

    :param progress: where the lines go
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = Lock()
        self._begun = time.monotonic()
        self._said: tuple[str, float] = ("", 0.0)

    def __call__(self, seconds: float, reason: str) -> None:
        """Wait.

        :raises Abandoned: when the play is gone
        """
        self._say(reason)
        end = time.monotonic() + seconds
        while True:
            self._progress.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK))

    def _say(self, reason: str) -> None:
        with self._lock:
            now = time.monotonic()
            before, when = self._said
            if reason and (reason != before or now - when >= EVERY):
                self._said = (reason, now)
                self._progress.say(f"waits, {reason} ({now - self._begun:.0f} s)")
