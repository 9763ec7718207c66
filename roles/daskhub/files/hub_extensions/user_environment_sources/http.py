# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""HTTP for sources: on the hub's event loop, with retries, never waiting longer than it was given."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from hub_extensions import certificates
from hub_extensions.user_environment_sources.base import SourceError

log = logging.getLogger(__name__)

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
# Seconds.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# No answer that is meant is longer, and JSON is read on the event loop.
LARGEST_ANSWER = 2**20
# Seconds between the beginnings of two requests: what fifty beginnings and fifty answers at once ask of the event loop
# would keep it from everybody else, and here it comes bit by bit.
PACE = 0.003
# An attempt takes at most this part of what is left of the time, so that a connection that hangs is tried anew.
PART = 0.6


class Status(SourceError):
    """An answer that is no success.

    Args:
        who: the service asked, for the sentence.
        status: the HTTP status.
    """

    def __init__(self, who: str, status: int) -> None:
        super().__init__(f"{who} answered {status}")
        self.status = status


class Http:
    """One session for all sources of a hub, made on its event loop.

    Proxies and CA bundles come from the hub's environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, SSL_CERT_FILE).
    It keeps no cookies: a session that a service began for one user would speak for the next.
    """

    def __init__(self) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted()), cookie_jar=aiohttp.DummyCookieJar(), trust_env=True
        )
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        await self.session.close()

    async def json(self, method: str, url: str, headers: Mapping[str, str], who: str, until: float) -> dict[str, Any]:
        """The answer of a service, a JSON object.

        Args:
            method: GET, or a POST that may be sent again.
            url: with everything in it quoted.
            headers: of the request.
            who: the service, for sentences.
            until: when to give up, on the clock of the event loop.

        Raises:
            Status: what it answered is no success, after retries where they make sense.
            SourceError: it did not answer in time, or with something else.
        """
        clock = asyncio.get_running_loop().time
        attempt = 0
        problem: SourceError | None = None
        while True:
            pause = 0.0
            async with self._turn:
                await asyncio.sleep(PACE)
            try:
                return await self._attempt(method, url, headers, who, (until - clock()) * PART)
            except _Again as again:
                pause, problem = again.pause, again.problem
            except (aiohttp.ClientError, OSError) as error:
                # TimeoutError is an OSError. Texts of these errors hold hosts, and may hold headers.
                if not isinstance(error, TimeoutError):
                    problem = SourceError(f"{who} cannot be reached ({type(error).__name__})")
                elif problem is None:
                    # Time that runs out while trying again says less than what was answered before.
                    problem = SourceError(f"{who} cannot be reached (no answer in time)")
            attempt += 1
            pause = max(pause, random.uniform(0, min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)))  # noqa: S311
            if clock() + pause >= until:
                raise problem
            await asyncio.sleep(pause)

    async def _attempt(self, method: str, url: str, headers: Mapping[str, str], who: str, seconds: float) -> Any:
        # An encoded URL stays as it is: aiohttp would turn %2F back into a slash.
        async with self.session.request(
            method,
            _encoded(url),
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=max(seconds, 0.001)),
        ) as answer:
            if answer.status in RETRIED:
                raise _Again(Status(who, answer.status), retry_after(answer.headers.get("Retry-After", "")))
            if answer.status != 200:
                raise Status(who, answer.status)
            content = await answer.content.read(LARGEST_ANSWER)
            while len(content) < LARGEST_ANSWER and (more := await answer.content.read(LARGEST_ANSWER)):
                content += more
        if len(content) >= LARGEST_ANSWER:
            raise SourceError(f"{who} answered more than can be meant")
        try:
            found = json.loads(content)
        except ValueError:
            raise SourceError(f"{who} answered something else than JSON") from None
        if not isinstance(found, dict):
            raise SourceError(f"{who} answered something else than an object of JSON")
        return found


def trusted() -> ssl.SSLContext | bool:
    """What connections are checked against; a bundle that cannot be read is said, and the usual one serves."""
    try:
        return certificates.context()
    except OSError as error:
        log.error(
            "The certificates of %s cannot be read: %s.", certificates.bundle(), error.strerror or "no certificate"
        )
        return True


class _Again(Exception):
    def __init__(self, problem: Status, pause: float) -> None:
        self.problem = problem
        self.pause = pause


def _encoded(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def retry_after(value: str, now: datetime | None = None) -> float:
    """Seconds that a Retry-After header asks for; 0 when it says nothing that can be understood.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

    >>> retry_after("3")
    3.0
    """
    try:
        return max(float(int(value)), 0.0)
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return 0.0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max((then - (now or datetime.now(UTC))).total_seconds(), 0.0)
