# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure's built-in roles, as far as hubs and the people who run them need them.

Names, ids and actions are Azure's; the descriptions are short words of our own.
Source: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A role definition: what it is called and which actions it allows, with ``*`` for any text."""

    name: str
    guid: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    built_in: bool = True
    assignable_scopes: tuple[str, ...] = ("/",)


# What most roles of one service share: read rights and locks, deploy templates, ask support.
_READ_RIGHTS = "Microsoft.Authorization/*/read"
_ALERTS = "Microsoft.Insights/alertRules/*"
_DEPLOY = "Microsoft.Resources/deployments/*"
_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
_SUPPORT = "Microsoft.Support/*"
_HEALTH = "Microsoft.ResourceHealth/availabilityStatuses/read"
_COMMON = (_READ_RIGHTS, _ALERTS, _DEPLOY, _GROUP, _SUPPORT)
_VAULT = (
    *_COMMON,
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
)
_KUBERNETES = (
    _READ_RIGHTS,
    "Microsoft.Resources/subscriptions/operationresults/read",
    "Microsoft.Resources/subscriptions/read",
    _GROUP,
)
_KUBERNETES_ADMIN = (
    *_KUBERNETES,
    _ALERTS,
    "Microsoft.Resources/deployments/write",
    _SUPPORT,
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
)
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_FILES = "Microsoft.Storage/storageAccounts/fileServices"

BUILT_IN: tuple[Role, ...] = (
    # ----------------------------------------------------------------------------------------------- everything
    Role("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Manages everything, rights included.", ("*",)),
    Role(
        "Contributor",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Manages everything except rights.",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            "Microsoft.Subscription/cancel/action",
            "Microsoft.Subscription/enable/action",
        ),
    ),
    Role("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reads everything except secrets.", ("*/read",)),
    Role(
        "User Access Administrator",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "Manages rights.",
        ("*/read", "Microsoft.Authorization/*", _SUPPORT),
    ),
    Role(
        "Role Based Access Control Administrator",
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Assigns roles.",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            _SUPPORT,
        ),
    ),
    Role(
        "Tag Contributor",
        "4a9ae827-6dc8-4573-8ac7-8239d42aa03f",
        "Manages tags.",
        (
            _READ_RIGHTS,
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            "Microsoft.Resources/subscriptions/resources/read",
            _DEPLOY,
            _ALERTS,
            _SUPPORT,
            "Microsoft.Resources/tags/*",
        ),
    ),
    # ------------------------------------------------------------------------------------- network and machines
    Role(
        "Network Contributor",
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Manages networks.",
        (*_COMMON, _HEALTH, "Microsoft.Network/*"),
    ),
    Role(
        "DNS Zone Contributor",
        "befefa01-2a29-4197-83a8-272ff33ce314",
        "Manages public DNS zones.",
        (*_COMMON, _HEALTH, "Microsoft.Network/dnsZones/*"),
    ),
    Role(
        "Private DNS Zone Contributor",
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        "Manages private DNS zones.",
        (
            *_COMMON,
            "Microsoft.Network/privateDnsZones/*",
            "Microsoft.Network/privateDnsOperationResults/*",
            "Microsoft.Network/privateDnsOperationStatuses/*",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/join/action",
        ),
    ),
    Role(
        "Disk Snapshot Contributor",
        "7efff54f-a5b4-42b5-a1c5-5411624893ce",
        "Lets backups manage snapshots of disks.",
        (
            _READ_RIGHTS,
            _GROUP,
            "Microsoft.Compute/snapshots/delete",
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/snapshots/read",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
            "Microsoft.Compute/snapshots/endGetAccess/action",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/write",
            "Microsoft.Storage/storageAccounts/read",
            "Microsoft.Storage/storageAccounts/delete",
        ),
    ),
    # ----------------------------------------------------------------------------------------------- containers
    Role(
        "AcrPull",
        "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "Pulls images.",
        ("Microsoft.ContainerRegistry/registries/pull/read",),
    ),
    Role(
        "AcrPush",
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        "Pushes and pulls images.",
        ("Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"),
    ),
    Role(
        "AcrDelete",
        "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        "Deletes images.",
        ("Microsoft.ContainerRegistry/registries/artifacts/delete",),
    ),
    Role(
        "Azure Kubernetes Service Cluster Admin Role",
        "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
        "Reads the administrator's kubeconfig.",
        (
            "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
            "Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action",
            "Microsoft.ContainerService/managedClusters/read",
            "Microsoft.ContainerService/managedClusters/runcommand/action",
        ),
    ),
    Role(
        "Azure Kubernetes Service Cluster User Role",
        "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
        "Reads a user's kubeconfig.",
        (
            "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
            "Microsoft.ContainerService/managedClusters/read",
        ),
    ),
    Role(
        "Azure Kubernetes Service Cluster Monitoring User",
        "1afdec4b-e479-420e-99e7-f82237c7c5e6",
        "Reads the kubeconfig for monitoring.",
        (
            "Microsoft.ContainerService/managedClusters/listClusterMonitoringUserCredential/action",
            "Microsoft.ContainerService/managedClusters/read",
        ),
    ),
    Role(
        "Azure Kubernetes Service Contributor Role",
        "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8",
        "Manages clusters.",
        (
            _READ_RIGHTS,
            "Microsoft.ContainerService/locations/*",
            "Microsoft.ContainerService/managedClusters/*",
            "Microsoft.ContainerService/managedclustersnapshots/*",
            "Microsoft.ContainerService/snapshots/*",
            _ALERTS,
            _DEPLOY,
            _GROUP,
        ),
    ),
    Role(
        "Azure Kubernetes Service RBAC Cluster Admin",
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        "Manages everything inside a cluster.",
        _KUBERNETES_ADMIN,
        data_actions=("Microsoft.ContainerService/managedClusters/*",),
    ),
    Role(
        "Azure Kubernetes Service RBAC Admin",
        "3498e952-d568-435e-9b2c-8d77e338d7f7",
        "Manages everything inside a cluster except quotas and namespaces.",
        _KUBERNETES_ADMIN,
        data_actions=("Microsoft.ContainerService/managedClusters/*",),
        not_data_actions=(
            "Microsoft.ContainerService/managedClusters/resourcequotas/write",
            "Microsoft.ContainerService/managedClusters/resourcequotas/delete",
            "Microsoft.ContainerService/managedClusters/namespaces/write",
            "Microsoft.ContainerService/managedClusters/namespaces/delete",
        ),
    ),
    # -------------------------------------------------------------------------------------------------- vaults
    Role(
        "Key Vault Administrator",
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Manages the content of vaults.",
        _VAULT,
        data_actions=("Microsoft.KeyVault/vaults/*",),
    ),
    Role(
        "Key Vault Secrets Officer",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Manages secrets.",
        _VAULT,
        data_actions=("Microsoft.KeyVault/vaults/secrets/*",),
    ),
    Role(
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Reads secrets.",
        data_actions=(
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    Role(
        "Key Vault Certificates Officer",
        "a4417e6f-fecd-4de8-b567-7b0420556985",
        "Manages certificates.",
        _VAULT,
        data_actions=(
            "Microsoft.KeyVault/vaults/certificatecas/*",
            "Microsoft.KeyVault/vaults/certificates/*",
            "Microsoft.KeyVault/vaults/certificatecontacts/write",
        ),
    ),
    Role(
        "Key Vault Certificate User",
        "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
        "Reads certificates and their keys.",
        data_actions=(
            "Microsoft.KeyVault/vaults/certificates/read",
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            "Microsoft.KeyVault/vaults/keys/read",
        ),
    ),
    Role(
        "Key Vault Reader",
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Reads what vaults hold, not its content.",
        _VAULT,
        data_actions=("Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"),
    ),
    Role(
        "Key Vault Contributor",
        "f25e0fa2-a7c8-4377-a976-54943a77a395",
        "Manages vaults, not their content.",
        (*_COMMON, "Microsoft.KeyVault/*"),
        (
            "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            "Microsoft.KeyVault/hsmPools/*",
            "Microsoft.KeyVault/managedHsms/*",
        ),
    ),
    # ---------------------------------------------------------------------------------------------- identities
    Role(
        "Managed Identity Contributor",
        "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59",
        "Manages user-assigned identities.",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action",
            *_COMMON,
        ),
    ),
    Role(
        "Managed Identity Operator",
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Reads and gives out user-assigned identities.",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            *_COMMON,
        ),
    ),
    # ------------------------------------------------------------------------------------------------- storage
    Role(
        "Storage Account Contributor",
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",
        "Manages storage accounts, keys included.",
        (
            *_COMMON,
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
            _HEALTH,
            "Microsoft.Storage/storageAccounts/*",
        ),
    ),
    Role(
        "Storage Account Key Operator Service Role",
        "81a9662b-bebf-436f-a333-f67b29880f12",
        "Lists and renews keys of storage accounts.",
        (
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
        ),
    ),
    Role(
        "Reader and Data Access",
        "c12c1c16-33a1-487b-954d-41c89c60f349",
        "Reads storage accounts and their keys.",
        (
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/ListAccountSas/action",
            "Microsoft.Storage/storageAccounts/read",
        ),
    ),
    Role(
        "Storage Blob Data Owner",
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        "Manages blobs, POSIX rights included.",
        (f"{_BLOBS}/containers/*", f"{_BLOBS}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOBS}/containers/blobs/*",),
    ),
    Role(
        "Storage Blob Data Contributor",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "Reads and writes blobs.",
        (
            f"{_BLOBS}/containers/delete",
            f"{_BLOBS}/containers/read",
            f"{_BLOBS}/containers/write",
            f"{_BLOBS}/generateUserDelegationKey/action",
        ),
        data_actions=(
            f"{_BLOBS}/containers/blobs/delete",
            f"{_BLOBS}/containers/blobs/read",
            f"{_BLOBS}/containers/blobs/write",
            f"{_BLOBS}/containers/blobs/move/action",
            f"{_BLOBS}/containers/blobs/add/action",
        ),
    ),
    Role(
        "Storage Blob Data Reader",
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        "Reads blobs.",
        (f"{_BLOBS}/containers/read", f"{_BLOBS}/generateUserDelegationKey/action"),
        data_actions=(f"{_BLOBS}/containers/blobs/read",),
    ),
    Role(
        "Storage File Data SMB Share Contributor",
        "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb",
        "Reads and writes file shares over SMB.",
        data_actions=(
            f"{_FILES}/fileshares/files/read",
            f"{_FILES}/fileshares/files/write",
            f"{_FILES}/fileshares/files/delete",
        ),
    ),
    Role(
        "Storage File Data SMB Share Reader",
        "aba4ae5f-2193-4029-9191-0cb91df5e314",
        "Reads file shares over SMB.",
        data_actions=(f"{_FILES}/fileshares/files/read",),
    ),
    # ---------------------------------------------------------------------------------------------- monitoring
    Role(
        "Monitoring Metrics Publisher",
        "3913510d-42f4-4e42-8a64-420c390055eb",
        "Sends telemetry.",
        (
            "Microsoft.Insights/Register/Action",
            _SUPPORT,
            _GROUP,
        ),
        data_actions=("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
    ),
    Role(
        "Monitoring Reader",
        "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
        "Reads all monitoring.",
        ("*/read", "Microsoft.OperationalInsights/workspaces/search/action", _SUPPORT),
    ),
    Role(
        "Monitoring Contributor",
        "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
        "Reads all monitoring and changes its settings.",
        (
            "*/read",
            "Microsoft.AlertsManagement/alerts/*",
            "Microsoft.AlertsManagement/alertsSummary/*",
            "Microsoft.Insights/actiongroups/*",
            "Microsoft.Insights/activityLogAlerts/*",
            "Microsoft.Insights/AlertRules/*",
            "Microsoft.Insights/components/*",
            "Microsoft.Insights/createNotifications/*",
            "Microsoft.Insights/dataCollectionEndpoints/*",
            "Microsoft.Insights/dataCollectionRules/*",
            "Microsoft.Insights/dataCollectionRuleAssociations/*",
            "Microsoft.Insights/DiagnosticSettings/*",
            "Microsoft.Insights/eventtypes/*",
            "Microsoft.Insights/LogDefinitions/*",
            "Microsoft.Insights/metricalerts/*",
            "Microsoft.Insights/MetricDefinitions/*",
            "Microsoft.Insights/Metrics/*",
            "Microsoft.Insights/notificationStatus/*",
            "Microsoft.Insights/Register/Action",
            "Microsoft.Insights/scheduledqueryrules/*",
            "Microsoft.Insights/webtests/*",
            "Microsoft.Insights/workbooks/*",
            "Microsoft.Insights/workbooktemplates/*",
            "Microsoft.Insights/privateLinkScopes/*",
            "Microsoft.Insights/privateLinkScopeOperationStatuses/*",
            "Microsoft.Monitor/accounts/*",
            "Microsoft.OperationalInsights/workspaces/write",
            "Microsoft.OperationalInsights/workspaces/intelligencepacks/*",
            "Microsoft.OperationalInsights/workspaces/savedSearches/*",
            "Microsoft.OperationalInsights/workspaces/search/action",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "Microsoft.OperationalInsights/workspaces/storageinsightconfigs/*",
            "Microsoft.OperationalInsights/locations/workspaces/failover/action",
            "Microsoft.OperationalInsights/workspaces/failback/action",
            _SUPPORT,
            "Microsoft.AlertsManagement/smartDetectorAlertRules/*",
            "Microsoft.AlertsManagement/actionRules/*",
            "Microsoft.AlertsManagement/smartGroups/*",
            "Microsoft.AlertsManagement/migrateFromSmartDetection/*",
            "Microsoft.AlertsManagement/prometheusRuleGroups/*",
        ),
    ),
    Role(
        "Log Analytics Contributor",
        "92aaf0da-9dab-42b6-94a3-d43ce8d16293",
        "Manages workspaces and what is collected.",
        (
            "*/read",
            "Microsoft.ClassicCompute/virtualMachines/extensions/*",
            "Microsoft.ClassicStorage/storageAccounts/listKeys/action",
            "Microsoft.Compute/virtualMachines/extensions/*",
            "Microsoft.HybridCompute/machines/extensions/write",
            _ALERTS,
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.OperationalInsights/*",
            "Microsoft.OperationsManagement/*",
            _DEPLOY,
            "Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
            "Microsoft.Storage/storageAccounts/listKeys/action",
            _SUPPORT,
        ),
    ),
    Role(
        "Log Analytics Reader",
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Searches workspaces.",
        (
            "*/read",
            "Microsoft.OperationalInsights/workspaces/analytics/query/action",
            "Microsoft.OperationalInsights/workspaces/search/action",
            _SUPPORT,
        ),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    Role(
        "Application Insights Component Contributor",
        "ae349356-3a1b-4a5e-921d-050484c6347e",
        "Manages Application Insights.",
        (
            *_COMMON,
            "Microsoft.Insights/generateLiveToken/read",
            "Microsoft.Insights/metricAlerts/*",
            "Microsoft.Insights/components/*",
            "Microsoft.Insights/scheduledqueryrules/*",
            "Microsoft.Insights/topology/read",
            "Microsoft.Insights/transactions/read",
            "Microsoft.Insights/webtests/*",
            _HEALTH,
        ),
    ),
    # ------------------------------------------------------------------------------------------ API Management
    Role(
        "API Management Service Contributor",
        "312a565d-c81f-4fd8-895a-4e21e48d571c",
        "Manages API Management and its APIs.",
        ("Microsoft.ApiManagement/service/*", *_COMMON, _HEALTH),
    ),
    Role(
        "API Management Service Operator Role",
        "e022efe7-f5ba-4159-bbe4-b44f577e9b61",
        "Manages API Management, not its APIs.",
        (
            "Microsoft.ApiManagement/service/*/read",
            "Microsoft.ApiManagement/service/backup/action",
            "Microsoft.ApiManagement/service/delete",
            "Microsoft.ApiManagement/service/managedeployments/action",
            "Microsoft.ApiManagement/service/read",
            "Microsoft.ApiManagement/service/restore/action",
            "Microsoft.ApiManagement/service/updatecertificate/action",
            "Microsoft.ApiManagement/service/updatehostname/action",
            "Microsoft.ApiManagement/service/write",
            *_COMMON,
            _HEALTH,
        ),
        ("Microsoft.ApiManagement/service/users/keys/read",),
    ),
    Role(
        "API Management Service Reader Role",
        "71522526-b88f-4d52-b57f-d31fc3546d0d",
        "Reads API Management and its APIs.",
        ("Microsoft.ApiManagement/service/*/read", "Microsoft.ApiManagement/service/read", *_COMMON, _HEALTH),
        ("Microsoft.ApiManagement/service/users/keys/read",),
    ),
)

BY_GUID: dict[str, Role] = {role.guid: role for role in BUILT_IN}
BY_NAME: dict[str, Role] = {role.name.casefold(): role for role in BUILT_IN}
