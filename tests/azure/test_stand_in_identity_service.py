# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The identity service of the stand-in: look-ups with a token, sign-in with requests-oauthlib, latency and faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest
import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from browsing import sign_in
from stand_in import StandIn

HOST = "https://planetarycomputer.stand-in.invalid"
REDIRECT = "https://hub.example.org/hub/oauth_callback"
TOKEN = "the-token-of-the-hub"
#: Not one of them fits into an address as it is.
NAMES = ["ann@example.org", "bob+hub@example.org", "c/d@example.org", "e?f#g@example.org", "zoë@example.org"]


@pytest.fixture(scope="module", autouse=True)
def service(stand_in: StandIn) -> None:
    for number, email in enumerate(NAMES, 7):
        stand_in.dial("POST", "/people", {"email": email, "password": "secret", "pk": number})
    clients = {"hub": {"secret": "s/ecret", "redirect_uris": [REDIRECT]}}
    stand_in.dial("POST", "/identity", {"token": TOKEN, "clients": clients})


def look_up(email: str, authorization: str = f"Token {TOKEN}", host: str = HOST) -> requests.Response:
    address = f"{host}/id/users/users/{quote(email, safe='')}/"
    return requests.get(address, headers={"Authorization": authorization} if authorization else {}, timeout=30)


@pytest.mark.parametrize(("number", "email"), list(enumerate(NAMES, 7)))
def test_a_person_is_found(number: int, email: str) -> None:
    found = look_up(email)
    assert (found.status_code, found.json()["pk"], found.json()["email"]) == (200, number, email)


@pytest.mark.parametrize(
    ("email", "authorization", "status"),
    [
        (NAMES[0], "", 401),
        (NAMES[0], "Token guessed", 401),
        (NAMES[0], f"Bearer {TOKEN}", 401),
        ("nobody@example.org", f"Token {TOKEN}", 404),
    ],
)
def test_nobody_is_found(email: str, authorization: str, status: int) -> None:
    assert look_up(email, authorization).status_code == status


def test_a_host_can_be_named(stand_in: StandIn) -> None:
    other = "https://people.example.org"
    assert look_up(NAMES[0], host=other).status_code == 502
    stand_in.dial("PATCH", "/settings", {"identity_hosts": ["people.example.org"]})
    assert look_up(NAMES[0], host=other).status_code == 200


@pytest.fixture
def _dials(stand_in: StandIn) -> Iterator[None]:
    yield
    stand_in.dial("DELETE", "/faults")
    stand_in.dial("PATCH", "/latency", {"scale": 0, "seconds": {"GET identity/users": None}})


@pytest.mark.usefixtures("_dials")
def test_latency_and_faults(stand_in: StandIn) -> None:
    fault = {"type": "identity/users", "status": 429, "code": "Throttled", "message": "Slow down.", "retry_after": 7}
    stand_in.dial("POST", "/faults", fault)
    refused = look_up(NAMES[0])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    stand_in.dial("POST", "/faults", {"type": "identity/users", "status": 200, "content": "<html>", "nth": 1})
    assert look_up(NAMES[0]).text == "<html>"
    stand_in.dial("POST", "/faults", {"type": "identity/users", "reset": True})
    with pytest.raises(requests.ConnectionError):
        look_up(NAMES[0])
    stand_in.dial("PATCH", "/latency", {"scale": 1, "seconds": {"GET identity/users": 0.4}})
    start = time.monotonic()
    assert look_up(NAMES[0]).ok
    assert time.monotonic() - start >= 0.4


def session() -> OAuth2Session:
    return OAuth2Session("hub", redirect_uri=REDIRECT, scope="openid", pkce="S256")


def test_a_person_signs_in() -> None:
    document = requests.get(f"{HOST}/id/o/.well-known/openid-configuration", timeout=30).json()
    hub = session()
    # Without a slash at the end, as hubs have it in their configuration.
    address, _state = hub.authorization_url(f"{HOST}/id/o/authorize", nonce="once")
    back = sign_in(address, "bob+hub@example.org", "secret").headers["Location"]
    token = hub.fetch_token(document["token_endpoint"], authorization_response=back, client_secret="s/ecret")
    assert hub.get(document["userinfo_endpoint"]).json() == {"pk": 8, "email": NAMES[1], "name": "bob+hub"}
    key = jwt.PyJWKClient(document["jwks_uri"]).get_signing_key_from_jwt(token["id_token"]).key
    claims = jwt.decode(token["id_token"], key, ["RS256"], audience="hub", issuer=document["issuer"])
    assert (claims["email"], claims["nonce"], claims["sub"]) == (NAMES[1], "once", "8")
    assert requests.get(document["userinfo_endpoint"], timeout=30).status_code == 401
    with pytest.raises(OAuth2Error, match="redeemed before"):
        hub.fetch_token(document["token_endpoint"], authorization_response=back, client_secret="s/ecret")


@pytest.mark.parametrize(
    ("secret", "own_code", "error"), [("guessed", True, "invalid_client"), ("s/ecret", False, "invalid_grant")]
)
def test_who_cannot_prove_it_gets_nothing(secret: str, own_code: bool, error: str) -> None:
    hub, other = session(), session()
    address, _state = hub.authorization_url(f"{HOST}/id/o/authorize/")
    other.authorization_url(f"{HOST}/id/o/authorize/")
    back = sign_in(address, NAMES[0], "secret").headers["Location"]
    (code,) = parse_qs(urlsplit(back).query)["code"]
    # The other session has another verifier.
    with pytest.raises(OAuth2Error) as refused:
        (hub if own_code else other).fetch_token(f"{HOST}/id/o/token/", code=code, client_secret=secret)
    assert refused.value.error == error


def test_wrong_password_unknown_client_and_foreign_address() -> None:
    address, _state = session().authorization_url(f"{HOST}/id/o/authorize/")
    assert "correct e-mail and password" in sign_in(address, NAMES[0], "guessed").text
    for changed in (
        OAuth2Session("other", redirect_uri=REDIRECT),
        OAuth2Session("hub", redirect_uri="https://evil.org/"),
    ):
        page = requests.get(changed.authorization_url(f"{HOST}/id/o/authorize/")[0], timeout=30, allow_redirects=False)
        assert page.status_code == 400 and "Location" not in page.headers
