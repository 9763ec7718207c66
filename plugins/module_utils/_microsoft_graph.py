# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft Graph: app registrations, their secrets and federated credentials, and what to say when it refuses.

Source: https://learn.microsoft.com/graph/api/resources/application
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import cloud_of, deployer_of
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient, Pause, sleep
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError

VERSION = "v1.0"
#: The least permission with which an application manages app registrations, those that it owns.
PERMISSION = "Application.ReadWrite.OwnedBy"
#: Seconds until what was just made is known everywhere in the directory.
SPREAD = 90.0


class GraphClient(AzureClient):
    """Requests to Microsoft Graph; paths are those below its version, such as ``/applications``."""

    def __init__(self, options: Mapping[str, Any], retry_timeout: float = 300) -> None:
        known = cloud_of(options)
        graph = dataclasses.replace(known, management=known.graph, management_scope=f"{known.graph}/.default")
        super().__init__(options, 4, retry_timeout, cloud=graph)

    def _url(self, path: str, api_version: str, query: Mapping[str, str] | None) -> str:
        if path.startswith("https://"):
            return super()._url(path, api_version, query)
        parameters = urlencode(dict(query or {}), quote_via=quote, safe="$,'()/")
        address = f"{self.cloud.management}/{VERSION}" + quote(path, safe="/()=,$'")
        return f"{address}?{parameters}" if parameters else address

    def tenant(self) -> str:
        """The tenant that the token is of."""
        return deployer_of(self.sign_in().token)["tenantId"]

    def read(self, path: str) -> dict[str, Any] | None:
        """An object, or None."""
        return self.get(path, "")

    def read_all(self, path: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """All objects of a collection."""
        page = self.get(path, "", query)
        found = list((page or {}).get("value") or [])
        while page and page.get("@odata.nextLink"):
            page = self.get(page["@odata.nextLink"], "")
            found += (page or {}).get("value") or []
        return found

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        pause: Pause = sleep,
    ) -> dict[str, Any]:
        """A request that changes something; what it answers."""
        content = self._content(self._send(method, path, "", body=body, headers=headers, pause=pause))
        return dict(content or {})

    def send_anew(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request about something just made, which parts of the directory may not know yet."""
        return when_known(lambda: self.send(method, path, body))


def when_known(ask: Callable[[], dict[str, Any]], limit: float = SPREAD, pause: Pause = sleep) -> dict[str, Any]:
    """The answer of a request, which is sent again while the directory does not know what it is about."""
    end, wait = time.monotonic() + limit, 0.5
    while True:
        try:
            return ask()
        except AzureError as error:
            unknown = error.absent or (error.status == 400 and "does not reference a valid application" in str(error))
            if not unknown or time.monotonic() + wait > end:
                raise
            pause(wait, "the directory does not know the application yet")
            wait = min(wait * 2, 10.0)


def sentence(error: AzureError, application: str) -> str:
    """What Graph refuses and what to do about it, without a full stop.

    :param application: how people call it

    >>> sentence(AzureError("Insufficient privileges.", status=403, code="Authorization_RequestDenied"), "hub")
    'Microsoft Graph does not allow it for hub: give whoever runs this the application permission \
Application.ReadWrite.OwnedBy with admin consent, and make it an owner of the app registration, or let somebody else \
register the application and write its client_id'
    """
    if error.status == 403:
        return (
            f"Microsoft Graph does not allow it for {application}: give whoever runs this the application permission"
            f" {PERMISSION} with admin consent, and make it an owner of the app registration, or let somebody else"
            " register the application and write its client_id"
        )
    return f"Microsoft Graph refuses {application}: {' '.join(str(error).split()).rstrip('. ')}"
