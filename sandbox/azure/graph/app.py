# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who asks Microsoft Graph, and for what: the way from a request to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..web import Answer, Refusal, Request
from .answers import context_of, page, selected, single
from .call import APPLICATION, COLLECTIONS, KINDS, RESOURCE, Call, find, key_of
from .changes import create, delete, upsert
from .credentials import add_password, federated_credentials, remove_password
from .refusals import bad, missing, refuse, unauthenticated
from .tenant import keep, load

if TYPE_CHECKING:
    from ..cloud import Cloud


def _object(call: Call, collection: str, value: str, by: str, rest: list[str]) -> Answer:
    item = find(call, collection, value, by)
    if call.method == "PATCH" and not rest:
        return upsert(call, collection, value, by, item)
    if item is None:
        raise missing(value)
    if rest and rest[0].casefold().startswith("federatedidentitycredentials"):
        tail = rest[1:] if "(" not in rest[0] else rest
        return federated_credentials(call, item, tail)
    if rest and call.method == "POST" and rest[0].casefold() == "addpassword":
        return add_password(call, item)
    if rest and call.method == "POST" and rest[0].casefold() == "removepassword":
        return remove_password(call, item)
    if (
        rest
        and call.method == "GET"
        and rest[0].casefold() in {"owners", "memberof", "transitivememberof", "approleassignments"}
    ):
        return page(call, f"{collection}/{rest[0]}", [])
    if rest:
        raise bad(f"Resource not found for the segment '{rest[0]}'.", "BadRequest")
    if call.method == "DELETE":
        return delete(call, collection, item)
    return single(call, collection, item)


def _by_ids(call: Call) -> Answer:
    wanted = {str(one).lower() for one in call.body.get("ids") or ()}
    kinds = {str(kind).casefold() for kind in call.body.get("types") or ()}
    found = []
    for collection, kind in KINDS.items():
        if not kinds or kind.casefold() in kinds or "directoryobject" in kinds:
            objects = call.directory.get(collection, {})
            found += [
                {"@odata.type": f"#microsoft.graph.{kind}", **selected(one, None)}
                for key, one in objects.items()
                if key.lower() in wanted
            ]
    return Answer(200, {"@odata.context": context_of(call, "directoryObjects"), "value": found})


def handle(call: Call) -> Answer:
    """The answer to one authenticated call; raises :class:`Refusal`."""
    segments = [unquote(part) for part in call.path.split("/") if part]
    if len(segments) < 2 or segments[0] not in {"v1.0", "beta"}:
        raise bad("Invalid version: " + (segments[0] if segments else ""), "BadRequest")
    if not call.read:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    head, rest = segments[1], segments[2:]
    if head == "me":
        raise bad("/me request is only valid with delegated authentication flow.", "BadRequest")
    if head == "organization":
        tenant, domain = str(call.directory.get("tenant", "")), str(call.directory.get("domain", ""))
        domains = [{"name": domain, "isDefault": True, "isInitial": True}]
        return page(call, "organization", [{"id": tenant, "displayName": domain, "verifiedDomains": domains}])
    if head == "directoryObjects" and rest[:1] == ["getByIds"] and call.method == "POST":
        return _by_ids(call)
    if head == "directoryObjects" and rest:
        for collection in COLLECTIONS:
            if found := find(call, collection, rest[0], "id"):
                kind = {"@odata.type": f"#microsoft.graph.{KINDS[collection]}"}
                return single(call, "directoryObjects", {**kind, **found})
        raise missing(rest[0])
    collection = next((one for one in COLLECTIONS if head.casefold().split("(")[0] == one.casefold()), "")
    if not collection:
        raise bad(f"Resource not found for the segment '{head}'.", "BadRequest")
    value, by = key_of(head, head.split("(")[0])
    if "(" not in head and rest:
        value, rest = rest[0], rest[1:]
    if value:
        return _object(call, collection, value, by, rest)
    if call.method == "POST":
        return single(call, collection, create(call, collection, call.body), 201)
    return page(call, collection, call.directory.get(collection, {}).values())


def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to Microsoft Graph."""
    try:
        token = request.headers.get("authorization", "").partition(" ")[2]
        claims = cloud.key.claims(token) if token else None
        if claims is None:
            raise unauthenticated(None)
        if str(claims.get("aud", "")).rstrip("/") not in {RESOURCE, APPLICATION}:
            raise unauthenticated(str(claims.get("aud")))
        if float(claims.get("exp", 0)) < cloud.now():
            raise refuse(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        parts = [part for part in request.path.split("/") if part]
        fault = cloud.dials.fault(request.method, f"graph/{(parts[1:2] or [''])[0]}", request.path)
        if fault is not None:
            refused = refuse(fault.status, fault.code, fault.message)
            refused.headers.update(fault.refusal().headers)
            raise refused
        rights = str(cloud.dials.settings.get("graph", "write"))
        body = request.json()
        call = Call(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=body if isinstance(body, dict) else {},
            directory=load(cloud),
            caller=str(claims.get("oid", "")),
            now=cloud.now(),
            read=rights != "none",
            write=rights == "write",
        )
        found = handle(call)
        if request.method != "GET":
            keep(cloud, call.directory)
        return found
    except Refusal as refusal:
        return refusal.answer()
