# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a client of Azure does without a credential, and with a server's name that nobody knows."""

from __future__ import annotations

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import CredentialProblem, credential
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import _Retry
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import name_not_known
from azure.core import PipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.rest import HttpRequest

TENANT = "11111111-1111-1111-1111-111111111112"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", TENANT)


def test_an_empty_secret_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "")
    # Whatever else the machine offers is asked.
    assert credential({"client_secret": ""})


def test_what_azure_identity_refuses_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "secret")
    monkeypatch.setenv("AZURE_TENANT_ID", "no tenant")
    with pytest.raises(CredentialProblem, match=r"make no credential \(.+\); set them all, or none of them\.$"):
        credential({})


def test_a_name_that_nobody_knows_is_not_asked_for_long() -> None:
    waits: list[float] = []
    client = PipelineClient("https://nothing.invalid", policies=[_Retry(retry_total=10_000, retry_connect=5)])
    request = HttpRequest("GET", "https://nothing.invalid/secrets/a")
    with pytest.raises(AzureError) as found:
        client.send_request(request, pause=lambda seconds, _reason: waits.append(seconds), retry_timeout=600)
    assert name_not_known(found.value) and not isinstance(found.value, ClientAuthenticationError)
    assert waits == [0.2, 0.8, 1.6]


def test_a_connection_that_fails_is_tried_longer() -> None:
    waits: list[float] = []
    client = PipelineClient("https://127.0.0.1:9", policies=[_Retry(retry_total=10_000, retry_connect=5)])
    with pytest.raises(AzureError) as found:
        client.send_request(
            HttpRequest("GET", "https://127.0.0.1:9/"),
            pause=lambda seconds, _reason: waits.append(seconds),
            retry_timeout=600,
        )
    assert not name_not_known(found.value) and len(waits) == 5
