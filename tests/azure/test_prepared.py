# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is there before a hub of the sandbox: its secrets fit together, and the hub may do no more than it has to."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.apimanagement import ApiManagementClient
from requests_oauthlib import OAuth2Session

from azure_modules import Cloud
from browsing import Form, sign_in
from stand_in import StandIn

USER = "ada@planetary.onmicrosoft.com"


@pytest.fixture(scope="module")
def prepared(stand_in: StandIn) -> dict[str, Any]:
    found: dict[str, Any] = stand_in.dial("POST", "/prepared")
    return found


@pytest.fixture(scope="module")
def secret(cloud: Cloud, prepared: dict[str, Any]) -> dict[str, str]:
    """What the vault holds for a hub whose people sign in at the identity service."""
    keys = ("pc-id-token", "azure-client-secret", "id-client-secret")
    right = {"role": "Key Vault Secrets User", "scope": prepared["vault_id"]}
    owner = {"role": "Owner", "scope": cloud.subscription}
    cloud.dial("PATCH", "/rights", {"assignments": [owner, right]})
    running = cloud.begin(
        "key_vault_secrets",
        vault_uri=f"https://{prepared['vault_id'].rpartition('/')[2]}.vault.azure.net/",
        secrets=[{"key": key, "name": f"sandbox-generic-oauth--{key}"} for key in keys],
    )
    result = running.result()
    assert not result.get("failed"), result
    return {key: base64.b64decode(value).decode() for key, value in result["secrets"].items()}


def test_it_is_made_once(stand_in: StandIn, prepared: dict[str, Any]) -> None:
    assert stand_in.dial("POST", "/prepared") == prepared


@pytest.mark.parametrize("user", ["smoke-test", "user", "admin", USER])
def test_each_user_has_a_key(prepared: dict[str, Any], secret: dict[str, str], stand_in: StandIn, user: str) -> None:
    address = f"https://{prepared['identity_host']}/id/users/users/{quote(user, safe='')}/"
    person = requests.get(address, headers={"Authorization": f"Token {secret['pc-id-token']}"}, timeout=30).json()
    words = prepared["service_id"].split("/")
    where = (words[4], words[-1], prepared["subscription"].format(**person))
    identity = (prepared["tenant_id"], prepared["hub_client_id"], secret["azure-client-secret"])
    client = ApiManagementClient(ClientSecretCredential(*identity), stand_in.subscription)
    assert client.subscription.get(*where).state == "active"
    assert len(client.subscription.list_secrets(*where).primary_key) == 32
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        client.subscription.regenerate_primary_key(*where)


def test_people_sign_in_with_what_the_form_shows(prepared: dict[str, Any], secret: dict[str, str]) -> None:
    base = f"https://{prepared['identity_host']}/id/o"
    client = OAuth2Session(
        prepared["oauth_client"], redirect_uri="http://127.0.0.1:8000/hub/oauth_callback", scope=["openid"]
    )
    address, _state = client.authorization_url(f"{base}/authorize/")
    password = Form(requests.get(address, timeout=30).text).text.partition(f"{USER}: ")[2].split()[0]
    back = sign_in(address, USER, password).headers["Location"]
    assert urlsplit(back).netloc == "127.0.0.1:8000"
    token = client.fetch_token(
        f"{base}/token/",
        authorization_response=back.replace("http://", "https://"),
        client_secret=secret["id-client-secret"],
    )
    assert client.get(f"https://{prepared['identity_host']}/id/users/userdata").json()["email"] == USER
    assert token["token_type"] == "Bearer"
