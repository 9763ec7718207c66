# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""People sign in to Entra ID by a browser: MSAL's authorization code flow, and what is refused."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import msal
import pytest
import requests

from browsing import Form, sign_in
from stand_in import StandIn

REDIRECT = "https://hub.example.org/hub/oauth_callback"
ANN, PASSWORD = "ann@example.org", "ann's pass & word"
GRAPH = "https://graph.microsoft.com/v1.0"
Flow = tuple[msal.ClientApplication, dict[str, Any], dict[str, str]]


@pytest.fixture(scope="module")
def graph(stand_in: StandIn) -> Callable[..., Any]:
    """Ask Microsoft Graph as the deployer; the answer must be a success."""
    token = stand_in.credential().get_token("https://graph.microsoft.com/.default").token

    def ask(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, f"{GRAPH}/{path}", json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    return ask


@pytest.fixture(scope="module")
def application(stand_in: StandIn, graph: Callable[..., Any]) -> dict[str, Any]:
    """An app registration as the portal makes it, with a secret; and Ann."""
    person = {"email": ANN, "password": PASSWORD, "name": "Ann", "groups": ["Scientists"]}
    stand_in.dial("POST", "/people", person)
    web = {"redirectUris": [REDIRECT, "http://localhost/callback"]}
    body = {"displayName": "hub", "web": web, "groupMembershipClaims": "SecurityGroup"}
    made: dict[str, Any] = graph("POST", "applications", body)
    secret = graph("POST", f"applications/{made['id']}/addPassword", {"passwordCredential": {"displayName": "hub"}})
    return {**made, "secret": secret["secretText"]}


@pytest.fixture
def client(stand_in: StandIn, application: dict[str, Any]) -> Callable[..., msal.ConfidentialClientApplication]:
    def make(credential: Any = None) -> msal.ConfidentialClientApplication:
        authority = f"https://login.microsoftonline.com/{stand_in.env['AZURE_TENANT_ID']}"
        return msal.ConfidentialClientApplication(application["appId"], credential or application["secret"], authority)

    return make


def answer_of(response: requests.Response) -> dict[str, str]:
    """What the browser brings back to the application."""
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def test_a_person_signs_in(stand_in: StandIn, client: Callable[..., Any], application: dict[str, Any]) -> None:
    app = client()
    flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT, state="s 1", response_mode="query")
    result = app.acquire_token_by_auth_code_flow(flow, answer_of(sign_in(flow["auth_uri"], ANN, PASSWORD)))
    assert "error" not in result, result
    tenant = stand_in.env["AZURE_TENANT_ID"]
    keys = jwt.PyJWKClient(f"https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys")
    claims = jwt.decode(
        result["id_token"],
        keys.get_signing_key_from_jwt(result["id_token"]).key,
        ["RS256"],
        audience=application["appId"],
        issuer=f"https://login.microsoftonline.com/{tenant}/v2.0",
    )
    assert (claims["preferred_username"], claims["name"], claims["tid"]) == (ANN, "Ann", tenant)
    assert len(claims["groups"]) == 1
    # MSAL keeps the nonce, and sends its hash.
    assert claims["nonce"] and claims["nonce"] != flow["nonce"]
    access = jwt.decode(result["access_token"], options={"verify_signature": False})
    assert (access["oid"], access["idtyp"]) == (claims["oid"], "user")


def test_a_code_is_good_once(client: Callable[..., Any]) -> None:
    app = client()
    flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT)
    brought = answer_of(sign_in(flow["auth_uri"], ANN, PASSWORD))
    assert "id_token" in app.acquire_token_by_auth_code_flow(flow, brought)
    again = app.acquire_token_by_auth_code_flow(flow, brought)
    assert (again["error"], again["error_codes"]) == ("invalid_grant", [54005])


def _other_verifier(flow: dict[str, Any], _brought: dict[str, str]) -> None:
    flow["code_verifier"] = "x" * 43


def _no_verifier(flow: dict[str, Any], _brought: dict[str, str]) -> None:
    flow["code_verifier"] = ""


def _other_address(flow: dict[str, Any], _brought: dict[str, str]) -> None:
    flow["redirect_uri"] = "http://localhost/callback"


def _other_code(_flow: dict[str, Any], brought: dict[str, str]) -> None:
    brought["code"] = "guessed"


@pytest.mark.parametrize(
    ("change", "code"),
    [(_other_verifier, 501481), (_no_verifier, 50148), (_other_address, 500112), (_other_code, 70008)],
)
def test_what_does_not_fit_the_code_is_refused(client: Callable[..., Any], change: Any, code: int) -> None:
    app = client()
    flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT)
    brought = answer_of(sign_in(flow["auth_uri"], ANN, PASSWORD))
    change(flow, brought)
    result = app.acquire_token_by_auth_code_flow(flow, brought)
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [code])


def test_a_wrong_secret_and_an_expired_one(
    client: Callable[..., Any], graph: Callable[..., Any], application: dict[str, Any]
) -> None:
    ends = datetime.datetime.fromtimestamp(time.time() - 60, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"passwordCredential": {"displayName": "old", "endDateTime": ends}}
    old = graph("POST", f"applications/{application['id']}/addPassword", body)["secretText"]
    for secret, code in (("guessed", 7000215), (old, 7000222)):
        app = client(secret)
        flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT)
        brought = answer_of(sign_in(flow["auth_uri"], ANN, PASSWORD))
        result = app.acquire_token_by_auth_code_flow(flow, brought)
        assert (result["error"], result["error_codes"]) == ("invalid_client", [code])


def test_a_federated_credential_serves_instead_of_a_secret(
    stand_in: StandIn, client: Callable[..., Any], graph: Callable[..., Any], application: dict[str, Any]
) -> None:
    subject = {"issuer": "https://issuer.example.org/", "subject": "system:serviceaccount:dhub:hub"}
    credential = {"name": "hub", **subject, "audiences": ["api://AzureADTokenExchange"]}
    graph("POST", f"applications/{application['id']}/federatedIdentityCredentials", credential)
    for wanted, other in (("id_token", {}), ("error", {"subject": "system:serviceaccount:other:hub"})):
        assertion = stand_in.dial("POST", "/assertions", {**subject, **other})["token"]
        app = client({"client_assertion": assertion})
        flow = app.initiate_auth_code_flow([], redirect_uri=REDIRECT)
        brought = answer_of(sign_in(flow["auth_uri"], ANN, PASSWORD))
        assert wanted in app.acquire_token_by_auth_code_flow(flow, brought)


def test_a_redirect_uri_that_is_not_registered_is_never_followed(client: Callable[..., Any]) -> None:
    flow = client().initiate_auth_code_flow([], redirect_uri="https://evil.example.org/callback")
    page = requests.get(flow["auth_uri"], timeout=30, allow_redirects=False)
    assert page.status_code == 400
    assert "AADSTS50011" in page.text and "https://evil.example.org/callback" in page.text
    unknown = flow["auth_uri"].replace("client_id=", f"client_id={uuid.uuid4()}&was=")
    assert "AADSTS700016" in requests.get(unknown, timeout=30).text


def test_any_port_of_this_machine_is_registered(client: Callable[..., Any]) -> None:
    flow = client().initiate_auth_code_flow([], redirect_uri="http://localhost:8765/callback")
    response = sign_in(flow["auth_uri"], ANN, PASSWORD)
    assert response.headers["Location"].startswith("http://localhost:8765/callback?")


def test_a_wrong_password_asks_again(client: Callable[..., Any]) -> None:
    flow = client().initiate_auth_code_flow([], redirect_uri=REDIRECT)
    response = sign_in(flow["auth_uri"], ANN, "guessed")
    form = Form(response.text)
    assert "AADSTS50126" in form.text and form.fields["username"] == ANN and not form.fields["password"]


def test_the_answer_may_come_as_a_form(client: Callable[..., Any]) -> None:
    flow = client().initiate_auth_code_flow([], redirect_uri=REDIRECT, response_mode="form_post")
    form = Form(sign_in(flow["auth_uri"], ANN, PASSWORD).text)
    assert form.action == REDIRECT
    assert form.fields["state"] == flow["state"] and form.fields["code"]


def test_without_a_form_for_machines(stand_in: StandIn, client: Callable[..., Any]) -> None:
    flow = client().initiate_auth_code_flow([], redirect_uri=REDIRECT, login_hint=ANN)
    stand_in.dial("PATCH", "/settings", {"sign_in_at_once": True})
    try:
        response = requests.get(flow["auth_uri"], timeout=30, allow_redirects=False)
    finally:
        stand_in.dial("PATCH", "/settings", {"sign_in_at_once": None})
    assert "code" in parse_qs(urlsplit(response.headers["Location"]).query)


def test_version_1_serves_too(stand_in: StandIn, application: dict[str, Any]) -> None:
    """The endpoints that JupyterHub's Azure AD authenticator asks unless it is told otherwise."""
    base = f"https://login.microsoftonline.com/{stand_in.env['AZURE_TENANT_ID']}/oauth2"
    asked = {"response_type": "code", "client_id": application["appId"], "redirect_uri": REDIRECT, "state": "s"}
    address = str(requests.Request("GET", f"{base}/authorize", params=asked).prepare().url)
    brought = answer_of(sign_in(address, ANN, PASSWORD))
    form = {"grant_type": "authorization_code", "code": brought["code"], "redirect_uri": REDIRECT}
    basic = (application["appId"], application["secret"])
    tokens = requests.post(f"{base}/token", form, auth=basic, timeout=30).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (claims["ver"], claims["upn"]) == ("1.0", ANN)
