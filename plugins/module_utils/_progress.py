# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The module's side of a long task: say what happens, notice when nobody listens any more.

The action plugin (`plugin_utils/_progress.py`) creates the file, holds a lock on it for as long as the play lives, and
shows every line that appears in it.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable


class Abandoned(Exception):
    """The play that started this task is gone (killed, or its terminal closed)."""


class Progress:
    """Lines for people, written to a file that the action plugin follows.

    :param file: the file made by the action plugin; empty: nobody listens, lines go nowhere
    """

    def __init__(self, file: str = "") -> None:
        self._file = file

    def unattended(self) -> Progress:
        """The same listener, whose end no longer stops the work."""
        return Unattended(self._file)

    def say(self, line: str) -> None:
        if not self._file:
            return
        try:
            with open(self._file, "a", encoding="utf-8") as stream:
                stream.write(" ".join(line.split()) + "\n")
        except OSError:
            # Without a listener the work goes on; check() decides when to stop.
            return

    def check(self) -> None:
        """Raise :class:`Abandoned` when the play has ended without this task."""
        if not self._file:
            return
        try:
            with open(self._file, "rb") as stream:
                # The play holds the lock; the kernel frees it even when the play is killed.
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            pass
        raise Abandoned("the play that ran it has ended")


class Unattended(Progress):
    """For clean-up, which goes on when the play is gone."""

    def check(self) -> None:
        return


class Wait:
    """A wait with a limit, which says every few seconds what it waits for.

    :param seconds: the limit
    :param what: what is waited for, for the lines
    :param progress: where the lines go
    :param every: seconds between two lines
    """

    def __init__(
        self,
        seconds: float,
        what: str,
        progress: Progress,
        every: float = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._what = what
        self._progress = progress
        self._every = every
        self._start = self._said = clock()
        self.limit = seconds

    @property
    def passed(self) -> float:
        """Seconds since the wait began."""
        return self._clock() - self._start

    @property
    def left(self) -> float:
        """Seconds until the limit, never below zero."""
        return max(0.0, self.limit - self.passed)

    def tick(self) -> bool:
        """Say that the wait goes on, if it is time to.

        :returns: whether there is time left
        :raises Abandoned: when the play is gone
        """
        self._progress.check()
        if self._clock() - self._said >= self._every:
            self._said = self._clock()
            self._progress.say(f"{self._what} … ({self.passed:.0f} s)")
        return self.left > 0

    def pause(self, seconds: float = 0.5) -> bool:
        """:meth:`tick`, then sleep, never beyond the limit."""
        more = self.tick()
        time.sleep(min(seconds, self.left))
        return more
