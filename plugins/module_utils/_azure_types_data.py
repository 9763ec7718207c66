# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rules of what keeps data and secrets: storage, vaults, disks, API Management."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import DIFFERENT, Fixed, ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import PUT_AGAIN

_NEW_ACCOUNT = "A storage account keeps it; write the live value, or another name for a new account."
_NEW_DISK = "A disk keeps it; write the live value, or make another disk of a snapshot of this one."
_DISK_READ_ONLY = (
    *("managedBy", "managedByExtended", "sku.tier", "properties.timeCreated", "properties.diskSizeBytes"),
    *("properties.uniqueId", "properties.diskState", "properties.shareInfo", "properties.propertyUpdatesInProgress"),
    *("properties.creationData.sourceUniqueId", "properties.LastOwnershipUpdateTime"),
    *("properties.burstingEnabledTime", "properties.incrementalSnapshotFamilyId"),
    *("properties.securityProfile.confidentialVMVersion",),
)
_DISK_FIXED = {
    "properties.creationData": Fixed(_NEW_DISK),
    "properties.osType": Fixed(_NEW_DISK),
    "properties.hyperVGeneration": Fixed(_NEW_DISK),
    "properties.diskSizeGB": Fixed("A disk can grow, but not shrink; write its live size or more.", grows=True),
}

DATA = (
    ResourceType(
        name="Microsoft.Storage/storageAccounts",
        read_only=(
            *("sku.tier", "properties.creationTime", "properties.keyCreationTime", "properties.primaryEndpoints"),
            *("properties.primaryLocation", "properties.statusOfPrimary", "properties.secondaryEndpoints"),
            *("properties.secondaryLocation", "properties.statusOfSecondary", "properties.lastGeoFailoverTime"),
            *("properties.geoReplicationStats", "properties.failoverInProgress", "properties.blobRestoreStatus"),
            *("properties.storageAccountSkuConversionStatus", "properties.isSkuConversionBlocked"),
            *("properties.accountMigrationInProgress", "properties.encryption.services.*.lastEnabledTime"),
            *("properties.networkAcls.virtualNetworkRules[].state",),
        ),
        keys={
            "properties.networkAcls.ipRules": ("value",),
            "properties.networkAcls.virtualNetworkRules": ("id",),
        },
        # What is missing was never said; what that means changed with the years for the first two.
        defaults={
            "properties.allowBlobPublicAccess": DIFFERENT,
            "properties.allowCrossTenantReplication": DIFFERENT,
            "properties.allowSharedKeyAccess": True,
            "properties.supportsHttpsTrafficOnly": True,
            "properties.accessTier": "Hot",
            "properties.publicNetworkAccess": "Enabled",
            "properties.largeFileSharesState": "Disabled",
            "properties.networkAcls.defaultAction": "Allow",
            "properties.networkAcls.bypass": "AzureServices",
        },
        immutable={
            "kind": Fixed(_NEW_ACCOUNT, leaves=("Storage", "BlobStorage")),
            "properties.isHnsEnabled": Fixed(_NEW_ACCOUNT, stays=(True,)),
            "properties.isNfsV3Enabled": Fixed(_NEW_ACCOUNT),
            "properties.encryption.requireInfrastructureEncryption": Fixed(_NEW_ACCOUNT),
            "properties.largeFileSharesState": Fixed(
                "Large file shares cannot be switched off again; write Enabled.", stays=("Enabled",)
            ),
        },
        put_again=(*PUT_AGAIN, "StorageAccountOperationInProgress"),
        soft_delete=True,
    ),
    ResourceType(name="Microsoft.Storage/storageAccounts/fileServices", read_only=("sku",), put_again=PUT_AGAIN),
    ResourceType(
        name="Microsoft.Storage/storageAccounts/fileServices/shares",
        read_only=(
            *("properties.lastModifiedTime", "properties.leaseState", "properties.leaseStatus", "properties.version"),
            *("properties.leaseDuration", "properties.accessTierChangeTime", "properties.accessTierStatus"),
            *("properties.deleted", "properties.deletedTime", "properties.remainingRetentionDays"),
            *("properties.shareUsageBytes", "properties.snapshotTime", "properties.includedBurstIops"),
            *("properties.maxBurstCreditsForIops", "properties.nextAllowedQuotaDowngradeTime"),
            *("properties.nextAllowedProvisionedIopsDowngradeTime",),
            *("properties.nextAllowedProvisionedBandwidthDowngradeTime",),
        ),
        exact=("properties.metadata.*",),
        defaults={"properties.accessTier": "TransactionOptimized", "properties.enabledProtocols": "SMB"},
        immutable={
            "properties.enabledProtocols": Fixed("A share keeps its protocol; write the live value, or another name."),
        },
        put_again=(*PUT_AGAIN, "ShareBeingDeleted"),
    ),
    ResourceType(
        name="Microsoft.KeyVault/vaults",
        read_only=("properties.vaultUri", "properties.hsmPoolResourceId"),
        create_only=("properties.createMode",),
        keys={
            "properties.accessPolicies": ("tenantId", "objectId"),
            "properties.networkAcls.ipRules": ("value",),
            "properties.networkAcls.virtualNetworkRules": ("id",),
        },
        sets=tuple(f"properties.accessPolicies[].permissions.{part}" for part in ("keys", "secrets", "certificates")),
        defaults={
            "properties.enableSoftDelete": True,
            "properties.softDeleteRetentionInDays": 90,
            "properties.publicNetworkAccess": "Enabled",
            "properties.networkAcls.defaultAction": "Allow",
            "properties.networkAcls.bypass": "AzureServices",
        },
        # "Azure Key Vault soft-delete overview": neither can be taken back, and Azure refuses even to be told false.
        immutable={
            "properties.tenantId": Fixed("A vault keeps its tenant; write the live value, or another name."),
            "properties.softDeleteRetentionInDays": Fixed("A vault keeps its retention; write the live value."),
            "properties.enablePurgeProtection": Fixed(
                "Purge protection cannot be taken from a vault again; write true.", stays=(True,)
            ),
            "properties.enableSoftDelete": Fixed(
                "Soft delete cannot be taken from a vault again; write true.", stays=(True,)
            ),
        },
        dropped={"properties.enablePurgeProtection": (False,), "properties.enableSoftDelete": (False,)},
        put_again=PUT_AGAIN,
        soft_delete=True,
    ),
    ResourceType(
        name="Microsoft.Compute/disks",
        read_only=_DISK_READ_ONLY,
        immutable={**_DISK_FIXED, "zones": Fixed(_NEW_DISK)},
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Compute/snapshots",
        read_only=(*_DISK_READ_ONLY, "properties.snapshotAccessState", "properties.immutabilityPolicy"),
        immutable={**_DISK_FIXED, "properties.incremental": Fixed(_NEW_DISK)},
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.ApiManagement/service/subscriptions",
        read_only=(
            *("properties.createdDate", "properties.startDate", "properties.endDate", "properties.notificationDate"),
            "properties.stateComment",
        ),
        write_only=("properties.primaryKey", "properties.secondaryKey"),
        put_again=PUT_AGAIN,
    ),
)
