# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Ask all sources for a user's variables: side by side, each once, within its time limit, remembered for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub_extensions.user_environment_sources import build
from hub_extensions.user_environment_sources.base import SourceError
from hub_extensions.user_environment_sources.http import Http

log = logging.getLogger(__name__)

REFUSE = "refuse"
# A source gives up a little earlier than it is ended, so that it can say what it waited for.
OWN_PART = 0.9


@dataclass
class Gathered:
    """What came of it.

    Args:
        values: what the sources answered.
        unknown: variables of sources that could not say: what is known of them from before stays.
        refused: names of the sources without which no server may start.
    """

    values: dict[str, str] = field(default_factory=dict, repr=False)
    unknown: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def merged(self, known: Mapping[str, str]) -> dict[str, str]:
        """What is to be kept for the user, given what was kept before."""
        return {**{name: value for name, value in known.items() if name in self.unknown}, **self.values}


class Gatherer:
    """The sources of a hub. Lives on one event loop.

    Args:
        entries: content of user_environment_sources.json.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.entries = entries
        self._http = Http()
        self._sources = [build(entry, self._http) for entry in entries]
        self._cache: dict[tuple[int, str], tuple[float, dict[str, str]]] = {}
        self._asking: dict[tuple[int, str], asyncio.Task[dict[str, str]]] = {}

    async def gather(self, user: str) -> Gathered:
        """Ask all sources for a user; each failure is one line in the log."""
        found = Gathered()
        answers = await asyncio.gather(*(self._one(index, user) for index in range(len(self.entries))))
        for entry, answer in zip(self.entries, answers, strict=True):
            if not isinstance(answer, SourceError):
                found.values.update(answer)
                continue
            if not answer.lasting:
                found.unknown.update(entry["variables"])
            if entry["on_failure"] == REFUSE:
                found.refused.append(entry["name"])
        return found

    async def close(self) -> None:
        """End what goes on and close all connections."""
        for task in self._asking.values():
            task.cancel()
        await self._http.close()

    async def _one(self, index: int, user: str) -> dict[str, str] | SourceError:
        """The answer of one source; a failure is logged and returned."""
        key, entry = (index, user), self.entries[index]
        now = asyncio.get_running_loop().time()
        until, known = self._cache.get(key, (0.0, {}))
        if now < until:
            return known
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(index, user))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
            # Nobody may be left to hear of it: the start of a server can be cancelled.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            # Who waits may be cancelled; who else waits still gets the answer.
            return await asyncio.shield(task)
        except SourceError as error:
            seconds = asyncio.get_running_loop().time() - now
            log.warning(
                "No variables from the source %s for the user %s after %.1f s: %s; %s.",
                *(entry["name"], user, seconds, error),
                "the server does not start" if entry["on_failure"] == REFUSE else "the server starts without",
            )
            return error

    async def _ask(self, index: int, user: str) -> dict[str, str]:
        """Ask a source and remember its answer."""
        entry, clock = self.entries[index], asyncio.get_running_loop().time
        limit = float(entry["timeout"])
        try:
            async with asyncio.timeout(limit):
                values = await self._sources[index].fetch(user, clock() + limit * OWN_PART)
        except TimeoutError:
            raise SourceError(f"no answer within {limit:g} s") from None
        except (SourceError, asyncio.CancelledError):
            raise
        except Exception as error:
            # Whatever it is, a server's start does not depend on it; its text may hold anything.
            raise SourceError(f"it failed with {type(error).__name__}") from None
        for name, value in values.items():
            if not isinstance(value, str) or not value or "\0" in value:
                raise SourceError(f"{name} is no text that a variable can hold, or empty", lasting=True)
        self._remember((index, user), values, clock() + float(entry["cache"]))
        return values

    def _remember(self, key: tuple[int, str], values: dict[str, str], until: float) -> None:
        now = asyncio.get_running_loop().time()
        for old in [old for old, (end, _values) in self._cache.items() if end <= now]:
            del self._cache[old]
        if until > now:
            self._cache[key] = (until, values)
