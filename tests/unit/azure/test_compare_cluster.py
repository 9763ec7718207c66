# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Clusters, pools, maintenance windows, registries: how Azure's answers differ, and what Azure owns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of

from unit.azure.rows import GROUP, IDENTITY, SUBNET, TODAY, Row, changed, check, properties, table

CLUSTER = "Microsoft.ContainerService/managedClusters"
POOL = f"{CLUSTER}/agentPools"
WINDOW = f"{CLUSTER}/maintenanceConfigurations"
REGISTRY = "Microsoft.ContainerRegistry/registries"
CLUSTER_ID = f"{GROUP}/providers/{CLUSTER}/hub"
POOL_ID = f"{CLUSTER_ID}/agentPools/user"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/hub"

UPGRADE = "Upgrade an AKS cluster: you can't downgrade"
CHANNELS = "Automatically upgrade an AKS cluster: planned and automatic versions"
VERSIONS = "agentPools: orchestratorVersion, currentOrchestratorVersion"
AUTOSCALER = "Use the cluster autoscaler in AKS; Azure/AKS#1627"
POOLS = "Manage node pools in AKS: limitations"
WINDOWS = "Use planned maintenance: startDate"
KEEPS_CLUSTER = "write the live value, or build another cluster."
KEEPS_POOL = "write the live value, or add a pool of another name and delete this one."


def versions(wanted: str, live: str, running: str, channel: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A cluster's wanted and live body."""
    profile = {"autoUpgradeProfile": {"upgradeChannel": channel}} if channel else {}
    return (
        properties(kubernetesVersion=wanted, **profile),
        properties(kubernetesVersion=live, currentKubernetesVersion=running, **profile),
    )


def parent(channel: str) -> dict[str, Any]:
    return {"parent": properties(autoUpgradeProfile={"upgradeChannel": channel})}


@table(
    Row(
        "cluster: what Azure adds",
        CLUSTER,
        {
            "location": "westeurope",
            "sku": {"name": "Base", "tier": "Standard"},
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            **properties(
                kubernetesVersion="1.35",
                dnsPrefix="hub",
                nodeResourceGroup="hub-nodes-rg",
                enableRBAC=True,
                disableLocalAccounts=True,
                oidcIssuerProfile={"enabled": True},
                aadProfile={"managed": True, "enableAzureRBAC": True},
                networkProfile={
                    "networkPlugin": "azure",
                    "networkPluginMode": "overlay",
                    "networkDataplane": "cilium",
                    "networkPolicy": "cilium",
                    "podCidr": "10.244.0.0/16",
                    "serviceCidr": "10.2.0.0/16",
                    "dnsServiceIP": "10.2.0.10",
                },
                agentPoolProfiles=[{"name": "core", "vmSize": "Standard_D4s_v5", "count": 2, "mode": "System"}],
            ),
        },
        {
            "id": CLUSTER_ID,
            "location": "westeurope",
            "eTag": "1",
            "sku": {"name": "base", "tier": "standard"},
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {IDENTITY.lower(): {"clientId": "1", "principalId": "2"}},
            },
            **properties(
                provisioningState="Succeeded",
                powerState={"code": "Running"},
                kubernetesVersion="1.35",
                currentKubernetesVersion="1.35.4",
                dnsPrefix="hub",
                fqdn="hub-1.hcp.westeurope.azmk8s.io",
                nodeResourceGroup="HUB-nodes-rg",
                enableRBAC=True,
                disableLocalAccounts=True,
                oidcIssuerProfile={"enabled": True, "issuerURL": "https://oidc/"},
                aadProfile={"managed": True, "enableAzureRBAC": True, "tenantID": "3", "adminGroupObjectIDs": None},
                windowsProfile={"adminUsername": "azureuser", "enableCSIProxy": True},
                servicePrincipalProfile={"clientId": "msi"},
                identityProfile={"kubeletidentity": {"resourceId": IDENTITY, "clientId": "1", "objectId": "2"}},
                workloadAutoScalerProfile={},
                networkProfile={
                    "networkPlugin": "azure",
                    "networkPluginMode": "overlay",
                    "networkDataplane": "cilium",
                    "networkPolicy": "cilium",
                    "podCidr": "10.244.0.0/16",
                    "podCidrs": ["10.244.0.0/16"],
                    "serviceCidr": "10.2.0.0/16",
                    "serviceCidrs": ["10.2.0.0/16"],
                    "dnsServiceIP": "10.2.0.10",
                    "loadBalancerSku": "Standard",
                    "loadBalancerProfile": {"effectiveOutboundIPs": [{"id": "…"}]},
                },
                agentPoolProfiles=[{"name": "core", "vmSize": "Standard_D4s_v5", "count": 3, "mode": "System"}],
            ),
        },
        source="Managed clusters - get: REST reference",
    ),
    Row(
        "cluster: add-ons and their settings in another case",
        CLUSTER,
        properties(
            addonProfiles={
                "omsagent": {
                    "enabled": True,
                    "config": {"logAnalyticsWorkspaceResourceID": WORKSPACE, "useAADAuth": "true"},
                }
            }
        ),
        properties(
            addonProfiles={
                "omsAgent": {
                    "enabled": True,
                    "config": {"loganalyticsworkspaceresourceid": WORKSPACE.lower(), "useAADAuth": "True"},
                    "identity": {"clientId": "1"},
                }
            }
        ),
        source="Azure/azure-cli#15376, Azure/azure-rest-api-specs#10716: add-on names and keys",
    ),
    Row(
        "cluster: an add-on's setting differs",
        CLUSTER,
        properties(addonProfiles={"azureKeyvaultSecretsProvider": {"config": {"enableSecretRotation": "true"}}}),
        properties(addonProfiles={"azureKeyVaultSecretsProvider": {"config": {"enablesecretrotation": "false"}}}),
        changes=(
            (
                "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
                "false",
                "true",
            ),
        ),
    ),
    Row(
        "cluster: an add-on that is off is not there",
        CLUSTER,
        properties(addonProfiles={"azurepolicy": {"enabled": False}}),
        properties(addonProfiles={}),
    ),
    Row(
        "cluster: the autoscaler's values are texts, durations in any unit",
        CLUSTER,
        properties(
            autoScalerProfile={
                "max-empty-bulk-delete": 50,
                "scale-down-unneeded-time": "600s",
                "scale-down-delay-after-add": "5m",
                "scale-down-utilization-threshold": 0.5,
                "skip-nodes-with-system-pods": False,
                "expander": "Random",
            }
        ),
        properties(
            autoScalerProfile={
                "max-empty-bulk-delete": "50",
                "scale-down-unneeded-time": "10m",
                "scale-down-delay-after-add": "5m0s",
                "scale-down-utilization-threshold": "0.5",
                "skip-nodes-with-system-pods": "false",
                "expander": "random",
                "scan-interval": "10s",
            }
        ),
        source="Azure/AKS#2766: autoScalerProfile",
    ),
    Row(
        "cluster: the autoscaler's values differ",
        CLUSTER,
        properties(autoScalerProfile={"max-empty-bulk-delete": "50", "scale-down-unneeded-time": "2m"}),
        properties(autoScalerProfile={"max-empty-bulk-delete": "10", "scale-down-unneeded-time": "2h"}),
        changes=(
            ("properties.autoScalerProfile.max-empty-bulk-delete", "10", "50"),
            ("properties.autoScalerProfile.scale-down-unneeded-time", "2h", "2m"),
        ),
        source="Azure/AKS#2766: autoScalerProfile",
    ),
    Row(
        "cluster: the autoscaler's missing booleans are not false",
        CLUSTER,
        properties(autoScalerProfile={"skip-nodes-with-system-pods": False}),
        properties(),
        changes=(("properties.autoScalerProfile.skip-nodes-with-system-pods", None, False),),
        source="Use the cluster autoscaler in AKS: default settings",
    ),
    Row(
        "cluster: the name of a group in another case",
        CLUSTER,
        properties(nodeResourceGroup="Hub.Nodes"),
        properties(nodeResourceGroup="hub.nodes"),
    ),
    Row(
        "cluster: no upgrade channel is none",
        CLUSTER,
        properties(autoUpgradeProfile={"upgradeChannel": "none"}),
        properties(),
    ),
    Row(
        "cluster: another upgrade channel",
        CLUSTER,
        properties(autoUpgradeProfile={"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}),
        properties(autoUpgradeProfile={"upgradeChannel": "rapid", "nodeOSUpgradeChannel": "NodeImage"}),
        changes=(("properties.autoUpgradeProfile.upgradeChannel", "rapid", "patch"),),
    ),
    Row(
        "cluster: pools in it are for its creation",
        CLUSTER,
        properties(agentPoolProfiles=[{"name": "core", "vmSize": "Standard_D2s_v5", "count": 1}]),
        properties(
            agentPoolProfiles=[
                {"name": "core", "vmSize": "Standard_D4s_v5", "count": 3},
                {"name": "user", "vmSize": "Standard_E8s_v5", "count": 0},
            ]
        ),
        source="Managed clusters - create or update: a new pool inside is refused, an omitted one is not deleted",
    ),
    Row(
        "cluster: the password of the Windows nodes is never answered",
        CLUSTER,
        properties(windowsProfile={"adminPassword": "secret"}),
        properties(windowsProfile={"adminUsername": "azureuser"}),
    ),
    Row(
        "cluster: another kubelet identity",
        CLUSTER,
        properties(identityProfile={"kubeletidentity": {"resourceId": IDENTITY}}),
        properties(identityProfile={"kubeletidentity": {"resourceId": f"{IDENTITY}2", "clientId": "1"}}),
        changes=(("properties.identityProfile.kubeletidentity.resourceId", f"{IDENTITY}2", IDENTITY),),
    ),
    Row(
        "cluster: another identity takes the place of the live one",
        CLUSTER,
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {f"{IDENTITY}2": {"clientId": "1"}}}},
        changes=(
            (f"identity.userAssignedIdentities[{IDENTITY}]", None, {}),
            (f"identity.userAssignedIdentities[{IDENTITY}2]", {"clientId": "1"}, None),
        ),
        source="Use a managed identity in AKS: one user-assigned identity",
    ),
    Row(
        "cluster: the OIDC issuer stays on",
        CLUSTER,
        properties(oidcIssuerProfile={"enabled": False}),
        properties(oidcIssuerProfile={"enabled": True, "issuerURL": "https://oidc/"}),
        forbidden=(
            (
                "properties.oidcIssuerProfile.enabled",
                "The OIDC issuer of a cluster cannot be switched off again; write true.",
            ),
        ),
        source="Create an OpenID Connect provider on AKS: disabling it is not supported",
    ),
    Row(
        "cluster: the OIDC issuer is switched on",
        CLUSTER,
        properties(oidcIssuerProfile={"enabled": True}),
        properties(oidcIssuerProfile={"enabled": False}),
        changes=(("properties.oidcIssuerProfile.enabled", False, True),),
    ),
    Row(
        "cluster: Entra ID stays",
        CLUSTER,
        properties(aadProfile={"managed": False}),
        properties(aadProfile={"managed": True}),
        forbidden=(("properties.aadProfile.managed", "Entra ID cannot be taken out of a cluster again; write true."),),
        source="AKS-managed Microsoft Entra integration: limitations",
    ),
    Row(
        "cluster: kubenet may become Azure CNI",
        CLUSTER,
        properties(networkProfile={"networkPlugin": "azure", "networkPluginMode": "overlay"}),
        properties(networkProfile={"networkPlugin": "kubenet"}),
        changes=(
            ("properties.networkProfile.networkPlugin", "kubenet", "azure"),
            ("properties.networkProfile.networkPluginMode", None, "overlay"),
        ),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row(
        "cluster: Overlay stays",
        CLUSTER,
        properties(networkProfile={"networkPluginMode": ""}),
        properties(networkProfile={"networkPluginMode": "overlay"}),
        forbidden=(("properties.networkProfile.networkPluginMode", KEEPS_CLUSTER),),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row(
        "cluster: defaults that are left out",
        CLUSTER,
        {
            "sku": {"name": "Base", "tier": "Free"},
            **properties(
                enableRBAC=True,
                supportPlan="KubernetesOfficial",
                publicNetworkAccess="Enabled",
                networkProfile={"outboundType": "loadBalancer", "networkPolicy": "none", "networkDataplane": "azure"},
                storageProfile={"diskCSIDriver": {"enabled": True}, "fileCSIDriver": {"enabled": True}},
            ),
        },
        {"location": "westeurope"},
    ),
    Row(
        "cluster: a driver that is on where nothing is said",
        CLUSTER,
        properties(storageProfile={"diskCSIDriver": {"enabled": False}}),
        properties(),
        changes=(("properties.storageProfile.diskCSIDriver.enabled", None, False),),
    ),
    Row(
        "cluster: Azure CNI does not become kubenet",
        CLUSTER,
        properties(networkProfile={"networkPlugin": "kubenet"}),
        properties(networkProfile={"networkPlugin": "azure"}),
        forbidden=(("properties.networkProfile.networkPlugin", KEEPS_CLUSTER),),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row(
        "cluster: Overlay may be switched on, with its range",
        CLUSTER,
        properties(networkProfile={"networkPluginMode": "overlay", "podCidr": "10.244.0.0/16"}),
        properties(networkProfile={"networkPlugin": "azure"}),
        changes=(
            ("properties.networkProfile.networkPluginMode", None, "overlay"),
            ("properties.networkProfile.podCidr", None, "10.244.0.0/16"),
        ),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row(
        "cluster: the data plane may become Cilium",
        CLUSTER,
        properties(networkProfile={"networkDataplane": "cilium"}),
        properties(networkProfile={"networkDataplane": "azure"}),
        changes=(("properties.networkProfile.networkDataplane", "azure", "cilium"),),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row(
        "cluster: Cilium stays",
        CLUSTER,
        properties(networkProfile={"networkDataplane": "azure"}),
        properties(networkProfile={"networkDataplane": "cilium"}),
        forbidden=(("properties.networkProfile.networkDataplane", KEEPS_CLUSTER),),
        source="Update Azure CNI IPAM mode and data plane technology",
    ),
    Row("version: as it is", CLUSTER, *versions("1.35.4", "1.35.4", "1.35.4")),
    Row("version: a minor stands for its patches", CLUSTER, *versions("1.35", "1.35.4", "1.35.4"), source=VERSIONS),
    Row("version: Azure may answer the minor", CLUSTER, *versions("1.35.4", "1.35", "1.35.4"), source=VERSIONS),
    Row(
        "version: a newer minor",
        CLUSTER,
        *versions("1.36", "1.35", "1.35.4"),
        changes=(("properties.kubernetesVersion", "1.35.4", "1.36"),),
        source=UPGRADE,
    ),
    Row(
        "version: a newer patch",
        CLUSTER,
        *versions("1.35.5", "1.35", "1.35.4"),
        changes=(("properties.kubernetesVersion", "1.35.4", "1.35.5"),),
        source=UPGRADE,
    ),
    Row(
        "version: 1.9 is older than 1.10",
        CLUSTER,
        *versions("1.10", "1.9", "1.9.1"),
        changes=(("properties.kubernetesVersion", "1.9.1", "1.10"),),
    ),
    Row(
        "version: an upgrade that failed half-way is still to be done",
        CLUSTER,
        *versions("1.36", "1.36", "1.35.4"),
        changes=(("properties.kubernetesVersion", "1.35.4", "1.36"),),
        source=UPGRADE,
    ),
    Row(
        "version: never back",
        CLUSTER,
        *versions("1.34", "1.35.4", "1.35.4"),
        forbidden=(
            (
                "properties.kubernetesVersion",
                "Azure does not go back to an older version; write 1.35.4 or newer.",
            ),
        ),
        source=UPGRADE,
    ),
    Row(
        "version: never back by a patch",
        CLUSTER,
        *versions("1.35.3", "1.35.4", "1.35.4"),
        forbidden=(("properties.kubernetesVersion", "write 1.35.4 or newer."),),
        source=UPGRADE,
    ),
    Row(
        "version: never back, also where only node images have a channel",
        CLUSTER,
        *versions("1.34", "1.35.4", "1.35.4", "node-image"),
        forbidden=(("properties.kubernetesVersion", "write 1.35.4 or newer."),),
        source=CHANNELS,
    ),
    Row("version: a channel went on", CLUSTER, *versions("1.34", "1.35.4", "1.35.4", "stable"), source=CHANNELS),
    Row(
        "version: a channel went on by a patch",
        CLUSTER,
        *versions("1.35.3", "1.35", "1.35.4", "patch"),
        source=CHANNELS,
    ),
    Row(
        "version: a channel does not hold back",
        CLUSTER,
        *versions("1.36", "1.35.4", "1.35.4", "stable"),
        changes=(("properties.kubernetesVersion", "1.35.4", "1.36"),),
        source=CHANNELS,
    ),
    Row("version: nothing wanted", CLUSTER, {"properties": {}}, properties(kubernetesVersion="1.35.4")),
)
def test_cluster(row: Row) -> None:
    check(row)


@table(
    Row(
        "pool: what Azure adds, and the autoscaler's count",
        POOL,
        properties(
            vmSize="Standard_E8s_v5",
            count=1,
            enableAutoScaling=True,
            minCount=0,
            maxCount=100,
            mode="User",
            osType="Linux",
            osSKU="AzureLinux",
            osDiskSizeGB=128,
            vnetSubnetID=SUBNET,
            availabilityZones=["1", "2"],
            nodeTaints=["a=b:NoSchedule", "c=d:NoSchedule"],
            nodeLabels={"hub.jupyter.org/node-purpose": "user"},
            upgradeSettings={"maxSurge": "10%"},
            scaleSetPriority="Regular",
            orchestratorVersion="1.35",
            tags={"hub": "prod"},
        ),
        properties(
            provisioningState="Succeeded",
            eTag="1",
            vmSize="standard_e8s_v5",
            count=17,
            enableAutoScaling=True,
            minCount=0,
            maxCount=100,
            mode="user",
            osType="Linux",
            osSKU="azurelinux",
            osDiskSizeGB=128,
            osDiskType="Managed",
            vnetSubnetID=SUBNET.replace("resourceGroups", "resourcegroups"),
            availabilityZones=["2", "1"],
            nodeTaints=["c=d:NoSchedule", "a=b:NoSchedule"],
            nodeLabels={"hub.jupyter.org/node-purpose": "user"},
            upgradeSettings={"maxSurge": "10%", "drainTimeoutInMinutes": 30},
            currentOrchestratorVersion="1.35.4",
            nodeImageVersion="AKSAzureLinux-V3gen2-202611.01.0",
            powerState={"code": "Running"},
            enableFIPS=False,
            type="VirtualMachineScaleSets",
            kubeletDiskType="OS",
            maxPods=250,
            tags={"hub": "prod", "policy": "theirs"},
        ),
        source="Agent pools - get: REST reference",
    ),
    Row(
        "pool: the bounds of the autoscaler are ours",
        POOL,
        properties(enableAutoScaling=True, minCount=1, maxCount=50, count=1),
        properties(enableAutoScaling=True, minCount=0, maxCount=100, count=40),
        changes=(("properties.minCount", 0, 1), ("properties.maxCount", 100, 50)),
        source=AUTOSCALER,
    ),
    Row(
        "pool: without the autoscaler the count is ours",
        POOL,
        properties(enableAutoScaling=False, count=3),
        properties(enableAutoScaling=False, count=2),
        changes=(("properties.count", 2, 3),),
    ),
    Row(
        "pool: a count without a word about the autoscaler",
        POOL,
        properties(count=3),
        properties(enableAutoScaling=True, count=2, minCount=1, maxCount=3),
        source=AUTOSCALER,
    ),
    Row(
        "pool: the autoscaler is switched on",
        POOL,
        properties(enableAutoScaling=True, minCount=1, maxCount=9, count=1),
        properties(enableAutoScaling=False, count=5),
        changes=(
            ("properties.enableAutoScaling", False, True),
            ("properties.minCount", None, 1),
            ("properties.maxCount", None, 9),
        ),
        source=AUTOSCALER,
    ),
    Row(
        "pool: the autoscaler is switched off",
        POOL,
        properties(enableAutoScaling=False, count=3),
        properties(enableAutoScaling=True, count=5, minCount=1, maxCount=9),
        changes=(("properties.enableAutoScaling", True, False), ("properties.count", 5, 3)),
        source=AUTOSCALER,
    ),
    Row(
        "pool: taints are a set",
        POOL,
        properties(nodeTaints=["a=b:NoSchedule"]),
        properties(nodeTaints=["a=b:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]),
        changes=(
            (
                "properties.nodeTaints",
                ["a=b:NoSchedule", "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"],
                ["a=b:NoSchedule"],
            ),
        ),
    ),
    Row(
        "pool: the case of taints and labels counts",
        POOL,
        properties(nodeTaints=["a=b:NoSchedule"], nodeLabels={"Kind": "gpu", "size": "L"}),
        properties(nodeTaints=["A=b:NoSchedule"], nodeLabels={"kind": "gpu", "size": "l"}),
        changes=(
            ("properties.nodeTaints", ["A=b:NoSchedule"], ["a=b:NoSchedule"]),
            ("properties.nodeLabels.Kind", None, "gpu"),
            ("properties.nodeLabels.size", "l", "L"),
        ),
        source="Kubernetes: labels and selectors",
    ),
    Row(
        "pool: labels of others stay",
        POOL,
        properties(nodeLabels={"a": "b"}),
        properties(nodeLabels={"a": "b", "theirs": "x"}),
    ),
    Row(
        "pool: spot, with empty surge settings",
        POOL,
        properties(scaleSetPriority="Spot", scaleSetEvictionPolicy="Delete", spotMaxPrice=-1, upgradeSettings={}),
        properties(scaleSetPriority="spot", scaleSetEvictionPolicy="Delete", spotMaxPrice=-1.0),
        source="Add an Azure Spot node pool to an AKS cluster",
    ),
    Row(
        "pool: eviction policy and price say nothing of a pool that is not spot",
        POOL,
        properties(scaleSetPriority="Regular", scaleSetEvictionPolicy="Delete", spotMaxPrice=-1),
        properties(vmSize="Standard_D2s_v5"),
    ),
    Row(
        "pool: spot stays spot",
        POOL,
        properties(scaleSetPriority="Regular"),
        properties(scaleSetPriority="Spot", scaleSetEvictionPolicy="Delete"),
        forbidden=(("properties.scaleSetPriority", KEEPS_POOL),),
        source="ansible-collections/azure#2186: ScaleSetPriority is immutable",
    ),
    Row(
        "pool: not spot stays not spot",
        POOL,
        properties(scaleSetPriority="Spot"),
        properties(vmSize="Standard_D2s_v5"),
        forbidden=(("properties.scaleSetPriority", KEEPS_POOL),),
        source="ansible-collections/azure#2186: ScaleSetPriority is immutable",
    ),
    Row(
        "pool: the default size of the disk",
        POOL,
        properties(osDiskSizeGB=0),
        properties(osDiskSizeGB=128),
        source="agentPools: osDiskSizeGB",
    ),
    Row(
        "pool: defaults that are left out",
        POOL,
        properties(mode="User", osType="Linux", enableNodePublicIP=False, scaleDownMode="Delete"),
        properties(vmSize="Standard_D2s_v5"),
    ),
    Row(
        "pool: the driver of a GPU pool is installed unless it says otherwise",
        POOL,
        properties(gpuProfile={"driver": "Install"}),
        properties(vmSize="Standard_NC4as_T4_v3"),
        source="Use GPUs on AKS: gpuProfile.driver",
    ),
    Row(
        "pool: without a driver where there is one",
        POOL,
        properties(gpuProfile={"driver": "None"}),
        properties(gpuProfile={"driver": "Install"}),
        forbidden=(("properties.gpuProfile.driver", KEEPS_POOL),),
        source="Use GPUs on AKS: gpuProfile.driver",
    ),
    Row(
        "pool: the OS SKU changes in place",
        POOL,
        properties(osSKU="AzureLinux"),
        properties(osSKU="Ubuntu"),
        changes=(("properties.osSKU", "Ubuntu", "AzureLinux"),),
        source="Upgrade operating system versions: OS SKU migration",
    ),
    Row(
        "pool version: Azure may leave out what was wanted",
        POOL,
        properties(orchestratorVersion="1.35"),
        properties(currentOrchestratorVersion="1.35.4"),
        options=parent("none"),
        source=VERSIONS,
    ),
    Row(
        "pool version: a newer one",
        POOL,
        properties(orchestratorVersion="1.36"),
        properties(orchestratorVersion="1.35", currentOrchestratorVersion="1.35.4"),
        changes=(("properties.orchestratorVersion", "1.35.4", "1.36"),),
        options=parent("none"),
        source=VERSIONS,
    ),
    Row(
        "pool version: never back",
        POOL,
        properties(orchestratorVersion="1.34"),
        properties(orchestratorVersion="1.35", currentOrchestratorVersion="1.35.4"),
        forbidden=(("properties.orchestratorVersion", "write 1.35.4 or newer."),),
        options=parent("none"),
        source=UPGRADE,
    ),
    Row(
        "pool version: the cluster's channel went on",
        POOL,
        properties(orchestratorVersion="1.34"),
        properties(orchestratorVersion="1.35", currentOrchestratorVersion="1.35.4"),
        options=parent("rapid"),
        source=CHANNELS,
    ),
    Row(
        "pool version: nobody says whether the cluster has a channel",
        POOL,
        properties(orchestratorVersion="1.34"),
        properties(orchestratorVersion="1.35", currentOrchestratorVersion="1.35.4"),
        source=CHANNELS,
    ),
    Row(
        "pool: the node image is Azure's",
        POOL,
        properties(nodeImageVersion="AKSUbuntu-1", powerState={"code": "Running"}),
        properties(nodeImageVersion="AKSUbuntu-2", powerState={"code": "Stopped"}),
        source="Automatically upgrade node images",
    ),
    Row(
        "window: the start date is filled in",
        WINDOW,
        properties(
            maintenanceWindow={"schedule": {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Sunday"}}, "durationHours": 4}
        ),
        properties(
            maintenanceWindow={
                "schedule": {
                    "daily": None,
                    "weekly": {"intervalWeeks": 1, "dayOfWeek": "sunday"},
                    "absoluteMonthly": None,
                },
                "durationHours": 4,
                "startDate": "2026-01-01",
                "startTime": "00:00",
                "utcOffset": "+00:00",
                "notAllowedDates": None,
            }
        ),
        source=WINDOWS,
    ),
    Row(
        "window: a start date that is past",
        WINDOW,
        properties(maintenanceWindow={"startDate": "2026-10-01", "utcOffset": "+00:00"}),
        properties(maintenanceWindow={"startDate": "2026-11-01"}),
        source=WINDOWS,
    ),
    Row(
        "window: a start date to come",
        WINDOW,
        properties(maintenanceWindow={"startDate": "2026-12-01"}),
        properties(maintenanceWindow={"startDate": "2026-11-01"}),
        changes=(("properties.maintenanceWindow.startDate", "2026-11-01", "2026-12-01"),),
        source=WINDOWS,
    ),
    Row(
        "window: another kind of schedule takes the place of the live one",
        WINDOW,
        properties(maintenanceWindow={"schedule": {"daily": {"intervalDays": 1}}}),
        properties(maintenanceWindow={"schedule": {"weekly": {"intervalWeeks": 1}}}),
        changes=(
            ("properties.maintenanceWindow.schedule.daily.intervalDays", None, 1),
            ("properties.maintenanceWindow.schedule.weekly", {"intervalWeeks": 1}, None),
        ),
        source="Use planned maintenance: schedule types",
    ),
    Row(
        "window: hours in another order",
        WINDOW,
        properties(timeInWeek=[{"day": "Sunday", "hourSlots": [1, 2]}, {"day": "Monday", "hourSlots": [3]}]),
        properties(timeInWeek=[{"day": "monday", "hourSlots": [3]}, {"day": "Sunday", "hourSlots": [2, 1]}]),
    ),
    Row(
        "registry: the tier is Azure's",
        REGISTRY,
        {"sku": {"name": "Standard"}, **properties(adminUserEnabled=False, publicNetworkAccess="Enabled")},
        {
            "sku": {"name": "Standard", "tier": "Standard"},
            **properties(
                adminUserEnabled=False,
                loginServer="hub.azurecr.io",
                creationDate="2026-01-01T00:00:00Z",
                policies={"retentionPolicy": {"days": 7, "status": "disabled"}},
            ),
        },
    ),
    Row(
        "registry: another SKU",
        REGISTRY,
        {"sku": {"name": "Premium"}},
        {"sku": {"name": "Basic", "tier": "Basic"}},
        changes=(("sku.name", "Basic", "Premium"),),
    ),
)
def test_pools_windows_registries(row: Row) -> None:
    check(row)


IMMUTABLE_POOL = {
    "vmSize": ("Standard_D2s_v5", "Standard_D4s_v5"),
    "osDiskType": ("Ephemeral", "Managed"),
    "osDiskSizeGB": (64, 128),
    "maxPods": (30, 110),
    "availabilityZones": (["1"], ["1", "2"]),
    "vnetSubnetID": (SUBNET, f"{SUBNET}2"),
    "scaleSetEvictionPolicy": ("Delete", "Deallocate"),
    "spotMaxPrice": (-1, 0.5),
    "gpuInstanceProfile": ("MIG1g", "MIG2g"),
    "linuxOSConfig": ({"swapFileSizeMB": 1}, {"swapFileSizeMB": 2}),
    "kubeletDiskType": ("OS", "Temporary"),
    "podSubnetID": (SUBNET, f"{SUBNET}2"),
    "proximityPlacementGroupID": (f"{SUBNET}1", f"{SUBNET}2"),
    "enableUltraSSD": (True, False),
    "workloadRuntime": ("OCIContainer", "KataVmIsolation"),
    "kubeletConfig": ({"podMaxPids": 100}, {"podMaxPids": 200}),
    "enableEncryptionAtHost": (True, False),
    "osType": ("Linux", "Windows"),
}


@pytest.mark.parametrize("name", IMMUTABLE_POOL)
def test_what_a_pool_keeps(name: str) -> None:
    wanted, live = IMMUTABLE_POOL[name]
    spot = {"scaleSetPriority": "Spot"}
    result = compare(of(POOL_ID), properties(**{name: wanted}), properties(**spot, **{name: live}), today=TODAY)
    assert result.changes == ()
    assert result.steps == ()
    (forbidden,) = result.forbidden
    assert forbidden.path.startswith(f"properties.{name}")
    assert forbidden.remedy.endswith(KEEPS_POOL)
    assert compare(of(POOL_ID), properties(**{name: live}), properties(**spot, **{name: live}), today=TODAY).steps == ()


IMMUTABLE_CLUSTER = {
    "dnsPrefix": ("hub", "other"),
    "nodeResourceGroup": ("hub-nodes-rg", "MC_hub"),
    "enableRBAC": (True, False),
    "fqdnSubdomain": ("a", "b"),
    "linuxProfile.adminUsername": ("a", "b"),
    "networkProfile.serviceCidr": ("10.2.0.0/16", "10.0.0.0/16"),
    "networkProfile.dnsServiceIP": ("10.2.0.10", "10.0.0.10"),
    "networkProfile.podCidr": ("10.244.0.0/16", "192.168.0.0/16"),
    "networkProfile.loadBalancerSku": ("basic", "standard"),
    "apiServerAccessProfile.enablePrivateCluster": (True, False),
}


@pytest.mark.parametrize("name", IMMUTABLE_CLUSTER)
def test_what_a_cluster_keeps(name: str) -> None:
    bodies = []
    for value in IMMUTABLE_CLUSTER[name]:
        *above, last = name.split(".")
        body: dict[str, Any] = {last: value}
        for key in above:
            body = {key: body}
        bodies.append({"properties": body})
    result = compare(of(CLUSTER_ID), bodies[0], bodies[1], today=TODAY)
    assert [(found.path, found.remedy.endswith(KEEPS_CLUSTER)) for found in result.forbidden] == [
        (f"properties.{name}", True)
    ]
    assert result.steps == ()


def live_cluster() -> dict[str, Any]:
    return {
        "id": CLUSTER_ID,
        "location": "westeurope",
        "eTag": "1",
        "sku": {"name": "Base", "tier": "Free"},
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "kubernetesVersion": "1.35.4",
            "currentKubernetesVersion": "1.35.4",
            "fqdn": "hub.azmk8s.io",
            "identityProfile": {"kubeletidentity": {"resourceId": IDENTITY, "clientId": "1", "objectId": "2"}},
            "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://oidc/"},
            "addonProfiles": {"omsAgent": {"enabled": True, "config": None, "identity": {"clientId": "1"}}},
            "agentPoolProfiles": [
                {
                    "name": "core",
                    "count": 2,
                    "vmSize": "Standard_D4s_v5",
                    "enableAutoScaling": False,
                    "orchestratorVersion": "1.35.4",
                    "currentOrchestratorVersion": "1.35.4",
                    "provisioningState": "Succeeded",
                    "powerState": {"code": "Running"},
                    "nodeImageVersion": "AKSUbuntu-1",
                    "eTag": "2",
                },
                {
                    "name": "user",
                    "count": 17,
                    "vmSize": "Standard_E8s_v5",
                    "enableAutoScaling": True,
                    "minCount": 0,
                    "maxCount": 100,
                    "currentOrchestratorVersion": "1.35.4",
                },
            ],
        },
    }


SENT_POOLS = [
    {
        "name": "core",
        "count": 2,
        "vmSize": "Standard_D4s_v5",
        "enableAutoScaling": False,
        "orchestratorVersion": "1.35.4",
    },
    {
        "name": "user",
        "vmSize": "Standard_E8s_v5",
        "enableAutoScaling": True,
        "minCount": 0,
        "maxCount": 100,
        "orchestratorVersion": "1.35.4",
    },
]


def wanted_cluster(version: str, tier: str) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "sku": {"name": "Base", "tier": tier},
        **properties(
            kubernetesVersion=version,
            addonProfiles={"omsagent": {"enabled": True}},
            agentPoolProfiles=[{"name": "core", "count": 1, "vmSize": "Standard_D4s_v5"}],
        ),
    }


def sent_cluster(version: str, tier: str) -> dict[str, Any]:
    return {
        "location": "westeurope",
        "sku": {"name": "Base", "tier": tier},
        "properties": {
            "kubernetesVersion": version,
            "addonProfiles": {"omsagent": {"enabled": True}},
            "agentPoolProfiles": SENT_POOLS,
            "identityProfile": {"kubeletidentity": {"resourceId": IDENTITY}},
            "oidcIssuerProfile": {"enabled": True},
        },
    }


def test_a_cluster_is_written_with_its_live_pools() -> None:
    """Their count is the autoscaler's, and every one says the version it has."""
    result = compare(of(CLUSTER_ID), wanted_cluster("1.35", "Standard"), live_cluster(), today=TODAY)
    assert result.changes == changed(("sku.tier", "Free", "Standard"))
    assert result.steps == (sent_cluster("1.35.4", "Standard"),)


def test_a_new_version_is_a_write_of_its_own_after_the_others() -> None:
    result = compare(of(CLUSTER_ID), wanted_cluster("1.36", "Standard"), live_cluster(), today=TODAY)
    assert result.changes == changed(
        ("sku.tier", "Free", "Standard"), ("properties.kubernetesVersion", "1.35.4", "1.36")
    )
    assert result.steps == (sent_cluster("1.35.4", "Standard"), sent_cluster("1.36", "Standard"))


def test_a_new_version_alone_is_one_write() -> None:
    result = compare(of(CLUSTER_ID), wanted_cluster("1.36", "Free"), live_cluster(), today=TODAY)
    assert result.steps == (sent_cluster("1.36", "Free"),)


def test_an_upgrade_that_failed_is_one_write() -> None:
    live = live_cluster()
    live["properties"].update(provisioningState="Failed", kubernetesVersion="1.36")
    result = compare(of(CLUSTER_ID), wanted_cluster("1.36", "Free"), live, today=TODAY)
    assert [change.path for change in result.changes] == [
        "properties.kubernetesVersion",
        "properties.provisioningState",
    ]
    assert result.steps == (sent_cluster("1.36", "Free"),)


def test_a_new_cluster_is_sent_with_its_pools() -> None:
    desired = wanted_cluster("1.35", "Standard")
    result = compare(of(CLUSTER_ID), desired, None, today=TODAY)
    assert result.steps == (desired,)
    assert ("properties.agentPoolProfiles[core].count", None, 1) in [
        (change.path, change.before, change.after) for change in result.changes
    ]


def test_a_new_pool_says_where_the_autoscaler_starts() -> None:
    desired = properties(vmSize="Standard_D2s_v5", enableAutoScaling=True, count=1, minCount=0, maxCount=5)
    assert compare(of(POOL_ID), desired, None, today=TODAY).steps == (desired,)


def test_a_pool_under_the_autoscaler_is_written_without_its_count() -> None:
    live = properties(
        vmSize="Standard_D2s_v5",
        enableAutoScaling=True,
        count=17,
        minCount=0,
        maxCount=100,
        nodeLabels={"theirs": "x"},
        powerState={"code": "Running"},
        currentOrchestratorVersion="1.35.4",
        orchestratorVersion="1.35",
        provisioningState="Succeeded",
        eTag="1",
    )
    desired = properties(enableAutoScaling=True, count=1, minCount=0, maxCount=50, nodeLabels={"a": "b"})
    result = compare(of(POOL_ID), desired, live, today=TODAY)
    assert result.steps == (
        properties(
            enableAutoScaling=True,
            minCount=0,
            maxCount=50,
            nodeLabels={"a": "b", "theirs": "x"},
            vmSize="Standard_D2s_v5",
            orchestratorVersion="1.35",
        ),
    )


@pytest.mark.parametrize(
    ("desired", "sent"),
    [
        # Neither starts from what was wanted long ago: nodes in use would go.
        (
            {"enableAutoScaling": True, "minCount": 1, "maxCount": 9, "count": 1},
            {"minCount": 1, "maxCount": 9, "count": 5},
        ),
        ({"enableAutoScaling": True, "minCount": 1, "maxCount": 9}, {"minCount": 1, "maxCount": 9, "count": 5}),
    ],
)
def test_the_autoscaler_takes_over_the_nodes_there_are(desired: dict[str, Any], sent: dict[str, Any]) -> None:
    live = properties(enableAutoScaling=False, count=5)
    (body,) = compare(of(POOL_ID), {"properties": desired}, live, today=TODAY).steps
    assert body == {"properties": {"enableAutoScaling": True, **sent}}


@pytest.mark.parametrize(("desired", "count"), [({"count": 3}, 3), ({}, 5)])
def test_without_the_autoscaler_its_bounds_go(desired: dict[str, Any], count: int) -> None:
    live = properties(enableAutoScaling=True, count=5, minCount=1, maxCount=9)
    (body,) = compare(of(POOL_ID), {"properties": {"enableAutoScaling": False, **desired}}, live, today=TODAY).steps
    assert body == {"properties": {"enableAutoScaling": False, "count": count}}


def test_a_past_start_date_is_not_sent_back() -> None:
    live = properties(maintenanceWindow={"durationHours": 4, "startDate": "2026-11-21", "startTime": "00:00"})
    desired = properties(maintenanceWindow={"durationHours": 8, "startDate": "2026-01-01"})
    identifier = f"{CLUSTER_ID}/maintenanceConfigurations/default"
    (body,) = compare(of(identifier), desired, live, today=TODAY).steps
    assert body == properties(maintenanceWindow={"durationHours": 8, "startTime": "00:00"})
    live["properties"]["maintenanceWindow"]["startDate"] = TODAY
    (body,) = compare(of(identifier), desired, live, today=TODAY).steps
    assert body["properties"]["maintenanceWindow"]["startDate"] == TODAY
