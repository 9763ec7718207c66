# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._rendered_hub import NO_SECRET, pinned, without_secrets


@pytest.mark.parametrize(
    "values",
    [
        {"proxy": {"secretToken": "s3cret"}},
        {"hub": {"cookieSecret": "s3cret"}},
        {
            "hub": {
                "config": {"CryptKeeper": {"keys": ["s3cret"]}, "GenericOAuthenticator": {"client_secret": "s3cret"}}
            }
        },
        {"hub": {"db": {"password": "s3cret"}}},
        {"hub": {"services": {"mine": {"apiToken": "s3cret"}, "other": {"api_token": "s3cret"}}}},
        {"proxy": {"https": {"manual": {"key": "s3cret"}}}},
        {"singleuser": {"extraEnv": {"MY_PASSWORD": "s3cret"}}},
        {"hub": {"extraEnv": [{"name": "API_TOKEN", "value": "s3cret"}]}},
        {"imagePullSecret": {"password": "s3cret"}},
    ],
)
def test_no_secret_is_left(values: dict[str, Any]) -> None:
    found = str(without_secrets(values))
    assert "s3cret" not in found
    assert NO_SECRET in found


@pytest.mark.parametrize(
    "values",
    [
        {"hub": {"existingSecret": "hub-secrets"}},
        {"auth": {"apiTokenFromSecretName": "hub-secrets", "apiTokenFromSecretKey": "dask-gateway-service-token"}},
        {"https": {"type": "secret", "secret": {"name": "hub-tls", "key": "tls.key", "crt": "tls.crt"}}},
        {"volumes": [{"name": "hub-secrets", "secret": {"secretName": "hub-secrets"}}]},
        {"annotations": {"checksum/hub-secrets": "0"}, "tokens": 1, "password": ""},
    ],
)
def test_names_are_no_secrets(values: dict[str, Any]) -> None:
    assert without_secrets(values) == values


def test_what_charts_would_make_up_is_the_same_each_time() -> None:
    services = {"dask-gateway": {"url": "http://x"}, "kbatch": {}}
    assert pinned({"jupyterhub": {"hub": {"services": services}}}) == {
        "jupyterhub": {
            "hub": {
                "cookieSecret": NO_SECRET,
                "config": {"CryptKeeper": {"keys": [NO_SECRET]}},
                "services": {"dask-gateway": {"apiToken": NO_SECRET}, "kbatch": {"apiToken": NO_SECRET}},
            },
            "proxy": {"secretToken": NO_SECRET},
        }
    }
