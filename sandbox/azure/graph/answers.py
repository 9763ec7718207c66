# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Objects and pages of objects as Graph shows them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ..web import Answer
from .call import RESOURCE, Call
from .filters import condition
from .refusals import bad

PAGE = 100


def selected(item: Mapping[str, Any], select: str | None) -> dict[str, Any]:
    shown = {key: copy.deepcopy(value) for key, value in item.items() if not key.startswith("__")}
    for credential in shown.get("passwordCredentials") or ():
        credential["secretText"] = None
    if not select:
        return shown
    wanted = {name.strip().casefold() for name in select.split(",")}
    return {key: value for key, value in shown.items() if key.casefold() in wanted}


def context_of(call: Call, what: str) -> str:
    select = call.query.get("$select")
    return f"{RESOURCE}/{_version(call)}/$metadata#{what}" + (f"({select})" if select else "")


def _version(call: Call) -> str:
    return call.path.strip("/").partition("/")[0] or "v1.0"


def page(call: Call, name: str, items: Iterable[Mapping[str, Any]]) -> Answer:
    """One page of a collection, filtered, selected."""
    if "$search" in call.query and "consistencylevel" not in call.headers:
        raise bad(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'",
            "Request_UnsupportedQuery",
        )
    test = condition(call.query["$filter"]) if call.query.get("$filter") else lambda _item: True
    found = [item for item in items if test(item)]
    top, start = call.query.get("$top", str(PAGE)), int(call.query.get("$skiptoken") or 0)
    if not top.isdigit() or not 1 <= int(top) <= 999:
        raise bad(
            f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.", "Request_UnsupportedQuery"
        )
    stop = start + int(top)
    body: dict[str, Any] = {"@odata.context": context_of(call, name)}
    if call.query.get("$count", "").casefold() == "true":
        body["@odata.count"] = len(found)
    if stop < len(found):
        query = urlencode({**call.query, "$skiptoken": str(stop)}, quote_via=quote, safe="$")
        body["@odata.nextLink"] = f"{RESOURCE}{call.path}?{query}"
    body["value"] = [selected(item, call.query.get("$select")) for item in found[start:stop]]
    return Answer(200, body)


def single(call: Call, what: str, item: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(
        status, {"@odata.context": context_of(call, f"{what}/$entity"), **selected(item, call.query.get("$select"))}
    )
