# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who asks the sign-in, and for what: discovery, tokens, people's browsers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .. import kubernetes_api, oauth
from ..dials import dial
from ..web import Answer, Refusal, Request
from . import browser
from .clients import EXCHANGE, principal_of, prove
from .refusals import HOST, LoginError
from .tokens import audience_of, token_for

if TYPE_CHECKING:
    from ..cloud import Cloud

#: The authority's other names; clients of the sovereign clouds ask these.
HOSTS = (HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net", "login.partner.microsoftonline.cn",
         "login.chinacloudapi.cn", "login.microsoftonline.us")  # fmt: skip


def _discovery(cloud: Cloud, host: str, tenant: str) -> dict[str, Any]:
    base = f"https://{host}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"https://{HOST}/{cloud.tenant}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }


def _instances(host: str) -> dict[str, Any]:
    aliases = [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    names = aliases if host in aliases else [host]
    metadata = [{"preferred_network": names[0], "preferred_cache": names[min(1, len(names) - 1)], "aliases": names}]
    endpoint = f"https://{host}/common/.well-known/openid-configuration"
    return {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata}


def _check_tenant(cloud: Cloud, name: str) -> None:
    if name.lower() not in (cloud.tenant, "common", "organizations"):
        message = (
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct "
            "cloud. Check with your subscription administrator, this may happen if there are no active subscriptions "
            "for the tenant."
        )
        raise LoginError(400, "invalid_request", 90002, message)


async def _token(cloud: Cloud, request: Request, version: int) -> Answer:
    form = request.form()
    grant = form.get("grant_type", "")
    if grant == "authorization_code":
        return await browser.redeem(cloud, request, version)
    if grant != "client_credentials":
        raise LoginError(
            400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
        )
    principal = principal_of(cloud, oauth.client_of(request)[0])
    await prove(cloud, principal, request)
    audience, _ = audience_of(form)
    token, lifetime = token_for(cloud, principal, audience)
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
    if "resource" in form:
        body |= {"resource": audience, "expires_on": str(int(cloud.now()) + lifetime)}
    if cloud.real_cluster and audience == kubernetes_api.SERVER_APPLICATION:
        return await kubernetes_api.exchanged(cloud, principal.object_id, body)
    return Answer(200, body)


@dial("POST /assertions")
def assertion(cloud: Cloud, request: Request) -> Answer:
    """The token of a service account, as an issuer outside of Entra gives it: {issuer, subject, audience, lifetime}."""
    asked = request.json() or {}
    now = int(cloud.now())
    claims = {
        "iss": asked.get("issuer", ""),
        "sub": asked.get("subject", ""),
        "aud": asked.get("audience", EXCHANGE),
        "iat": now,
        "nbf": now,
        "exp": now + int(asked.get("lifetime", 3600)),
    }
    return Answer(200, {"token": cloud.key.sign(claims)})


async def _route(cloud: Cloud, request: Request, parts: list[str]) -> Answer:
    rest = parts[2:] if parts[1:2] == ["v2.0"] else parts[1:]
    version = 2 if "v2.0" in rest else 1
    if rest == [".well-known", "openid-configuration"]:
        return Answer(200, _discovery(cloud, request.host, parts[0]))
    if rest[:1] == ["discovery"] and rest[-1:] == ["keys"]:
        return Answer(200, cloud.key.jwks())
    if rest[:1] == ["oauth2"] and rest[-1] == "authorize" and request.method in ("GET", "POST"):
        return browser.authorize(cloud, request, version)
    if rest[:1] == ["oauth2"] and rest[-1] == "token" and request.method == "POST":
        return await _token(cloud, request, version)
    if rest[:1] == ["UserRealm"] or rest[:1] == ["userrealm"]:
        return Answer(200, {"account_type": "Managed", "cloud_instance_name": "microsoftonline.com"})
    raise LoginError(404, "invalid_request", 900144, f"There is no {request.path} here.")


async def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to the sign-in; latency and faults have the types login/token, login/authorize, …"""
    parts = [part for part in request.path.split("/") if part]
    kind = f"login/{parts[-1] if parts else ''}"
    await asyncio.sleep(cloud.dials.seconds(request.method, kind, 0.0))
    fault = cloud.dials.fault(request.method, kind, request.path)
    if fault is not None:
        return fault.answer()
    try:
        if parts[1:] == ["discovery", "instance"]:
            return Answer(200, _instances(request.host))
        if not parts:
            raise LoginError(404, "invalid_request", 900144, "There is nothing here.")
        _check_tenant(cloud, parts[0])
        return await _route(cloud, request, parts)
    except Refusal as refusal:
        return refusal.answer()
