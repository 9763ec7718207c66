# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure Resource Manager over azure-core: one connection pool, tokens, throttling and long-running operations.

Answers are plain dictionaries, as Azure sends them. Every failure is an :class:`AzureError`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    Cloud,
    LibraryMissing,
    cloud_of,
    credential,
    missing_library,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import (
    AzureError,
    asked_to_wait,
    name_not_known,
    refusal,
    unreached,
)
from ansible_collections.planetary.hub.plugins.module_utils._tls import adapter

try:
    from azure.core.pipeline.policies import RetryPolicy
    from azure.mgmt.core.policies import ARMAutoResourceProviderRegistrationPolicy
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    LIBRARY_MISSING = False
except ImportError:
    # The classes below need something to inherit from; AzureClient says what is missing.
    RetryPolicy = ARMAutoResourceProviderRegistrationPolicy = ARMPolling = object
    LIBRARY_MISSING = True

USER_AGENT = "planetary.hub"
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
ANSWER_TIMEOUT = 120.0  # seconds for one answer
PATIENCE = 300.0  # seconds for what may pass, where nobody says otherwise
NAME_RETRIES = 3  # of a name that nobody knows: 2.6 s
# More at once only cost handshakes: thirty resources are read in half the time that thirty connections take.
CONNECTIONS = 16
POLL_LEAST, POLL_MOST = 0.1, 10.0  # seconds between two looks at an operation whose answers say nothing of it

Resources = list[dict[str, Any]]
# Waits some seconds for a reason ("" for the next look at an operation); may raise to give up.
Pause = Callable[[float, str], None]


def sleep(seconds: float, _reason: str) -> None:
    """The wait of those who want to know nothing of it."""
    time.sleep(seconds)


def poll_delay(passed: float) -> float:
    """Seconds until the next look at an operation of unknown length: a twentieth of what has passed.

    >>> [poll_delay(0), poll_delay(30), poll_delay(600)]
    [0.1, 1.5, 10.0]
    """
    return min(POLL_MOST, max(POLL_LEAST, passed / 20))


def retry_delay(retries: int) -> float:
    """Seconds before the next try, when Azure does not say: at once for the first, then longer and longer.

    >>> [retry_delay(number) for number in (1, 2, 3, 9)]
    [0.2, 0.8, 1.6, 30.0]
    """
    return 0.2 if retries <= 1 else min(30.0, 0.2 * 2.0**retries)


class _Retry(RetryPolicy):
    """azure-core's retries of lost connections, 408, 429 and 5xx, within a time instead of a number of times."""

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        pause = options.pop("pause", None) or sleep
        limit = options.pop("retry_timeout", 0.0)
        settings = super().configure_retries(options)
        return {**settings, "pause": pause, "end": time.monotonic() + limit}

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        answer = response.http_response
        return answer.status_code in TRANSIENT and bool(self._is_method_retryable(settings, answer.request, answer))

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:
        again = super().increment(settings, response=response, error=error)
        answer = getattr(response, "http_response", None)
        asked = asked_to_wait(answer.headers) if answer is not None else None
        settings["wait"] = retry_delay(len(settings["history"])) if asked is None else asked
        if answer is not None:
            settings["reason"] = f"Azure answered {answer.status_code}"
        else:
            settings["reason"] = "the connection failed"
            # Names of servers stumble for a second, or are wrong.
            if error is not None and name_not_known(error) and len(settings["history"]) > NAME_RETRIES:
                return False
        return bool(again) and time.monotonic() + settings["wait"] < settings["end"]

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:  # noqa: ARG002
        settings["pause"](settings["wait"], settings["reason"])


class _Registration(ARMAutoResourceProviderRegistrationPolicy):
    """Registers a resource provider that the subscription has never used, but never because something is read."""

    def send(self, request: Any) -> Any:
        if request.http_request.method == "GET":
            return self.next.send(request)
        return super().send(request)


class Polling(ARMPolling):
    """azure-mgmt-core's polling, in steps that suit the operation, with an end."""

    def __init__(self, end: float, pause: Pause, **request_options: Any) -> None:
        super().__init__(timeout=POLL_LEAST, pause=pause, **request_options)
        self._end = end
        self._start = time.monotonic()
        self._pause = pause

    def _delay(self) -> None:
        now = time.monotonic()
        if now >= self._end:
            raise AzureError("the operation is still running", code="TimedOut")
        asked = asked_to_wait(self._pipeline_response.http_response.headers)
        self._pause(min(asked or poll_delay(now - self._start), max(POLL_LEAST, self._end - now)), "")


class AzureClient:
    """What one task asks of Azure Resource Manager; safe to use from many threads.

    :param options: a module's options, those of ``_azure_auth.ARGUMENT_SPEC``
    :param parallel: connections at once
    :param retry_timeout: seconds for which throttling, 5xx and lost connections are waited out, for each request
    :param cloud: whose ``management`` is asked, when it is not that of the options
    :param pause: the wait of requests that bring none of their own
    :raises LibraryMissing: without azure-mgmt-core or azure-identity
    :raises CredentialProblem: when the options do not make a credential
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        parallel: int = 64,
        retry_timeout: float = PATIENCE,
        cloud: Cloud | None = None,
        pause: Pause = sleep,
    ) -> None:
        if LIBRARY_MISSING:
            raise LibraryMissing(missing_library("azure-mgmt-core"))
        # What azure-identity logs is said by our own errors.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        self.cloud = cloud or cloud_of(options)
        self.credential = credential(options)
        self.retry_timeout = retry_timeout
        self._pause = pause
        self._client_id = options.get("client_id") or ""
        self._client = _pipeline(self.cloud.management, self.cloud.management_scope, self.credential, parallel)

    def close(self) -> None:
        self._client.close()

    def sign_in(self) -> Any:
        """Ask for the token that every request needs, once, before many threads ask.

        :returns: the token for Azure Resource Manager, an azure-core AccessToken
        """
        from azure.core.exceptions import AzureError as SdkError

        try:
            return self.credential.get_token(self.cloud.management_scope)
        except SdkError as error:
            raise self._problem(error, "POST", "") from None

    def get(
        self, path: str, api_version: str, query: Mapping[str, str] | None = None, *, pause: Pause = sleep
    ) -> dict[str, Any] | None:
        """A resource, or None when there is none.

        :param path: a resource's id, perhaps with a query
        :param query: further parameters
        """
        try:
            answer = self._send("GET", path, api_version, query=query, pause=pause)
            return cast("dict[str, Any]", self._content(answer))
        except AzureError as error:
            # A provider that was never registered has no resources.
            if error.absent or error.code == "MissingSubscriptionRegistration":
                return None
            raise

    def list(
        self, path: str, api_version: str, query: Mapping[str, str] | None = None, *, pause: Pause = sleep
    ) -> Resources | None:
        """All resources of a collection, page by page, or None when what holds it is not there.

        :param path: the collection's path, such as a cluster's id and ``/agentPools``
        :param query: further parameters, such as ``$filter``
        """
        page = self.get(path, api_version, query, pause=pause)
        return None if page is None else self.pages(page, pause=pause)

    def pages(self, page: Mapping[str, Any], *, pause: Pause = sleep) -> Resources:
        """What a first page holds, and all that follow it."""
        found: Resources = list(page.get("value") or [])
        while page.get("nextLink"):
            page = self._content(self._send("GET", page["nextLink"], "", pause=pause)) or {}
            found += page.get("value") or []
        return found

    def put(self, path: str, api_version: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Write a resource, follow the operation to its end and return the resource.

        :param options: ``headers``, ``timeout`` (seconds for the operation), ``pause``, ``retry_timeout``, ``accepted``
            (called when Azure has taken the request, before the operation ends)
        """
        return self._write("PUT", path, api_version, body, **options)

    def patch(self, path: str, api_version: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """As :meth:`put`, but only what the body mentions."""
        return self._write("PATCH", path, api_version, body, **options)

    def post(
        self, path: str, api_version: str, body: Any = None, query: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        """Call an action, follow it to its end and return what it answers (None for nothing)."""
        return self._operate("POST", path, api_version, body, query=query, **options)

    def delete(self, path: str, api_version: str, **options: Any) -> bool:
        """Delete a resource and follow the operation to its end.

        :returns: whether there was one
        """
        try:
            self._operate("DELETE", path, api_version, None, **options)
        except AzureError as error:
            if error.absent:
                return False
            raise
        return True

    def _write(self, method: str, path: str, api_version: str, body: Any, **options: Any) -> dict[str, Any]:
        written = self._operate(method, path, api_version, body, **options)
        if isinstance(written, dict) and written.get("id"):
            return written
        # An operation behind a Location header need not end with the resource.
        found = self.get(path, api_version, pause=options.get("pause") or sleep)
        if found is None:
            raise AzureError(f"Azure accepted {path} but does not have it", status=404, code="NotFound")
        return found

    def _operate(
        self,
        method: str,
        path: str,
        api_version: str,
        body: Any,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 3600,
        pause: Pause = sleep,
        retry_timeout: float | None = None,
        accepted: Callable[[], None] | None = None,
    ) -> Any:
        """A request and the operation that it starts; its last answer's content."""
        from azure.core.exceptions import AzureError as SdkError

        limit = min(timeout, self.retry_timeout if retry_timeout is None else retry_timeout)
        end = time.monotonic() + timeout
        first = self._send(
            method, path, api_version, body=body, query=query, headers=headers, pause=pause, retry_timeout=limit
        )
        if accepted:
            accepted()
        polling = Polling(end, pause, retry_timeout=self.retry_timeout)
        try:
            polling.initialize(self._client, first, lambda answer: answer)
            polling.run()
        except SdkError as error:
            problem = self._problem(error, method, path, operation=True)
            # The last look at a deleted resource's operation may meet nothing.
            if not (method == "DELETE" and problem.absent):
                raise problem from None
            return None
        # None for an answer without a body.
        last = polling.resource()
        return None if last is None else self._content(last)

    def _send(
        self,
        method: str,
        path: str,
        api_version: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pause: Pause = sleep,
        retry_timeout: float | None = None,
    ) -> Any:
        """One request, with azure-core's retries.

        :param path: a path, or a whole address of the same host
        :returns: azure-core's PipelineResponse
        """
        from azure.core.exceptions import AzureError as SdkError
        from azure.core.rest import HttpRequest

        content = {} if body is None else {"json": body}
        request = HttpRequest(method, self._url(path, api_version, query), headers=dict(headers or {}), **content)
        limit = self.retry_timeout if retry_timeout is None else retry_timeout
        try:
            answer: Any = self._client.send_request(
                request,
                _return_pipeline_response=True,
                pause=self._pause if pause is sleep else pause,
                retry_timeout=limit,
            )
        except SdkError as error:
            raise self._problem(error, method, path) from None
        if answer.http_response.status_code >= 400:
            raise refusal(answer.http_response, method, path)
        return answer

    def _problem(self, error: Any, method: str, path: str, operation: bool = False) -> AzureError:
        response = getattr(error, "response", None)
        if response is not None and hasattr(response, "status_code") and hasattr(response, "request"):
            return refusal(response, method, path, operation=operation)
        return unreached(error, method, path, self.cloud.management, self._client_id)

    def _url(self, path: str, api_version: str, query: Mapping[str, str] | None) -> str:
        base = self.cloud.management
        if path.startswith("https://"):
            # The token goes only where it is meant for.
            if urlsplit(path).netloc.lower() != urlsplit(base).netloc:
                raise AzureError(f"Azure refers to {urlsplit(path).netloc}, which is not {urlsplit(base).netloc}")
            return path
        path, _mark, own = path.partition("?")
        values = {"api-version": api_version, **dict(parse_qsl(own)), **(query or {})}
        parameters = urlencode(values, quote_via=quote, safe="$,'()/")
        return f"{base}/{quote(path.lstrip('/'), safe='/$@!&()*+,;=:~')}?{parameters}"

    @staticmethod
    def _content(answer: Any) -> Any:
        response = answer.http_response
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise AzureError(
                f"the answer is not JSON; is a proxy in the way ({os.environ.get('HTTPS_PROXY', 'none is set')})?",
                status=response.status_code,
                code="NotJson",
            ) from None


def _pipeline(base: str, scope: str, shared_credential: Any, parallel: int) -> Any:
    """azure-mgmt-core's client with one pool of connections for all threads, which wait for a free one."""
    import requests
    from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.core import ARMPipelineClient
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

    session = requests.Session()
    session.mount("https://", adapter(min(parallel, CONNECTIONS)))
    policies = [
        RequestIdPolicy(),
        UserAgentPolicy(base_user_agent=USER_AGENT),
        _Registration(),
        # The time given with each request ends the retries, not their number.
        _Retry(retry_total=10_000, retry_connect=5, retry_read=10_000, retry_status=10_000),
        ARMChallengeAuthenticationPolicy(shared_credential, scope),
    ]
    transport = RequestsTransport(session=session, connection_timeout=30, read_timeout=ANSWER_TIMEOUT)
    return ARMPipelineClient(base, policies=policies, transport=transport)
