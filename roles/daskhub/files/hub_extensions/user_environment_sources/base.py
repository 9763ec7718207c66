# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What every source is, and how one fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    from hub_extensions.user_environment_sources.http import Http


class SourceError(Exception):
    """A source has no values for a user.

    Args:
        problem: one sentence for the log, without values of secrets.
        lasting: the answer is that there are none (any more), rather than that nobody could say.
    """

    def __init__(self, problem: str, lasting: bool = False) -> None:
        super().__init__(problem)
        self.lasting = lasting


class Source(Protocol):
    """Gets variables for a user.

    Args:
        entry: its entry in user_environment_sources.json, with all defaults.
        http: connections that all sources share.
    """

    def __init__(self, entry: Mapping[str, Any], http: Http) -> None: ...

    async def fetch(self, user: str, until: float) -> dict[str, str]:
        """The variables of a user, by name.

        Args:
            user: the user's name, as the hub knows it.
            until: when the time is up, on the clock of the event loop; who calls ends it then.

        Raises:
            SourceError: there are none.
        """


def filled(pattern: str, fields: Mapping[str, Any], escape: bool = False) -> str:
    """A pattern with its ``{fields}`` filled in; ``escape`` writes them for a URL's path.

    Raises:
        SourceError: the pattern names a field that is missing or no plain value.

    >>> filled("{pk}-planetarycomputer", {"pk": 7})
    '7-planetarycomputer'
    >>> filled("https://id.example.org/users/{user}/", {"user": "a+b/c@example.org"}, escape=True)
    'https://id.example.org/users/a%2Bb%2Fc%40example.org/'
    """

    def field(match: re.Match[str]) -> str:
        value = fields.get(match[1])
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise SourceError(f"the answer of the identity service has no field {match[1]}")
        return quote(str(value), safe="") if escape else str(value)

    return re.sub(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", field, pattern)


async def side_by_side(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """The results of all calls; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
