# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What watches: Microsoft.OperationalInsights, Microsoft.Insights, Microsoft.AlertsManagement.

Source: https://learn.microsoft.com/rest/api/loganalytics, https://learn.microsoft.com/rest/api/monitor
"""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType, find_key
from ..operations import stamp

if TYPE_CHECKING:
    from ...cloud import Cloud

WORKSPACES = "Microsoft.OperationalInsights/workspaces"
COMPONENTS = "Microsoft.Insights/components"
RULES = "Microsoft.Insights/dataCollectionRules"
ENDPOINTS = "Microsoft.Insights/dataCollectionEndpoints"
ASSOCIATIONS = "Microsoft.Insights/dataCollectionRuleAssociations"
GROUPS = "Microsoft.Insights/actionGroups"
DETECTORS = "Microsoft.AlertsManagement/smartDetectorAlertRules"
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
COLLECTION = ("2021-04-01", "2021-09-01-preview", "2022-06-01", "2023-03-11", "2024-03-11")
SMART_DETECTION = "Application Insights Smart Detection"
SWITCH = ("Enabled", "Disabled")


def _given(body: Body) -> dict[str, Any]:
    found = body.get("properties")
    return dict(found) if isinstance(found, dict) else {}


def _global(location: str) -> str:
    return "Global" if location.lower() == "global" else location


# ---------------------------------------------------------------------------------------------------------- workspaces
def deleted_workspaces(cloud: Cloud) -> dict[str, Any]:
    """Workspaces that can be had back, by lower-case id."""
    found = cloud.store.fact(DELETED)
    for key in [key for key, one in found.items() if one["until"] <= cloud.now()]:
        del found[key]
        cloud.store.touch(DELETED)
    return found


def _check_workspace(call: Call, body: Body, live: Record | None) -> None:
    days, sku = (
        _given(body).get("retentionInDays"),
        str((_given(body).get("sku") or {}).get("name", "pergb2018")).lower(),
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
    now, given = stamp(call.cloud.now()), _given(body)
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


# ---------------------------------------------------------------------------------------------------------- components
def _mentioned(call: Call, resource_id: Any, code: str = "BadRequest") -> None:
    if resource_id and call.cloud.store.get(str(resource_id)) is None:
        raise Refusal(400, code, f"The resource '{resource_id}' was not found.")


def _check_component(call: Call, body: Body, live: Record | None) -> None:
    given = _given(body)
    workspace = given.get(find_key(given, "WorkspaceResourceId") or "")
    _mentioned(call, workspace)
    if live is None and not workspace and call.api_version >= "2020":
        message = (
            "Classic Application Insights resources can no longer be created: give the WorkspaceResourceId of a Log "
            "Analytics "
            "workspace."
        )
        raise Refusal(400, "BadRequest", message)


def _component(call: Call, body: Body, live: Record | None) -> Body:
    now, location, name = stamp(call.cloud.now()), str(body["location"]), call.target.name
    given = _given(body)
    before: dict[str, Any] = live.properties if live else {}
    key, app = before.get("InstrumentationKey") or str(uuid.uuid4()), before.get("AppId") or str(uuid.uuid4())
    connection = (
        f"InstrumentationKey={key};IngestionEndpoint=https://{location}-5.in.applicationinsights.azure.com/;"
        f"LiveEndpoint=https://{location}.livediagnostics.monitor.azure.com/;ApplicationId={app}"
    )
    properties = {
        "ApplicationId": name,
        "AppId": app,
        "Flow_Type": "Bluefield",
        "Request_Source": "rest",
        "CreationDate": now,
        "TenantId": call.cloud.subscription,
        "RetentionInDays": 90,
        "IngestionMode": "LogAnalytics",
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
        "Ver": "v2",
        **before,
        **given,
        "Name": name,
        "InstrumentationKey": key,
        "ConnectionString": connection,
        # "other" and "web" come back in lower case, however they were written.
        "Application_Type": str(given.get("Application_Type") or before.get("Application_Type") or "web").lower(),
        "SamplingPercentage": given.get("SamplingPercentage"),
    }
    return {**body, "tags": body.get("tags", {}), "etag": f'"{uuid.uuid4()}"', "properties": properties}


def _component_done(cloud: Cloud, record: Record) -> None:
    """What Azure makes beside a new component by itself, in the same group, and never takes away again."""
    if record.private.get("watched"):
        return
    record.private["watched"] = True
    group = record.id.lower().index("/providers/")
    base = record.id[:group]
    receivers = [
        {"name": f"Monitoring {role}", "roleId": guid, "useCommonAlertSchema": True}
        for role, guid in (
            ("Contributor", "749f88d5-cbae-40b8-bcfc-e573ddc772fa"),
            ("Reader", "43d0d8ad-25c7-4714-9337-8ba259a9fe05"),
        )
    ]
    action = f"{base}/providers/{GROUPS}/{SMART_DETECTION}"
    if cloud.store.get(action) is None:
        properties = {"groupShortName": "SmartDetect", "enabled": True, **_RECEIVERS, "armRoleReceivers": receivers}
        body = {"location": "global", "properties": properties}
        cloud.store.put(Record(action, GROUPS, body, created=cloud.now()))
    rule = f"{base}/providers/{DETECTORS}/Failure Anomalies - {record.name}"
    properties = {
        "description": "Notifies of an unusual rise in the rate of failed requests or dependency calls.",
        "state": "Enabled",
        "severity": "Sev3",
        "frequency": "PT1M",
        "detector": {"id": "FailureAnomaliesDetector"},
        "scope": [record.id],
        "actionGroups": {"groupIds": [action.lower()]},
    }
    body = {"location": "global", "properties": properties}
    cloud.store.put(Record(rule, DETECTORS, body, created=cloud.now()))


# ------------------------------------------------------------------------------------------------------ data collection
def _rule(_call: Call, body: Body, live: Record | None) -> Body:
    given = _given(body)
    before: dict[str, Any] = live.properties if live else {}
    return {
        **body,
        "properties": {
            **given,
            "immutableId": before.get("immutableId", f"dcr-{uuid.uuid4().hex}"),
        },
    }


def _check_rule(call: Call, body: Body, _live: Record | None) -> None:
    given = _given(body)
    destinations = given.get("destinations") or {}
    for one in destinations.get("logAnalytics") or ():
        _mentioned(call, one.get("workspaceResourceId"), "InvalidPayload")
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
    given, location = _given(body), str(body["location"])
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
    given = _given(body)
    rule, endpoint = given.get("dataCollectionRuleId"), given.get("dataCollectionEndpointId")
    if bool(rule) == bool(endpoint):
        message = "Exactly one of 'dataCollectionRuleId' and 'dataCollectionEndpointId' must be given."
        raise Refusal(400, "InvalidPayload", message)
    _mentioned(call, rule or endpoint, "InvalidPayload")
    if call.target.scope_kind == "resource" and call.cloud.store.get(call.target.scope) is None:
        raise Refusal(404, "ResourceNotFound", f"The Resource '{call.target.scope}' was not found.")


# -------------------------------------------------------------------------------------------------------------- others
_RECEIVERS: dict[str, list[Any]] = {
    f"{name}Receivers": []
    for name in (
        "email",
        "sms",
        "webhook",
        "eventHub",
        "itsm",
        "azureAppPush",
        "automationRunbook",
        "voice",
        "logicApp",
        "azureFunction",
        "armRole",
    )
}


def _action_group(_call: Call, body: Body, _live: Record | None) -> Body:
    given = _given(body)
    if len(str(given.get("groupShortName", ""))) > 12:
        raise Refusal(400, "InvalidShortName", "The groupShortName of an action group has at most 12 characters.")
    return {**body, "tags": body.get("tags", {}), "properties": {**_RECEIVERS, **given}}


def _workbook(call: Call, body: Body, live: Record | None) -> Body:
    if not re.fullmatch(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", call.target.name):
        raise Refusal(400, "InvalidWorkbookName", f"The name of a workbook must be a GUID: '{call.target.name}'.")
    given = _given(body)
    properties = {
        "version": "Notebook/1.0",
        "userId": call.who.object_id,
        "tags": [],
        **(live.properties if live else {}),
        **given,
        "timeModified": stamp(call.cloud.now()),
        # Ids of resources come back in lower case.
        "sourceId": str(given.get("sourceId", "azure monitor")).lower(),
        "revision": uuid.uuid4().hex,
    }
    return {"kind": "shared", **body, "etag": f'"{uuid.uuid4()}"', "properties": properties}


def _show_workbook(call: Call) -> Answer:
    """The content of a workbook is given only to who asks with ``canFetchContent=true``."""
    from .. import answers, writes

    kind = call.cloud.kinds["microsoft.insights/workbooks"]
    call.kind = kind
    whole = call.query.get("canfetchcontent", "").lower() == "true"
    if call.target.named:
        call.live = call.cloud.store.get(call.target.path)
        found = writes.get(call)
        if not whole:
            found.body["properties"].pop("serializedData", None)
        return found
    records = list(call.cloud.store.of_type(kind.name, call.target.scope))
    shown = [answers.show(call.cloud, record) for record in records]
    for one in shown:
        if not whole:
            one["properties"].pop("serializedData", None)
    return Answer(200, {"value": shown})


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
    ResourceType(
        COMPONENTS,
        versions=("2015-05-01", "2018-05-01-preview", "2020-02-02-preview", "2020-02-02"),
        model="azure.mgmt.applicationinsights.v2020_02_02.models.ApplicationInsightsComponent",
        tracked=True,
        name_rule=r"[^<>%&\\?/]{1,260}",
        seconds={"PUT": 5.0, "DELETE": 2.0},
        created=200,
        patch="tags",
        spell_id=lambda text: text.replace("Microsoft.Insights", "microsoft.insights"),
        read_only=(
            "properties.InstrumentationKey",
            "properties.ConnectionString",
            "properties.AppId",
            "properties.ApplicationId",
            "properties.Name",
            "properties.CreationDate",
            "properties.TenantId",
            "properties.Ver",
        ),
        check=_check_component,
        store=_component,
        done=_component_done,
    ),
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
    ResourceType(
        GROUPS,
        versions=("2019-06-01", "2021-09-01", "2022-06-01", "2023-01-01", "2024-10-01-preview"),
        model="azure.mgmt.monitor.models.ActionGroupResource",
        tracked=True,
        name_rule=r"[^<>%&\\?/]{1,260}",
        location=_global,
        shows_state=False,
        patch="tags",
        store=_action_group,
    ),
    ResourceType(
        "Microsoft.Insights/metricAlerts",
        created=200,
        versions=("2018-03-01", "2024-03-01-preview"),
        model="azure.mgmt.monitor.models.MetricAlertResource",
        tracked=True,
        name_rule=r"[^<>%&\\?/]{1,260}",
        shows_state=False,
        defaults={"properties": {"autoMitigate": True, "evaluationFrequency": "PT1M"}},
    ),
    ResourceType(
        "Microsoft.Insights/scheduledQueryRules",
        versions=(
            "2021-08-01",
            "2022-06-15",
            "2022-08-01-preview",
            "2023-03-15-preview",
            "2023-12-01",
            "2025-01-01-preview",
        ),
        model="azure.mgmt.monitor.models.ScheduledQueryRuleResource",
        tracked=True,
        name_rule=r"[^<>%&\\?/]{1,260}",
        etag=True,
        shows_state=False,
        defaults={
            "properties": {
                "autoMitigate": True,
                "checkWorkspaceAlertsStorageConfigured": False,
                "skipQueryValidation": False,
            }
        },
    ),
    ResourceType(
        "Microsoft.Insights/workbooks",
        versions=("2021-08-01", "2022-04-01", "2023-06-01"),
        model="azure.mgmt.applicationinsights.v2023_06_01.models.Workbook",
        tracked=True,
        shows_state=False,
        spell_id=lambda text: text.replace("Microsoft.Insights", "microsoft.insights"),
        store=_workbook,
    ),
    ResourceType(
        "Microsoft.Insights/diagnosticSettings",
        created=200,
        versions=("2017-05-01-preview", "2021-05-01-preview"),
        scopes=("resource", "subscription"),
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=r"[^<>%&\\?/]{1,260}",
        shows_state=False,
        check=lambda call, body, _live: _mentioned(call, _given(body).get("workspaceId")),
    ),
    ResourceType(
        DETECTORS,
        versions=("2019-03-01", "2019-06-01", "2021-04-01"),
        tracked=True,
        name_rule=r"[^<>%&\\?/]{1,260}",
        shows_state=False,
        spell_id=lambda text: text.replace("Microsoft.AlertsManagement", "microsoft.alertsManagement"),
    ),
)

ACTIONS = {
    f"POST {WORKSPACES}/sharedKeys": Action(_shared_keys, versions=LOGS),
    "GET Microsoft.OperationalInsights/deletedWorkspaces": Action(_deleted_list, versions=LOGS, needs=False),
    "GET Microsoft.Insights/workbooks": Action(
        _show_workbook, versions=("2021-08-01", "2022-04-01", "2023-06-01"), needs=False
    ),
}
