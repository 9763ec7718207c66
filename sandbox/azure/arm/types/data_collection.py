# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Insights: data collection rules, their endpoints and associations.

Source: https://learn.microsoft.com/rest/api/monitor/data-collection-rules
"""

from __future__ import annotations

import uuid
from typing import Any

from ...store import Record
from ...web import Refusal
from ..kinds import Body, Call, ResourceType
from ._monitor import given_properties, mentioned

RULES = "Microsoft.Insights/dataCollectionRules"
ENDPOINTS = "Microsoft.Insights/dataCollectionEndpoints"
ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
COLLECTION = ("2021-04-01", "2021-09-01-preview", "2022-06-01", "2023-03-11", "2024-03-11")


def _rule(_call: Call, body: Body, live: Record | None) -> Body:
    given = given_properties(body)
    before: dict[str, Any] = live.properties if live else {}
    return {
        **body,
        "properties": {
            **given,
            "immutableId": before.get("immutableId", f"dcr-{uuid.uuid4().hex}"),
        },
    }


def _check_rule(call: Call, body: Body, _live: Record | None) -> None:
    given = given_properties(body)
    destinations = given.get("destinations") or {}
    for one in destinations.get("logAnalytics") or ():
        mentioned(call, one.get("workspaceResourceId"), "InvalidPayload")
    names = {one.get("name") for kind in destinations.values() if isinstance(kind, list) for one in kind}
    names |= {one.get("name") for one in destinations.values() if isinstance(one, dict)}
    for flow in given.get("dataFlows") or ():
        unknown = [name for name in flow.get("destinations") or () if name not in names]
        if unknown:
            details = [
                {
                    "code": "InvalidDataFlow",
                    "message": f"'DataFlows' item references unknown destination '{unknown[0]}'.",
                    "target": "properties.dataFlows",
                }
            ]
            raise Refusal(400, "InvalidPayload", "Data collection rule is invalid", details=details)


def _associated(call: Call, record: Record) -> None:
    users = [
        one
        for one in call.cloud.store.of_type(ASSOCIATIONS)
        if str(one.properties.get("dataCollectionRuleId", "")).lower() == record.key
    ]
    if users and call.query.get("deleteassociations", "").lower() == "true":
        for one in users:
            call.cloud.store.remove(one.id)
    elif users:
        message = (
            f"Data collection rule '{record.name}' cannot be deleted because it is associated with {len(users)} "
            "resource(s); "
            "delete the associations first."
        )
        raise Refusal(409, "ResourceAssociated", message)


def _endpoint(call: Call, body: Body, live: Record | None) -> Body:
    given, location = given_properties(body), str(body["location"])
    immutable = (live.properties if live else {}).get("immutableId", f"dce-{uuid.uuid4().hex}")
    base = f"https://{call.target.name.lower()}-{immutable[-4:]}.{location}-1"
    return {
        **body,
        "properties": {
            **given,
            "immutableId": immutable,
            "configurationAccess": {"endpoint": f"{base}.handler.control.monitor.azure.com"},
            "logsIngestion": {"endpoint": f"{base}.ingest.monitor.azure.com"},
            "metricsIngestion": {"endpoint": f"{base}.metrics.ingest.monitor.azure.com"},
            "networkAcls": {"publicNetworkAccess": "Enabled", **(given.get("networkAcls") or {})},
        },
    }


def _check_association(call: Call, body: Body, _live: Record | None) -> None:
    given = given_properties(body)
    rule, endpoint = given.get("dataCollectionRuleId"), given.get("dataCollectionEndpointId")
    if bool(rule) == bool(endpoint):
        message = "Exactly one of 'dataCollectionRuleId' and 'dataCollectionEndpointId' must be given."
        raise Refusal(400, "InvalidPayload", message)
    mentioned(call, rule or endpoint, "InvalidPayload")
    if call.target.scope_kind == "resource" and call.cloud.store.get(call.target.scope) is None:
        raise Refusal(404, "ResourceNotFound", f"The Resource '{call.target.scope}' was not found.")


TYPES = (
    ResourceType(
        RULES,
        versions=COLLECTION,
        model="azure.mgmt.monitor.models.DataCollectionRuleResource",
        tracked=True,
        name_rule=r"[A-Za-z0-9][\w.-]{1,62}[A-Za-z0-9]|[A-Za-z0-9]{1,2}",
        etag=True,
        seconds={"PUT": 3.0, "DELETE": 1.0},
        patch="tags",
        read_only=("properties.immutableId",),
        check=_check_rule,
        store=_rule,
        deletable=_associated,
    ),
    ResourceType(
        ENDPOINTS,
        versions=COLLECTION,
        model="azure.mgmt.monitor.models.DataCollectionEndpointResource",
        tracked=True,
        etag=True,
        seconds={"PUT": 3.0, "DELETE": 1.0},
        patch="tags",
        read_only=("properties.immutableId",),
        store=_endpoint,
    ),
    ResourceType(
        ASSOCIATIONS,
        versions=COLLECTION,
        model="azure.mgmt.monitor.models.DataCollectionRuleAssociationProxyOnlyResource",
        scopes=("resource",),
        methods=("GET", "HEAD", "PUT", "DELETE"),
        etag=True,
        shows_state=False,
        seconds={"PUT": 2.0},
        check=_check_association,
    ),
)
