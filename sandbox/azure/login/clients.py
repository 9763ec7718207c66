# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Applications that ask for tokens: who they are, and how they prove it."""

from __future__ import annotations

import math
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import kubernetes_api, oauth
from ..dials import dial
from ..directory import Principal
from ..graph import tenant as graph
from ..web import Answer, Request
from .refusals import LoginError

if TYPE_CHECKING:
    from ..cloud import Cloud

EXCHANGE = "api://AzureADTokenExchange"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def principal_of(cloud: Cloud, client: str) -> Principal:
    """The principal of an application id."""
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


def _ends(cloud: Cloud, principal: Principal, key: str) -> float:
    """When a secret ends, in seconds since 1970, by Microsoft Graph; one that it does not know of lasts."""
    for objects in (graph.load(cloud)["applications"], graph.load(cloud)["servicePrincipals"]):
        for item in objects.values():
            if item["appId"].lower() == principal.app_id.lower():
                for credential in item.get("passwordCredentials") or ():
                    if credential["keyId"] == key and credential.get("endDateTime"):
                        return datetime.fromisoformat(credential["endDateTime"]).timestamp()
    return math.inf


def check_secret(cloud: Cloud, principal: Principal, secret: str) -> None:
    """Refuse a secret that is not the application's, or has expired."""
    keys = [key for key, known in principal.secrets.items() if known == secret]
    if keys and all(_ends(cloud, principal, key) < cloud.now() for key in keys):
        message = (
            f"The provided client secret keys for app '{principal.app_id}' are expired. Visit the Azure portal to "
            "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials "
            "for added security: https://aka.ms/certCreds."
        )
        raise LoginError(401, "invalid_client", 7000222, message)
    if not keys:
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{principal.app_id}'."
        )
        raise LoginError(401, "invalid_client", 7000215, message)


def _credentials(cloud: Cloud, principal: Principal) -> list[dict[str, Any]]:
    """The federated credentials of an application, or of the managed identity that it is."""
    if not principal.resource:
        return principal.federated
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
    return [record.properties for record in cloud.store.of_type(kind, principal.resource)]


def check_assertion(cloud: Cloud, principal: Principal, claims: dict[str, Any] | None) -> None:
    """Refuse a token of somebody else that no federated credential of the application fits.

    :param claims: None when nobody vouches for the token; the issuer may be a list, where a real cluster is behind all
        clusters
    """
    if claims is None:
        message = "The key that signed the client assertion is not known for the application."
        raise LoginError(401, "invalid_client", 700027, message)
    if float(claims.get("exp", 0)) < cloud.now():
        raise LoginError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")
    subject, audience = (str(claims.get(name, "")) for name in ("sub", "aud"))
    given = claims.get("iss", "")
    issuers = {str(one).rstrip("/") for one in (given if isinstance(given, list) else [given])}
    known = _credentials(cloud, principal)
    if not known:
        message = f"The client '{principal.app_id}' has no configured federated identity credentials."
        raise LoginError(400, "invalid_request", 70025, message)
    fitting = [one for one in known if one.get("issuer", "").rstrip("/") in issuers]
    if not fitting:
        said = given if isinstance(given, str) else ", ".join(sorted(issuers))
        message = f"No matching federated identity record found for presented assertion issuer '{said}'."
        raise LoginError(401, "invalid_client", 700211, message)
    fitting = [one for one in fitting if one.get("subject") == subject]
    if not fitting:
        message = f"No matching federated identity record found for presented assertion subject '{subject}'."
        raise LoginError(401, "invalid_client", 700213, message)
    if not any(audience in one.get("audiences", []) for one in fitting):
        message = f"No matching federated identity record found for presented assertion audience '{audience}'."
        raise LoginError(401, "invalid_client", 700212, message)


async def prove(cloud: Cloud, principal: Principal, request: Request) -> None:
    """Refuse an application that does not prove by secret or assertion that it is itself."""
    form = request.form()
    _client, secret = oauth.client_of(request)
    if form.get("client_assertion_type") == JWT_BEARER:
        assertion = form.get("client_assertion", "")
        claims = cloud.key.claims(assertion) or await kubernetes_api.vouched(cloud, assertion, EXCHANGE)
        check_assertion(cloud, principal, claims)
    elif secret is not None:
        check_secret(cloud, principal, secret)
    else:
        message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise LoginError(401, "invalid_client", 7000218, message)


@dial("POST /applications")
def add(cloud: Cloud, request: Request) -> Answer:
    """A new application with a service principal and a secret, as ``az ad sp create-for-rbac`` makes it: {name}."""
    name = str((request.json() or {}).get("name") or "application")
    principal = cloud.directory.add(name, app_object_id=str(uuid.uuid4()))
    _key, secret = cloud.directory.add_secret(principal)
    return Answer(200, {"object_id": principal.object_id, "app_id": principal.app_id, "secret": secret})
