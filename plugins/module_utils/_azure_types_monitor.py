# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rules of logs, metrics, alerts and workbooks."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Fixed, ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import PUT_AGAIN

_NEW = "Azure keeps it; write the live value, or another name."

MONITOR = (
    ResourceType(
        name="Microsoft.OperationalInsights/workspaces",
        read_only=(
            *("properties.customerId", "properties.createdDate", "properties.modifiedDate"),
            *("properties.sku.lastSkuUpdate", "properties.privateLinkScopedResources", "properties.failover"),
            *("properties.workspaceCapping.quotaNextResetTime", "properties.workspaceCapping.dataIngestionStatus"),
            *("properties.features.associations", "properties.features.unifiedSentinelBillingOnly"),
            *("properties.features.searchVersion", "properties.features.legacy", "properties.replication.createdDate"),
            *("properties.replication.lastModifiedDate",),
        ),
        defaults={
            "properties.publicNetworkAccessForIngestion": "Enabled",
            "properties.publicNetworkAccessForQuery": "Enabled",
            "properties.retentionInDays": 30,
            "properties.sku.name": "PerGB2018",
            "properties.workspaceCapping.dailyQuotaGb": -1,
        },
        put_again=PUT_AGAIN,
        soft_delete=True,
    ),
    ResourceType(
        name="Microsoft.Insights/components",
        read_only=(
            *("properties.ApplicationId", "properties.AppId", "properties.Name", "properties.InstrumentationKey"),
            *(
                "properties.CreationDate",
                "properties.TenantId",
                "properties.HockeyAppToken",
                "properties.LaMigrationDate",
            ),
            *("properties.ConnectionString", "properties.PrivateLinkScopedResources", "properties.Ver"),
            "properties.LaMigrationDate",
        ),
        defaults={
            "properties.IngestionMode": "LogAnalytics",
            "properties.publicNetworkAccessForIngestion": "Enabled",
            "properties.publicNetworkAccessForQuery": "Enabled",
            "properties.RetentionInDays": 90,
        },
        immutable={"properties.Application_Type": Fixed(_NEW)},
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/dataCollectionRules",
        read_only=(
            *("properties.immutableId", "properties.metadata", "properties.endpoints"),
            *("properties.destinations.logAnalytics[].workspaceId",),
            *("properties.destinations.monitoringAccounts[].accountId",),
            *("properties.destinations.azureDataExplorer[].ingestionUri",),
        ),
        immutable={"kind": Fixed(_NEW)},
        sets=("properties.dataFlows", "properties.dataFlows[].destinations"),
        exact=("properties.dataFlows[].transformKql",),
        durations=("properties.dataSources.extensions[].extensionSettings.dataCollectionSettings.interval",),
        etag_at="etag",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/dataCollectionRuleAssociations",
        read_only=("properties.metadata",),
        etag_at="etag",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/dataCollectionEndpoints",
        read_only=(
            *("properties.immutableId", "properties.metadata", "properties.failoverConfiguration"),
            *("properties.configurationAccess.endpoint", "properties.logsIngestion.endpoint"),
            *("properties.metricsIngestion.endpoint", "properties.privateLinkScopedResources"),
        ),
        immutable={"kind": Fixed(_NEW)},
        etag_at="etag",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/actionGroups",
        read_only=("properties.emailReceivers[].status", "properties.smsReceivers[].status"),
        exact=("properties.groupShortName",),
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/scheduledQueryRules",
        read_only=(
            *("properties.createdWithApiVersion", "properties.isLegacyLogAnalyticsRule"),
            "properties.isWorkspaceAlertsStorageConfigured",
        ),
        immutable={"kind": Fixed(_NEW)},
        exact=("properties.criteria.allOf[].query",),
        durations=(
            *("properties.evaluationFrequency", "properties.windowSize", "properties.overrideQueryTimeRange"),
            *("properties.muteActionsDuration", "properties.resolveConfiguration.timeToResolve"),
        ),
        defaults={"kind": "LogAlert", "properties.autoMitigate": True, "properties.enabled": True},
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Insights/metricAlerts",
        read_only=("properties.lastUpdatedTime", "properties.isMigrated"),
        keys={"properties.actions": ("actionGroupId",)},
        durations=("properties.evaluationFrequency", "properties.windowSize"),
        defaults={"properties.autoMitigate": True, "properties.enabled": True},
        put_again=PUT_AGAIN,
    ),
    # Answers list every category, also those that nobody asked for.
    ResourceType(
        name="Microsoft.Insights/diagnosticSettings",
        keys={"properties.logs": ("category|categoryGroup",), "properties.metrics": ("category",)},
        put_again=PUT_AGAIN,
    ),
    # Without the query a GET leaves out what the workbook is.
    ResourceType(
        name="Microsoft.Insights/workbooks",
        read_only=("properties.timeModified", "properties.userId", "properties.revision"),
        documents=("properties.serializedData",),
        immutable={"kind": Fixed(_NEW)},
        defaults={"kind": "shared"},
        query="canFetchContent=true",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.AlertsManagement/prometheusRuleGroups",
        keys={"properties.rules": ("alert|record",)},
        exact=("properties.rules[].expression",),
        durations=("properties.interval", "properties.rules[].for", "properties.rules[].resolveConfiguration.*"),
        defaults={"properties.enabled": True},
        put_again=PUT_AGAIN,
    ),
)
