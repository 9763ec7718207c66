# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""People sign in by their browser: the authorization code flow with PKCE, of Entra ID's versions 1 and 2.

With the setting ``sign_in_at_once``, whom ``login_hint`` names is signed in without the form.
Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
"""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import oauth, people
from ..directory import Principal
from ..graph import tenant as graph
from ..keys import encode
from ..web import Answer, Request
from .clients import prove
from .refusals import HOST, LoginError
from .tokens import token_for

if TYPE_CHECKING:
    from ..cloud import Cloud

GRAPH = "00000003-0000-0000-c000-000000000000"
TITLE = "Sign in to your account"
TROUBLE = "Sorry, but we're having trouble signing you in."
#: Kinds of redirect URIs: those whose application has a secret to prove itself, and the others.
PUBLIC = ("publicClient", "spa")
#: Entra ID lists no more groups in a token.
MOST_GROUPS = 200
_LOCAL = re.compile(r"(http://(?:localhost|127\.0\.0\.1))(?::\d+)?(/.*|\Z)")


def _application(cloud: Cloud, client: str) -> dict[str, Any]:
    apps = graph.load(cloud)["applications"].values()
    found = next((one for one in apps if one["appId"].lower() == client.lower()), None)
    if found is None:
        message = (
            f"Application with identifier '{client}' was not found in the directory 'planetary'. This can happen if "
            "the application has not been installed by the administrator of the tenant or consented to by any user "
            "in the tenant. You may have sent your authentication request to the wrong tenant."
        )
        raise LoginError(400, "unauthorized_client", 700016, message)
    return dict(found)


def _principal(cloud: Cloud, app: Mapping[str, Any]) -> Principal:
    """The application's principal; it comes to be with the first person who signs in."""
    known = cloud.directory.by_app_id(app["appId"])
    if known is not None:
        return known
    new = Principal(str(uuid.uuid4()), app["appId"], app["displayName"], app_object_id=app["id"])
    new.secrets, new.federated = dict(app.get("__secrets", {})), [dict(one) for one in app.get("__federated", [])]
    return cloud.directory.save(new)


def _plain(uri: str) -> str:
    """A redirect URI as it is compared: on this machine without its port."""
    local = _LOCAL.fullmatch(uri)
    return f"{local[1]}{local[2]}" if local else uri


def _registered(app: Mapping[str, Any], uri: str, kinds: tuple[str, ...]) -> bool:
    known = [str(one) for kind in kinds for one in (app.get(kind) or {}).get("redirectUris") or ()]
    return _plain(uri) in map(_plain, known)


def _check(app: Mapping[str, Any], asked: Mapping[str, str], version: int) -> None:
    """Refuse what must not be led back to the application."""
    uri = asked.get("redirect_uri", "")
    if not _registered(app, uri, ("web", *PUBLIC)):
        message = (
            f"The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the "
            f"application '{app['appId']}'. Make sure the redirect URI sent in the request matches one added to your "
            "application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about "
            "how to fix this."
        )
        raise LoginError(400, "invalid_request", 50011, message)
    if not asked.get("response_type"):
        message = "The request body must contain the following parameter: 'response_type'."
        raise LoginError(400, "invalid_request", 900144, message)
    if version == 2 and not asked.get("scope"):
        message = "The request body must contain the following parameter: 'scope'."
        raise LoginError(400, "invalid_request", 900144, message)


def authorize(cloud: Cloud, request: Request, version: int) -> Answer:
    """The form, or the way back to the application with a code."""
    asked = dict(request.form() if request.method == "POST" else request.query)
    try:
        app = _application(cloud, asked.get("client_id", ""))
        _check(app, asked, version)
    except LoginError as refusal:
        return oauth.page(TROUBLE, f"<p>{html.escape(refusal.message)}</p>", 400)
    kind = asked["response_type"]
    if kind != "code":
        text = f"AADSTS700054: response_type '{kind}' is not enabled for the application."
        return oauth.back(asked, {"error": "unsupported_response_type", "error_description": text})
    person = None
    if request.method == "POST":
        person = people.signed_in(cloud, asked.get("username", ""), asked.get("password", ""))
        if person is None:
            message = "AADSTS50126: Error validating credentials due to invalid username or password."
            return oauth.form(TITLE, request.path, asked, message, people.shown(cloud))
    elif cloud.dials.settings.get("sign_in_at_once") and asked.get("login_hint"):
        person = people.named(cloud, asked["login_hint"])
    if person is None and asked.get("prompt") == "none":
        text = "AADSTS50058: A silent sign-in request was sent but no user is signed in."
        return oauth.back(asked, {"error": "login_required", "error_description": text})
    if person is None:
        return oauth.form(TITLE, request.path, asked, shown=people.shown(cloud))
    code = oauth.Code(
        provider=HOST,
        client=_principal(cloud, app).app_id,
        redirect_uri=asked["redirect_uri"],
        scope=asked.get("scope", "openid"),
        person=person.object_id,
        expires=cloud.now() + oauth.LIFETIME,
        nonce=asked.get("nonce", ""),
        challenge=asked.get("code_challenge", ""),
        method=asked.get("code_challenge_method", "plain"),
    )
    return oauth.back(asked, {"code": oauth.give(cloud, code), "session_state": str(uuid.uuid4())})


def _invalid(code: int, message: str) -> LoginError:
    return LoginError(400, "invalid_grant", code, message)


def _code(cloud: Cloud, form: Mapping[str, str], client: str) -> oauth.Code:
    """What the code stands for, when this application may redeem it."""
    code = oauth.look(cloud, form.get("code", ""))
    if code is None:
        text = "The provided authorization code or refresh token has expired due to inactivity, or is not valid."
        raise _invalid(70008, text)
    if code.redeemed:
        text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
        raise _invalid(54005, text)
    if (code.provider, code.client.lower()) != (HOST, client.lower()):
        raise _invalid(70000, "The provided value for the 'code' parameter is not valid.")
    given = form.get("redirect_uri", "")
    if given != code.redirect_uri:
        text = (
            f"The reply address '{given}' does not match the reply address '{code.redirect_uri}' provided when "
            "requesting Authorization code."
        )
        raise _invalid(500112, text)
    verifier = form.get("code_verifier", "")
    if code.challenge and not verifier:
        raise _invalid(50148, "The code_verifier is missing, but the code was asked for with a code_challenge.")
    if code.challenge and not oauth.proves(code.challenge, code.method, verifier):
        text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
        raise _invalid(501481, text)
    return code


async def redeem(cloud: Cloud, request: Request, version: int) -> Answer:
    """Tokens for a code: the application's proof first, then the code and its verifier."""
    form = request.form()
    client, _secret = oauth.client_of(request)
    app = _application(cloud, client)
    principal = _principal(cloud, app)
    uri = form.get("redirect_uri", "")
    if not _registered(app, uri, PUBLIC) or _registered(app, uri, ("web",)):
        await prove(cloud, principal, request)
    code = _code(cloud, form, client)
    person = cloud.directory.by_object_id(code.person)
    if person is None:
        raise _invalid(50034, "The user account does not exist in the directory.")
    oauth.redeem(cloud, form["code"])
    who = {
        "oid": person.object_id,
        # Each application knows a person by another text.
        "sub": encode(uuid.uuid5(uuid.UUID(person.object_id), app["appId"]).bytes),
        "name": person.name,
    }
    email = people.email_of(person)
    access, lifetime = token_for(cloud, principal, GRAPH, **who, idtyp="user", scp=code.scope, upn=email)
    body = {
        "token_type": "Bearer",
        "scope": code.scope,
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": access,
    }
    if version == 1 or "openid" in code.scope.split():
        who = {**who, **_names(email, version), **_groups(cloud, app, person)}
        body["id_token"] = _id_token(cloud, app, code, version, who)
    return Answer(200, body, {"Cache-Control": "no-store"})


def _names(email: str, version: int) -> dict[str, str]:
    return {"preferred_username": email, "email": email} if version == 2 else {"upn": email, "unique_name": email}


def _groups(cloud: Cloud, app: Mapping[str, Any], person: Principal) -> dict[str, Any]:
    """The ids of the person's groups, for an application that wants to know them; of too many only where they are.

    Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference (groups overage claim)
    """
    wanted = str(app.get("groupMembershipClaims") or "None")
    held = list(person.more.get("groups", []))
    if not held or wanted in ("None", "DirectoryRole"):
        return {}
    if len(held) > MOST_GROUPS:
        place = f"https://graph.windows.net/{cloud.tenant}/users/{person.object_id}/getMemberObjects"
        return {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": place}}}
    return {"groups": held}


def _id_token(cloud: Cloud, app: Mapping[str, Any], code: oauth.Code, version: int, who: Mapping[str, Any]) -> str:
    now, lifetime = int(cloud.now()), int(cloud.dials.tokens.get("lifetime", 3600))
    issuers = {1: f"https://sts.windows.net/{cloud.tenant}/", 2: f"https://{HOST}/{cloud.tenant}/v2.0"}
    claims = {
        "aud": app["appId"],
        "iss": issuers[version],
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "tid": cloud.tenant,
        "uti": uuid.uuid4().hex[:22],
        "ver": f"{version}.0",
        **who,
    }
    return cloud.key.sign({**claims, "nonce": code.nonce} if code.nonce else claims)
