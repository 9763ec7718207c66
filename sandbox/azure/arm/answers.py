# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How resources are answered, alone and in lists."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ..dials import dial
from ..store import Record
from ..web import Answer, Refusal, Request
from .kinds import Call, ResourceType, change
from .operations import stamp

if TYPE_CHECKING:
    from ..cloud import Cloud

_TERM = re.compile(r"\s*(?P<field>[\w/]+(?:\(\))?)\s+(?P<op>eq|ne)\s+'(?P<value>(?:[^']|'')*)'\s*$", re.IGNORECASE)
_CALL = re.compile(
    r"\s*(?P<op>substringof|startswith|assignedto)\((?P<rest>.*)\)\s*$|\s*(?P<bare>\w+)\(\)\s*$", re.IGNORECASE
)


def show(cloud: Cloud, record: Record) -> dict[str, Any]:
    """A resource as Azure answers it."""
    kind: ResourceType = cloud.kinds[record.type.lower()]
    body = copy.deepcopy(record.body)
    shown: dict[str, Any] = {"id": kind.spell_id(record.id), "name": record.name, "type": kind.name}
    if kind.etag:
        shown["etag"] = f'W/"{record.etag}"'
    if "location" in body:
        body["location"] = kind.location(body["location"])
    for path in kind.reversed:
        change(body, path, lambda value: value[::-1] if isinstance(value, list) else value)
    shown |= body
    if kind.shows_state:
        shown["properties"] = {"provisioningState": record.state, **shown.get("properties", {})}
    return kind.answer(cloud, record, shown) if kind.answer else shown


def terms(text: str) -> list[tuple[str, str, str]]:
    """A ``$filter`` as (operator, field, value), joined by ``and``; functions too: ("substringof", "name", "x").

    :raises Refusal: for what is no such filter
    """
    found = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        if match := _TERM.match(part):
            found.append((match["op"].lower(), match["field"], match["value"].replace("''", "'")))
        elif match := _CALL.match(part):
            if match["bare"]:
                found.append((match["bare"].lower(), "", ""))
                continue
            values = [value.strip() for value in match["rest"].split(",")]
            field = next((value for value in values if not value.startswith("'")), "")
            literal = next((value.strip("'") for value in values if value.startswith("'")), "")
            found.append((match["op"].lower(), field, literal))
        else:
            raise Refusal(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
    return found


def page(call: Call, items: list[Any]) -> Answer:
    """One page of a list, with the address of the next."""
    size = int(call.query.get("$top") or call.cloud.dials.settings.get("page", 100))
    start = int(call.query.get("$skiptoken") or 0)
    body: dict[str, Any] = {"value": items[start : start + size]}
    if start + size < len(items) and "$top" not in call.query:
        query = {key: value for key, value in call.query.items() if key != "$skiptoken"} | {"$skiptoken": start + size}
        body["nextLink"] = f"https://{call.request.host}{call.target.path}?{urlencode(query)}"
    return Answer(200, body)


def generic(call: Call, records: list[Record]) -> list[dict[str, Any]]:
    """Resources of any type, as the lists of a group or of a subscription show them."""
    expand = {part.strip().lower() for part in call.query.get("$expand", "").split(",")}
    wanted = terms(call.query["$filter"]) if call.query.get("$filter") else []
    found = []
    for record in records:
        kind = call.cloud.kinds.get(record.type.lower())
        if (
            kind is None
            or not kind.tracked
            or len(record.id.split("/")) < 6
            or not all(_fits(record, *term) for term in wanted)
        ):
            continue
        full = show(call.cloud, record)
        keys = ("id", "name", "type", "kind", "location", "tags", "sku", "identity", "managedBy", "zones", "plan")
        item = {key: full[key] for key in keys if key in full}
        for name, value in (
            ("createdTime", stamp(record.created)),
            ("changedTime", stamp(record.changed)),
            ("provisioningState", record.state),
        ):
            if name.lower() in expand:
                item[name] = value
        found.append(item)
    return found


def _fits(record: Record, operator: str, field: str, value: str) -> bool:
    tags = {key.lower(): item for key, item in record.body.get("tags", {}).items()}
    name, wanted = field.lower(), value.lower()
    if name == "tagname":
        return any(key.startswith(wanted) for key in tags) if operator == "startswith" else wanted in tags
    if name == "tagvalue":
        return any(str(item).lower() == wanted for item in tags.values())
    parts = record.id.split("/")
    values = {
        "resourcetype": record.type,
        "name": record.name,
        "location": record.body.get("location", ""),
        "resourcegroup": parts[4] if len(parts) > 4 else "",
        "identity/principalid": (record.body.get("identity") or {}).get("principalId", ""),
    }
    if name not in values:
        raise Refusal(
            400, "InvalidFilterInQueryString", f"Invalid property '{field}' in the $filter of the query string."
        )
    found = str(values[name]).lower()
    if operator == "substringof":
        return wanted in found
    return (found == wanted) == (operator == "eq")


@dial("GET /resources")
def everything(cloud: Cloud, _request: Request) -> Answer:
    """All that is stored, as it is answered, each with the newest api-version of its type."""
    found = []
    for record in cloud.store.resources.values():
        kind = cloud.kinds.get(record.type.lower())
        if kind is not None:
            found.append({**show(cloud, record), "apiVersion": max(kind.versions, default="")})
    return Answer(200, found)
