# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who asks a vault, and for what: the way from a request to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..web import Answer, Refusal, Request
from .call import PAGE, Call, listed, page
from .certificates import import_certificate
from .challenge import APPLICATION, RESOURCE, challenge, wrong_audience
from .content import live_item, version_of
from .items import delete_item, deleted_items, update_item
from .model import TYPE, Vault
from .refusals import Refused, closed
from .rights import action_of, demand_for
from .secrets import get_secret, set_secret

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..store import Record


def _live(vault: Vault, call: Call, kind: str, rest: tuple[str, ...]) -> Answer | None:
    name = rest[0] if rest else ""
    tail = rest[1] if len(rest) > 1 else ""
    if call.method == "GET" and (not rest or tail == "versions"):
        call.demand(action_of(kind, "list"), name)
        if rest:
            bundles = list(reversed(live_item(vault, kind, name)["versions"]))
        else:
            items = sorted(vault.items(kind).items())
            bundles = [item["versions"][-1] for _key, item in items if not item.get("deleted")]
        return page(vault, call, [listed(bundle, versions=bool(rest)) for bundle in bundles])
    if call.method == "GET" and kind == "secrets":
        return get_secret(vault, call, name, tail)
    if call.method == "GET" and kind == "certificates":
        call.demand(action_of(kind, "get"), name)
        bundle = version_of(vault, kind, name, "" if tail == "policy" else tail)
        return Answer(200, bundle["policy"] if tail == "policy" else bundle)
    if call.method == "PUT" and kind == "secrets" and len(rest) == 1:
        return set_secret(vault, call, name)
    if call.method == "PATCH" and rest:
        return update_item(vault, call, kind, name, tail)
    if call.method == "POST" and kind == "certificates" and tail == "import":
        return import_certificate(vault, call, name)
    if call.method == "DELETE" and len(rest) == 1:
        return delete_item(vault, call, kind, name)
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
        found = deleted_items(vault, call, kind.removeprefix("deleted"), rest)
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
            demand=demand_for(cloud, record, vault, claims),
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
