# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub's own tokens for Azure, from azure-identity: as workload identity, or as a service principal."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Mapping
from typing import Any

from hub_extensions import secret_files
from hub_extensions.user_environment_sources.base import SourceError
from hub_extensions.user_environment_sources.http import Http

# Importing it takes longer than the hub may stand still.
LIBRARIES = ("azure.identity.aio", "azure.core.pipeline.transport", "azure.core.exceptions")
# Seconds before its end from which on a token is not used any more.
SPARE = 300


def import_libraries() -> None:
    """Import what takes long; to be called before the hub serves.

    Raises:
        SourceError: they are not installed.
    """
    try:
        for name in LIBRARIES:
            importlib.import_module(name)
    except ImportError:
        raise SourceError(
            "the Python package azure-identity is missing where the hub runs; use the hub image of files/hub_image"
        ) from None


class AzureToken:
    """A token for one scope, asked for once however many wait for it, and kept until shortly before it ends.

    Args:
        credential: {type: workload_identity, client_id, tenant_id}, both from the environment of the pod when empty, or
            {type: service_principal, tenant_id, client_id, secret}, the key of the secret.
        authority: host that gives tokens.
        scope: such as https://management.azure.com/.default.
        http: its session carries the requests.
    """

    def __init__(self, credential: Mapping[str, Any], authority: str, scope: str, http: Http) -> None:
        self._given = credential
        self._authority = authority
        self._scope = scope
        self._http = http
        self._lock = asyncio.Lock()
        self._secret = ""
        self._credential: Any = None
        self._token: Any = None

    async def header(self) -> dict[str, str]:
        """The header that authorizes a request.

        Raises:
            SourceError: Entra ID gives the hub no token.
        """
        async with self._lock:
            if self._token is None or self._token.expires_on - time.time() < SPARE:
                self._token = await self._fetch()
        return {"Authorization": f"Bearer {self._token.token}"}

    async def _fetch(self) -> Any:
        await asyncio.to_thread(import_libraries)
        from azure.core.exceptions import AzureError

        try:
            return await self._current().get_token(self._scope)
        except secret_files.SecretError as error:
            raise SourceError(str(error).rstrip(".")) from None
        except (AzureError, ValueError) as error:
            code = next((word.rstrip(":") for word in str(error).split() if word.startswith("AADSTS")), "")
            raise SourceError(f"Entra ID gives the hub no token ({code or type(error).__name__})") from None

    def _current(self) -> Any:
        """The credential, made anew when its secret has changed."""
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.identity import aio

        given = self._given
        transport = AioHttpTransport(session=self._http.session, session_owner=False)
        options = {"authority": self._authority, "transport": transport}
        if given["type"] == "service_principal":
            secret = secret_files.read(given["secret"])
            if self._credential is None or secret != self._secret:
                self._secret = secret
                self._credential = aio.ClientSecretCredential(given["tenant_id"], given["client_id"], secret, **options)
        elif self._credential is None:
            self._credential = aio.WorkloadIdentityCredential(
                tenant_id=given.get("tenant_id") or None, client_id=given.get("client_id") or None, **options
            )
        return self._credential
