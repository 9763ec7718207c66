# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Storage, vaults, disks, logs, alerts: how Azure's answers differ from what was sent."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of

from unit.azure.rows import GROUP, IDENTITY, SUBNET, TODAY, Row, changed, check, properties, table

ACCOUNT = "Microsoft.Storage/storageAccounts"
SERVICE = f"{ACCOUNT}/fileServices"
SHARE = f"{SERVICE}/shares"
VAULT = "Microsoft.KeyVault/vaults"
DISK = "Microsoft.Compute/disks"
SNAPSHOT = "Microsoft.Compute/snapshots"
KEY = "Microsoft.ApiManagement/service/subscriptions"
WORKSPACE = "Microsoft.OperationalInsights/workspaces"
COMPONENT = "Microsoft.Insights/components"
RULE = "Microsoft.Insights/dataCollectionRules"
ASSOCIATION = "Microsoft.Insights/dataCollectionRuleAssociations"
ENDPOINT = "Microsoft.Insights/dataCollectionEndpoints"
ACTIONS = "Microsoft.Insights/actionGroups"
QUERY = "Microsoft.Insights/scheduledQueryRules"
METRIC = "Microsoft.Insights/metricAlerts"
DIAGNOSTIC = "Microsoft.Insights/diagnosticSettings"
WORKBOOK = "Microsoft.Insights/workbooks"
PROMETHEUS = "Microsoft.AlertsManagement/prometheusRuleGroups"
WORKSPACE_ID = f"{GROUP}/providers/{WORKSPACE}/hub"
ACTIONS_ID = f"{GROUP}/providers/{ACTIONS}/hub"

NEW_ACCOUNT = "write the live value, or another name for a new account."
SOFT_DELETE = "Azure Key Vault soft-delete overview"
PURGE = "Azure/azure-rest-api-specs#18106: enablePurgeProtection does not allow false"
DISKS = "Expand virtual hard disks: shrinking is not supported"


@table(
    Row(
        "account: what Azure adds",
        ACCOUNT,
        {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            **properties(
                minimumTlsVersion="TLS1_2",
                supportsHttpsTrafficOnly=True,
                allowSharedKeyAccess=True,
                networkAcls={
                    "defaultAction": "Deny",
                    "bypass": "Logging, AzureServices",
                    "virtualNetworkRules": [{"id": SUBNET}],
                },
            ),
        },
        {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS", "tier": "Standard"},
            **properties(
                minimumTlsVersion="TLS1_2",
                supportsHttpsTrafficOnly=True,
                allowBlobPublicAccess=False,
                networkAcls={
                    "defaultAction": "Deny",
                    "bypass": "AzureServices,Logging",
                    "virtualNetworkRules": [{"id": SUBNET.lower(), "action": "Allow", "state": "Succeeded"}],
                    "ipRules": [],
                },
                encryption={"keySource": "Microsoft.Storage", "services": {"file": {"lastEnabledTime": "x"}}},
                accessTier="Hot",
                creationTime="2026-01-01T00:00:00Z",
                primaryEndpoints={"file": "https://x.file.core.windows.net/"},
                primaryLocation="westeurope",
                statusOfPrimary="available",
            ),
        },
        source="Storage accounts - get properties: REST reference",
    ),
    Row(
        "account: public access that nobody ruled out is ruled out",
        ACCOUNT,
        properties(allowBlobPublicAccess=False),
        properties(accessTier="Hot"),
        changes=(("properties.allowBlobPublicAccess", None, False),),
        source="Remediate anonymous read access to blob data: the property may be unset",
    ),
    Row(
        "account: keys count as allowed where nothing is said",
        ACCOUNT,
        properties(allowSharedKeyAccess=False),
        properties(accessTier="Hot"),
        changes=(("properties.allowSharedKeyAccess", None, False),),
        source="Prevent shared key authorization: null permits it",
    ),
    Row(
        "account: another kind",
        ACCOUNT,
        {"kind": "FileStorage"},
        {"kind": "StorageV2"},
        forbidden=(("kind", NEW_ACCOUNT),),
    ),
    Row(
        "account: an old kind may become the new one",
        ACCOUNT,
        {"kind": "StorageV2"},
        {"kind": "Storage"},
        changes=(("kind", "Storage", "StorageV2"),),
        source="Upgrade to a general-purpose v2 storage account",
    ),
    Row(
        "account: redundancy changes in place",
        ACCOUNT,
        {"sku": {"name": "Standard_ZRS"}},
        {"sku": {"name": "Standard_LRS", "tier": "Standard"}},
        changes=(("sku.name", "Standard_LRS", "Standard_ZRS"),),
    ),
    Row(
        "account: no way back from a hierarchical namespace",
        ACCOUNT,
        properties(isHnsEnabled=False),
        properties(isHnsEnabled=True),
        forbidden=(("properties.isHnsEnabled", NEW_ACCOUNT),),
    ),
    Row(
        "account: defaults that are left out",
        ACCOUNT,
        properties(
            supportsHttpsTrafficOnly=True,
            allowSharedKeyAccess=True,
            accessTier="Hot",
            publicNetworkAccess="Enabled",
            largeFileSharesState="Disabled",
            networkAcls={"defaultAction": "Allow", "bypass": "AzureServices"},
        ),
        properties(),
    ),
    Row(
        "account: large shares stay",
        ACCOUNT,
        properties(largeFileSharesState="Disabled"),
        properties(largeFileSharesState="Enabled"),
        forbidden=(
            ("properties.largeFileSharesState", "Large file shares cannot be switched off again; write Enabled."),
        ),
    ),
    Row(
        "account: networks and addresses of others stay",
        ACCOUNT,
        properties(networkAcls={"ipRules": [{"value": "10.0.0.1"}], "virtualNetworkRules": [{"id": SUBNET}]}),
        properties(
            networkAcls={
                "ipRules": [{"value": "10.0.0.2"}, {"value": "10.0.0.1", "action": "Allow"}],
                "virtualNetworkRules": [{"id": f"{SUBNET}2"}, {"id": SUBNET.lower()}],
            }
        ),
    ),
    Row(
        "files: what Azure adds",
        SERVICE,
        properties(shareDeleteRetentionPolicy={"enabled": True, "days": 7}),
        {
            "sku": {"name": "Standard_LRS", "tier": "Standard"},
            **properties(
                shareDeleteRetentionPolicy={"enabled": True, "days": 7},
                protocolSettings={"smb": {}},
                cors={"corsRules": []},
            ),
        },
    ),
    Row(
        "files: other days",
        SERVICE,
        properties(shareDeleteRetentionPolicy={"enabled": True, "days": 14}),
        properties(shareDeleteRetentionPolicy={"enabled": True, "days": 7}),
        changes=(("properties.shareDeleteRetentionPolicy.days", 7, 14),),
    ),
    Row(
        "share: times and leases are Azure's",
        SHARE,
        properties(shareQuota=100, enabledProtocols="SMB", accessTier="TransactionOptimized"),
        properties(
            shareQuota=100,
            lastModifiedTime="2026-01-01T00:00:00Z",
            leaseState="available",
            leaseStatus="unlocked",
            accessTierChangeTime="2026-01-01T00:00:00Z",
        ),
    ),
    Row(
        "share: another quota",
        SHARE,
        properties(shareQuota=200),
        properties(shareQuota=100),
        changes=(("properties.shareQuota", 100, 200),),
    ),
    Row(
        "share: another protocol",
        SHARE,
        properties(enabledProtocols="NFS"),
        properties(shareQuota=100),
        forbidden=(
            ("properties.enabledProtocols", "A share keeps its protocol; write the live value, or another name."),
        ),
    ),
    Row(
        "vault: what Azure adds",
        VAULT,
        {
            "location": "westeurope",
            **properties(
                sku={"family": "A", "name": "standard"},
                tenantId="AAAAAAAA-0000-4000-8000-000000000001",
                enableRbacAuthorization=True,
                enablePurgeProtection=True,
                createMode="default",
                networkAcls={"bypass": "AzureServices", "defaultAction": "Allow"},
            ),
        },
        {
            "location": "westeurope",
            **properties(
                sku={"family": "A", "name": "Standard"},
                tenantId="aaaaaaaa-0000-4000-8000-000000000001",
                enableRbacAuthorization=True,
                enablePurgeProtection=True,
                enableSoftDelete=True,
                softDeleteRetentionInDays=90,
                accessPolicies=[],
                vaultUri="https://hub.vault.azure.net/",
                publicNetworkAccess="Enabled",
            ),
        },
        source="Vaults - get: REST reference",
    ),
    Row(
        "vault: access policies where nothing is said of RBAC",
        VAULT,
        properties(enableRbacAuthorization=True),
        properties(accessPolicies=[]),
        changes=(("properties.enableRbacAuthorization", None, True),),
        source="Prepare for Key Vault API version 2026-02-01: RBAC is the default",
    ),
    Row(
        "vault: purge protection stays",
        VAULT,
        properties(enablePurgeProtection=False),
        properties(enablePurgeProtection=True),
        forbidden=(
            ("properties.enablePurgeProtection", "Purge protection cannot be taken from a vault again; write true."),
        ),
        source=PURGE,
    ),
    Row("vault: without purge protection", VAULT, properties(enablePurgeProtection=False), properties(), source=PURGE),
    Row(
        "vault: purge protection is switched on",
        VAULT,
        properties(enablePurgeProtection=True),
        properties(),
        changes=(("properties.enablePurgeProtection", None, True),),
        source=PURGE,
    ),
    Row(
        "vault: soft delete stays",
        VAULT,
        properties(enableSoftDelete=False),
        properties(),
        forbidden=(("properties.enableSoftDelete", "Soft delete cannot be taken from a vault again; write true."),),
        source=SOFT_DELETE,
    ),
    Row(
        "vault: other days of retention",
        VAULT,
        properties(softDeleteRetentionInDays=7),
        properties(softDeleteRetentionInDays=90),
        forbidden=(("properties.softDeleteRetentionInDays", "A vault keeps its retention; write the live value."),),
        source=SOFT_DELETE,
    ),
    Row(
        "vault: another tenant",
        VAULT,
        properties(tenantId="aaaaaaaa-0000-4000-8000-000000000001"),
        properties(tenantId="aaaaaaaa-0000-4000-8000-000000000002"),
        forbidden=(("properties.tenantId", "A vault keeps its tenant; write the live value, or another name."),),
    ),
    Row(
        "vault: defaults that are left out",
        VAULT,
        properties(enableSoftDelete=True, softDeleteRetentionInDays=90, publicNetworkAccess="Enabled"),
        properties(),
        source=SOFT_DELETE,
    ),
    Row(
        "vault: policies by whom they are for",
        VAULT,
        properties(accessPolicies=[{"tenantId": "t", "objectId": "O", "permissions": {"secrets": ["Get", "list"]}}]),
        properties(
            accessPolicies=[
                {"tenantId": "t", "objectId": "theirs", "permissions": {"secrets": ["all"]}},
                {"tenantId": "t", "objectId": "o", "permissions": {"secrets": ["list", "get"], "keys": []}},
            ]
        ),
    ),
    Row(
        "disk: what Azure adds",
        DISK,
        {
            "location": "westeurope",
            "sku": {"name": "StandardSSD_LRS"},
            **properties(diskSizeGB=10, creationData={"createOption": "Empty"}),
        },
        {
            "location": "westeurope",
            "sku": {"name": "StandardSSD_LRS", "tier": "Standard"},
            "managedBy": "/subscriptions/x",
            **properties(
                diskSizeGB=10,
                diskSizeBytes=10737418240,
                creationData={"createOption": "empty"},
                diskState="Unattached",
                uniqueId="1",
                timeCreated="2026-01-01T00:00:00Z",
                networkAccessPolicy="AllowAll",
            ),
        },
    ),
    Row(
        "disk: grows",
        DISK,
        properties(diskSizeGB=20),
        properties(diskSizeGB=10),
        changes=(("properties.diskSizeGB", 10, 20),),
        source=DISKS,
    ),
    Row(
        "disk: does not shrink",
        DISK,
        properties(diskSizeGB=5),
        properties(diskSizeGB=10),
        forbidden=(("properties.diskSizeGB", "A disk can grow, but not shrink; write its live size or more."),),
        source=DISKS,
    ),
    Row(
        "snapshot: of another disk",
        SNAPSHOT,
        properties(creationData={"createOption": "Copy", "sourceResourceId": f"{GROUP}/providers/{DISK}/a"}),
        properties(creationData={"createOption": "Copy", "sourceResourceId": f"{GROUP}/providers/{DISK}/b"}),
        forbidden=(
            (
                "properties.creationData.sourceResourceId",
                "write the live value, or make another disk of a snapshot of this one.",
            ),
        ),
    ),
    Row(
        "subscription of an API: keys are never answered",
        KEY,
        properties(displayName="Hub", primaryKey="a", secondaryKey="b", state="active"),
        properties(displayName="Hub", state="Active", createdDate="2026-01-01T00:00:00Z"),
        source="API Management: subscription - get leaves out the keys",
    ),
)
def test_data(row: Row) -> None:
    check(row)


@table(
    Row(
        "workspace: what Azure adds",
        WORKSPACE,
        {"location": "westeurope", **properties(sku={"name": "PerGB2018"}, retentionInDays=30)},
        {
            "location": "westeurope",
            **properties(
                sku={"name": "pergb2018", "lastSkuUpdate": "2026-01-01T00:00:00Z"},
                customerId="1",
                features={"searchVersion": 1, "legacy": 0, "enableLogAccessUsingOnlyResourcePermissions": True},
                workspaceCapping={"dailyQuotaGb": -1.0, "dataIngestionStatus": "RespectQuota"},
                publicNetworkAccessForIngestion="Enabled",
            ),
        },
        source="Workspaces - get: REST reference",
    ),
    Row(
        "workspace: defaults that are left out",
        WORKSPACE,
        properties(
            sku={"name": "PerGB2018"},
            retentionInDays=30,
            publicNetworkAccessForQuery="Enabled",
            workspaceCapping={"dailyQuotaGb": -1},
        ),
        properties(),
    ),
    Row(
        "workspace: other days",
        WORKSPACE,
        properties(retentionInDays=90),
        properties(sku={"name": "pergb2018"}),
        changes=(("properties.retentionInDays", None, 90),),
    ),
    Row(
        "component: the type in another case, the workspace's id too",
        COMPONENT,
        {"kind": "other", **properties(Application_Type="other", WorkspaceResourceId=WORKSPACE_ID)},
        {
            "kind": "other",
            **properties(
                Application_Type="Other",
                WorkspaceResourceId=WORKSPACE_ID.lower(),
                AppId="1",
                ApplicationId="hub",
                ConnectionString="InstrumentationKey=1",
                InstrumentationKey="1",
                Flow_Type="Bluefield",
                Ver="v2",
                IngestionMode="LogAnalytics",
                RetentionInDays=90,
            ),
        },
        source="Components - get: REST reference",
    ),
    Row(
        "component: another workspace",
        COMPONENT,
        properties(WorkspaceResourceId=WORKSPACE_ID),
        properties(WorkspaceResourceId=f"{WORKSPACE_ID}2"),
        changes=(("properties.WorkspaceResourceId", f"{WORKSPACE_ID}2", WORKSPACE_ID),),
    ),
    Row(
        "component: another type",
        COMPONENT,
        properties(Application_Type="web"),
        properties(Application_Type="other"),
        forbidden=(("properties.Application_Type", "Azure keeps it; write the live value, or another name."),),
    ),
    Row(
        "collection rule: flows and streams in another order",
        RULE,
        {
            "kind": "Linux",
            **properties(
                dataSources={
                    "extensions": [
                        {
                            "name": "ContainerInsightsExtension",
                            "streams": ["Microsoft-ContainerInsights-Group-Default"],
                            "extensionName": "ContainerInsights",
                            "extensionSettings": {"dataCollectionSettings": {"interval": "1m"}},
                        }
                    ]
                },
                destinations={"logAnalytics": [{"name": "hub", "workspaceResourceId": WORKSPACE_ID}]},
                dataFlows=[
                    {"streams": ["A", "B"], "destinations": ["hub"]},
                    {"streams": ["C"], "destinations": ["hub"]},
                ],
            ),
        },
        {
            "kind": "Linux",
            "etag": '"1"',
            **properties(
                immutableId="dcr-1",
                dataSources={
                    "extensions": [
                        {
                            "name": "ContainerInsightsExtension",
                            "streams": ["Microsoft-ContainerInsights-Group-Default"],
                            "extensionName": "ContainerInsights",
                            "extensionSettings": {"dataCollectionSettings": {"interval": "60s"}},
                        }
                    ]
                },
                destinations={
                    "logAnalytics": [{"name": "hub", "workspaceResourceId": WORKSPACE_ID.lower(), "workspaceId": "1"}]
                },
                dataFlows=[
                    {"streams": ["C"], "destinations": ["hub"], "transformKql": "source"},
                    {"streams": ["B", "A"], "destinations": ["hub"], "transformKql": "source"},
                ],
            ),
        },
    ),
    Row(
        "collection rule: another stream",
        RULE,
        properties(dataFlows=[{"streams": ["A"], "destinations": ["hub"]}]),
        properties(dataFlows=[{"streams": ["B"], "destinations": ["hub"]}]),
        changes=(
            (
                "properties.dataFlows",
                [{"streams": ["B"], "destinations": ["hub"]}],
                [{"streams": ["A"], "destinations": ["hub"]}],
            ),
        ),
    ),
    Row(
        "collection endpoint: its addresses are Azure's",
        ENDPOINT,
        properties(networkAcls={"publicNetworkAccess": "Enabled"}),
        properties(
            networkAcls={"publicNetworkAccess": "enabled"},
            logsIngestion={"endpoint": "https://x"},
            configurationAccess={"endpoint": "https://y"},
            immutableId="1",
        ),
    ),
    Row(
        "association: the rule's id in another case",
        ASSOCIATION,
        properties(dataCollectionRuleId=f"{GROUP}/providers/{RULE}/hub"),
        properties(dataCollectionRuleId=f"{GROUP}/providers/{RULE}/hub".lower(), metadata={"provisionedBy": "x"}),
    ),
    Row(
        "action group: receivers by name",
        ACTIONS,
        {
            "location": "Global",
            **properties(
                groupShortName="hub", enabled=True, emailReceivers=[{"name": "ops", "emailAddress": "a@example.com"}]
            ),
        },
        {
            "location": "global",
            **properties(
                groupShortName="hub",
                enabled=True,
                emailReceivers=[
                    {"name": "ops", "emailAddress": "a@example.com", "status": "Enabled", "useCommonAlertSchema": False}
                ],
                smsReceivers=[],
            ),
        },
    ),
    Row(
        "action group: another address",
        ACTIONS,
        properties(emailReceivers=[{"name": "ops", "emailAddress": "a@example.com"}]),
        properties(emailReceivers=[{"name": "ops", "emailAddress": "b@example.com"}]),
        changes=(("properties.emailReceivers[ops].emailAddress", "b@example.com", "a@example.com"),),
    ),
    Row(
        "query alert: durations",
        QUERY,
        properties(evaluationFrequency="PT60M", windowSize="P1D", enabled=True, actions={"actionGroups": [ACTIONS_ID]}),
        properties(
            evaluationFrequency="PT1H",
            windowSize="PT24H",
            actions={"actionGroups": [ACTIONS_ID.lower()], "customProperties": {}},
            autoMitigate=True,
            createdWithApiVersion="2026-03-01",
        ),
    ),
    Row(
        "query alert: other durations, another query",
        QUERY,
        properties(windowSize="PT5M", enabled=False, criteria={"allOf": [{"query": "Perf | count", "threshold": 1}]}),
        properties(windowSize="PT5H", criteria={"allOf": [{"query": "perf | count", "threshold": 1}]}),
        changes=(
            ("properties.windowSize", "PT5H", "PT5M"),
            ("properties.enabled", None, False),
            (
                "properties.criteria.allOf",
                [{"query": "perf | count", "threshold": 1}],
                [{"query": "Perf | count", "threshold": 1}],
            ),
        ),
    ),
    Row(
        "metric alert: actions by their group",
        METRIC,
        properties(windowSize="PT5M", scopes=[IDENTITY, WORKSPACE_ID], actions=[{"actionGroupId": ACTIONS_ID}]),
        properties(
            windowSize="PT5M",
            scopes=[WORKSPACE_ID.lower(), IDENTITY],
            actions=[{"actionGroupId": ACTIONS_ID.lower(), "webHookProperties": {}}],
            isMigrated=False,
        ),
    ),
    Row(
        "diagnostics: categories that nobody asked for",
        DIAGNOSTIC,
        properties(workspaceId=WORKSPACE_ID, logs=[{"category": "kube-audit", "enabled": True}]),
        properties(
            workspaceId=WORKSPACE_ID.lower(),
            logs=[
                {"category": "kube-apiserver", "categoryGroup": None, "enabled": False},
                {"category": "Kube-Audit", "enabled": True, "retentionPolicy": {"enabled": False, "days": 0}},
            ],
            metrics=[],
            storageAccountId=None,
        ),
        source="Diagnostic settings - get: REST reference",
    ),
    Row(
        "diagnostics: groups of categories",
        DIAGNOSTIC,
        properties(logs=[{"categoryGroup": "allLogs", "enabled": True}]),
        properties(logs=[{"categoryGroup": "audit", "enabled": True}, {"categoryGroup": "allLogs", "enabled": False}]),
        changes=(("properties.logs[allLogs].enabled", False, True),),
    ),
    Row(
        "workbook: JSON with other spaces",
        WORKBOOK,
        {"kind": "shared", **properties(displayName="Hub", serializedData=json.dumps({"version": "x", "items": [1]}))},
        {
            "kind": "shared",
            **properties(
                displayName="Hub",
                serializedData=json.dumps({"items": [1], "version": "x"}, indent=2),
                revision="1",
                timeModified="2026-01-01T00:00:00Z",
                userId="1",
            ),
        },
    ),
    Row(
        "workbook: other content, another title",
        WORKBOOK,
        properties(displayName="Hub", serializedData='{"items": [1]}'),
        properties(displayName="hub", serializedData='{"items": [2]}'),
        changes=(
            ("properties.displayName", "hub", "Hub"),
            ("properties.serializedData", '{"items": [2]}', '{"items": [1]}'),
        ),
    ),
    Row(
        "rules of Prometheus: by alert, durations",
        PROMETHEUS,
        properties(interval="PT1M", rules=[{"alert": "Down", "expression": "up == 0", "for": "PT5M"}]),
        properties(
            interval="PT60S",
            rules=[
                {"record": "theirs", "expression": "x"},
                {"alert": "Down", "expression": "up == 0", "for": "PT300S", "severity": 3},
            ],
        ),
    ),
    Row(
        "rules of Prometheus: another expression",
        PROMETHEUS,
        properties(rules=[{"alert": "Down", "expression": "Up"}]),
        properties(rules=[{"alert": "Down", "expression": "up"}]),
        changes=(("properties.rules[Down].expression", "up", "Up"),),
    ),
)
def test_logs_and_alerts(row: Row) -> None:
    check(row)


def test_a_vault_is_never_told_false() -> None:
    """Azure refuses it, at creation too."""
    desired: dict[str, Any] = {"location": "westeurope", **properties(enablePurgeProtection=False, tenantId="1")}
    vault = of(f"{GROUP}/providers/{VAULT}/x")
    created = compare(vault, desired, None, today=TODAY)
    assert created.steps == ({"location": "westeurope", "properties": {"tenantId": "1"}},)
    assert "properties.enablePurgeProtection" not in [change.path for change in created.changes]
    live = {"location": "westeurope", **properties(tenantId="1", vaultUri="https://x/", createMode="default")}
    (body,) = compare(vault, {**desired, "tags": {"a": "b"}}, live, today=TODAY).steps
    assert body == {
        "location": "westeurope",
        "tags": {"a": "b"},
        "properties": {"tenantId": "1", "createMode": "default"},
    }


def test_keys_go_with_every_write() -> None:
    subscription = of(f"{GROUP}/providers/Microsoft.ApiManagement/service/x/subscriptions/y")
    desired = properties(displayName="Hub", primaryKey="a")
    live = properties(displayName="hub", createdDate="2026-01-01T00:00:00Z", primaryKey=None, ownerId="/users/1")
    result = compare(subscription, desired, live, today=TODAY)
    assert result.changes == changed(("properties.displayName", "hub", "Hub"))
    assert result.steps == (properties(displayName="Hub", primaryKey="a", ownerId="/users/1"),)
    assert compare(subscription, desired, None, today=TODAY).changes == changed(
        ("properties.displayName", None, "Hub"), ("properties.primaryKey", None, "****")
    )


def test_an_account_is_written_without_what_is_azures() -> None:
    live = {
        "id": f"{GROUP}/providers/{ACCOUNT}/x",
        "kind": "StorageV2",
        "location": "westeurope",
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "tags": {},
        **properties(
            provisioningState="Succeeded",
            creationTime="2026-01-01T00:00:00Z",
            primaryEndpoints={"file": "https://x"},
            primaryLocation="westeurope",
            statusOfPrimary="available",
            keyCreationTime={"key1": "2026-01-01T00:00:00Z"},
            privateEndpointConnections=[],
            accessTier="Hot",
            encryption={"services": {"file": {"keyType": "Account", "enabled": True, "lastEnabledTime": "x"}}},
        ),
    }
    desired = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}
    (body,) = compare(of(live["id"]), desired, live, today=TODAY).steps  # type: ignore[arg-type]
    assert body == {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_ZRS"},
        "tags": {},
        "properties": {
            "accessTier": "Hot",
            "encryption": {"services": {"file": {"keyType": "Account", "enabled": True}}},
        },
    }
