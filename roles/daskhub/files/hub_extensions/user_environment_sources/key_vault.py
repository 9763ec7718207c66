# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets of a vault that belong to one user each.

Source: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_extensions.user_environment_sources.azure_token import AzureToken
from hub_extensions.user_environment_sources.base import SourceError, filled, side_by_side
from hub_extensions.user_environment_sources.http import Http, Status
from hub_extensions.user_secrets import slug

VERSION = "7.4"


class KeyVault:
    """user -> secret of the vault.

    Args:
        entry: vault (its address), authority, scope, credential, variables ({NAME: name of the secret}, a pattern over
            {slug}, which is the user's name in letters, digits and hyphens).
        http: connections.
    """

    def __init__(self, entry: Mapping[str, Any], http: Http) -> None:
        self._entry = entry
        self._http = http
        self._token = AzureToken(entry["credential"], entry["authority"], entry["scope"], http)

    async def fetch(self, user: str, until: float) -> dict[str, str]:
        header = await self._token.header()
        names = {
            variable: filled(pattern, {"slug": slug(user)}, escape=True)
            for variable, pattern in self._entry["variables"].items()
        }
        values = await side_by_side(*(self._secret(name, header, until) for name in names.values()))
        return dict(zip(names, values, strict=True))

    async def _secret(self, name: str, header: Mapping[str, str], until: float) -> str:
        url = f"{self._entry['vault'].rstrip('/')}/secrets/{name}?api-version={VERSION}"
        try:
            found = await self._http.json("GET", url, header, "the vault", until)
        except Status as answer:
            if answer.status == 404:
                raise SourceError(f"the vault has no secret {name}", lasting=True) from None
            if answer.status in (401, 403):
                raise SourceError(
                    f"the vault does not let the hub read the secret {name} ({answer.status}); check its rights, and"
                    " whether the secret is enabled"
                ) from None
            raise
        value = found.get("value")
        if not isinstance(value, str) or not value:
            raise SourceError(f"the vault's secret {name} is empty", lasting=True)
        return value
