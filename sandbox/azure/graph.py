# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft Graph, as far as look-ups and app registrations need it: applications, service principals, users, groups.

The directory is a plain dict that the store keeps: one dict of objects by object id for each collection. Advanced
queries
(``$search``, ``ne``, ``not``, ``$expand``) are refused, as Graph refuses them without ``ConsistencyLevel``.
Source: https://learn.microsoft.com/graph/api/overview
"""

from __future__ import annotations

import copy
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from .directory import Principal
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud

RESOURCE = "https://graph.microsoft.com"
APPLICATION = "00000003-0000-0000-c000-000000000000"
PAGE = 100
COLLECTIONS = ("applications", "servicePrincipals", "users", "groups")
# Properties that name one object besides its id: ``applications(appId='…')``, ``users/<userPrincipalName>``.
ALTERNATE_KEYS = {
    "applications": ("appId", "uniqueName"),
    "servicePrincipals": ("appId",),
    "users": ("userPrincipalName",),
    "groups": ("uniqueName",),
}
KINDS = {"applications": "application", "servicePrincipals": "servicePrincipal", "users": "user", "groups": "group"}
READ_ONLY = {"id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain", "passwordCredentials"}


@dataclass(frozen=True)
class Call:
    """One request of an authenticated caller; ``write`` is whether this caller may change the directory."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    directory: dict[str, Any]
    caller: str
    now: float
    read: bool = True
    write: bool = True


def stamp(seconds: float) -> str:
    """Graph's spelling of a moment."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse(status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> Refusal:
    """A refusal in Graph's form."""
    request = str(uuid.uuid4())
    error: dict[str, Any] = {"code": code, "message": message}
    if details:
        error["details"] = details
    date = stamp(time.time()).removesuffix("Z")
    error["innerError"] = {"date": date, "request-id": request, "client-request-id": request}
    return Refusal(status, code, message, body={"error": error})


def unauthenticated(found: str | None) -> Refusal:
    """The 401 for no token, or for one made for somebody else."""
    text = "Access token is empty." if found is None else "Access token validation failure. Invalid audience."
    return refuse(401, "InvalidAuthenticationToken", text)


def _missing(name: str) -> Refusal:
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return refuse(404, "Request_ResourceNotFound", text)


def _bad(message: str, code: str = "Request_BadRequest") -> Refusal:
    return refuse(400, code, message)


# --------------------------------------------------------------------------------------------------------- objects
def application(display_name: str, domain: str, now: float) -> dict[str, Any]:
    """A new app registration with what Graph fills in."""
    return {
        "id": str(uuid.uuid4()),
        "deletedDateTime": None,
        "appId": str(uuid.uuid4()),
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": stamp(now),
        "displayName": display_name,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": None,
        "notes": None,
        "publisherDomain": domain,
        "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": None,
        "uniqueName": None,
        "samlMetadataUrl": None,
        "defaultRedirectUri": None,
        "optionalClaims": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None},
        "keyCredentials": [],
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "redirectUriSettings": [],
        },
        "spa": {"redirectUris": []},
    }


def service_principal(
    app_id: str, display_name: str, tenant: str, *, kind: str = "Application", object_id: str = "", now: float = 0.0
) -> dict[str, Any]:
    """A service principal; ``kind`` ManagedIdentity for a managed identity."""
    return {
        "id": object_id or str(uuid.uuid4()),
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": display_name,
        "appId": app_id,
        "appOwnerOrganizationId": tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": stamp(now),
        "displayName": display_name,
        "homepage": None,
        "keyCredentials": [],
        "notificationEmailAddresses": [],
        "passwordCredentials": [],
        "replyUrls": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": kind,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
    }


def user(principal_name: str, display_name: str = "", object_id: str = "") -> dict[str, Any]:
    """A user with the properties that Graph gives when none are selected."""
    first, _, last = (display_name or principal_name.partition("@")[0]).partition(" ")
    return {
        "id": object_id or str(uuid.uuid4()),
        "businessPhones": [],
        "displayName": display_name or principal_name.partition("@")[0],
        "givenName": first or None,
        "jobTitle": None,
        "mail": principal_name,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": last or None,
        "userPrincipalName": principal_name,
    }


# What Azure's rights call a principal of the directory.
PRINCIPAL_TYPES = {
    "Application": "ServicePrincipal",
    "ManagedIdentity": "ServicePrincipal",
    "User": "User",
    "Group": "Group",
}


# --------------------------------------------------------------------------------------------------------- queries
_EQ = re.compile(r"([\w/]+)\s+eq\s+(?:'((?:[^']|'')*)'|(\w+))\Z", re.I)
_IN = re.compile(r"([\w/]+)\s+in\s+\((.*)\)\Z", re.I)
_STARTS = re.compile(r"startswith\(([\w/]+)\s*,\s*'((?:[^']|'')*)'\)\Z", re.I)
_ANY = re.compile(r"([\w/]+)/any\((\w+)\s*:\s*(.*)\)\Z", re.I)


def _cut(text: str, word: str) -> list[str]:
    """The parts of a filter between ``and`` or ``or``, outside quotes and brackets."""
    parts, start, depth, quoted, index = [], 0, 0, False, 0
    token = f" {word} "
    while index < len(text):
        letter = text[index]
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
        elif not quoted and depth == 0 and text[index : index + len(token)].casefold() == token:
            parts.append(text[start:index])
            index += len(token)
            start = index
            continue
        index += 1
    return [*parts, text[start:]]


def _value(item: Any, path: str) -> Any:
    for key in path.split("/"):
        if not isinstance(item, Mapping):
            return None
        item = next((value for name, value in item.items() if name.casefold() == key.casefold()), None)
    return item


def _same(found: Any, wanted: str) -> bool:
    if isinstance(found, bool):
        return str(found).casefold() == wanted.casefold()
    return found is not None and str(found).casefold() == wanted.casefold()


def condition(text: str) -> Callable[[Any], bool]:
    """What an OData ``$filter`` asks, as a function of one object; refuses what needs an advanced query."""
    text = text.strip()
    for word, join in (("or", any), ("and", all)):
        parts = _cut(text, word)
        if len(parts) > 1:
            tests = [condition(part) for part in parts]
            return lambda item, join=join, tests=tests: join(test(item) for test in tests)  # type: ignore[misc]
    if text.startswith("(") and text.endswith(")"):
        return condition(text[1:-1])
    if match := _EQ.match(text):
        path, quoted, bare = match.groups()
        wanted = quoted.replace("''", "'") if quoted is not None else bare
        if bare and bare.casefold() == "null":
            return lambda item: _value(item, path) is None
        return lambda item: _same(item if path == "." else _value(item, path), wanted)
    if match := _IN.match(text):
        path, inside = match.groups()
        wanted_all = [part.strip().strip("'") for part in inside.split(",")]
        return lambda item: any(_same(_value(item, path), one) for one in wanted_all)
    if match := _STARTS.match(text):
        path, prefix = match.group(1), match.group(2).replace("''", "'").casefold()
        return lambda item: str(_value(item, path) or "").casefold().startswith(prefix)
    if match := _ANY.match(text):
        path, letter, inside = match.groups()
        # In ``c eq 'x'`` the letter is the element itself, in ``c/name eq 'x'`` its property.
        inner = condition(re.sub(rf"\b{letter}(?=\s)", "self", re.sub(rf"\b{letter}/", "", inside)))
        return lambda item: any(
            inner({"self": one} if not isinstance(one, Mapping) else one) for one in _value(item, path) or ()
        )
    raise _bad(f"Unsupported or invalid query filter clause specified: {text}.", "Request_UnsupportedQuery")


def _selected(item: Mapping[str, Any], select: str | None) -> dict[str, Any]:
    shown = {key: copy.deepcopy(value) for key, value in item.items() if not key.startswith("__")}
    for credential in shown.get("passwordCredentials") or ():
        credential["secretText"] = None
    if not select:
        return shown
    wanted = {name.strip().casefold() for name in select.split(",")}
    return {key: value for key, value in shown.items() if key.casefold() in wanted}


def _context(call: Call, what: str) -> str:
    select = call.query.get("$select")
    return f"{RESOURCE}/{_version(call)}/$metadata#{what}" + (f"({select})" if select else "")


def _version(call: Call) -> str:
    return call.path.strip("/").partition("/")[0] or "v1.0"


def _list(call: Call, name: str, items: Iterable[Mapping[str, Any]]) -> Answer:
    """One page of a collection, filtered, selected."""
    if "$search" in call.query and "consistencylevel" not in call.headers:
        raise _bad(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'",
            "Request_UnsupportedQuery",
        )
    test = condition(call.query["$filter"]) if call.query.get("$filter") else lambda _item: True
    found = [item for item in items if test(item)]
    top, start = call.query.get("$top", str(PAGE)), int(call.query.get("$skiptoken") or 0)
    if not top.isdigit() or not 1 <= int(top) <= 999:
        raise _bad(
            f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.", "Request_UnsupportedQuery"
        )
    stop = start + int(top)
    body: dict[str, Any] = {"@odata.context": _context(call, name)}
    if call.query.get("$count", "").casefold() == "true":
        body["@odata.count"] = len(found)
    if stop < len(found):
        query = urlencode({**call.query, "$skiptoken": str(stop)}, quote_via=quote, safe="$")
        body["@odata.nextLink"] = f"{RESOURCE}{call.path}?{query}"
    body["value"] = [_selected(item, call.query.get("$select")) for item in found[start:stop]]
    return Answer(200, body)


def _one(call: Call, what: str, item: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(
        status, {"@odata.context": _context(call, f"{what}/$entity"), **_selected(item, call.query.get("$select"))}
    )


# --------------------------------------------------------------------------------------------------------- changes
def _may_write(call: Call) -> None:
    if not call.write:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _merged(item: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Complex properties (web, api, …) are merged, all others replaced; read-only ones may not be sent."""
    result = dict(item)
    for key, value in change.items():
        if key.startswith("@"):
            continue
        if key in READ_ONLY and value != item.get(key):
            raise _bad(f"Property '{key}' is read-only and cannot be set.")
        before = item.get(key)
        result[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
    return result


def _check_application(call: Call, item: Mapping[str, Any]) -> None:
    if not str(item.get("displayName") or "").strip():
        raise _bad("Property displayName is required.")
    redirects = (item.get("web") or {}).get("redirectUris") or []
    for uri in redirects:
        local = re.match(r"http://(localhost|127\.0\.0\.1)([:/]|\Z)", str(uri))
        if "*" in str(uri) or not (str(uri).startswith("https://") or local):
            raise _bad(
                "One or more properties contains invalid values: redirectUris must start with 'https' or "
                "'http://localhost'."
            )
    if len(set(redirects)) != len(redirects):
        raise _bad("Request contains a property with duplicate values.")
    unique = item.get("uniqueName")
    for other in call.directory.get("applications", {}).values():
        if unique and other["id"] != item["id"] and _same(other.get("uniqueName"), unique):
            text = "Another object with the same value for property uniqueName already exists."
            raise refuse(
                400, "Request_BadRequest", text, [{"code": "ObjectConflict", "message": text, "target": "uniqueName"}]
            )


def _create(call: Call, collection: str, body: Mapping[str, Any]) -> dict[str, Any]:
    _may_write(call)
    objects = call.directory.setdefault(collection, {})
    if collection == "applications":
        domain = str(call.directory.get("domain", "example.onmicrosoft.com"))
        given = {key: value for key, value in body.items() if key not in READ_ONLY}
        item = _merged(application(str(body.get("displayName") or ""), domain, call.now), given)
        item["__federated"] = []
        _check_application(call, item)
    elif collection == "servicePrincipals":
        app_id = str(body.get("appId") or "")
        app = next(
            (one for one in call.directory.get("applications", {}).values() if _same(one["appId"], app_id)), None
        )
        if app is None:
            text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            raise refuse(
                400,
                "Request_BadRequest",
                f"When using this permission, the backing application of the service "
                f"principal being created must in the local tenant. {text}",
            )
        if any(_same(one["appId"], app_id) for one in objects.values()):
            text = (
                "The service principal cannot be created, updated, or restored because the service principal name "
                f"{app_id} "
                "is already in use."
            )
            raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
        item = service_principal(app["appId"], app["displayName"], str(call.directory.get("tenant", "")), now=call.now)
    elif collection == "users":
        item = _new_user(call, body)
    else:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    objects[item["id"]] = item
    return item


def _new_user(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("displayName", "userPrincipalName", "mailNickname", "passwordProfile"):
        if not body.get(name):
            raise _bad(f"A value is required for property '{name}' of resource 'User'.")
    name = str(body["userPrincipalName"])
    if _get(call, "users", name, "userPrincipalName"):
        raise _bad("Another object with the same value for property userPrincipalName already exists.")
    given = {key: value for key, value in body.items() if key not in READ_ONLY | {"passwordProfile"}}
    return {**user(name, str(body["displayName"])), **given}


def _add_password(call: Call, item: dict[str, Any]) -> Answer:
    _may_write(call)
    asked = call.body.get("passwordCredential") or {}
    text = secrets.token_urlsafe(30)
    credential = {
        "customKeyIdentifier": None,
        "displayName": asked.get("displayName"),
        "endDateTime": asked.get("endDateTime") or stamp(call.now + 2 * 365 * 86400),
        "hint": text[:3],
        "keyId": str(uuid.uuid4()),
        "secretText": None,
        "startDateTime": asked.get("startDateTime") or stamp(call.now),
    }
    item["passwordCredentials"] = [*item["passwordCredentials"], credential]
    item["__secrets"] = {**item.get("__secrets", {}), credential["keyId"]: text}
    return Answer(
        200, {"@odata.context": _context(call, "microsoft.graph.passwordCredential"), **credential, "secretText": text}
    )


def _remove_password(call: Call, item: dict[str, Any]) -> Answer:
    _may_write(call)
    key = str(call.body.get("keyId") or "")
    left = [one for one in item["passwordCredentials"] if not _same(one["keyId"], key)]
    if len(left) == len(item["passwordCredentials"]):
        raise _bad(f"No password credential found with keyId {key}.")
    item["passwordCredentials"] = left
    item["__secrets"] = {name: text for name, text in item.get("__secrets", {}).items() if not _same(name, key)}
    return Answer(204)


def _federated(call: Call, item: dict[str, Any], rest: list[str]) -> Answer:
    """Federated credentials of an app registration, by id or by name."""
    held: list[dict[str, Any]] = item.setdefault("__federated", [])
    context = f"applications('{item['id']}')/federatedIdentityCredentials"
    name, by_key = _key(rest[0], "federatedIdentityCredentials") if rest else ("", "")
    found = next((one for one in held if _same(one["id"], name) or _same(one["name"], name)), None)
    if call.method == "GET":
        if not rest or (not name and not by_key):
            return _list(call, context, held)
        if found is None:
            raise _missing(name)
        return _one(call, context, found)
    _may_write(call)
    if call.method == "DELETE":
        if found is None:
            raise _missing(name)
        item["__federated"] = [one for one in held if one is not found]
        return Answer(204)
    upsert = call.method == "PATCH" and found is None and "create-if-missing" in call.headers.get("prefer", "")
    if call.method == "POST" or upsert:
        body = {"name": name, **call.body} if upsert else dict(call.body)
        return _one(call, context, _new_federated(item, body), 201)
    if found is None:
        raise _missing(name)
    new = {**found, **{key: value for key, value in call.body.items() if key not in {"id", "name"}}}
    item["__federated"] = [new if one is found else one for one in held]
    return Answer(204)


def _new_federated(item: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    held = item["__federated"]
    for key in ("name", "issuer", "subject", "audiences"):
        if not body.get(key):
            raise _bad(f"The {key} property of the federated identity credential must not be empty.")
    if any(_same(one["name"], body["name"]) for one in held):
        text = f"FederatedIdentityCredential with name {body['name']} already exists."
        raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
    if any((one["issuer"], one["subject"]) == (body["issuer"], body["subject"]) for one in held):
        text = "A FederatedIdentityCredential with the same issuer and subject already exists."
        raise refuse(409, "Request_MultipleObjectsWithSameKeyValue", text)
    if len(held) >= 20:
        raise _bad("The number of federated identity credentials exceeds the limit of 20.", "Directory_QuotaExceeded")
    new = {
        "id": str(uuid.uuid4()),
        "name": body["name"],
        "issuer": body["issuer"],
        "subject": body["subject"],
        "description": body.get("description"),
        "audiences": list(body["audiences"]),
    }
    item["__federated"] = [*held, new]
    return new


# ---------------------------------------------------------------------------------------------------------- routes
_KEYED = re.compile(r"(\w+)\((?:(\w+)=)?'((?:[^']|'')*)'\)\Z")


def _key(segment: str, collection: str) -> tuple[str, str]:
    """``(value, property)`` of ``…(appId='x')``, or the segment itself as an id."""
    match = _KEYED.match(segment)
    if match is None:
        return ("" if segment == collection else segment), ""
    return match.group(3).replace("''", "'"), match.group(2) or "id"


def _get(call: Call, collection: str, value: str, by: str) -> dict[str, Any] | None:
    objects: dict[str, dict[str, Any]] = call.directory.get(collection, {})
    properties = (by,) if by else ("id", *(ALTERNATE_KEYS[collection] if collection == "users" else ()))
    return next((one for one in objects.values() if any(_same(one.get(key), value) for key in properties)), None)


def _upsert(call: Call, collection: str, value: str, by: str, item: dict[str, Any] | None) -> Answer:
    if item is None:
        if "create-if-missing" not in call.headers.get("prefer", "") or by != "uniqueName":
            raise _missing(value)
        return _one(call, collection, _create(call, collection, {**call.body, "uniqueName": value}), 201)
    _may_write(call)
    changed = _merged(item, call.body)
    if collection == "applications":
        _check_application(call, changed)
    call.directory[collection][item["id"]] = changed
    return Answer(204)


def _object(call: Call, collection: str, value: str, by: str, rest: list[str]) -> Answer:
    item = _get(call, collection, value, by)
    if call.method == "PATCH" and not rest:
        return _upsert(call, collection, value, by, item)
    if item is None:
        raise _missing(value)
    if rest and rest[0].casefold().startswith("federatedidentitycredentials"):
        tail = rest[1:] if "(" not in rest[0] else rest
        return _federated(call, item, tail)
    if rest and call.method == "POST" and rest[0].casefold() == "addpassword":
        return _add_password(call, item)
    if rest and call.method == "POST" and rest[0].casefold() == "removepassword":
        return _remove_password(call, item)
    if (
        rest
        and call.method == "GET"
        and rest[0].casefold() in {"owners", "memberof", "transitivememberof", "approleassignments"}
    ):
        return _list(call, f"{collection}/{rest[0]}", [])
    if rest:
        raise _bad(f"Resource not found for the segment '{rest[0]}'.", "BadRequest")
    if call.method == "DELETE":
        _may_write(call)
        call.directory[collection].pop(item["id"], None)
        if collection == "applications":
            mine = [
                key for key, one in call.directory.get("servicePrincipals", {}).items() if one["appId"] == item["appId"]
            ]
            for key in mine:
                call.directory["servicePrincipals"].pop(key)
        return Answer(204)
    return _one(call, collection, item)


def _by_ids(call: Call) -> Answer:
    wanted = {str(one).lower() for one in call.body.get("ids") or ()}
    kinds = {str(kind).casefold() for kind in call.body.get("types") or ()}
    found = []
    for collection, kind in KINDS.items():
        if not kinds or kind.casefold() in kinds or "directoryobject" in kinds:
            objects = call.directory.get(collection, {})
            found += [
                {"@odata.type": f"#microsoft.graph.{kind}", **_selected(one, None)}
                for key, one in objects.items()
                if key.lower() in wanted
            ]
    return Answer(200, {"@odata.context": _context(call, "directoryObjects"), "value": found})


def handle(call: Call) -> Answer:
    """The answer to one authenticated call; raises :class:`Refusal`."""
    segments = [unquote(part) for part in call.path.split("/") if part]
    if len(segments) < 2 or segments[0] not in {"v1.0", "beta"}:
        raise _bad("Invalid version: " + (segments[0] if segments else ""), "BadRequest")
    if not call.read:
        raise refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    head, rest = segments[1], segments[2:]
    if head == "me":
        raise _bad("/me request is only valid with delegated authentication flow.", "BadRequest")
    if head == "organization":
        tenant, domain = str(call.directory.get("tenant", "")), str(call.directory.get("domain", ""))
        domains = [{"name": domain, "isDefault": True, "isInitial": True}]
        return _list(call, "organization", [{"id": tenant, "displayName": domain, "verifiedDomains": domains}])
    if head == "directoryObjects" and rest[:1] == ["getByIds"] and call.method == "POST":
        return _by_ids(call)
    if head == "directoryObjects" and rest:
        for collection in COLLECTIONS:
            if found := _get(call, collection, rest[0], "id"):
                return _one(call, "directoryObjects", {"@odata.type": f"#microsoft.graph.{KINDS[collection]}", **found})
        raise _missing(rest[0])
    collection = next((one for one in COLLECTIONS if head.casefold().split("(")[0] == one.casefold()), "")
    if not collection:
        raise _bad(f"Resource not found for the segment '{head}'.", "BadRequest")
    value, by = _key(head, head.split("(")[0])
    if "(" not in head and rest:
        value, rest = rest[0], rest[1:]
    if value:
        return _object(call, collection, value, by, rest)
    if call.method == "POST":
        return _one(call, collection, _create(call, collection, call.body), 201)
    return _list(call, collection, call.directory.get(collection, {}).values())


# ----------------------------------------------------------------------------------- the tenant's directory and ours
def _adopt(cloud: Cloud, directory: dict[str, Any], principal: Principal) -> None:
    """Give a principal that the sign-in knows its objects here."""
    if principal.kind in {"User", "Group"}:
        collection = "users" if principal.kind == "User" else "groups"
        objects = directory[collection]
        if principal.object_id not in objects:
            name = str(principal.more.get("userPrincipalName") or principal.name)
            new = user(name, principal.name, principal.object_id)
            objects[principal.object_id] = (
                new if principal.kind == "User" else {"id": new["id"], "displayName": principal.name}
            )
        return
    objects = directory["servicePrincipals"]
    if principal.object_id not in objects:
        objects[principal.object_id] = service_principal(
            principal.app_id,
            principal.name,
            cloud.tenant,
            kind=principal.kind,
            object_id=principal.object_id,
            now=cloud.now(),
        )
        if principal.resource:
            objects[principal.object_id]["alternativeNames"] = ["isExplicit=True", principal.resource]
    held = directory["applications"]
    if principal.kind == "Application" and principal.app_object_id and principal.app_object_id not in held:
        app = application(principal.name, directory["domain"], cloud.now())
        app |= {"id": principal.app_object_id, "appId": principal.app_id}
        held[principal.app_object_id] = app
    if principal.app_object_id in held:
        # The sign-in's own word counts.
        app = held[principal.app_object_id]
        app["__secrets"] = dict(principal.secrets)
        app["__federated"] = [{"id": str(uuid.uuid4()), "description": None, **one} for one in principal.federated]


def load(cloud: Cloud) -> dict[str, Any]:
    """The directory as Graph shows it, with everybody whom the sign-in knows."""
    directory = cloud.store.fact("graph")
    for collection in COLLECTIONS:
        directory.setdefault(collection, {})
    directory["tenant"] = cloud.tenant
    directory.setdefault("domain", "planetary.onmicrosoft.com")
    for principal in cloud.directory:
        _adopt(cloud, directory, principal)
    for object_id in [key for collection in COLLECTIONS[1:] for key in directory[collection]]:
        if cloud.directory.by_object_id(object_id) is None:
            for collection in COLLECTIONS[1:]:
                directory[collection].pop(object_id, None)
    return directory


def _keep(cloud: Cloud, directory: dict[str, Any]) -> None:
    """Tell the sign-in what has changed: applications' secrets and federated credentials, principals come and gone."""
    apps = {one["appId"]: one for one in directory["applications"].values()}
    for object_id, item in directory["servicePrincipals"].items():
        app = apps.get(item["appId"])
        if app is None:
            continue
        known = cloud.directory.by_object_id(object_id)
        principal = known or Principal(object_id, item["appId"], item["displayName"], app_object_id=app["id"])
        principal.secrets = dict(app.get("__secrets", {}))
        principal.federated = [dict(one) for one in app.get("__federated", [])]
        cloud.directory.save(principal)
    for object_id, item in directory["users"].items():
        if cloud.directory.by_object_id(object_id) is None:
            more = {"userPrincipalName": item["userPrincipalName"]}
            cloud.directory.save(Principal(object_id, "", item["displayName"], kind="User", more=more))
    held = {"Application": "servicePrincipals", "User": "users"}
    for principal in cloud.directory:
        if principal.kind in held and principal.object_id not in directory[held[principal.kind]]:
            cloud.directory.remove(principal.object_id)
    cloud.store.touch("graph")


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
            _keep(cloud, call.directory)
        return found
    except Refusal as refusal:
        return refusal.answer()
