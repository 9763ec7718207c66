# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Managed clusters: what AKS takes, fills in and answers.

Sources: https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update,
https://learn.microsoft.com/azure/aks/cluster-autoscaler#cluster-autoscaler-profile-settings
"""

from __future__ import annotations

import copy
import ipaddress
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from .. import writes
from ..kinds import Body, Call, look, merged
from ..locations import normal
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions

if TYPE_CHECKING:
    from ...cloud import Cloud

CLUSTER = pools.CLUSTER
Properties = dict[str, Any]
#: Addons by their name in lower case: as AKS spells it, its identity's prefix, and what it fills in.
ADDONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "omsagent": ("omsagent", "omsagent", {"useAADAuth": "true"}),
    "azurekeyvaultsecretsprovider": (
        "azureKeyvaultSecretsProvider",
        "azurekeyvaultsecretsprovider",
        {"enableSecretRotation": "false", "rotationPollInterval": "2m"},
    ),
    "azurepolicy": ("azurepolicy", "azurepolicy", {}),
    "ingressapplicationgateway": ("ingressApplicationGateway", "ingressapplicationgateway", {}),
    "httpapplicationrouting": ("httpApplicationRouting", "httpapplicationrouting", {}),
    "kubedashboard": ("kubeDashboard", "", {}),
}
#: Keys of addons' configuration by lower case, as AKS spells them.
CONFIG_KEYS = {
    "loganalyticsworkspaceresourceid": "logAnalyticsWorkspaceResourceID",
    "useaadauth": "useAADAuth",
    "enablesecretrotation": "enableSecretRotation",
    "rotationpollinterval": "rotationPollInterval",
    "applicationgatewayid": "applicationGatewayId",
}
AUTOSCALER = {
    "balance-similar-node-groups": "false",
    "daemonset-eviction-for-empty-nodes": False,
    "daemonset-eviction-for-occupied-nodes": True,
    "expander": "random",
    "ignore-daemonsets-utilization": False,
    "max-empty-bulk-delete": "10",
    "max-graceful-termination-sec": "600",
    "max-node-provision-time": "15m",
    "max-total-unready-percentage": "45",
    "new-pod-scale-up-delay": "0s",
    "ok-total-unready-count": "3",
    "scan-interval": "10s",
    "scale-down-delay-after-add": "10m",
    "scale-down-delay-after-delete": "10s",
    "scale-down-delay-after-failure": "3m",
    "scale-down-unneeded-time": "10m",
    "scale-down-unready-time": "20m",
    "scale-down-utilization-threshold": "0.5",
    "skip-nodes-with-local-storage": "false",
    "skip-nodes-with-system-pods": "true",
}


def network_profile(given: Properties) -> Properties:
    """The network profile with AKS's choices."""
    plugin = given.get("networkPlugin", "azure")
    mode = given.get("networkPluginMode") or ("overlay" if "networkPlugin" not in given else None)
    result: Properties = {
        "networkPlugin": plugin,
        "networkPolicy": "none",
        "networkDataplane": "azure",
        "serviceCidr": "10.0.0.0/16",
        "outboundType": "loadBalancer",
        "ipFamilies": ["IPv4"],
        **given,
        "loadBalancerSku": str(given.get("loadBalancerSku", "standard")).lower(),
    }
    if mode:
        result["networkPluginMode"] = mode
    if plugin == "kubenet" or mode == "overlay":
        result.setdefault("podCidr", "10.244.0.0/16")
        result.setdefault("podCidrs", [result["podCidr"]])
    service = ipaddress.ip_network(result["serviceCidr"], strict=False)
    result.setdefault("dnsServiceIP", str(service.network_address + 10))
    result.setdefault("serviceCidrs", [result["serviceCidr"]])
    return result


def _addons(given: Properties, live: Properties) -> Properties:
    """Addons under AKS's names; those not mentioned stay as they are."""
    result = copy.deepcopy(live)
    for name, addon in given.items():
        spelt, _prefix, defaults = ADDONS.get(name.lower(), (name, name.lower(), {}))
        config = {CONFIG_KEYS.get(key.lower(), key): value for key, value in (addon.get("config") or {}).items()}
        # Ids come back with the group's part in another case.
        config = {key: value.replace("/resourceGroups/", "/resourcegroups/") for key, value in config.items()}
        enabled = bool(addon.get("enabled"))
        result[spelt] = {"enabled": enabled, "config": {**defaults, **config} if enabled else (config or None)}
    return result


def _new(call: Call, properties: Properties) -> Properties:
    """What a new cluster gets besides what was said."""
    cloud, name, where = call.cloud, call.target.name, normal(call.body["location"])
    alphabet = string.ascii_lowercase + string.digits
    label = f"{properties.get('fqdnSubdomain') or properties['dnsPrefix']}-" + "".join(
        secrets.choice(alphabet) for _ in range(8)
    )
    wanted = str(properties.get("kubernetesVersion") or versions.DEFAULT)
    group = properties.get("nodeResourceGroup") or f"MC_{call.target.group}_{name}_{where}"
    filled: Properties = {
        "powerState": {"code": "Running"},
        "maxAgentPools": 100,
        "enableRBAC": True,
        "supportPlan": "KubernetesOfficial",
        "disableLocalAccounts": False,
        "windowsProfile": {"adminUsername": "azureuser", "enableCSIProxy": True},
        "servicePrincipalProfile": {"clientId": "msi"},
        "storageProfile": {
            name: {"enabled": True} for name in ("diskCSIDriver", "fileCSIDriver", "snapshotController")
        },
        "oidcIssuerProfile": {"enabled": False},
        "securityProfile": {},
        "workloadAutoScalerProfile": {},
        "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
        "metricsProfile": {"costAnalysis": {"enabled": False}},
        "nodeProvisioningProfile": {"mode": "Manual", "defaultNodePools": "Auto"},
        "bootstrapProfile": {"artifactSource": "Direct"},
    }
    filled = merged(
        filled, {key: value for key, value in properties.items() if key not in ("agentPoolProfiles", "addonProfiles")}
    )
    filled |= {
        "kubernetesVersion": wanted,
        "currentKubernetesVersion": versions.supported(wanted),
        "nodeResourceGroup": group[:80],
        "fqdn": f"{label}.hcp.{where}.azmk8s.io".lower(),
        "azurePortalFQDN": f"{label}.portal.hcp.{where}.azmk8s.io".lower(),
        "resourceUID": uuid.uuid4().hex[:24],
        "networkProfile": network_profile(properties.get("networkProfile") or {}),
    }
    if isinstance(filled.get("aadProfile"), dict):
        filled["aadProfile"] = _entra(cloud, filled["aadProfile"])
    return filled


def _entra(cloud: Cloud, given: Properties) -> Properties:
    return {"managed": True, "adminGroupObjectIDs": None, "enableAzureRBAC": False, "tenantID": cloud.tenant, **given}


def _changed(call: Call, properties: Properties, live: Record) -> Properties:
    """A cluster that exists, with what was said laid over it."""
    old = live.properties
    said = {key: value for key, value in properties.items() if key not in ("agentPoolProfiles", "addonProfiles")}
    result: Properties = merged(old, said)
    wanted = str(properties.get("kubernetesVersion") or old["kubernetesVersion"])
    if wanted != old["kubernetesVersion"]:
        result["currentKubernetesVersion"] = versions.moved(wanted, old["currentKubernetesVersion"])
    result["kubernetesVersion"] = wanted
    if isinstance(result.get("aadProfile"), dict):
        result["aadProfile"] = _entra(call.cloud, result["aadProfile"])
    return result


def store(call: Call, body: Body, live: Record | None) -> Body:
    """The cluster as AKS keeps it; its pools become records of their own."""
    cloud = call.cloud
    given = {key: value for key, value in body.get("properties", {}).items() if key not in READ_ONLY}
    properties = _new(call, given) if live is None else _changed(call, given, live)
    old_addons = live.properties.get("addonProfiles") or {} if live else {}
    properties["addonProfiles"] = _addons(given.get("addonProfiles") or {}, old_addons) or None
    properties.pop("agentPoolProfiles", None)
    kept: Body = {**(live.body if live else {}), **body, "properties": properties}
    kept["sku"] = {
        "name": "Base",
        "tier": "Free",
        **((live.body.get("sku") if live else None) or {}),
        **(body.get("sku") or {}),
    }
    cluster = Record(live.id if live else writes.spelt_id(call), CLUSTER, kept)
    _write_pools(call, cluster, given.get("agentPoolProfiles") or [], live)
    _around(cloud, cluster, given)
    return cluster.body


READ_ONLY = (
    "provisioningState", "powerState", "maxAgentPools", "currentKubernetesVersion", "fqdn", "privateFQDN",
    "azurePortalFQDN",
    "resourceUID", "status", "privateLinkResources",
)  # fmt: skip


def _write_pools(call: Call, cluster: Record, given: list[Properties], live: Record | None) -> None:
    """Keep the pools that came with the cluster. Those not mentioned are left alone."""
    cloud, running = call.cloud, cluster.properties["currentKubernetesVersion"]
    for index, one in enumerate(given):
        name = str(one["name"])
        record = cloud.store.get(f"{cluster.id}/agentPools/{name}")
        said = {key: value for key, value in one.items() if key != "name"}
        if record is None:
            filled = pools.fill(said, None, cluster.properties, running)
            record = pools.new_record(cluster.id, name, filled, cloud.now() + index / 1e6)
            record.state = "Creating"
        else:
            before = dict(record.properties)
            record.body["properties"] = pools.fill(said, before, cluster.properties, running)
            if record.properties == before:
                continue
            record.private["with_cluster"] = True
            record.state = "Updating"
        cloud.store.put(record)
    if live is None:
        return
    nodes.sync(cloud, cluster)


def _around(cloud: Cloud, cluster: Record, given: Properties) -> None:
    """The node resource group, identities, addresses and the issuer."""
    properties = cluster.properties
    nodes.begin(cloud, cluster)
    if not look(given, "identityProfile.kubeletidentity.resourceId") and not properties.get("identityProfile"):
        properties["identityProfile"] = {"kubeletidentity": nodes.identity(cloud, cluster, f"{cluster.name}-agentpool")}
    kubelet = look(given, "identityProfile.kubeletidentity.resourceId")
    if kubelet:
        record = cloud.store.get(kubelet)
        ids = (
            {"clientId": record.properties["clientId"], "objectId": record.properties["principalId"]} if record else {}
        )
        properties["identityProfile"] = {"kubeletidentity": {"resourceId": kubelet, **ids}}
    for name, addon in (properties.get("addonProfiles") or {}).items():
        prefix = ADDONS.get(name.lower(), (name, name.lower(), {}))[1]
        if addon["enabled"] and prefix:
            addon["identity"] = nodes.identity(cloud, cluster, f"{prefix}-{cluster.name}".lower())
        else:
            addon.pop("identity", None)
    network = properties["networkProfile"]
    if network["outboundType"] == "loadBalancer":
        profile = network.setdefault("loadBalancerProfile", {})
        own = look(profile, "outboundIPs.publicIPs")
        if not own:
            profile.setdefault("managedOutboundIPs", {"count": 1})
        profile["backendPoolType"] = profile.get("backendPoolType", "nodeIPConfiguration")
        count = int(look(profile, "managedOutboundIPs.count", 1))
        profile["effectiveOutboundIPs"] = own or nodes.outbound(cloud, cluster, count)
    issuer = properties["oidcIssuerProfile"]
    if issuer.get("enabled") and "issuerURL" not in issuer:
        guid = uuid.uuid5(nodes.SPACE, properties["fqdn"])
        where = pools.region(cluster)
        issuer["issuerURL"] = f"https://{where}.oic.prod-aks.azure.com/{cloud.tenant}/{guid}/"
    _autoscaler(cloud, cluster)


def _autoscaler(cloud: Cloud, cluster: Record) -> None:
    """The autoscaler's profile is there as soon as one pool is under it; all its values are texts."""
    profile = cluster.properties.get("autoScalerProfile")
    if profile is None and not any(
        pool.properties.get("enableAutoScaling") for pool in pools.pools_of(cloud, cluster.id)
    ):
        return
    cluster.properties["autoScalerProfile"] = {**AUTOSCALER, **(profile or {})}


def answer(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    """A cluster as AKS answers it: its type in another spelling, its pools inside."""
    shown.pop("etag", None)
    shown["eTag"] = record.etag
    shown["type"] = "Microsoft.ContainerService/ManagedClusters"
    properties = shown["properties"]
    profiles = []
    for pool in pools.pools_of(cloud, record.id):
        profiles.append({"name": pool.name, **pools.shown(pool, record)})
    properties["agentPoolProfiles"] = profiles
    if record.state == "Creating":
        # Known when the control plane is up.
        properties.pop("identityProfile", None)
        properties.get("networkProfile", {}).get("loadBalancerProfile", {}).pop("effectiveOutboundIPs", None)
    properties = {key: value for key, value in properties.items() if value is not None}
    # Azure knows nothing of what was said as null.
    shown["properties"] = properties
    return {key: value for key, value in shown.items() if value is not None}


def done(cloud: Cloud, record: Record) -> None:
    """The cluster is up, or changed."""
    for pool in pools.pools_of(cloud, record.id):
        if pool.private.pop("with_cluster", False):
            pool.state = "Succeeded"
            cloud.store.put(pool)
    nodes.finish(cloud, record)
