# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Key Vault's data plane (``<vault>.vault.azure.net``): secrets and imported certificates.

The content of one vault is a plain dict that the store keeps::

    {"secrets": {<name>: {"versions": [<bundle>, …], "deleted": {…} | None}}, "certificates": {…}}

Every call names the data action it needs; the caller (:func:`answer`) is told whether that is granted.
Source: https://learn.microsoft.com/rest/api/keyvault
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from . import rbac
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud
    from .store import Record

TYPE = "Microsoft.KeyVault/vaults"
RESOURCE = "https://vault.azure.net"
APPLICATION = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
PAGE = 25
NAME = re.compile(r"[0-9A-Za-z-]{1,127}\Z")
MAX_SECRET = 25 * 1024
_SEE = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid="


class Refused(Refusal):
    """A refusal in Key Vault's form, with its inner code."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        error: dict[str, Any] = {"code": code, "message": message}
        if inner:
            error["innererror"] = {"code": inner}
        super().__init__(status, code, message, body={"error": error})

    def with_headers(self, headers: Mapping[str, str]) -> Refused:
        self.headers.update(headers)
        return self


@dataclass(frozen=True)
class Vault:
    """What of the vault's resource the data plane needs."""

    name: str
    id: str
    location: str
    content: dict[str, Any]
    purge_protected: bool = False
    retention_days: int = 90
    now: int = 0

    @property
    def url(self) -> str:
        return f"https://{self.name}.vault.azure.net"

    @property
    def recovery(self) -> dict[str, Any]:
        level = "Recoverable" if self.purge_protected else "Recoverable+Purgeable"
        if self.retention_days < 90:
            level = "CustomizedRecoverable" + level.removeprefix("Recoverable")
        return {"recoveryLevel": level, "recoverableDays": self.retention_days}

    def items(self, kind: str) -> dict[str, Any]:
        return self.content.setdefault(kind, {})


@dataclass(frozen=True)
class Call:
    """One request: method, the path's segments, query, body; ``demand(action, name)`` raises when it is not granted."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    demand: Callable[[str, str], None]
    page: int = PAGE


# ------------------------------------------------------------------------------------------------- authentication
def challenge(tenant: str, message: str = "AKV10000: Request is missing a Bearer or PoP token.") -> Answer:
    """The 401 that tells a client which tenant and audience to ask for."""
    header = f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{RESOURCE}"'
    return Answer(401, {"error": {"code": "Unauthorized", "message": message}}, {"WWW-Authenticate": header})


def wrong_audience(tenant: str, found: str) -> Answer:
    """The 401 for a token that was made for somebody else."""
    return challenge(tenant, f"AKV10022: Invalid audience. Expected {RESOURCE}, found: {found}.")


def not_granted(vault: Vault, tenant: str, app_id: str, object_id: str, action: str, name: str) -> Refused:
    """The 403 of a vault with role-based access."""
    kind = action.split("/")[2]
    resource = vault.id.lower() + (f"/{kind}/{name}" if name else "")
    return Refused(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\r\n"
        f"Caller: appid={app_id};oid={object_id};iss=https://sts.windows.net/{tenant}/\r\nAction: '{action}'\r\n"
        f"Resource: '{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"
        f"Vault: {vault.name};location={vault.location}\r\n",
        "ForbiddenByRbac",
    )


def not_in_policy(vault: Vault, tenant: str, app_id: str, object_id: str, kind: str, permission: str) -> Refused:
    """The 403 of a vault with access policies."""
    return Refused(
        403,
        "Forbidden",
        f"The user, group or application 'appid={app_id};oid={object_id};iss=https://sts.windows.net/{tenant}/' does "
        "not have "
        f"{kind} {permission} permission on key vault '{vault.name};location={vault.location}'. {_SEE}2125287",
        "AccessDenied",
    )


def closed(vault: Vault, *, by_firewall: bool) -> Refused:
    """The 403 of a vault that is not open to this network."""
    if by_firewall:
        text, inner = "Client address is not authorized and caller is not a trusted service.", "ForbiddenByFirewall"
    else:
        inner = "ForbiddenByConnection"
        text = "Public network access is disabled and request is not from a trusted service nor via an approved private"
        text += " link."
    return Refused(403, "Forbidden", f"{text}\r\nVault: {vault.name};location={vault.location}", inner)


# The word of an access policy for each data action.
POLICY_WORD = {
    "getsecret": "get",
    "readmetadata": "list",
    "setsecret": "set",
    "update": "update",
    "delete": "delete",
    "recover": "recover",
    "purge": "purge",
    "backup": "backup",
    "read": "get",
    "import": "import",
    "create": "create",
}


def policy_permission(action: str) -> tuple[str, str]:
    """``Microsoft.KeyVault/vaults/secrets/getSecret/action`` → ``("secrets", "get")``; updates need ``set``."""
    kind, verb = action.split("/")[2:4]
    word = POLICY_WORD[verb.casefold()]
    return kind, "set" if (kind, word) == ("secrets", "update") else word


# -------------------------------------------------------------------------------------------------------- secrets
def _missing(kind: str, name: str) -> Refused:
    noun = kind.rstrip("s").capitalize()
    return Refused(
        404,
        f"{noun}NotFound",
        f"A {noun.lower()} with (name/id) {name} was not found in this key vault. If you recently deleted this "
        f"{noun.lower()} "
        f"you may be able to recover it using the correct recovery command. {_SEE}2125182",
    )


def _item(vault: Vault, kind: str, name: str) -> dict[str, Any]:
    item = vault.items(kind).get(name.casefold())
    if item is None or item.get("deleted"):
        raise _missing(kind, name)
    return dict(item)


def _version(vault: Vault, kind: str, name: str, version: str = "") -> dict[str, Any]:
    versions = _item(vault, kind, name)["versions"]
    for one in versions:
        if one["id"].rsplit("/", 1)[-1] == version:
            return dict(one)
    if version or not versions:
        raise _missing(kind, f"{name}/{version}" if version else name)
    return dict(versions[-1])


def _put_version(vault: Vault, kind: str, name: str, bundle: dict[str, Any], version: str = "") -> dict[str, Any]:
    """Add a version (or write one again) and return it."""
    items = vault.items(kind)
    item = items.get(name.casefold())
    if item and item.get("deleted"):
        noun = kind.rstrip("s").capitalize()
        raise Refused(
            409,
            "Conflict",
            f"{noun} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
            "state, the "
            f"{noun.lower()} can only be recovered or purged.",
            "ObjectIsDeletedButRecoverable",
        )
    spelt = item["name"] if item else name
    bundle = {**bundle, "id": f"{vault.url}/{kind}/{spelt}/{version or uuid.uuid4().hex}"}
    versions = [one for one in (item["versions"] if item else []) if one["id"] != bundle["id"]]
    # A new list, so that a store that watches for assignments sees it.
    items[name.casefold()] = {"name": spelt, "versions": [*versions, bundle], "deleted": None}
    return bundle


def _attributes(vault: Vault, given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    base = before or {"enabled": True, "created": vault.now}
    kept = {key: given[key] for key in ("enabled", "nbf", "exp") if given.get(key) is not None}
    return {**base, **kept, "updated": vault.now, **vault.recovery}


def _without(bundle: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in bundle.items() if key not in keys}


def _listed(bundle: Mapping[str, Any], *, versions: bool) -> dict[str, Any]:
    entry = _without(bundle, "value", "kid", "sid", "cer", "policy", "pending")
    if not versions:
        entry["id"] = entry["id"].rsplit("/", 1)[0]
    return entry


def _page(vault: Vault, call: Call, entries: list[dict[str, Any]]) -> Answer:
    """One page of a list; the rest is behind ``nextLink``, which names the port as Azure's does."""
    asked = call.query.get("maxresults", str(call.page))
    if not asked.isdigit() or not 1 <= int(asked) <= PAGE:
        raise Refused(400, "BadParameter", "maxresults must be between 1 and 25.")
    size, start = int(asked), int(call.query.get("$skiptoken", "0") or 0)
    link = None
    if start + size < len(entries):
        query = {**call.query, "$skiptoken": str(start + size), "maxresults": asked}
        link = f"{vault.url}:443/{'/'.join(call.segments)}?{urlencode(query)}"
    return Answer(200, {"value": entries[start : start + size], "nextLink": link})


def _action(kind: str, verb: str) -> str:
    """The data action of a verb; secrets and certificates have their own words for reading."""
    words = {
        ("secrets", "get"): "getSecret/action",
        ("secrets", "list"): "readMetadata/action",
        ("secrets", "set"): "setSecret/action",
        ("certificates", "get"): "read",
        ("certificates", "list"): "read",
    }
    return f"Microsoft.KeyVault/vaults/{kind}/" + words.get(
        (kind, verb), "delete" if verb == "delete" else f"{verb}/action"
    )


def _check_name(name: str) -> None:
    if not NAME.match(name):
        raise Refused(400, "BadParameter", f"The request URI contains an invalid name: {name}")


def _set_secret(vault: Vault, call: Call, name: str) -> Answer:
    _check_name(name)
    call.demand(_action("secrets", "set"), name)
    value = call.body.get("value")
    if not isinstance(value, str):
        raise Refused(400, "BadParameter", "The property value is required to set a secret.")
    if len(value.encode()) > MAX_SECRET:
        raise Refused(400, "BadParameter", f"The secret value exceeds the maximum size of {MAX_SECRET} bytes.")
    bundle = {
        "value": value,
        **{key: call.body[key] for key in ("contentType", "tags") if call.body.get(key) is not None},
        "attributes": _attributes(vault, call.body.get("attributes") or {}),
    }
    return Answer(200, _put_version(vault, "secrets", name, bundle))


def _get_secret(vault: Vault, call: Call, name: str, version: str) -> Answer:
    call.demand(_action("secrets", "get"), name)
    bundle = _version(vault, "secrets", name, version)
    if not bundle["attributes"]["enabled"]:
        raise Refused(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
    return Answer(200, bundle)


def _update(vault: Vault, call: Call, kind: str, name: str, version: str) -> Answer:
    call.demand(_action(kind, "update"), name)
    bundle = _version(vault, kind, name, version)
    changed = {
        **bundle,
        **{key: call.body[key] for key in ("contentType", "tags") if call.body.get(key) is not None},
        "attributes": _attributes(vault, call.body.get("attributes") or {}, bundle["attributes"]),
    }
    stored = _put_version(vault, kind, name, changed, bundle["id"].rsplit("/", 1)[-1])
    return Answer(200, _without(stored, "value"))


def _delete(vault: Vault, call: Call, kind: str, name: str) -> Answer:
    call.demand(_action(kind, "delete"), name)
    item = _item(vault, kind, name)
    deleted = {
        "recoveryId": f"{vault.url}/deleted{kind}/{item['name']}",
        "deletedDate": vault.now,
        "scheduledPurgeDate": vault.now + vault.retention_days * 86400,
    }
    vault.items(kind)[name.casefold()] = {**item, "deleted": deleted}
    if kind == "certificates" and name.casefold() in vault.items("secrets"):
        secret = vault.items("secrets")[name.casefold()]
        vault.items("secrets")[name.casefold()] = {
            **secret,
            "deleted": {**deleted, "recoveryId": f"{vault.url}/deletedsecrets/{item['name']}"},
        }
    return Answer(200, {**_without(item["versions"][-1], "value"), **deleted})


# --------------------------------------------------------------------------------------------------- certificates
def _pfx(value: str, password: str | None) -> tuple[Any, Any, list[Any]]:
    """Key, certificate and chain of a PFX (base64) or of PEM texts."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

    secret = password.encode() if password else None
    try:
        if "-----BEGIN" in value:
            chain = x509.load_pem_x509_certificates(value.encode())
            return load_pem_private_key(value.encode(), secret), chain[0], chain[1:]
        key, certificate, rest = pkcs12.load_key_and_certificates(base64.b64decode(value), secret)
    except (ValueError, TypeError, IndexError):
        key = certificate = None
        rest = []
    if key is None or certificate is None:
        raise Refused(
            400,
            "BadParameter",
            "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is in valid "
            "PKCS#12 "
            "format.",
        )
    return key, certificate, list(rest)


def _x509_props(certificate: Any) -> dict[str, Any]:
    from cryptography import x509

    names: list[str] = []
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = list(found.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        pass
    days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    return {
        "subject": certificate.subject.rfc4514_string(),
        "sans": {"dns_names": names},
        "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "validity_months": max(1, round(days / 30.4)),
        "basic_constraints": {"ca": False},
    }


def _policy(vault: Vault, name: str, key: Any, certificate: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import rsa

    kind = (
        {"kty": "RSA", "key_size": key.key_size}
        if isinstance(key, rsa.RSAPrivateKey)
        else {"kty": "EC", "crv": "P-256"}
    )
    content = (given.get("secret_props") or {}).get("contentType") or "application/x-pkcs12"
    return {
        "id": f"{vault.url}/certificates/{name}/policy",
        "key_props": {"exportable": True, **kind, "reuse_key": False, **(given.get("key_props") or {})},
        "secret_props": {"contentType": content},
        "x509_props": _x509_props(certificate),
        "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "EmailContacts"}}],
        "issuer": {"name": "Unknown", "cert_transparency": False},
        "attributes": {"enabled": True, "created": vault.now, "updated": vault.now},
    }


def _secret_value(content_type: str, key: Any, certificate: Any, chain: list[Any]) -> str:
    """What the certificate's secret holds: a PFX without password in base64, or the PEM texts."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        pkcs12,
    )

    if content_type == "application/x-pem-file":
        texts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
        texts += [one.public_bytes(Encoding.PEM) for one in (certificate, *chain)]
        return b"".join(texts).decode()
    return base64.b64encode(
        pkcs12.serialize_key_and_certificates(None, key, certificate, chain, NoEncryption())
    ).decode()


def _import(vault: Vault, call: Call, name: str) -> Answer:
    from cryptography.hazmat.primitives.serialization import Encoding

    _check_name(name)
    call.demand(_action("certificates", "import"), name)
    key, certificate, chain = _pfx(str(call.body.get("value") or ""), call.body.get("pwd"))
    der = certificate.public_bytes(Encoding.DER)
    policy = _policy(vault, name, key, certificate, call.body.get("policy") or {})
    version = uuid.uuid4().hex
    life = {
        "nbf": int(certificate.not_valid_before_utc.timestamp()),
        "exp": int(certificate.not_valid_after_utc.timestamp()),
    }
    attributes = _attributes(vault, {**(call.body.get("attributes") or {}), **life})
    tags = {"tags": call.body["tags"]} if call.body.get("tags") else {}
    content_type = policy["secret_props"]["contentType"]
    bundle = {
        "kid": f"{vault.url}/keys/{name}/{version}",
        "sid": f"{vault.url}/secrets/{name}/{version}",
        # SHA-1 is what the interface calls a thumbprint.
        "x5t": base64.urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode().rstrip("="),
        "cer": base64.b64encode(der).decode(),
        "attributes": attributes,
        "policy": policy,
        **tags,
    }
    stored = _put_version(vault, "certificates", name, bundle, version)
    secret = {
        "value": _secret_value(content_type, key, certificate, chain),
        "contentType": content_type,
        "attributes": attributes,
        "kid": bundle["kid"],
        "managed": True,
        **tags,
    }
    _put_version(vault, "secrets", name, secret, version)
    return Answer(200, stored)


# --------------------------------------------------------------------------------------------------------- routes
def _live(vault: Vault, call: Call, kind: str, rest: tuple[str, ...]) -> Answer | None:
    name = rest[0] if rest else ""
    tail = rest[1] if len(rest) > 1 else ""
    if call.method == "GET" and (not rest or tail == "versions"):
        call.demand(_action(kind, "list"), name)
        if rest:
            bundles = list(reversed(_item(vault, kind, name)["versions"]))
        else:
            items = sorted(vault.items(kind).items())
            bundles = [item["versions"][-1] for _key, item in items if not item.get("deleted")]
        return _page(vault, call, [_listed(bundle, versions=bool(rest)) for bundle in bundles])
    if call.method == "GET" and kind == "secrets":
        return _get_secret(vault, call, name, tail)
    if call.method == "GET" and kind == "certificates":
        call.demand(_action(kind, "get"), name)
        bundle = _version(vault, kind, name, "" if tail == "policy" else tail)
        return Answer(200, bundle["policy"] if tail == "policy" else bundle)
    if call.method == "PUT" and kind == "secrets" and len(rest) == 1:
        return _set_secret(vault, call, name)
    if call.method == "PATCH" and rest:
        return _update(vault, call, kind, name, tail)
    if call.method == "POST" and kind == "certificates" and tail == "import":
        return _import(vault, call, name)
    if call.method == "DELETE" and len(rest) == 1:
        return _delete(vault, call, kind, name)
    return None


def _gone(vault: Vault, call: Call, kind: str, rest: tuple[str, ...]) -> Answer | None:
    """What was deleted: listed, read, recovered, purged."""
    items = vault.items(kind)
    if call.method == "GET" and not rest:
        call.demand(_action(kind, "list"), "")
        gone = [item for _key, item in sorted(items.items()) if item.get("deleted")]
        return _page(vault, call, [{**_listed(one["versions"][-1], versions=False), **one["deleted"]} for one in gone])
    name = rest[0]
    item = items.get(name.casefold())
    if item is None or not item.get("deleted"):
        raise _missing(kind, name)
    if call.method == "GET":
        call.demand(_action(kind, "list"), name)
        return Answer(200, {**_without(item["versions"][-1], "value"), **item["deleted"]})
    both = (kind, "secrets") if kind == "certificates" else (kind,)
    if call.method == "POST" and rest[1:] == ("recover",):
        call.demand(_action(kind, "recover"), name)
        for one in both:
            if name.casefold() in vault.items(one):
                vault.items(one)[name.casefold()] = {**vault.items(one)[name.casefold()], "deleted": None}
        return Answer(200, _without(item["versions"][-1], "value"))
    if call.method == "DELETE":
        call.demand(_action(kind, "purge"), name)
        if vault.purge_protected:
            raise Refused(
                403,
                "Forbidden",
                "Operation purge is not allowed because purge protection is enabled for this vault.",
                "ForbiddenByPolicy",
            )
        for one in both:
            vault.items(one).pop(name.casefold(), None)
        return Answer(204)
    return None


def handle(vault: Vault, call: Call) -> Answer:
    """The answer to one authenticated call."""
    if not call.query.get("api-version"):
        raise Refused(400, "BadParameter", "api-version must be specified")
    kind, rest = (call.segments or ("",))[0].casefold(), call.segments[1:]
    found = None
    if kind in {"secrets", "certificates"}:
        found = _live(vault, call, kind, rest)
    elif kind in {"deletedsecrets", "deletedcertificates"}:
        found = _gone(vault, call, kind.removeprefix("deleted"), rest)
    if found is None:
        raise Refused(404, "NotFound", "This stand-in's Key Vault knows secrets and certificates only.")
    return found


def _record(cloud: Cloud, host: str) -> Record | None:
    name = host.partition(".")[0].lower()
    return next((one for one in cloud.store.of_type(TYPE) if one.name.lower() == name), None)


def _open(record: Record, vault: Vault) -> None:
    """Refuse when the vault's network settings close it."""
    if str(record.properties.get("publicNetworkAccess", "Enabled")).casefold() == "disabled":
        raise closed(vault, by_firewall=False)
    if (record.properties.get("networkAcls") or {}).get("defaultAction") == "Deny":
        raise closed(vault, by_firewall=True)


def _demand(cloud: Cloud, record: Record, vault: Vault, claims: Mapping[str, Any]) -> Callable[[str, str], None]:
    """How a call asks whether its caller may: by roles, or by the vault's access policies."""
    who = rbac.Caller(str(claims.get("oid", "")), str(claims.get("appid", "")))

    def by_role(action: str, name: str) -> None:
        kind = action.split("/")[2]
        scope = f"{record.id}/{kind}/{name}" if name else record.id
        need = rbac.Need(action, scope, data=True)
        if not rbac.allowed(who, need, rbac.grants(cloud), now=cloud.now(), taken=rbac.taken(cloud)):
            raise not_granted(vault, cloud.tenant, who.client, who.object_id, action, name)

    def by_policy(action: str, _name: str) -> None:
        kind, word = policy_permission(action)
        for policy in record.properties.get("accessPolicies") or ():
            given = [str(one).casefold() for one in (policy.get("permissions") or {}).get(kind) or ()]
            if str(policy.get("objectId")).casefold() == who.object_id.casefold() and {word, "all"} & set(given):
                return
        raise not_in_policy(vault, cloud.tenant, who.client, who.object_id, kind, word)

    return by_role if record.properties.get("enableRbacAuthorization", True) else by_policy


def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to the data plane of a vault."""
    try:
        record = _record(cloud, request.host)
        if record is None:
            # In Azure the name of a vault that is not there resolves to no address.
            return Answer(reset=True)
        token = request.headers.get("authorization", "").partition(" ")[2]
        claims = cloud.key.claims(token) if token else None
        if claims is None:
            return challenge(cloud.tenant)
        if str(claims.get("aud", "")).rstrip("/") not in {RESOURCE, APPLICATION}:
            return wrong_audience(cloud.tenant, str(claims.get("aud")))
        if float(claims.get("exp", 0)) < cloud.now():
            return challenge(
                cloud.tenant,
                "AKV10046: Unable to resolve the key used for signature validation, or the token has expired.",
            )
        properties = record.properties
        vault = Vault(
            name=record.name,
            id=record.id,
            location=str(record.body.get("location", "")),
            content=record.private.setdefault("content", {}),
            purge_protected=bool(properties.get("enablePurgeProtection")),
            retention_days=int(properties.get("softDeleteRetentionInDays", 90)),
            now=int(cloud.now()),
        )
        _open(record, vault)
        body = request.json() if request.method in {"PUT", "POST", "PATCH"} else {}
        call = Call(
            method=request.method,
            segments=tuple(part for part in request.path.split("/") if part),
            query=request.query,
            body=body if isinstance(body, dict) else {},
            demand=_demand(cloud, record, vault, claims),
            page=int(cloud.dials.settings.get("vault_page", PAGE)),
        )
        fault = cloud.dials.fault(request.method, f"{TYPE}/{(call.segments or ('',))[0]}", request.path)
        if fault is not None:
            raise Refused(fault.status, fault.code, fault.message).with_headers(fault.refusal().headers)
        found = handle(vault, call)
        if request.method != "GET":
            cloud.store.put(record)
        return found
    except Refusal as refusal:
        return refusal.answer()
