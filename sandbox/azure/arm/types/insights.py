# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Insights and Microsoft.AlertsManagement: Application Insights, action groups, alerts, workbooks.

Source: https://learn.microsoft.com/rest/api/monitor
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType, find_key
from ..operations import stamp
from ._monitor import given_properties, mentioned

if TYPE_CHECKING:
    from ...cloud import Cloud

COMPONENTS = "Microsoft.Insights/components"
GROUPS = "Microsoft.Insights/actionGroups"
DETECTORS = "Microsoft.AlertsManagement/smartDetectorAlertRules"
SMART_DETECTION = "Application Insights Smart Detection"


def _global(location: str) -> str:
    return "Global" if location.lower() == "global" else location


def _check_component(call: Call, body: Body, live: Record | None) -> None:
    given = given_properties(body)
    workspace = given.get(find_key(given, "WorkspaceResourceId") or "")
    mentioned(call, workspace)
    if live is None and not workspace and call.api_version >= "2020":
        message = (
            "Classic Application Insights resources can no longer be created: give the WorkspaceResourceId of a Log "
            "Analytics "
            "workspace."
        )
        raise Refusal(400, "BadRequest", message)


def _component(call: Call, body: Body, live: Record | None) -> Body:
    now, location, name = stamp(call.cloud.now()), str(body["location"]), call.target.name
    given = given_properties(body)
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
    given = given_properties(body)
    if len(str(given.get("groupShortName", ""))) > 12:
        raise Refusal(400, "InvalidShortName", "The groupShortName of an action group has at most 12 characters.")
    return {**body, "tags": body.get("tags", {}), "properties": {**_RECEIVERS, **given}}


def _workbook(call: Call, body: Body, live: Record | None) -> Body:
    if not re.fullmatch(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", call.target.name):
        raise Refusal(400, "InvalidWorkbookName", f"The name of a workbook must be a GUID: '{call.target.name}'.")
    given = given_properties(body)
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
        check=lambda call, body, _live: mentioned(call, given_properties(body).get("workspaceId")),
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
    "GET Microsoft.Insights/workbooks": Action(
        _show_workbook, versions=("2021-08-01", "2022-04-01", "2023-06-01"), needs=False
    ),
}
