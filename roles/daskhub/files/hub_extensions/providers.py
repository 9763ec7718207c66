# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""JupyterHub's authenticators for OAuth 2, proving themselves with what is valid now and letting in whom we name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from oauthenticator.azuread import AzureAdOAuthenticator
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthenticator
from traitlets import Unicode

from hub_extensions import secret_files

SECRET = "id-client-secret"  # noqa: S105
#: Workload identity names here the file with the service account's token.
TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Provider(OAuthenticator):  # type: ignore[misc]
    """What both authenticators have in common.

    The credential is read each time it is used, because secrets are renewed and tokens live for an hour; OAuthenticator
    itself knows only a secret, fixed at the start. The assertion is described at
    https://learn.microsoft.com/entra/workload-id/workload-identity-federation
    """

    client_credential = Unicode("secret", config=True, help="secret, or federated: the service account's token")
    reserved_user = Unicode("", config=True, help="nobody gets in as this user through the provider")

    def build_access_tokens_request_params(self, handler: Any, data: Any = None) -> dict[str, Any]:
        return self._proven(super().build_access_tokens_request_params(handler, data))

    def build_refresh_token_request_params(self, refresh_token: str) -> dict[str, Any]:
        return self._proven(super().build_refresh_token_request_params(refresh_token))

    def _proven(self, parameters: dict[str, Any]) -> dict[str, Any]:
        # OAuthenticator would send what is None as the text "None".
        kept = {name: value for name, value in parameters.items() if name != "client_secret" and value is not None}
        if self.client_credential == "secret":
            return {**kept, "client_secret": secret_files.read(SECRET)}
        token = Path(os.environ[TOKEN_FILE]).read_text(encoding="utf-8").strip()
        return {**kept, "client_assertion_type": ASSERTION, "client_assertion": token}

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        # None would leave somebody an administrator who is named as one no more.
        return {**auth_model, "admin": bool(auth_model["admin"])}

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        # Asked for everybody, unlike check_allowed. In `blocked_users` the user would lose its roles at each start.
        reserved = bool(self.reserved_user) and username == self.reserved_user
        return not reserved and bool(super().check_blocked_users(username, authentication))


class EntraAuthenticator(Provider, AzureAdOAuthenticator):  # type: ignore[misc]
    """Entra ID, one tenant."""

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """The object ids of the user's groups; none, and a line in the log, where Entra ID sends too many to list.

        Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference (groups overage claim)
        """
        claims = auth_state.get("user") or {}
        if claims.get("hasgroups") or "groups" in (claims.get("_claim_names") or {}):
            self.log.warning(
                "%s is in more groups than Entra ID lists in a token, so no rule for groups applies; assign the groups"
                " that count to the application and let it send only those.",
                claims.get("preferred_username"),
            )
        # Who is in no group has no such claim.
        return set(await super().get_user_groups({"user": {"groups": [], **claims}}))


class ProviderAuthenticator(Provider, GenericOAuthenticator):  # type: ignore[misc]
    """Any other provider of OAuth 2 or OpenID Connect."""
