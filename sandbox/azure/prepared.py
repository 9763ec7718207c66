# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people prepare before there is a hub: accounts, an identity service, API Management, a vault with secrets.

``POST /prepared`` of the dials makes it, once, and says what an inventory has to know; what is secret is in the vault.
A hub named ``sandbox`` finds there, as if somebody had set them with ``az keyvault secret set``: the token of the
identity service, the secret of the service principal by which the hub reads API keys, and, for the sign-in by the
identity service, the secret of its client. The inventories ``staging`` and ``prod`` find what they adopt
(:mod:`sandbox.azure.examples`).
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from . import identity_service, people, rbac
from .dials import dial
from .examples import CLIENTS, make, make_vault, put
from .store import Record
from .web import Answer, Request

if TYPE_CHECKING:
    from .cloud import Cloud
    from .directory import Principal

FACT = "prepared"
#: Who has an account, with a number of the identity service and a key of API Management. By these names they are users
#: of the hub, with a password of the hub, or of the directory and the identity service.
USERS = ("smoke-test", "user", "admin", "ada@planetary.onmicrosoft.com", "grace@planetary.onmicrosoft.com")
#: Those of them who sign in elsewhere than at the hub.
SIGN_IN = USERS[-2:]
SUBSCRIPTION = "{pk}-planetarycomputer"
#: Prefixes of the hub's secrets, one for each way to sign in.
PREFIXES = ("sandbox-shared-password", "sandbox-azuread", "sandbox-generic-oauth")
CLIENT = "planetary-computer-hub-sandbox"
KEY_ACTIONS = (
    "Microsoft.ApiManagement/service/subscriptions/read",
    "Microsoft.ApiManagement/service/subscriptions/listSecrets/action",
)


def register() -> None:
    """Add the dial."""
    dial("POST /prepared")(prepare)


def prepare(cloud: Cloud, _request: Request) -> Answer:
    """Make what is missing, and say what an inventory has to know of it (the keys are those of ``_made``)."""
    known = cloud.store.fact(FACT)
    if not known:
        known.update(_made(cloud))
        cloud.store.touch(FACT)
    return Answer(200, known)


def _made(cloud: Cloud) -> dict[str, Any]:
    group = f"/subscriptions/{cloud.subscription}/resourceGroups/prepared-rg"
    put(cloud, group, "Microsoft.Resources/resourceGroups", {})
    service = f"{group}/providers/Microsoft.ApiManagement/service/prepared-{cloud.subscription[:6]}"
    publisher = {"publisherEmail": "api@planetary.onmicrosoft.com", "publisherName": "Planetary"}
    body = {"sku": {"name": "Developer", "capacity": 1}, "properties": publisher}
    put(cloud, service, "Microsoft.ApiManagement/service", body)
    token, client_secret = secrets.token_hex(20), secrets.token_urlsafe(30)
    examples, example_secret = make(cloud, token)
    for name in USERS:
        person = _person(cloud, name)
        for each in (service, *examples):
            _key(cloud, each, person)
    hub, secret = _hub(cloud, service)
    client = {"secret": client_secret, "redirect_uris": [], "loopback": True}
    clients = {CLIENT: client, **{name: {**client, "secret": example_secret} for name in CLIENTS}}
    cloud.store.fact("identity").update(token=token, clients=clients)
    cloud.store.touch("identity")
    held = {
        f"{prefix}--{key}": value
        for prefix in PREFIXES
        for key, value in (("pc-id-token", token), ("azure-client-secret", secret))
    }
    vault = make_vault(
        cloud, group, f"prepared-{cloud.subscription[:6]}", {**held, f"{PREFIXES[2]}--id-client-secret": client_secret}
    )
    return {
        "identity_host": identity_service.HOSTS[0],
        "oauth_client": CLIENT,
        "service_id": service,
        "subscription": SUBSCRIPTION,
        "vault_id": vault,
        "hub_client_id": hub.app_id,
        "tenant_id": cloud.tenant,
    }


def _person(cloud: Cloud, name: str) -> Principal:
    """The account of a user; who signs in with it has a password, which the form shows."""
    found = people.named(cloud, name)
    if found is None:
        numbers = [int(one.more.get("pk", 0)) for one in cloud.directory if one.kind == "User"]
        more: dict[str, Any] = {"userPrincipalName": name, "pk": max(numbers, default=0) + 1}
        if name in SIGN_IN:
            more |= {"password": secrets.token_urlsafe(9), "shown": True}
        found = cloud.directory.add(name.partition("@")[0], "User", more=more)
    return found


def _key(cloud: Cloud, service: str, person: Principal) -> None:
    """The API key of a person: a subscription of the service."""
    name = SUBSCRIPTION.format(pk=person.more["pk"])
    properties = {"scope": f"{service}/apis", "displayName": person.name, "state": "active", "allowTracing": False}
    keys = {"primaryKey": secrets.token_hex(16), "secondaryKey": secrets.token_hex(16)}
    kind = "Microsoft.ApiManagement/service/subscriptions"
    now = cloud.now()
    record = Record(f"{service}/subscriptions/{name}", kind, {"properties": properties}, private={"keys": keys})
    record.created = record.changed = now
    cloud.store.put(record)


def _hub(cloud: Cloud, service: str) -> tuple[Principal, str]:
    """The service principal by which a hub outside of a cluster reads the keys, with the right to do just that."""
    principal = cloud.directory.add("sandbox-hub", app_object_id=str(uuid.uuid4()))
    _key_id, secret = cloud.directory.add_secret(principal)
    providers = f"/subscriptions/{cloud.subscription}/providers"
    definition = f"{providers}/{rbac.DEFINITIONS}/{uuid.uuid4()}"
    role = {
        "roleName": "Reader of API keys",
        "type": "CustomRole",
        "permissions": [{"actions": list(KEY_ACTIONS), "notActions": [], "dataActions": [], "notDataActions": []}],
        "assignableScopes": [f"/subscriptions/{cloud.subscription}"],
    }
    put(cloud, definition, rbac.DEFINITIONS, {"properties": role})
    assignment = {"roleDefinitionId": definition, "principalId": principal.object_id, "scope": service}
    kind = {"principalType": "ServicePrincipal"}
    path = f"{service}/providers/{rbac.ASSIGNMENTS}/{uuid.uuid4()}"
    put(cloud, path, rbac.ASSIGNMENTS, {"properties": {**assignment, **kind}})
    return principal, secret
