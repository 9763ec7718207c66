# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The stand-in for Azure, seen by the official clients: sign-in, ARM's rules, operations, dials, life and death."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientAssertionCredential, DefaultAzureCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from stand_in import ROOT, StandIn

ARM = "https://management.azure.com"
SCOPE = f"{ARM}/.default"
HERE = {"location": "westeurope"}
GROUP = "core"
NOBODY = "00000000-0000-0000-0000-000000000000"
AUDIENCE = "api://AzureADTokenExchange"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
NETWORK = "Microsoft.Network/virtualNetworks"
SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}


@pytest.fixture(scope="module", autouse=True)
def group(stand_in: StandIn) -> None:
    """A group that all tests here may use."""
    stand_in.arm.resource_groups.create_or_update(GROUP, HERE)


@pytest.fixture
def raw(stand_in: StandIn) -> Callable[..., Any]:
    """Ask ARM: method, path behind the subscription, body, headers; the answer with status, headers and JSON."""
    token = stand_in.credential().get_token(SCOPE).token

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        url = f"{ARM}/subscriptions/{stand_in.subscription}{path}"
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        return fetch(stand_in, urllib.request.Request(url, data, sent, method=method))

    return ask


def fetch(stand_in: StandIn, request: urllib.request.Request) -> Any:
    """What a plain client gets: (status, headers, JSON)."""
    context = ssl.create_default_context(cafile=stand_in.env["SSL_CERT_FILE"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": stand_in.env["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    try:
        with opener.open(request, timeout=20) as response:
            return response.status, response.headers, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        content = error.read()
        return error.code, error.headers, json.loads(content or b"null")


def identity(name: str) -> str:
    return f"/resourceGroups/{GROUP}/providers/{IDENTITY}/{name}?api-version=2024-11-30"


def code_of(error: pytest.ExceptionInfo[HttpResponseError]) -> str:
    assert error.value.error is not None
    return str(error.value.error.code)


# -------------------------------------------------------------------------------------------------------------- sign-in
def test_default_chain_signs_in(stand_in: StandIn) -> None:
    client = ResourceManagementClient(DefaultAzureCredential(), stand_in.subscription)
    assert [one.name for one in client.resource_groups.list()] == [GROUP]


@pytest.mark.parametrize(
    ("changed", "scope", "code"),
    [
        pytest.param({"client_secret": "wrong"}, SCOPE, "AADSTS7000215", id="wrong secret"),
        pytest.param({"client_id": NOBODY}, SCOPE, "AADSTS700016", id="unknown application"),
        pytest.param({"tenant_id": NOBODY}, SCOPE, "AADSTS90002", id="unknown tenant"),
        pytest.param({}, "https://example.org/.default", "AADSTS500011", id="unknown resource"),
    ],
)
def test_sign_in_refuses(stand_in: StandIn, changed: dict[str, str], scope: str, code: str) -> None:
    # The SDK puts an unknown tenant into words of its own.
    said = "tenant" if code == "AADSTS90002" else code
    with pytest.raises((ClientAuthenticationError, ValueError), match=said):
        stand_in.credential(**changed).get_token(scope)


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_token_says_for_whom_and_how_long(stand_in: StandIn) -> None:
    claims = claims_of(stand_in.credential().get_token("https://vault.azure.net/.default").token)
    assert claims["aud"] == "https://vault.azure.net"
    assert claims["tid"] == stand_in.env["AZURE_TENANT_ID"]
    assert claims["appid"] == stand_in.env["AZURE_CLIENT_ID"]
    assert 3500 < claims["exp"] - time.time() <= 3600


@pytest.mark.parametrize(
    ("token", "code"),
    [
        pytest.param(None, "AuthenticationFailed", id="no token"),
        pytest.param("nonsense", "InvalidAuthenticationToken", id="no token of ours"),
        pytest.param("https://vault.azure.net/.default", "InvalidAuthenticationTokenAudience", id="for somebody else"),
        pytest.param("expired", "ExpiredAuthenticationToken", id="too old"),
    ],
)
def test_arm_asks_for_its_own_token(stand_in: StandIn, token: str | None, code: str) -> None:
    headers = {}
    if token == "expired":
        stand_in.dial("PATCH", "/tokens", {"lifetime": 0})
        headers["Authorization"] = f"Bearer {stand_in.credential().get_token(SCOPE).token}"
        stand_in.dial("PATCH", "/tokens", {"lifetime": 3600})
    elif token:
        value = stand_in.credential().get_token(token).token if token.startswith("https") else token
        headers["Authorization"] = f"Bearer {value}"
    request = urllib.request.Request(f"{ARM}/subscriptions?api-version=2022-12-01", headers=headers)
    status, found, body = fetch(stand_in, request)
    assert (status, body["error"]["code"]) == (401, code)
    assert found["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_workload_identity_signs_in_by_its_federated_credential(stand_in: StandIn) -> None:
    hub = stand_in.identities.user_assigned_identities.create_or_update(GROUP, "workload", HERE)
    issuer, subject = "https://issuer.example/1/", "system:serviceaccount:dhub:hub"
    credentials = stand_in.identities.federated_identity_credentials
    credentials.create_or_update(
        GROUP,
        "workload",
        "hub",
        {"properties": {"issuer": issuer, "subject": subject, "audiences": [AUDIENCE]}},
    )

    def sign_in(subject: str) -> Any:
        assertion = stand_in.dial("POST", "/assertions", {"issuer": issuer, "subject": subject})["token"]
        credential = ClientAssertionCredential(stand_in.env["AZURE_TENANT_ID"], hub.client_id, lambda: assertion)
        return claims_of(credential.get_token(SCOPE).token)

    assert sign_in(subject)["oid"] == hub.principal_id
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        sign_in("system:serviceaccount:other:hub")


# ---------------------------------------------------------------------------------------------------------- ARM's rules
def test_group_lives_and_dies(stand_in: StandIn, raw: Callable[..., Any]) -> None:
    groups = stand_in.arm.resource_groups
    made = groups.create_or_update("Short-Lived", {"location": "North Europe", "tags": {"a": "b"}})
    assert made.location == "northeurope"
    assert groups.check_existence("short-lived")
    assert groups.get("SHORT-LIVED").name == "Short-Lived"
    with pytest.raises(HttpResponseError) as error:
        groups.create_or_update("short-lived", HERE)
    assert (error.value.status_code, code_of(error)) == (409, "InvalidResourceGroupLocation")
    stand_in.identities.user_assigned_identities.create_or_update("short-lived", "inside", {"location": "northeurope"})
    groups.begin_delete("short-lived").result()
    assert not groups.check_existence("short-lived")
    assert (
        raw("GET", "/resourceGroups/short-lived?api-version=2025-04-01")[2]["error"]["code"] == "ResourceGroupNotFound"
    )
    assert [one for one in stand_in.dial("GET", "/resources") if "short-lived" in one["id"].lower()] == []


def test_nothing_is_written_into_a_dying_group(stand_in: StandIn) -> None:
    stand_in.arm.resource_groups.create_or_update("dying", HERE)
    stand_in.dial("PATCH", "/latency", {"scale": 1, "seconds": {"DELETE Microsoft.Resources/resourceGroups": 30}})
    try:
        stand_in.arm.resource_groups.begin_delete("dying", polling=False)
        stand_in.dial("PATCH", "/latency", {"scale": 0})
        assert stand_in.arm.resource_groups.get("dying").properties.provisioning_state == "Deleting"
        with pytest.raises(HttpResponseError) as error:
            stand_in.identities.user_assigned_identities.create_or_update("dying", "late", HERE)
        assert (error.value.status_code, code_of(error)) == (409, "ResourceGroupBeingDeleted")
    finally:
        stand_in.dial("PATCH", "/latency", {"scale": 0, "seconds": None})
        stand_in.dial("PATCH", "/latency", {"seconds": {}})


REFUSED: dict[str, tuple[str, str, Any, int, str]] = {
    "no api-version": ("GET", f"/resourceGroups/{GROUP}", None, 400, "MissingApiVersionParameter"),
    "unknown api-version": ("GET", identity("x").replace("2024-11-30", "1999-01-01"), None, 400, "InvalidResourceType"),
    "written in an unknown api-version": (
        "PUT", identity("x").replace("2024-11-30", "1999-01-01"), HERE, 400, "NoRegisteredProviderFound",
    ),
    "no such group": ("GET", identity("x").replace(GROUP, "nowhere"), None, 404, "ResourceGroupNotFound"),
    "no such resource": ("GET", identity("nobody"), None, 404, "ResourceNotFound"),
    "no such provider": (
        "GET", f"/resourceGroups/{GROUP}/providers/Microsoft.Nothing/things/x?api-version=2020-01-01", None, 404,
        "InvalidResourceNamespace",
    ),
    "no such type": (
        "GET", f"/resourceGroups/{GROUP}/providers/Microsoft.Network/things/x?api-version=2024-05-01", None, 404,
        "InvalidResourceType",
    ),
    "no location": ("PUT", identity("new"), {}, 400, "LocationRequired"),
    "no region": ("PUT", identity("new"), {"location": "mars"}, 400, "LocationNotAvailableForResourceType"),
    "unknown property": ("PUT", identity("new"), {**HERE, "propertys": {}}, 400, "InvalidRequestContent"),
    "wrong type": ("PUT", identity("new"), {**HERE, "tags": ["a"]}, 400, "InvalidRequestContent"),
    "bad tag": ("PUT", identity("new"), {**HERE, "tags": {"a?": "b"}}, 400, "InvalidTagNameCharacters"),
    "bad name": ("PUT", identity("a%20b"), HERE, 400, "BadRequest"),
    "child of nobody": (
        "PUT", identity("nobody").replace("?", "/federatedIdentityCredentials/x1?"), {"properties": {}}, 404,
        "ParentResourceNotFound",
    ),
    "group without a location": ("PUT", "/resourceGroups/new?api-version=2025-04-01", {}, 400, "LocationRequired"),
    "group on mars": (
        "PUT", "/resourceGroups/new?api-version=2025-04-01", {"location": "mars"}, 400,
        "LocationNotAvailableForResourceGroup",
    ),
    "group with a bad name": (
        "PUT", "/resourceGroups/new%21?api-version=2025-04-01", HERE, 400, "InvalidResourceGroup",
    ),
    "group with a typo": (
        "PUT", "/resourceGroups/new?api-version=2025-04-01", {**HERE, "tag": {}}, 400, "InvalidRequestContent",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_as_arm_refuses(raw: Callable[..., Any], case: str) -> None:
    method, path, body, status, code = REFUSED[case]
    found, _headers, answer = raw(method, path, body)
    assert (found, answer["error"]["code"]) == (status, code), answer
    assert answer["error"]["message"]


def test_other_subscription(stand_in: StandIn) -> None:
    client = ResourceManagementClient(stand_in.credential(), "00000000-0000-0000-0000-000000000001")
    with pytest.raises(HttpResponseError) as error:
        client.resource_groups.get(GROUP)
    assert code_of(error) == "SubscriptionNotFound"


def test_a_name_is_bound_to_its_location(stand_in: StandIn) -> None:
    identities = stand_in.identities.user_assigned_identities
    identities.create_or_update(GROUP, "bound", HERE)
    with pytest.raises(HttpResponseError) as error:
        identities.create_or_update(GROUP, "bound", {"location": "northeurope"})
    assert (error.value.status_code, code_of(error)) == (409, "InvalidResourceLocation")


def test_answers_in_azures_own_case(raw: Callable[..., Any]) -> None:
    status, _headers, made = raw("PUT", identity("Cased"), {"location": "West Europe"})
    assert (status, made["location"], made["tags"]) == (201, "westeurope", {})
    path = identity("CASED").replace("resourceGroups", "RESOURCEGROUPS").replace("userAssigned", "USERASSIGNED")
    status, _headers, found = raw("GET", path)
    assert (status, found["id"]) == (200, made["id"])
    assert "/resourcegroups/core/" in found["id"] and found["type"] == IDENTITY


def test_registration(stand_in: StandIn, raw: Callable[..., Any]) -> None:
    providers = stand_in.arm.providers
    known = {one.namespace: one.registration_state for one in providers.list()}
    assert known["Microsoft.Network"] == "Registered"
    providers.unregister("Microsoft.ManagedIdentity")
    # The SDK would register by itself.
    status, _headers, body = raw("PUT", identity("unregistered"), HERE)
    assert (status, body["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    assert providers.register("Microsoft.ManagedIdentity").registration_state == "Registered"


def test_lists_page_filter_and_expand(stand_in: StandIn) -> None:
    identities = stand_in.identities.user_assigned_identities
    names = [f"page-{number}" for number in range(7)]
    for name in names:
        identities.create_or_update(GROUP, name, {**HERE, "tags": {"page": name}})
    stand_in.dial("PATCH", "/settings", {"page": 3})
    start = time.time()
    assert {one.name for one in identities.list_by_resource_group(GROUP)} >= set(names)
    pages = [one for one in stand_in.calls() if one["start"] >= start]
    assert len(pages) > 2
    stand_in.dial("PATCH", "/settings", {"page": 100})
    resources = stand_in.arm.resources
    found = resources.list(filter=f"resourceType eq '{IDENTITY}' and substringof('page-', name)", expand="createdTime")
    assert {one.name: one.created_time is not None for one in found} == dict.fromkeys(names, True)
    tagged = resources.list_by_resource_group(GROUP, filter="tagName eq 'page' and tagValue eq 'page-3'")
    assert [one.name for one in tagged] == ["page-3"]
    with pytest.raises(HttpResponseError) as error:
        list(resources.list(filter="colour eq 'red'"))
    assert code_of(error) == "InvalidFilterInQueryString"


def test_tags_of_their_own_and_lists_without_groups(stand_in: StandIn, raw: Callable[..., Any]) -> None:
    raw("PUT", identity("tagged"), {**HERE, "tags": {"a": "1", "b": "2"}})
    place = identity("tagged").replace("?api-version=2024-11-30", "/providers/Microsoft.Resources/tags/default")
    place += "?api-version=2024-11-01"
    merged = raw("PATCH", place, {"operation": "Merge", "properties": {"tags": {"b": "3", "c": "4"}}})
    assert merged[2]["properties"]["tags"] == {"a": "1", "b": "3", "c": "4"}
    raw("PATCH", place, {"operation": "Delete", "properties": {"tags": {"a": "1"}}})
    assert raw("GET", identity("tagged"))[2]["tags"] == {"b": "3", "c": "4"}
    assert GROUP not in [one.name for one in stand_in.arm.resources.list()]


def test_federated_credentials_one_at_a_time_and_at_most_twenty(stand_in: StandIn) -> None:
    stand_in.identities.user_assigned_identities.create_or_update(GROUP, "many", HERE)

    client = stand_in.identities.federated_identity_credentials

    def write(number: int) -> Any:
        body = {
            "issuer": "https://issuer.example/",
            "subject": f"s{number}",
            "audiences": [AUDIENCE],
        }
        return client.create_or_update(GROUP, "many", f"cred-{number}", {"properties": body}, retry_total=0)

    def outcome(number: int) -> str:
        try:
            write(number)
        except HttpResponseError as error:
            return str(error.error.code if error.error else error)
        return "written"

    # Long enough that they meet also on a busy machine.
    stand_in.dial("PATCH", "/latency", {"scale": 1, "seconds": {f"PUT {IDENTITY}/federatedIdentityCredentials": 1}})
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(outcome, range(4)))
    stand_in.dial("PATCH", "/latency", {"scale": 0, "seconds": None})
    stand_in.dial("PATCH", "/latency", {"seconds": {}})
    assert "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity" in together and "written" in together
    assert {outcome(number) for number in range(20)} == {"written"}
    assert outcome(20) == "FederatedIdentityCredentialQuotaExceeded"
    assert len(list(client.list(GROUP, "many"))) == 20


def test_etags(stand_in: StandIn, raw: Callable[..., Any]) -> None:
    path = f"/resourceGroups/{GROUP}/providers/{NETWORK}/etags?api-version=2025-05-01"
    body = {**HERE, "properties": SPACE}
    made = stand_in.network.virtual_networks.begin_create_or_update(GROUP, "etags", body).result()
    assert raw("PUT", path, body, If_None_Match="*")[0] == 412
    assert raw("PUT", path, body, If_Match='W/"something-else"')[0] == 412
    assert raw("PUT", path, body, If_Match=made.etag)[0] == 200
    assert raw("GET", path)[2]["etag"] != made.etag


# ------------------------------------------------------------------------------------------------ operations and faults
@pytest.fixture
def slow(stand_in: StandIn) -> Iterator[Callable[[str, float], None]]:
    """Let an operation of a type take so many seconds."""

    def turn(what: str, seconds: float) -> None:
        stand_in.dial("PATCH", "/latency", {"scale": 0.5, "seconds": {what: seconds * 2}})

    yield turn
    stand_in.dial("PATCH", "/latency", {"scale": 0, "seconds": None})
    stand_in.dial("PATCH", "/latency", {"seconds": {}})


def test_long_operation_is_polled(
    stand_in: StandIn, raw: Callable[..., Any], slow: Callable[[str, float], None]
) -> None:
    slow(f"PUT {NETWORK}", 3.0)
    start = time.time()
    path = f"/resourceGroups/{GROUP}/providers/{NETWORK}/long?api-version=2025-05-01"
    status, headers, body = raw("PUT", path, {**HERE, "properties": SPACE})
    assert (status, body["properties"]["provisioningState"]) == (201, "Creating")
    place = headers["Azure-AsyncOperation"].partition(stand_in.subscription)[2]
    assert raw("GET", place)[2]["status"] == "InProgress"
    busy = raw("PUT", path, {**HERE, "properties": SPACE})
    assert (busy[0], busy[2]["error"]["code"]) == (409, "AnotherOperationInProgress")
    child = raw("PUT", path.replace("?", "/subnets/a?"), {"properties": {"addressPrefix": "10.0.0.0/24"}})
    assert (child[0], child[2]["error"]["code"]) == (409, "AnotherOperationInProgress")
    while raw("GET", place)[2]["status"] == "InProgress":
        assert time.time() < start + 20
        time.sleep(0.05)
    assert raw("GET", path)[2]["properties"]["provisioningState"] == "Succeeded"
    ended = stand_in.calls("operation")[-1]
    assert (ended["type"], ended["status"]) == (NETWORK, "Succeeded")
    assert ended["end"] - ended["start"] == pytest.approx(3.0, abs=0.05)


def test_failed_operation(stand_in: StandIn) -> None:
    stand_in.dial(
        "POST",
        "/faults",
        {"method": "PUT", "type": NETWORK, "operation": True, "code": "OutOfLuck", "message": "No luck today."},
    )
    networks = stand_in.network.virtual_networks
    with pytest.raises(HttpResponseError, match="OutOfLuck"):
        networks.begin_create_or_update(GROUP, "unlucky", {**HERE, "properties": SPACE}).result()
    assert networks.get(GROUP, "unlucky").properties.provisioning_state == "Failed"
    again = networks.begin_create_or_update(GROUP, "unlucky", {**HERE, "properties": SPACE}).result()
    assert again.properties.provisioning_state == "Succeeded"


def test_fault_at_the_nth_call(stand_in: StandIn, raw: Callable[..., Any]) -> None:
    throttled = {"status": 429, "code": "TooManyRequests", "retry_after": 7}
    stand_in.dial("POST", "/faults", {"method": "GET", "type": IDENTITY, "nth": 2, "times": 2, **throttled})
    raw("PUT", identity("faulty"), HERE)
    answers = [raw("GET", identity("faulty")) for _ in range(4)]
    stand_in.dial("DELETE", "/faults")
    assert [status for status, _headers, _body in answers] == [200, 429, 429, 200]
    assert answers[1][1]["Retry-After"] == "7"
    assert answers[1][2]["error"]["code"] == "TooManyRequests"


@pytest.mark.parametrize(("after", "there"), [(False, 404), (True, 200)])
def test_connection_breaks(stand_in: StandIn, raw: Callable[..., Any], after: bool, there: int) -> None:
    name = f"broken-{after}"
    stand_in.dial("POST", "/faults", {"method": "PUT", "type": IDENTITY, "reset": True, "after": after})
    with pytest.raises((OSError, urllib.error.URLError, ssl.SSLError)):
        raw("PUT", identity(name), HERE)
    stand_in.dial("DELETE", "/faults")
    assert raw("GET", identity(name))[0] == there


def test_latency_does_not_block_others(stand_in: StandIn, slow: Callable[[str, float], None]) -> None:
    slow(f"GET {IDENTITY}", 0.5)
    identities = stand_in.identities.user_assigned_identities
    start = time.time()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: identities.get(GROUP, "bound"), range(8)))
    assert 0.5 <= time.time() - start < 2.5


def test_unknown_dial_and_host(stand_in: StandIn) -> None:
    done = stand_in.launch("dial", "POST", "/nonsense", "{}")
    assert done.returncode == 1 and "no dial" in done.stderr
    status, _headers, body = fetch(stand_in, urllib.request.Request("https://example.org/"))
    assert (status, body["error"]["code"]) == (502, "UnknownHost")


# ------------------------------------------------------------------------------------------------------- life and death
@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A second stand-in, in its own directory, on its own port."""
    started = StandIn(tmp_path_factory.mktemp("another")).start()
    yield started
    started.stop()


def test_two_do_not_disturb_each_other(stand_in: StandIn, another: StandIn) -> None:
    assert stand_in.env["HTTPS_PROXY"] != another.env["HTTPS_PROXY"]
    assert stand_in.env["AZURE_CLIENT_SECRET"] != another.env["AZURE_CLIENT_SECRET"]
    assert stand_in.dial("GET", "/")["pid"] != another.dial("GET", "/")["pid"]
    assert another.dial("GET", "/resources") == []
    assert another.launch("start").returncode == 0, "a second start leaves it running"


def test_keeps_secrets_private_and_says_what_is_in_its_way(another: StandIn, tmp_path: Path) -> None:
    for name in ("environment.json", "state/signing-key.pem", "state/ca/mitmproxy-ca.pem", "state/cloud.sqlite"):
        assert stat.S_IMODE((another.directory / name).stat().st_mode) == 0o600, name
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        other = StandIn(tmp_path / "other")
        done = other.launch("start", "--port", port)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use: stop what listens there, or name another one with --port.\n"
    assert other.launch("status").stdout == "No stand-in for Azure runs.\n"
    exports = another.launch("env").stdout
    assert f"export AZURE_CLIENT_ID={another.env['AZURE_CLIENT_ID']}\n" in exports


def test_survives_a_kill(another: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in another.env.items():
        monkeypatch.setenv(name, value)
    another.arm.resource_groups.create_or_update("kept", HERE)
    networks = another.network.virtual_networks
    for name, seconds in (("short", 0.2), ("long", 600)):
        another.dial("PATCH", "/latency", {"scale": 1, "seconds": {f"PUT {NETWORK}": seconds}})
        networks.begin_create_or_update("kept", name, {**HERE, "properties": SPACE}, polling=False)
    os.kill(another.pid, signal.SIGKILL)
    before = dict(another.env)
    another.start("--latency", "0")
    assert another.env == before
    states = {one.name: one.properties.provisioning_state for one in networks.list("kept")}
    assert states == {"short": "Succeeded", "long": "Creating"}
    with pytest.raises(HttpResponseError) as error:
        networks.begin_delete("kept", "long")
    assert code_of(error) == "AnotherOperationInProgress"


def test_is_started_again_when_its_sources_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = shutil.copytree(ROOT / "sandbox", tmp_path / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    old = StandIn(tmp_path / "state", sources / "azure/launch.py").start()
    for name, value in old.env.items():
        monkeypatch.setenv(name, value)
    old.arm.resource_groups.create_or_update("kept", HERE)
    pid, before = old.pid, dict(old.env)
    with (sources / "azure/arm/groups.py").open("a", encoding="utf-8") as source:
        source.write("# Changed.\n")
    try:
        assert old.start().pid != pid
        assert old.env == before
        assert old.arm.resource_groups.check_existence("kept")
        pid = old.pid
        assert old.start().pid == pid, "nothing has changed since"
    finally:
        old.stop()


def test_what_was_read_can_be_sent_back(raw: Callable[..., Any]) -> None:
    """What only Azure writes is ignored in a PUT, and in a PATCH: a client may send what it got."""
    base = f"/resourceGroups/{GROUP}/providers"
    bodies: dict[str, dict[str, Any]] = {
        "Microsoft.ContainerRegistry/registries/roundtrip?api-version=2025-11-01": {"sku": {"name": "Premium"}},
        "Microsoft.Network/virtualNetworks/roundtrip?api-version=2025-05-01": {
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
                "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.9.0.0/20"}}],
            }
        },
        "Microsoft.OperationalInsights/workspaces/roundtrip?api-version=2025-07-01": {"properties": {}},
        "Microsoft.ManagedIdentity/userAssignedIdentities/roundtrip?api-version=2024-11-30": {},
        "Microsoft.Storage/storageAccounts/roundtrip0?api-version=2025-06-01": {
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
        },
    }
    for path, body in bodies.items():
        status, _headers, answer = raw("PUT", f"{base}/{path}", {**HERE, **body})
        assert status < 300, (path, answer)
    for path in bodies:
        _status, _headers, read = raw("GET", f"{base}/{path}")
        status, _headers, answer = raw("PUT", f"{base}/{path}", read)
        assert status < 300, (path, answer)
    _status, _headers, read = raw("GET", identity("roundtrip"))
    status, _headers, answer = raw("PATCH", identity("roundtrip"), {**read, "tags": {"sent": "back"}})
    assert (status, answer["tags"]) == (200, {"sent": "back"}), answer
    assert answer["properties"] == read["properties"]
    for method in ("PUT", "PATCH"):
        status, _headers, answer = raw(method, identity("roundtrip"), {**HERE, "properties": {"no such": 1}})
        assert (status, answer["error"]["code"]) == (400, "InvalidRequestContent"), method
