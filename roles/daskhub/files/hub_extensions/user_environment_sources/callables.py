# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A function of the operator's own."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hub_extensions.user_environment_sources.base import SourceError

if TYPE_CHECKING:
    from hub_extensions.user_environment_sources.http import Http

# Threads of their own, so that a function that hangs takes none from the hub.
THREADS = 8


class Callable:
    """user -> function(user) -> mapping.

    Args:
        entry: function ("module:function", plain or a coroutine; a plain one runs in a thread), variables
            ({NAME: key of the mapping}).
        http: not used.
    """

    def __init__(self, entry: Mapping[str, Any], http: Http) -> None:  # noqa: ARG002
        self._entry = entry
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="user-environment")

    async def fetch(self, user: str, until: float) -> dict[str, str]:  # noqa: ARG002
        name = self._entry["function"]
        run = asyncio.get_running_loop().run_in_executor
        try:
            function = await run(self._threads, _imported, name)
            if inspect.iscoroutinefunction(function):
                found = await function(user)
            else:
                found = await run(self._threads, function, user)
        except SourceError:
            raise
        except Exception as error:
            # Its text is not ours and may hold anything.
            raise SourceError(f"{name} failed ({type(error).__name__})") from None
        if not isinstance(found, Mapping):
            raise SourceError(f"{name} returned no mapping")
        for key in self._entry["variables"].values():
            if key not in found:
                raise SourceError(f"{name} returned no {key}", lasting=True)
        return {variable: found[key] for variable, key in self._entry["variables"].items()}


def _imported(name: str) -> Any:
    module, _colon, function = name.partition(":")
    return getattr(importlib.import_module(module), function)
