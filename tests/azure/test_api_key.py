# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A user's API key from the stand-in's identity service and API Management, by the module and by the hub."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._user_environment_sources import user_environment_sources

from azure_modules import Cloud

HOST = "https://planetarycomputer.stand-in.invalid"
TOKEN = "the-token-of-the-hub"
NAMES = ["ann@example.org", "bob+hub@example.org", "c/d@example.org", "zoë@example.org"]
VERSION = "2024-05-01"
PASSING: list[dict[str, Any]] = [
    {"type": "identity/users", "status": 429, "code": "Throttled", "retry_after": 1},
    {"type": "identity/users", "status": 503, "code": "Busy"},
    {"type": "Microsoft.ApiManagement/*", "status": 429, "code": "TooManyRequests", "retry_after": 1},
]


@pytest.fixture(scope="module")
def service(cloud: Cloud) -> str:
    """A service with a subscription for each person but the last, one of them suspended."""
    cloud.dial("PATCH", "/latency", {"scale": 0})
    group = f"{cloud.subscription}/resourceGroups/keys"
    service = f"{group}/providers/Microsoft.ApiManagement/service/keys"
    resources = [
        {"name": "group", "id": group, "api_version": "2021-04-01", "body": {"location": "westeurope"}},
        {
            "name": "service",
            "id": service,
            "api_version": VERSION,
            "body": {
                "location": "westeurope",
                "sku": {"name": "Developer", "capacity": 1},
                "properties": {"publisherEmail": "a@example.org", "publisherName": "A"},
            },
        },
    ]
    for number, email in enumerate(NAMES, 7):
        cloud.dial("POST", "/people", {"email": email, "password": "secret", "pk": number})
        properties = {
            "scope": "/apis",
            "displayName": email,
            "state": "suspended" if number == 9 else "active",
            "primaryKey": f"primary-{number}-5f0c",
            "secondaryKey": f"secondary-{number}-5f0c",
        }
        if number != 10:
            resources.append(
                {
                    "name": f"subscription{number}",
                    "id": f"{service}/subscriptions/{number}-planetarycomputer",
                    "api_version": VERSION,
                    "body": {"properties": properties},
                }
            )
    cloud.dial("POST", "/identity", {"token": TOKEN})
    result = cloud.run(resources)
    assert not result.get("failed"), result
    return service


@pytest.fixture(autouse=True)
def _no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.dial("DELETE", "/faults")


def module(cloud: Cloud, service: str, *users: str, **arguments: Any) -> dict[str, Any]:
    given = {
        "users": list(users),
        "identity_url": f"{HOST}/id/users/users/{{user}}/",
        "identity_token": TOKEN,
        "service_id": service,
        **arguments,
    }
    return cloud.begin("apim_subscription_key_info", **given).result()


def test_the_module_gets_keys(cloud: Cloud, service: str) -> None:
    for key_name, word in (("primaryKey", "primary"), ("secondaryKey", "secondary")):
        result = module(cloud, service, *NAMES[:2], key_name=key_name)
        keys = {user: base64.b64decode(key).decode() for user, key in result["user_keys"].items()}
        assert keys == {NAMES[0]: f"{word}-7-5f0c", NAMES[1]: f"{word}-8-5f0c"}
        assert (result["changed"], result["without"]) == (False, {})


def test_the_module_says_why_there_is_no_key(cloud: Cloud, service: str) -> None:
    result = module(cloud, service, *NAMES, "nobody@example.org", required=False)
    assert list(result["user_keys"]) == NAMES[:2]
    assert result["without"] == {
        NAMES[2]: "the subscription 9-planetarycomputer is suspended, not active",
        NAMES[3]: "API Management has no subscription 10-planetarycomputer",
        "nobody@example.org": "the identity service does not know the user",
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"identity_token": "guessed"},
            "The user ann@example.org has no key: the identity service refuses the token (401); check identity_token.",
        ),
        (
            {"subscription": "{name}/../{pk}"},
            'The user ann@example.org has no key: "ann/../7" is no id of a subscription in API Management.',
        ),
        (
            {"subscription": "{number}-hub"},
            "The user ann@example.org has no key: the answer of the identity service has no field number.",
        ),
        (
            {"identity_url": "https://id.invalid/{user}/", "retries": 0},
            "The user ann@example.org has no key: the identity service answered 502.",
        ),
        (
            {"identity_token": ""},
            "identity_url is given, but identity_token not; give the token that the identity service wants to see.",
        ),
        ({"identity_url": HOST}, f"identity_url is {HOST}; write {{user}} where the user's name goes."),
        (
            {"service_id": "keys"},
            "service_id is keys; give the ARM id of an API Management service,"
            " /subscriptions/.../providers/Microsoft.ApiManagement/service/<name>.",
        ),
    ],
)
def test_the_module_refuses_in_one_sentence(
    cloud: Cloud, service: str, arguments: dict[str, Any], sentence: str
) -> None:
    result = module(cloud, service, NAMES[0], **arguments)
    assert (result.get("failed"), result["msg"]) == (True, sentence)


@pytest.mark.parametrize("fault", PASSING)
def test_the_module_waits_out_what_passes(cloud: Cloud, service: str, fault: dict[str, Any]) -> None:
    cloud.dial("POST", "/faults", {**fault, "times": 1})
    assert list(module(cloud, service, NAMES[0])["user_keys"]) == NAMES[:1]


# What the hub does before a server starts, in a process of its own: TLS is set up when aiohttp is imported.
ASK = """
import asyncio, json, sys, time
from hub_extensions.user_environment_sources.gather import Gatherer

async def run():
    asking = Gatherer([json.loads(sys.argv[1])])
    begin = time.monotonic()
    found = await asyncio.gather(*(asking.gather(user) for user in sys.argv[2:]))
    seconds = time.monotonic() - begin
    await asking.close()
    return [[one.values.get("KEY"), sorted(one.unknown)] for one in found], seconds

print(json.dumps(asyncio.run(run())))
"""
Hub = Callable[..., tuple[list[Any], float, str]]


@pytest.fixture
def hub(cloud: Cloud, service: str, tmp_path: Path, root: Path) -> Hub:
    """The hub's source for some users at once, with azure-identity: their keys, seconds, and what was logged."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed here")
    known = cloud.environment
    (tmp_path / "pc-id-token").write_text(TOKEN)
    (tmp_path / "azure-client-secret").write_text(known["AZURE_CLIENT_SECRET"])
    principal = {
        "type": "service_principal",
        "tenant_id": known["AZURE_TENANT_ID"],
        "client_id": known["AZURE_CLIENT_ID"],
        "secret": "azure-client-secret",
    }

    def ask(*users: str, environment: dict[str, str] | None = None, **changes: Any) -> tuple[list[Any], float, str]:
        entry = {
            "source": "api_management",
            "name": "planetary-computer",
            "variables": {"KEY": "primaryKey"},
            "identity_url": f"{HOST}/id/users/users/{{user}}/",
            "service_id": service,
            "timeout": 20,
            "credential": principal,
            **changes,
        }
        variables = {name: known[name] for name in ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")}
        variables |= {"HUB_SECRETS_DIRECTORY": str(tmp_path), "PYTHONPATH": str(root / "roles/daskhub/files")}
        # As a deployment writes it.
        (complete,) = user_environment_sources([entry])
        done = subprocess.run(
            [sys.executable, "-c", ASK, json.dumps(complete), *users],
            env={"PATH": os.environ["PATH"], **variables, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not [secret for secret in (TOKEN, known["AZURE_CLIENT_SECRET"], "-5f0c") if secret in done.stderr]
        return (*json.loads(done.stdout), done.stderr)

    return ask


def test_the_hub_gets_keys_as_a_service_principal(hub: Hub) -> None:
    keys, _, said = hub(*NAMES, "nobody@example.org")
    assert keys == [["primary-7-5f0c", []], ["primary-8-5f0c", []], [None, []], [None, []], [None, []]]
    assert "c/d@example.org after" in said and "API Management is suspended, not active" in said
    assert "the user has no subscription in API Management" in said
    assert "the identity service does not know the user" in said


def test_the_hub_gets_keys_as_a_workload_identity(cloud: Cloud, service: str, hub: Hub, tmp_path: Path) -> None:
    identity = f"{service.split('/providers/')[0]}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/hub"
    issuer, subject = "https://oidc.example.org/hub", "system:serviceaccount:dhub:hub"
    # Reading one key needs no more than this.
    actions = [f"Microsoft.ApiManagement/service/subscriptions/{what}" for what in ("read", "listSecrets/action")]
    role = str(uuid.uuid5(uuid.NAMESPACE_URL, service))
    definition = f"{cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    permissions = [{"actions": actions, "notActions": [], "dataActions": [], "notDataActions": []}]
    result = cloud.run(
        [
            {"name": "hub", "id": identity, "api_version": "2024-11-30", "body": {"location": "westeurope"}},
            {
                "name": "federated",
                "id": f"{identity}/federatedIdentityCredentials/hub",
                "api_version": "2024-11-30",
                "body": {
                    "properties": {"issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}
                },
            },
            {
                "name": "role",
                "id": definition,
                "api_version": "2022-04-01",
                "body": {
                    "properties": {
                        "roleName": "Reader of keys",
                        "type": "CustomRole",
                        "assignableScopes": [cloud.subscription],
                        "permissions": permissions,
                    }
                },
            },
            {
                "name": "assignment",
                "id": f"{service}/providers/Microsoft.Authorization/roleAssignments/{role}",
                "api_version": "2022-04-01",
                "body": {
                    "properties": {
                        "roleDefinitionId": definition,
                        "principalId": "${hub.properties.principalId}",
                        "principalType": "ServicePrincipal",
                    }
                },
                "depends_on": ["role"],
            },
        ]
    )
    assert not result.get("failed"), result
    client = next(one for one in cloud.dial("GET", "/resources") if one["id"].lower() == identity.lower())
    assertion = cloud.dial("POST", "/assertions", {"issuer": issuer, "subject": subject})
    (tmp_path / "token").write_text(assertion if isinstance(assertion, str) else next(iter(assertion.values())))
    environment = {
        "AZURE_TENANT_ID": cloud.environment["AZURE_TENANT_ID"],
        "AZURE_CLIENT_ID": client["properties"]["clientId"],
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
    }
    keys, _, said = hub(NAMES[0], environment=environment, credential={})
    assert keys == [["primary-7-5f0c", []]], said


def test_a_rotated_key_reaches_the_next_start(cloud: Cloud, service: str, hub: Hub) -> None:
    name = f"{service}/subscriptions/8-planetarycomputer"
    renewed = {"properties": {"primaryKey": "primary-8-renewed-5f0c", "scope": "/apis", "displayName": NAMES[1]}}
    result = cloud.run([{"name": "s", "id": name, "api_version": VERSION, "body": renewed}])
    assert not result.get("failed"), result
    assert hub(NAMES[1])[0] == [["primary-8-renewed-5f0c", []]]


@pytest.mark.parametrize("fault", PASSING)
def test_the_hub_waits_out_what_passes(cloud: Cloud, hub: Hub, fault: dict[str, Any]) -> None:
    cloud.dial("POST", "/faults", {**fault, "times": 1})
    assert hub(NAMES[0])[0] == [["primary-7-5f0c", []]]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"type": "identity/users", "status": 200, "content": "<html>"}, "something else than JSON"),
        ({"type": "identity/users", "reset": True}, "the identity service cannot be reached"),
        ({"type": "Microsoft.ApiManagement/*", "status": 503, "code": "Busy"}, "API Management answered 503"),
    ],
)
def test_the_hub_says_what_failed(cloud: Cloud, hub: Hub, fault: dict[str, Any], sentence: str) -> None:
    cloud.dial("POST", "/faults", {**fault, "times": 99})
    keys, seconds, said = hub(NAMES[0], timeout=2)
    assert keys == [[None, ["KEY"]]]
    assert seconds < 3 and sentence in said


def test_the_hub_says_that_entra_id_gives_no_token(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "azure-client-secret").write_text("guessed")
    _, _, said = hub(NAMES[0], timeout=5)
    assert "Entra ID gives the hub no token (AADSTS7000215)" in said and "guessed" not in said
