# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Lets KubeSpawner hear again after the cluster's API server was away.

KubeSpawner's reflectors watch pods and events. When the API server is away for more than some 50 seconds, they log
"Watching resources never recovered, giving up" and end for good: the hub stays healthy by its own account, but no
server starts or stops any more. Here they are looked at every few seconds and started again as soon as the API server
answers. Users' servers are not touched.

Source: kubespawner/reflector.py of KubeSpawner 7.1, ``_watch_and_update``; https://github.com/jupyterhub/kubespawner/issues/938.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

log = logging.getLogger("hub_extensions.deaf_watch")

# Seconds: between two looks, and for the API server's answer when a reflector is started again.
PERIOD = 5.0
TIMEOUT = 15.0

_tasks: set[asyncio.Task[None]] = set()


def is_deaf(reflector: Any) -> bool:
    """Whether a reflector has watched and has ended without being asked to."""
    task = reflector.watch_task
    return task is not None and task.done() and not reflector._stopping


class DeafWatch:
    """Looks after reflectors.

    Args:
        reflectors: gives those that there are now, by their keys, as ``KubeSpawner.reflectors`` has them.
        period: seconds between two looks.
    """

    def __init__(self, reflectors: Callable[[], Mapping[Any, Any]], period: float = PERIOD) -> None:
        self.reflectors = reflectors
        self.period = period
        self._deaf_since: dict[Any, float] = {}

    async def look(self) -> None:
        """Start what has ended; what cannot be started is tried again at the next look."""
        deaf = {key: one for key, one in self.reflectors().items() if is_deaf(one)}
        self._deaf_since = {key: since for key, since in self._deaf_since.items() if key in deaf}
        await asyncio.gather(*(self._start(key, one) for key, one in deaf.items()))

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(self.period)
            try:
                await self.look()
            except Exception:
                log.exception("The reflectors cannot be looked at; trying again in %s s.", self.period)

    async def _start(self, key: Any, reflector: Any) -> None:
        if key not in self._deaf_since:
            self._deaf_since[key] = time.monotonic()
            log.error("KubeSpawner stopped watching %s; starting again when the API server answers.", reflector.kind)
        try:
            await asyncio.wait_for(reflector.start(), TIMEOUT)
        except Exception as error:
            log.warning("Watching %s cannot start yet: %s.", reflector.kind, _reason(error))
            return
        seconds = time.monotonic() - self._deaf_since.pop(key)
        log.warning("KubeSpawner watches %s again, %.0f s after it was found deaf.", reflector.kind, seconds)


def start() -> bool:
    """Look after KubeSpawner's reflectors as long as the hub runs; False without a loop, or if that is done already."""
    from kubespawner import KubeSpawner

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    if _tasks:
        return False
    # The dictionary is the class's, shared by those that inherit from it.
    task = loop.create_task(DeafWatch(lambda: dict(KubeSpawner.reflectors)).run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return True


def _reason(error: Exception) -> str:
    """A few words; an API error's own text has a page of headers."""
    status = getattr(error, "status", None)
    return f"the API server answers {status}" if status else str(error).partition("\n")[0] or type(error).__name__
