# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Sign-in: login.microsoftonline.com, as far as applications use it.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from .dials import dial
from .directory import Principal
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud

HOST = "login.microsoftonline.com"
#: The authority's other names; clients of the sovereign clouds ask these.
HOSTS = (HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net", "login.partner.microsoftonline.cn",
         "login.chinacloudapi.cn", "login.microsoftonline.us")  # fmt: skip
EXCHANGE = "api://AzureADTokenExchange"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Resources that tokens are given for: what is asked (without a slash at the end) -> application id.
RESOURCES = {
    "https://management.azure.com": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://management.core.windows.net": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://management.usgovcloudapi.net": "40a69793-8fe6-4db1-9591-dbc5c57b17d8",
    "https://management.core.usgovcloudapi.net": "40a69793-8fe6-4db1-9591-dbc5c57b17d8",
    "https://management.chinacloudapi.cn": "f5798e7d-4d2e-4dbf-b1ba-1b3f8eb3e4ac",
    "https://management.core.chinacloudapi.cn": "f5798e7d-4d2e-4dbf-b1ba-1b3f8eb3e4ac",
    "https://vault.azure.net": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "https://graph.microsoft.com": "00000003-0000-0000-c000-000000000000",
    "https://storage.azure.com": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "https://containerregistry.azure.net": "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26",
    "https://api.loganalytics.io": "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",
    "https://monitor.azure.com": "be14bf7e-8ab4-49b0-9dc6-a0eddd6fa73e",
    "6dae42f8-4368-4678-94ff-3960e28e3630": "6dae42f8-4368-4678-94ff-3960e28e3630",
}  # fmt: skip


class LoginError(Refusal):
    """A refusal in the form of OAuth 2, with the AADSTS code."""

    def __init__(self, status: int, error: str, code: int, message: str) -> None:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        text = f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        body = {
            "error": error,
            "error_description": text,
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{HOST}/error?code={code}",
        }
        super().__init__(status, error, text, body=body)


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


def _audience(form: dict[str, str]) -> tuple[str, str]:
    """What the token is for, and the resource's application id."""
    asked = form.get("resource") or ""
    if not asked:
        scope = next((part for part in form.get("scope", "").split() if part.endswith("/.default")), "")
        if not scope:
            message = (
                f"The provided request must include a 'scope' input parameter that ends with /.default: "
                f"'{form.get('scope', '')}' is not valid."
            )
            raise LoginError(400, "invalid_scope", 1002012, message)
        asked = scope.removesuffix("/.default")
    resource = RESOURCES.get(asked.rstrip("/").lower())
    if resource is None:
        message = (
            f"The resource principal named {asked} was not found in the tenant named planetary. This can happen if the "
            "application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant. "
            "You might have sent your authentication request to the wrong tenant."
        )
        raise LoginError(400, "invalid_resource", 500011, message)
    return asked, resource


def _principal(cloud: Cloud, form: dict[str, str]) -> Principal:
    client = form.get("client_id", "")
    principal = cloud.directory.by_app_id(client) if client else None
    if principal is None:
        message = (
            f"Application with identifier '{client}' was not found in the directory 'planetary'. This can happen if "
            "the "
            "application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant. "
            "You may have sent your authentication request to the wrong tenant."
        )
        raise LoginError(400, "unauthorized_client", 700016, message)
    return principal


def _check_secret(principal: Principal, secret: str) -> None:
    if secret not in principal.secrets.values():
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            "not the "
            f"client secret ID, for a secret added to app '{principal.app_id}'."
        )
        raise LoginError(401, "invalid_client", 7000215, message)


def _credentials(cloud: Cloud, principal: Principal) -> list[dict[str, Any]]:
    """The federated credentials of an application, or of the managed identity that it is."""
    if not principal.resource:
        return principal.federated
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    return [record.properties for record in cloud.store.of_type(kind, principal.resource)]


def _check_assertion(cloud: Cloud, principal: Principal, assertion: str) -> None:
    claims = cloud.key.claims(assertion)
    if claims is None:
        message = "The key that signed the client assertion is not known for the application."
        raise LoginError(401, "invalid_client", 700027, message)
    if float(claims.get("exp", 0)) < cloud.now():
        raise LoginError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")
    subject, issuer, audience = (str(claims.get(name, "")) for name in ("sub", "iss", "aud"))
    known = _credentials(cloud, principal)
    if not known:
        message = f"The client '{principal.app_id}' has no configured federated identity credentials."
        raise LoginError(400, "invalid_request", 70025, message)
    fitting = [one for one in known if one.get("issuer", "").rstrip("/") == issuer.rstrip("/")]
    if not fitting:
        message = f"No matching federated identity record found for presented assertion issuer '{issuer}'."
        raise LoginError(401, "invalid_client", 700211, message)
    fitting = [one for one in fitting if one.get("subject") == subject]
    if not fitting:
        message = f"No matching federated identity record found for presented assertion subject '{subject}'."
        raise LoginError(401, "invalid_client", 700213, message)
    if not any(audience in one.get("audiences", []) for one in fitting):
        message = f"No matching federated identity record found for presented assertion audience '{audience}'."
        raise LoginError(401, "invalid_client", 700212, message)


def token_for(cloud: Cloud, principal: Principal, audience: str, **more: Any) -> tuple[str, int]:
    """A token and its lifetime in seconds."""
    now, lifetime = int(cloud.now()), int(cloud.dials.tokens.get("lifetime", 3600))
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{cloud.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "appid": principal.app_id,
        "appidacr": "1",
        "idp": f"https://sts.windows.net/{cloud.tenant}/",
        "idtyp": "app",
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": cloud.tenant,
        "uti": uuid.uuid4().hex[:22],
        "ver": "1.0",
        **more,
    }
    return cloud.key.sign(claims), lifetime


def _token(cloud: Cloud, request: Request) -> Answer:
    form = request.form()
    grant = form.get("grant_type", "")
    if grant != "client_credentials":
        raise LoginError(
            400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
        )
    principal = _principal(cloud, form)
    if form.get("client_assertion_type") == JWT_BEARER:
        _check_assertion(cloud, principal, form.get("client_assertion", ""))
    elif "client_secret" in form:
        _check_secret(principal, form["client_secret"])
    else:
        message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise LoginError(401, "invalid_client", 7000218, message)
    audience, _ = _audience(form)
    token, lifetime = token_for(cloud, principal, audience)
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    }
    if "resource" in form:
        body |= {"resource": audience, "expires_on": str(int(cloud.now()) + lifetime)}
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


def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to the sign-in."""
    parts = [part for part in request.path.split("/") if part]
    try:
        if parts[1:] == ["discovery", "instance"]:
            return Answer(200, _instances(request.host))
        if not parts:
            raise LoginError(404, "invalid_request", 900144, "There is nothing here.")
        _check_tenant(cloud, parts[0])
        rest = parts[2:] if parts[1:2] == ["v2.0"] else parts[1:]
        if rest == [".well-known", "openid-configuration"]:
            return Answer(200, _discovery(cloud, request.host, parts[0]))
        if rest[:1] == ["discovery"] and rest[-1:] == ["keys"]:
            return Answer(200, cloud.key.jwks())
        if request.method == "POST" and rest[:1] == ["oauth2"] and rest[-1] == "token":
            return _token(cloud, request)
        if rest[:1] == ["UserRealm"] or rest[:1] == ["userrealm"]:
            return Answer(200, {"account_type": "Managed", "cloud_instance_name": "microsoftonline.com"})
        raise LoginError(404, "invalid_request", 900144, f"There is no {request.path} here.")
    except Refusal as refusal:
        return refusal.answer()
