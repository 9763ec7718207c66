# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is fetched for users: defaults, and one sentence for each mistake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _api_management
from ansible_collections.planetary.hub.plugins.module_utils._user_environment_sources import user_environment_sources
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SERVICE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim"
KEY = {
    "source": "api_management",
    "name": "api",
    "variables": {"KEY": "primaryKey"},
    "identity_url": "https://id.example.org/users/{user}/",
    "service_id": SERVICE,
}
VAULT = {"source": "key_vault", "name": "v", "variables": {"A": "{slug}--a"}, "vault": "https://v.vault.azure.net/"}
PRINCIPAL = {"type": "service_principal", "tenant_id": "t", "client_id": "c"}
HERE = 'daskhub_user_environment_sources[0] "api": '


def test_defaults() -> None:
    assert user_environment_sources([KEY]) == [
        {
            **KEY,
            "on_failure": "start_without",
            "timeout": 15,
            "cache": 60,
            "identity_token": "pc-id-token",
            "subscription": "{pk}-planetarycomputer",
            "resource_manager": "https://management.azure.com",
            "scope": "https://management.azure.com/.default",
            "authority": "login.microsoftonline.com",
            "credential": {"type": "workload_identity", "tenant_id": "", "client_id": ""},
        }
    ]


def test_another_cloud_and_a_service_principal() -> None:
    (found,) = user_environment_sources([{**VAULT, "cloud": "AzureChinaCloud", "credential": PRINCIPAL}])
    assert (found["scope"], found["authority"]) == ("https://vault.azure.cn/.default", "login.chinacloudapi.cn")
    assert found["credential"] == {**PRINCIPAL, "secret": "azure-client-secret"}
    assert found["vault"] == "https://v.vault.azure.net"


@pytest.mark.parametrize(
    "entry",
    [
        {"source": "static", "name": "s", "variables": {"A": "shared-key"}, "cache": 0, "on_failure": "refuse"},
        {"source": "callable", "name": "c", "variables": {"A": "a"}, "function": "package.module:function"},
        {**KEY, "identity_url": "", "subscription": "{user}-hub"},
        {**KEY, "identity_url": "http://127.0.0.1:8080/{user}"},
    ],
)
def test_what_is_fine(entry: dict[str, Any]) -> None:
    (found,) = user_environment_sources([entry])
    assert {name: found[name] for name in entry} == entry


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": "apim"}, 'source is "apim"; known are api_management, key_vault, static, callable.'),
        ({"sorce": 1}, "has the unknown key"),
        ({"name": ""}, "name is the empty text; write a name for logs and messages, such as planetary-computer."),
        ({"variables": {}}, "variables is a mapping of nothing; write a mapping of the variables' names, each with"),
        ({"variables": {"KEY": "primary"}}, 'variables: KEY is the text "primary"; write primaryKey or secondaryKey.'),
        ({"variables": {"a-b": "primaryKey"}}, 'the name "a-b" is the text "a-b"; write a name of letters, digits'),
        ({"variables": {"JUPYTERHUB_API_TOKEN": "primaryKey"}}, "JUPYTERHUB_API_TOKEN belongs to the hub and to Dask"),
        ({"on_failure": "fail"}, 'on_failure is "fail"; write start_without or refuse.'),
        ({"timeout": 0}, "timeout is the number 0; write seconds, a number above 0."),
        ({"cache": -1}, "cache is the number -1; write seconds, or 0 for none."),
        ({"identity_url": "http://id.example.org/{user}"}, "write an address such as https://id.example.org/users"),
        ({"identity_url": "https://id.example.org/"}, "write {user} where the user's name goes."),
        ({"identity_token": "../token"}, "write the key of a secret, such as pc-id-token."),
        ({"service_id": "apim"}, "write an id as /subscriptions/…/Microsoft.ApiManagement/service/<name>."),
        ({"subscription": "everybody"}, "write a field in braces, or all users would get the same key."),
        ({"identity_url": ""}, "write {user} only, or set identity_url too."),
        ({"cloud": "Azure"}, 'cloud is "Azure"; known are AzureCloud, Azure'),
        ({"credential": {"type": "secret"}}, "credential: type is"),
        ({"credential": {"type": "service_principal", "client_id": "c"}}, "credential: tenant_id is the empty text"),
        ({"credential": {"secret": "x"}}, "a workload identity has no secret; remove it, or say type:"),
    ],
)
def test_mistakes(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        user_environment_sources([{**KEY, **change}])
    text = str(error.value)
    assert sentence in text and text.startswith("daskhub_user_environment_sources[0]") and "\n" not in text


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ("x", 'daskhub_user_environment_sources is the text "x"; write a list of sources.'),
        (
            [KEY, {**KEY, "variables": {"OTHER": "primaryKey"}}],
            'daskhub_user_environment_sources[1] "api": another source has this name; give each a name of its own.',
        ),
        (
            [KEY, {**KEY, "name": "b"}],
            'daskhub_user_environment_sources[1] "b": KEY is set in the source "api" too; keep one of the two.',
        ),
        (
            [{**KEY, "variables": {"STAC_URL": "primaryKey"}}],
            f"{HERE}STAC_URL is set in daskhub_user_environment too; keep one of the two.",
        ),
        (
            [{**VAULT, "name": "api", "variables": {"A": "shared"}}],
            f'{HERE}variables: A is the text "shared"; write the name of the vault\'s secret, with {{slug}} for the'
            " user, such as {slug}--api-key.",
        ),
        ([{**KEY, "source": "callable"}], f'{HERE[:-2]} has the unknown key "identity_url"; '),
    ],
)
def test_mistakes_among_all(entries: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        user_environment_sources(entries, [{"name": "STAC_URL", "value": "x"}])
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    ("pattern", "fields", "written"),
    [
        ("{pk}-planetarycomputer", {"pk": 7}, "7-planetarycomputer"),
        ("{pk}", {"pk": "a/b"}, "a%2Fb"),
        ("u/{user}/", {"user": "zoë+x@example.org"}, "u/zo%C3%AB%2Bx%40example.org/"),
        ("{user.__class__}", {"user": "x"}, "{user.__class__}"),
        ("{pk}", {"pk": None}, None),
        ("{pk}", {"pk": True}, None),
        ("{pk}", {"pk": ""}, None),
        ("{pk}", {}, None),
    ],
)
def test_the_module_and_the_hub_fill_patterns_alike(pattern: str, fields: dict[str, Any], written: str | None) -> None:
    base = pytest.importorskip("hub_extensions.user_environment_sources.base", reason="aiohttp is not installed here")
    for filled, failure in ((_api_management.filled, _api_management.NoKey), (base.filled, base.SourceError)):
        if written is None:
            with pytest.raises(failure, match="the answer of the identity service has no field pk"):
                filled(pattern, fields, escape=True)
        else:
            assert filled(pattern, fields, escape=True) == written
