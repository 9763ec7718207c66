# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rules of Kubernetes clusters, their pools and maintenance windows, and of container registries."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import (
    DIFFERENT,
    Fixed,
    ResourceType,
    Version,
    under,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import PUT_AGAIN

_NEW_CLUSTER = "A cluster keeps it for its life; write the live value, or build another cluster."
_NEW_POOL = "A pool keeps it for its life; write the live value, or add a pool of another name and delete this one."
_CHANNEL = "properties.autoUpgradeProfile.upgradeChannel"

_POOL_READ_ONLY = (
    *("currentOrchestratorVersion", "nodeImageVersion", "powerState", "status", "localDNSProfile.state"),
    *("virtualMachineNodesStatus",),
)
# What AKS refuses to change: reference of agentPools, and "Manage node pools".
_POOL_FIXED = (
    *("vmSize", "osDiskSizeGB", "osDiskType", "kubeletDiskType", "osType", "type", "maxPods", "availabilityZones"),
    *("vnetSubnetID", "podSubnetID", "podIPAllocationMode", "nodePublicIPPrefixID", "proximityPlacementGroupID"),
    *("scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice", "gpuProfile", "gpuInstanceProfile"),
    *("kubeletConfig", "linuxOSConfig", "workloadRuntime", "enableEncryptionAtHost", "enableUltraSSD"),
    *("capacityReservationGroupID", "hostGroupID", "messageOfTheDay", "gatewayProfile", "windowsProfile"),
)
_SCALED = ("enableAutoScaling", True)

_CLUSTER_FIXED = (
    *("dnsPrefix", "fqdnSubdomain", "nodeResourceGroup", "enableRBAC", "diskEncryptionSetID"),
    *("linuxProfile", "apiServerAccessProfile.enablePrivateCluster"),
    *("networkProfile.serviceCidr", "networkProfile.serviceCidrs", "networkProfile.dnsServiceIP"),
    *("networkProfile.ipFamilies",),
)

CLUSTER = (
    # Pools inside the cluster are for its creation; later each is a resource of its own: what lives goes back.
    ResourceType(
        name="Microsoft.ContainerService/managedClusters",
        read_only=(
            *under(
                "properties",
                (
                    *("powerState", "maxAgentPools", "currentKubernetesVersion", "fqdn", "privateFQDN"),
                    *(
                        "azurePortalFQDN",
                        "oidcIssuerProfile.issuerURL",
                        "privateLinkResources",
                        "resourceUID",
                        "status",
                    ),
                    *("addonProfiles.*.identity", "ingressProfile.webAppRouting.identity"),
                    *("networkProfile.loadBalancerProfile.effectiveOutboundIPs",),
                    *("networkProfile.natGatewayProfile.effectiveOutboundIPs",),
                    *under("agentPoolProfiles[]", _POOL_READ_ONLY),
                ),
            ),
        ),
        filled_in=("properties.identityProfile.*.clientId", "properties.identityProfile.*.objectId"),
        write_only=(
            *("properties.windowsProfile.adminPassword", "properties.servicePrincipalProfile.secret"),
            "properties.aadProfile.serverAppSecret",
        ),
        create_only=("properties.agentPoolProfiles",),
        immutable={
            "extendedLocation": Fixed(_NEW_CLUSTER),
            **{f"properties.{path}": Fixed(_NEW_CLUSTER) for path in _CLUSTER_FIXED},
            # "Update Azure CNI IPAM mode and data plane technology": to Overlay and to Cilium, and not back.
            "properties.networkProfile.podCidr": Fixed(_NEW_CLUSTER, leaves=(None,)),
            "properties.networkProfile.podCidrs": Fixed(_NEW_CLUSTER, leaves=(None,)),
            "properties.networkProfile.networkPlugin": Fixed(_NEW_CLUSTER, leaves=("kubenet",)),
            "properties.networkProfile.networkPluginMode": Fixed(_NEW_CLUSTER, stays=("overlay",)),
            "properties.networkProfile.loadBalancerSku": Fixed(_NEW_CLUSTER, leaves=("basic",)),
            "properties.networkProfile.networkDataplane": Fixed(_NEW_CLUSTER, stays=("cilium",)),
            "properties.oidcIssuerProfile.enabled": Fixed(
                "The OIDC issuer of a cluster cannot be switched off again; write true.", stays=(True,)
            ),
            "properties.aadProfile.managed": Fixed(
                "Entra ID cannot be taken out of a cluster again; write true.", stays=(True,)
            ),
        },
        # One identity at a time: the wanted one takes the place of the live one.
        whole=("identity.userAssignedIdentities",),
        exact=("properties.linuxProfile.ssh.publicKeys[].keyData",),
        durations=("properties.autoScalerProfile.*",),
        defaults={
            "sku.tier": "Free",
            "sku.name": "Base",
            _CHANNEL: "none",
            "properties.enableRBAC": True,
            "properties.networkProfile.outboundType": "loadBalancer",
            "properties.networkProfile.loadBalancerSku": "standard",
            "properties.networkProfile.networkDataplane": "azure",
            "properties.networkProfile.networkPolicy": "none",
            "properties.publicNetworkAccess": "Enabled",
            "properties.supportPlan": "KubernetesOfficial",
            "properties.autoScalerProfile.*": DIFFERENT,
            "properties.ingressProfile.gatewayAPI.installation": "Disabled",
            "properties.ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode": "Disabled",
            "properties.storageProfile.diskCSIDriver.enabled": True,
            "properties.storageProfile.fileCSIDriver.enabled": True,
            "properties.storageProfile.snapshotController.enabled": True,
        },
        owned={"properties.agentPoolProfiles[].count": _SCALED},
        # NotAllAgentPoolOrchestratorVersionSpecifiedAndUnchanged: every pool says its version, or none does.
        refilled={"properties.agentPoolProfiles[].orchestratorVersion": "currentOrchestratorVersion"},
        versions={
            "properties.kubernetesVersion": Version(current="properties.currentKubernetesVersion", channel=_CHANNEL)
        },
        # "Upgrade an AKS cluster": settings of the upgrade, such as windows and surge, count from before it begins, and
        # while it runs nothing else can be written. So it comes last.
        own_put=("properties.kubernetesVersion",),
        etag_at="eTag",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.ContainerService/managedClusters/agentPools",
        read_only=under("properties", _POOL_READ_ONLY),
        immutable={f"properties.{path}": Fixed(_NEW_POOL) for path in _POOL_FIXED},
        sets=("properties.nodeTaints",),
        exact=("properties.nodeLabels.*", "properties.nodeTaints[]"),
        exact_keys=("properties.nodeLabels",),
        defaults={
            "properties.mode": "User",
            "properties.osType": "Linux",
            "properties.osSKU": "Ubuntu",
            "properties.type": "VirtualMachineScaleSets",
            "properties.kubeletDiskType": "OS",
            "properties.scaleDownMode": "Delete",
            "properties.scaleSetPriority": "Regular",
            "properties.scaleSetEvictionPolicy": "Delete",
            "properties.spotMaxPrice": -1,
            "properties.workloadRuntime": "OCIContainer",
            "properties.gpuProfile.driver": "Install",
        },
        owned={"properties.count": _SCALED},
        only_with={
            "properties.minCount": _SCALED,
            "properties.maxCount": _SCALED,
            "properties.scaleSetEvictionPolicy": ("scaleSetPriority", "Spot"),
            "properties.spotMaxPrice": ("scaleSetPriority", "Spot"),
        },
        dropped={"properties.osDiskSizeGB": (0,), "properties.maxPods": (0,)},
        versions={
            "properties.orchestratorVersion": Version(
                current="properties.currentOrchestratorVersion", channel=_CHANNEL, in_parent=True
            )
        },
        own_put=("properties.orchestratorVersion",),
        etag_at="properties.eTag",
        # Each creation marks the network as AKS's, and meanwhile another one fails: SetVNetOwnershipFailed.
        turns="properties.vnetSubnetID",
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.ContainerService/managedClusters/maintenanceConfigurations",
        keys={"properties.timeInWeek": ("day",)},
        sets=("properties.timeInWeek[].hourSlots", "properties.notAllowedTime"),
        # Exactly one kind of schedule.
        whole=("properties.maintenanceWindow.schedule",),
        dates=("properties.maintenanceWindow.startDate",),
        defaults={"properties.maintenanceWindow.utcOffset": "+00:00"},
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.ContainerRegistry/registries",
        read_only=(
            *("properties.loginServer", "properties.creationDate", "properties.status", "sku.tier"),
            *("properties.dataEndpointHostNames", "properties.policies.retentionPolicy.lastUpdatedTime"),
            "properties.encryption.keyVaultProperties.versionedKeyIdentifier",
            "properties.encryption.keyVaultProperties.keyRotationEnabled",
            "properties.encryption.keyVaultProperties.lastKeyRotationTimestamp",
        ),
        immutable={
            "properties.zoneRedundancy": Fixed("A registry keeps its zone redundancy; write the live value."),
            "properties.encryption.status": Fixed("A registry keeps its encryption; write the live value."),
        },
        keys={"properties.networkRuleSet.ipRules": ("value",)},
        defaults={"properties.publicNetworkAccess": "Enabled", "properties.networkRuleBypassOptions": "AzureServices"},
        put_again=PUT_AGAIN,
    ),
)
