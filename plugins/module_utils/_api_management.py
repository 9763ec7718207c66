# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A user's key of an API Management subscription: identity service, subscription, key.

The hub does the same before a server starts, on its event loop: roles/daskhub/files/hub_extensions; a test holds both
against the same services. Source: https://learn.microsoft.com/rest/api/apimanagement/subscription
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import sentence
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why

API_VERSION = "2024-05-01"
RETRIED = (408, 429, 500, 502, 503, 504)
# What the id of a subscription cannot hold, and what would lead to another resource.
_NO_NAME = re.compile(r"[*#&+:<>?/\\]")


class NoKey(Exception):
    """A user has no key; the text says why, without a full stop at its end."""


def filled(pattern: str, fields: Mapping[str, Any], escape: bool = False) -> str:
    """A pattern with its ``{fields}`` filled in; ``escape`` writes them for a URL's path.

    :raises NoKey: the pattern names a field that is missing or no plain value

    >>> filled("{pk}-planetarycomputer", {"pk": 7})
    '7-planetarycomputer'
    >>> filled("https://id.example.org/users/{user}/", {"user": "a+b/c@example.org"}, escape=True)
    'https://id.example.org/users/a%2Bb%2Fc%40example.org/'
    """

    def field(match: re.Match[str]) -> str:
        value = fields.get(match[1])
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise NoKey(f"the answer of the identity service has no field {match[1]}")
        return quote(str(value), safe="") if escape else str(value)

    return re.sub(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", field, pattern)


def subscription_name(pattern: str, record: Mapping[str, Any]) -> str:
    """The id of a user's subscription.

    :raises NoKey: it would be none
    """
    name = filled(pattern, record)
    if _NO_NAME.search(name) or name in (".", ".."):
        raise NoKey(f'"{name}" is no id of a subscription in API Management')
    return name


class IdentityService:
    """What knows the users.

    :param url: where it answers a record, with ``{user}``
    :param token: which it wants to see
    :param timeout: seconds for one answer
    :param retries: how often throttling, 5xx and lost connections are tried again
    """

    def __init__(self, url: str, token: str, timeout: float, retries: int) -> None:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        self._url = url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"
        again = Retry(
            total=retries,
            status_forcelist=RETRIED,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            raise_on_status=False,
            respect_retry_after_header=True,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))

    def record(self, user: str) -> dict[str, Any]:
        """What it says of a user, with the user's name as a field of it.

        :raises NoKey: nothing that could be used
        """
        import requests

        who = "the identity service"
        try:
            answer = self._session.get(
                filled(self._url, {"user": user}, escape=True), timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise NoKey(f"{who} cannot be reached: {why(error)}") from None
        if answer.status_code == 404:
            raise NoKey(f"{who} does not know the user")
        if answer.status_code in (401, 403):
            raise NoKey(f"{who} refuses the token ({answer.status_code}); check identity_token")
        if answer.status_code != 200:
            raise NoKey(f"{who} answered {answer.status_code}")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoKey(f"{who} answered something else than an object of JSON")
        return {**found, "user": user}


def subscription_key(client: AzureClient, service_id: str, name: str, which: str) -> str:
    """The key of an active subscription.

    :raises NoKey: there is none, or nobody could say
    """
    path = f"{service_id}/subscriptions/{name}"
    try:
        found = client.get(path, API_VERSION)
        if found is None:
            raise NoKey(f"API Management has no subscription {name}")
        state = (found.get("properties") or {}).get("state")
        if state != "active":
            raise NoKey(f"the subscription {name} is {state or 'in no state'}, not active")
        keys: Any = client.post(f"{path}/listSecrets", API_VERSION)
    except AzureError as error:
        raise NoKey(sentence(error).rstrip(". ")) from None
    key = (keys or {}).get(which)
    if not isinstance(key, str) or not key:
        raise NoKey(f"the {which} of the subscription {name} is empty")
    return key
