# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people prepare before there is a hub: accounts, an identity service, API Management, a vault with secrets.

``POST /prepared`` of the dials makes it, once, and says what an inventory has to know; what is secret is in the vault.
A hub named ``sandbox`` finds there, as if somebody had set them with ``az keyvault secret set``: the token of the
identity service, the secret of the service principal by which the hub reads API keys, and, for the sign-in by the
identity service, the secret of its client.
"""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from . import identity_service, people, rbac
from .dials import dial
from .store import Record
from .vault.content import attributes_of, put_version
from .vault.model import TYPE as VAULT
from .vault.model import Vault
from .web import Answer, Request

if TYPE_CHECKING:
    from .cloud import Cloud
    from .directory import Principal

FACT = "prepared"
LOCATION = "westeurope"
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
    _put(cloud, group, "Microsoft.Resources/resourceGroups", {})
    service = f"{group}/providers/Microsoft.ApiManagement/service/prepared-{cloud.subscription[:6]}"
    publisher = {"publisherEmail": "api@planetary.onmicrosoft.com", "publisherName": "Planetary"}
    body = {"sku": {"name": "Developer", "capacity": 1}, "properties": publisher}
    _put(cloud, service, "Microsoft.ApiManagement/service", body)
    for name in USERS:
        _key(cloud, service, _person(cloud, name))
    hub, secret = _hub(cloud, service)
    token, client_secret = secrets.token_hex(20), secrets.token_urlsafe(30)
    client = {"secret": client_secret, "redirect_uris": [], "loopback": True}
    cloud.store.fact("identity").update(token=token, clients={CLIENT: client})
    cloud.store.touch("identity")
    held = {
        f"{prefix}--{key}": value
        for prefix in PREFIXES
        for key, value in (("pc-id-token", token), ("azure-client-secret", secret))
    }
    vault = _vault(cloud, group, {**held, f"{PREFIXES[2]}--id-client-secret": client_secret})
    return {
        "identity_host": identity_service.HOSTS[0],
        "oauth_client": CLIENT,
        "service_id": service,
        "subscription": SUBSCRIPTION,
        "vault_id": vault,
        "hub_client_id": hub.app_id,
        "tenant_id": cloud.tenant,
    }


def _put(cloud: Cloud, path: str, kind: str, body: dict[str, Any], **private: Any) -> Record:
    now = cloud.now()
    shown = {"location": LOCATION, "tags": {}, "properties": {}, **body}
    return cloud.store.put(Record(path, kind, shown, private=private, created=now, changed=now))


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
    _put(cloud, definition, rbac.DEFINITIONS, {"properties": role})
    assignment = {"roleDefinitionId": definition, "principalId": principal.object_id, "scope": service}
    kind = {"principalType": "ServicePrincipal"}
    path = f"{service}/providers/{rbac.ASSIGNMENTS}/{uuid.uuid4()}"
    _put(cloud, path, rbac.ASSIGNMENTS, {"properties": {**assignment, **kind}})
    return principal, secret


def _vault(cloud: Cloud, group: str, held: dict[str, str]) -> str:
    name = f"prepared-{cloud.subscription[:6]}"
    path = f"{group}/providers/{VAULT}/{name}"
    properties = {
        "tenantId": cloud.tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "publicNetworkAccess": "Enabled",
        "vaultUri": f"https://{name}.vault.azure.net/",
    }
    content: dict[str, Any] = {}
    vault = Vault(name=name, id=path, location=LOCATION, content=content, now=int(cloud.now()))
    for secret, value in held.items():
        put_version(vault, "secrets", secret, {"value": value, "attributes": attributes_of(vault, {})})
    _put(cloud, path, VAULT, {"properties": properties}, content=content)
    return path
