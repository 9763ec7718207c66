# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A user's key of an API Management subscription, found through an identity service.

The identity service knows the user by name and answers a record; from a field of it follows the subscription's id.
Source of the calls to Azure: https://learn.microsoft.com/rest/api/apimanagement/subscription
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_extensions import secret_files
from hub_extensions.user_environment_sources.azure_token import AzureToken
from hub_extensions.user_environment_sources.base import SourceError, filled, side_by_side
from hub_extensions.user_environment_sources.http import Http, Status

IDENTITY = "the identity service"
SERVICE = "API Management"
VERSION = "2024-05-01"


class ApiManagement:
    """user -> record of the identity service -> subscription -> key.

    Args:
        entry: identity_url (with {user}; empty: {user} is all that subscription may name), identity_token (key of a
            secret), service_id (ARM id), subscription (pattern over the record's fields), resource_manager, authority,
            scope, credential, variables ({NAME: primaryKey or secondaryKey}).
        http: connections.
    """

    def __init__(self, entry: Mapping[str, Any], http: Http) -> None:
        self._entry = entry
        self._http = http
        self._token = AzureToken(entry["credential"], entry["authority"], entry["scope"], http)

    async def fetch(self, user: str, until: float) -> dict[str, str]:
        record = await self._record(user, until)
        name = filled(self._entry["subscription"], record, escape=True)
        url = f"{self._entry['resource_manager']}{self._entry['service_id']}/subscriptions/{name}"
        header = await self._token.header()
        try:
            subscription, keys = await side_by_side(
                self._http.json("GET", f"{url}?api-version={VERSION}", header, SERVICE, until),
                self._http.json("POST", f"{url}/listSecrets?api-version={VERSION}", header, SERVICE, until),
            )
        except Status as answer:
            raise explained(answer) from None
        state = (subscription.get("properties") or {}).get("state")
        if state != "active":
            raise SourceError(f"the user's subscription in {SERVICE} is {state or 'in no state'}, not active", True)
        return {variable: usable_key(keys, which) for variable, which in self._entry["variables"].items()}

    async def _record(self, user: str, until: float) -> dict[str, Any]:
        """What the identity service says of a user, with the user's name as a field of it."""
        if not self._entry["identity_url"]:
            return {"user": user}
        url = filled(self._entry["identity_url"], {"user": user}, escape=True)
        try:
            header = {"Authorization": f"Token {secret_files.read(self._entry['identity_token'])}"}
        except secret_files.SecretError as error:
            raise SourceError(str(error).rstrip(".")) from None
        try:
            return {**await self._http.json("GET", url, header, IDENTITY, until), "user": user}
        except Status as answer:
            if answer.status == 404:
                raise SourceError(f"{IDENTITY} does not know the user", lasting=True) from None
            if answer.status in (401, 403):
                raise SourceError(
                    f"{IDENTITY} refuses the hub's token ({answer.status}); renew the secret"
                    f" {self._entry['identity_token']}"
                ) from None
            raise


def explained(answer: Status) -> SourceError:
    """What an answer of API Management means."""
    if answer.status == 404:
        return SourceError(f"the user has no subscription in {SERVICE}", lasting=True)
    if answer.status in (401, 403):
        return SourceError(f"{SERVICE} does not let the hub read the subscription ({answer.status}); check its rights")
    return answer


def usable_key(keys: Mapping[str, Any], which: str) -> str:
    """A key out of the answer of listSecrets."""
    key = keys.get(which)
    if not isinstance(key, str) or not key:
        raise SourceError(f"the {which} of the user's subscription in {SERVICE} is empty", lasting=True)
    return key
