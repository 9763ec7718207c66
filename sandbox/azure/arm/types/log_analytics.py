# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.OperationalInsights: workspaces, and how long deleted ones can be had back.

Source: https://learn.microsoft.com/rest/api/loganalytics
"""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType
from ..operations import stamp
from ._monitor import given_properties

if TYPE_CHECKING:
    from ...cloud import Cloud

WORKSPACES = "Microsoft.OperationalInsights/workspaces"
DELETED = "deleted workspaces"
RECOVERY_DAYS = 14
LOGS = (
    "2015-11-01-preview",
    "2020-08-01",
    "2020-10-01",
    "2021-06-01",
    "2021-12-01-preview",
    "2022-10-01",
    "2023-09-01",
    "2025-02-01",
    "2025-07-01",
)
SWITCH = ("Enabled", "Disabled")


def deleted_workspaces(cloud: Cloud) -> dict[str, Any]:
    """Workspaces that can be had back, by lower-case id."""
    found = cloud.store.fact(DELETED)
    for key in [key for key, one in found.items() if one["until"] <= cloud.now()]:
        del found[key]
        cloud.store.touch(DELETED)
    return found


def _check_workspace(call: Call, body: Body, live: Record | None) -> None:
    days, sku = (
        given_properties(body).get("retentionInDays"),
        str((given_properties(body).get("sku") or {}).get("name", "pergb2018")).lower(),
    )
    if days is not None and sku != "free" and not (days == -1 or 30 <= days <= 730 or days == 7):
        message = f"'RetentionInDays' property doesn't match the SKU limits: {days} is not between 30 and 730."
        raise Refusal(400, "InvalidParameter", message)
    gone = deleted_workspaces(call.cloud).get(call.target.path.lower())
    if live is None and gone and gone["body"]["location"] != body["location"]:
        message = (
            f"The workspace '{call.target.name}' is in a soft-deleted state in location '{gone['body']['location']}' "
            "and can only "
            "be recovered there."
        )
        raise Refusal(409, "Conflict", message)


def _workspace(call: Call, body: Body, live: Record | None) -> Body:
    """A workspace deleted less than 14 days ago comes back with its customer id when it is written again."""
    now, given = stamp(call.cloud.now()), given_properties(body)
    gone = deleted_workspaces(call.cloud).get(call.target.path.lower()) if live is None else None
    before: dict[str, Any] = live.properties if live else gone["body"]["properties"] if gone else {}
    sku = {"name": "pergb2018", **(before.get("sku") or {}), **(given.get("sku") or {}), "lastSkuUpdate": now}
    # The name of the SKU comes back in lower case.
    sku["name"] = sku["name"].lower()
    if before.get("sku", {}).get("name") == sku["name"]:
        sku["lastSkuUpdate"] = before["sku"]["lastSkuUpdate"]
    features = {"legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": True}
    capping = {"dailyQuotaGb": -1.0, "quotaNextResetTime": now, "dataIngestionStatus": "RespectQuota"}
    properties = {
        "customerId": str(uuid.uuid4()),
        "retentionInDays": 30,
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
        "createdDate": now,
        **before,
        **given,
        "sku": sku,
        "features": {**features, **(before.get("features") or {}), **(given.get("features") or {})},
        "workspaceCapping": {
            **capping,
            **(before.get("workspaceCapping") or {}),
            **(given.get("workspaceCapping") or {}),
        },
        "modifiedDate": now,
    }
    return {**body, "properties": properties}


def _workspace_done(cloud: Cloud, record: Record) -> None:
    gone = deleted_workspaces(cloud).pop(record.key, None)
    if gone is not None:
        record.private |= gone["private"]
        cloud.store.touch(DELETED)
    for name in ("primarySharedKey", "secondarySharedKey"):
        record.private.setdefault(name, base64.b64encode(secrets.token_bytes(64)).decode())


def _may_go(call: Call, record: Record) -> None:
    if call.query.get("force", "").lower() == "true":
        record.private["force"] = True


def _workspace_deleted(cloud: Cloud, record: Record) -> None:
    if not record.private.get("force"):
        deleted = {"id": record.id, "body": record.body, "private": record.private}
        cloud.store.fact(DELETED)[record.key] = {**deleted, "until": cloud.now() + RECOVERY_DAYS * 86400}
    else:
        cloud.store.fact(DELETED).pop(record.key, None)
    cloud.store.touch(DELETED)


def _shared_keys(call: Call) -> Answer:
    assert call.live is not None
    return Answer(200, {name: call.live.private.get(name) for name in ("primarySharedKey", "secondarySharedKey")})


def _deleted_list(call: Call) -> Answer:
    value = [
        {"id": one["id"], "name": one["id"].rpartition("/")[2], "type": WORKSPACES, **one["body"]}
        for one in deleted_workspaces(call.cloud).values()
        if one["id"].lower().startswith(call.target.scope.lower() + "/")
    ]
    return Answer(200, {"value": value})


TYPES = (
    ResourceType(
        WORKSPACES,
        versions=LOGS,
        model="azure.mgmt.loganalytics.models.Workspace",
        tracked=True,
        name_rule=r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
        name_error=("InvalidResourceName", "Workspace name '{name}' must be 4 to 63 letters, digits or '-'."),
        long=("PUT", "DELETE"),
        seconds={"PUT": 12.0, "UPDATE": 3.0, "DELETE": 8.0},
        read_only=(
            "properties.customerId",
            "properties.createdDate",
            "properties.modifiedDate",
            "properties.features.legacy",
            "properties.features.searchVersion",
        ),
        enums={"properties.publicNetworkAccessForIngestion": (*SWITCH, "SecuredByPerimeter")},
        check=_check_workspace,
        store=_workspace,
        done=_workspace_done,
        deletable=_may_go,
        deleted=_workspace_deleted,
    ),
)
ACTIONS = {
    f"POST {WORKSPACES}/sharedKeys": Action(_shared_keys, versions=LOGS),
    "GET Microsoft.OperationalInsights/deletedWorkspaces": Action(_deleted_list, versions=LOGS, needs=False),
}
