# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What went wrong with Azure, for people: refusals, lost connections, credentials."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._network_error import NAME_NOT_KNOWN, why

# 404 that are not "there is no such resource".
WRONG_ADDRESS = frozenset(
    {"SubscriptionNotFound", "InvalidSubscriptionId", "InvalidResourceNamespace", "InvalidResourceType"}
)
# Entra ID's numbers and what to do about them; source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
CREDENTIAL_REMEDIES = {
    "AADSTS7000215": "check client_secret: its value is wanted, not its id",
    "AADSTS7000222": "the secret has expired: make a new one",
    "AADSTS700016": "check client_id and tenant_id: the tenant does not know the application",
    "AADSTS90002": "check tenant_id: there is no such tenant",
    "AADSTS900023": "check tenant_id: it is not a tenant's id",
    "AADSTS70021": "check issuer and subject of the identity's federated credential",
    "AADSTS700213": "check issuer and subject of the identity's federated credential",
    "AADSTS700024": "the token that stands for the identity has expired: start the job again",
}


class AzureError(Exception):
    """A request that Azure refused or never got; the text is what was said, without the resource's name.

    :ivar status: HTTP status, 0 without an answer, 200 when an accepted operation failed
    :ivar code: Azure's code, or one of our own: Unreachable, NotTrusted, Credentials, TimedOut, NotJson
    :ivar retry_after: seconds that Azure asks to wait, if it does
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        method: str = "",
        path: str = "",
        retry_after: float | None = None,
        operation: bool = False,
        codes: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.method = method
        self.path = path
        self.retry_after = retry_after
        self.operation = operation
        self.codes = codes | {code}

    @property
    def absent(self) -> bool:
        """Whether it says that there is no such resource (or nothing that could hold it)."""
        return self.status == 404 and self.code not in WRONG_ADDRESS and not self.operation

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code and self.status else self.message


def _entries(error: Any) -> Iterator[tuple[str, str]]:
    """Code and message of an error and of what it is made of, outer ones first."""
    if isinstance(error, dict):
        low = {str(key).lower(): value for key, value in error.items()}
        yield str(low.get("code") or ""), str(low.get("message") or "")
        for inner in low.get("details") or []:
            yield from _entries(inner)


def described(content: Any) -> tuple[str, str, frozenset[str]]:
    """Code, message and all codes of an error's body, in whichever of Azure's ways it is written.

    >>> described({"error": {"code": "Conflict", "message": "in use"}})[:2]
    ('Conflict', 'in use')
    >>> described({"code": "Quota", "message": "4 of 4 used", "details": None})[:2]
    ('Quota', '4 of 4 used')
    """
    if not isinstance(content, dict):
        return "", "", frozenset()
    error = content.get("error") if isinstance(content.get("error"), dict) else content
    found = list(_entries(error))
    codes = [code for code, _text in found if code]
    # The outer message is often only "see details".
    texts = list(dict.fromkeys(" ".join(text.split()) for _code, text in found if text.strip()))
    message = texts[0] if texts else ""
    if len(texts) > 1:
        message = f"{message.rstrip('.')} ({'; '.join(text.rstrip('.') for text in texts[1:4])})"
    return codes[0] if codes else "", message, frozenset(codes)


def asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that ``Retry-After`` asks for, whether it is written as seconds or as a date.

    >>> asked_to_wait({"Retry-After": "15"})
    15.0
    """
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def refusal(response: Any, method: str, path: str, operation: bool = False) -> AzureError:
    """An error that Azure answered.

    :param response: azure-core's HttpResponse
    :param operation: the answer is that of an operation that had been accepted
    """
    try:
        content = response.json() if response.content else {}
    except ValueError:
        content = {}
    code, message, codes = described(content)
    status = int(response.status_code)
    if operation and status < 400 and not code:
        state = content.get("status") or (content.get("properties") or {}).get("provisioningState") or "Failed"
        code, message = f"Operation{state}", message or f"the operation ended as {state}, without a reason"
    return AzureError(
        message or f"HTTP status {status} without a reason",
        status=status,
        code=code or str(status),
        method=method,
        path=path,
        retry_after=asked_to_wait(response.headers),
        operation=operation,
        codes=codes,
    )


def _lost(error: BaseException) -> OSError | None:
    """The network's error below azure-core's and azure-identity's, if there is one."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        if isinstance(link, OSError):
            return link
        seen.append(link)
        inner = getattr(link, "inner_exception", None)
        link = inner if isinstance(inner, BaseException) else link.__cause__ or link.__context__
    return None


def name_not_known(error: BaseException) -> bool:
    """Whether there was no answer because nobody knows the server's name."""
    return why(_lost(error) or error) == NAME_NOT_KNOWN


def unreached(error: Exception, method: str, path: str, base: str, client_id: str) -> AzureError:
    """An error without an answer: no credential, a refused one, no connection, no trust."""
    text = str(error)
    lost = _lost(error)
    if lost is None and type(error).__name__ in ("ClientAuthenticationError", "CredentialUnavailableError"):
        return AzureError(credential_sentence(text, client_id), code="Credentials", method=method, path=path)
    address = re.search(r"host='([^']+)'", text)
    host = address[1] if address else urlsplit(base).netloc
    reason = why(lost or error)
    if "certificate" in reason and "trusted" in reason:
        return AzureError(
            f"the connection to {host} is not to be trusted: {reason}; if a company proxy opens it, name the proxy's CA"
            " bundle in REQUESTS_CA_BUNDLE",
            code="NotTrusted",
            method=method,
            path=path,
        )
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if proxy and urlsplit(proxy).hostname == host:
        said = f"the proxy {host}:{urlsplit(proxy).port} cannot be reached: {reason}; check HTTPS_PROXY"
    elif proxy:
        said = f"{host} cannot be reached through the proxy: {reason}; check HTTPS_PROXY and NO_PROXY"
    else:
        said = f"{host} cannot be reached: {reason}; check the network, or set HTTPS_PROXY"
    return AzureError(said, code="Unreachable", method=method, path=path)


def credential_sentence(text: str, client_id: str) -> str:
    """What Entra ID or azure-identity says, in one sentence without its trace ids.

    >>> credential_sentence("Authentication failed: AADSTS50000: No luck. Trace ID: 1", "42")
    'Entra ID refuses the credentials of client 42 (AADSTS50000: No luck); check tenant_id, client_id and client_secret'
    """
    number = re.search(r"(AADSTS\d+): *([^.\r\n]*)", text)
    if number:
        who = f" of client {client_id}" if client_id else ""
        remedy = CREDENTIAL_REMEDIES.get(number[1], "check tenant_id, client_id and client_secret")
        return f"Entra ID refuses the credentials{who} ({number[1]}: {number[2].strip()}); {remedy}"
    if "authority configuration" in text or "is not a valid tenant" in text.lower():
        return "Entra ID does not know the tenant; check tenant_id"
    if "failed to retrieve a token from the included credentials" in text or "unavailable" in text.lower():
        return (
            "there is no credential for Azure: set tenant_id, client_id and client_secret (or AZURE_TENANT_ID,"
            " AZURE_CLIENT_ID and AZURE_CLIENT_SECRET), or sign in with az login"
        )
    return f"Azure gives no token: {' '.join(text.split())[:300]}"
