# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The identity service of a data platform: people and their numbers, and sign-in by OAuth 2 with OpenID Connect.

* ``GET /id/users/users/<e-mail>/`` with ``Authorization: Token <token>``: ``{"pk": 7, …}``
* ``/id/o/authorize/``, ``/id/o/token/``, ``/id/users/userdata``, ``/id/o/.well-known/openid-configuration``

It answers for HOSTS, and for the hosts of the setting ``identity_hosts``. ``POST /identity`` of the dials says whose
token may look people up, and which applications may let people sign in: ``{"token": "…", "clients": {"hub": {"secret":
"…", "redirect_uris": ["https://hub.example.org/hub/oauth_callback"]}}}``; with ``"loopback": true`` people may return
to any port of this machine. Latency and faults have the types ``identity/users``, ``identity/authorize``,
``identity/token`` and ``identity/userdata``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from . import oauth, people
from .dials import dial
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud
    from .directory import Principal

HOSTS = (
    "planetarycomputer.stand-in.invalid",
    "planetarycomputer.microsoft.com",
    "planetarycomputer-staging.microsoft.com",
)
#: Seconds that an answer takes at latency scale 1.
SECONDS = 0.3
#: Seconds for which a token lasts.
LIFETIME = 36000
TITLE = "Sign in to the planetary computer"


def _refusal(status: int, detail: str) -> Refusal:
    headers = {"WWW-Authenticate": "Token"} if status == 401 else {}
    return Refusal(status, "IdentityService", detail, body={"detail": detail}, headers=headers)


def _oauth_error(status: int, error: str, description: str) -> Refusal:
    return Refusal(status, error, description, body={"error": error, "error_description": description})


@dial("POST /identity")
def _configure(cloud: Cloud, request: Request) -> Answer:
    """Set the token that may look people up, and applications: {token, clients: {id: {secret, redirect_uris}}}."""
    asked = request.json() or {}
    held = cloud.store.fact("identity")
    if "token" in asked:
        held["token"] = str(asked["token"])
    held.setdefault("clients", {}).update(asked.get("clients") or {})
    cloud.store.touch("identity")
    return Answer(200, {"clients": sorted(held["clients"])})


# --------------------------------------------------------------------------------------------------------------- people
def _shown(person: Principal) -> dict[str, Any]:
    return {"pk": person.more.get("pk"), "email": people.email_of(person), "name": person.name}


def _user(cloud: Cloud, request: Request, email: str) -> Answer:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    known = str(cloud.store.fact("identity").get("token") or "")
    if kind != "Token":
        raise _refusal(401, "Authentication credentials were not provided.")
    if not known or not secrets.compare_digest(known.encode(), token.encode()):
        raise _refusal(401, "Invalid token.")
    person = people.named(cloud, email)
    if person is None:
        raise _refusal(404, "Not found.")
    return Answer(200, _shown(person))


def _userdata(cloud: Cloud, request: Request) -> Answer:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    claims = cloud.key.claims(token) if kind.lower() == "bearer" else None
    if claims is None or claims.get("aud") != _issuer(request) or float(claims["exp"]) < cloud.now():
        raise _refusal(401, "Invalid token.")
    person = cloud.directory.by_object_id(str(claims.get("oid")))
    if person is None:
        raise _refusal(401, "Invalid token.")
    return Answer(200, _shown(person))


# -------------------------------------------------------------------------------------------------------------- sign-in
def _issuer(request: Request) -> str:
    return f"https://{request.host}/id/o"


def _discovery(_cloud: Cloud, request: Request) -> Answer:
    issuer = _issuer(request)
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize/",
        "token_endpoint": f"{issuer}/token/",
        "userinfo_endpoint": f"https://{request.host}/id/users/userdata",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
    }
    return Answer(200, document)


def _returns(client: dict[str, Any], address: str) -> bool:
    """Whether people may be sent back there. For an application of this machine (``loopback``) the port is anything.

    Source: https://www.rfc-editor.org/rfc/rfc8252#section-7.3
    """
    own = client.get("loopback") and urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
    return bool(own) or address in client.get("redirect_uris", ())


def _authorize(cloud: Cloud, request: Request) -> Answer:
    asked = dict(request.form() if request.method == "POST" else request.query)
    client = cloud.store.fact("identity").get("clients", {}).get(asked.get("client_id", ""))
    if client is None:
        return oauth.page("Error: invalid_request", "<p>Invalid client_id parameter value.</p>", 400)
    if not _returns(client, asked.get("redirect_uri", "")):
        return oauth.page("Error: invalid_request", "<p>Mismatching redirect URI.</p>", 400)
    if asked.get("response_type") != "code":
        return oauth.back(asked, {"error": "unsupported_response_type"})
    if request.method != "POST":
        return oauth.form(TITLE, "/id/o/authorize/", asked, shown=people.shown(cloud))
    person = people.signed_in(cloud, asked.get("username", ""), asked.get("password", ""))
    if person is None:
        return oauth.form(
            TITLE, "/id/o/authorize/", asked, "Please enter a correct e-mail and password.", people.shown(cloud)
        )
    code = oauth.Code(
        provider=request.host,
        client=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        scope=asked.get("scope", "openid"),
        person=person.object_id,
        expires=cloud.now() + oauth.LIFETIME,
        nonce=asked.get("nonce", ""),
        challenge=asked.get("code_challenge", ""),
        method=asked.get("code_challenge_method", "plain"),
    )
    return oauth.back(asked, {"code": oauth.give(cloud, code)})


def _token(cloud: Cloud, request: Request) -> Answer:
    form = request.form()
    name, secret = oauth.client_of(request)
    client = cloud.store.fact("identity").get("clients", {}).get(name)
    if client is None or not secrets.compare_digest(str(client["secret"]).encode(), (secret or "").encode()):
        raise _oauth_error(401, "invalid_client", "Client authentication failed.")
    if form.get("grant_type") != "authorization_code":
        raise _oauth_error(400, "unsupported_grant_type", "The grant type is not supported.")
    code = oauth.look(cloud, form.get("code", ""))
    if code is None or code.redeemed or (code.provider, code.client) != (request.host, name):
        raise _oauth_error(400, "invalid_grant", "The code is unknown, has expired or was redeemed before.")
    if form.get("redirect_uri") != code.redirect_uri:
        raise _oauth_error(400, "invalid_request", "Mismatching redirect URI.")
    if code.challenge and not oauth.proves(code.challenge, code.method, form.get("code_verifier", "")):
        raise _oauth_error(400, "invalid_grant", "The code verifier does not fit the code challenge.")
    oauth.redeem(cloud, form["code"])
    person = cloud.directory.by_object_id(code.person)
    if person is None:
        raise _oauth_error(400, "invalid_grant", "The person is gone.")
    now = int(cloud.now())
    common = {"iss": _issuer(request), "iat": now, "exp": now + LIFETIME, "sub": str(person.more.get("pk"))}
    body = {
        "access_token": cloud.key.sign({**common, "aud": _issuer(request), "oid": person.object_id}),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": code.scope,
    }
    if "openid" in code.scope.split():
        nonce = {"nonce": code.nonce} if code.nonce else {}
        body["id_token"] = cloud.key.sign({**common, **nonce, "aud": name, "email": people.email_of(person)})
    return Answer(200, body, {"Cache-Control": "no-store"})


# --------------------------------------------------------------------------------------------------------------- routes
def _keys(cloud: Cloud, _request: Request) -> Answer:
    return Answer(200, cloud.key.jwks())


def _route(cloud: Cloud, request: Request, parts: list[str]) -> tuple[str, Callable[[], Answer]]:
    """Name of what is asked, and a function that answers."""
    where, last = "/".join(parts[:-1]), parts[-1] if parts else ""
    if request.method == "GET" and where == "id/users/users":
        return "users", lambda: _user(cloud, request, last)
    routes: dict[tuple[str, str, str], Callable[[Cloud, Request], Answer]] = {
        ("GET", "id/users", "userdata"): _userdata,
        ("GET", "id/o", "authorize"): _authorize,
        ("POST", "id/o", "authorize"): _authorize,
        ("POST", "id/o", "token"): _token,
        ("GET", "id/o/.well-known", "openid-configuration"): _discovery,
        ("GET", "id/o/.well-known", "jwks.json"): _keys,
    }
    found = routes.get((request.method, where, last))
    if found is None:
        raise _refusal(404, "Not found.")
    return last, lambda: found(cloud, request)


async def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to the identity service."""
    # A user's name may have a slash in it, which is one only as %2F.
    parts = [unquote(part) for part in (request.raw_path or quote(request.path)).split("/") if part]
    try:
        name, run = _route(cloud, request, parts)
        fault = cloud.dials.fault(request.method, f"identity/{name}", request.path)
        await asyncio.sleep(cloud.dials.seconds(request.method, f"identity/{name}", SECONDS))
        if fault is not None:
            return fault.answer()
        return run()
    except Refusal as refusal:
        return refusal.answer()
