# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The node resource group: made by AKS with the cluster, kept in step with its pools, gone with it.

Source: https://learn.microsoft.com/azure/aks/faq#why-are-two-resource-groups-created-with-aks-
"""

from __future__ import annotations

import ipaddress
import uuid
from typing import TYPE_CHECKING, Any

from ...rbac import ASSIGNMENTS
from ...store import Record
from .. import operations
from ..kinds import look
from ..operations import stamp
from ._aks_pools import POOL, Properties, pools_of, region
from .compute import DISK, SCALE_SET

if TYPE_CHECKING:
    from ...cloud import Cloud

GROUP = "Microsoft.Resources/resourceGroups"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ADDRESS = "Microsoft.Network/publicIPAddresses"
BALANCER = "Microsoft.Network/loadBalancers"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = f"{NETWORK}/subnets"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
#: What the names of this cluster's resources are made of.
SPACE = uuid.UUID("5e2c6d0e-2a0b-5d43-9c43-4d0f0c9f7f3e")


def seed(cluster_id: str) -> str:
    """The eight digits in the names of a cluster's resources."""
    return str(uuid.uuid5(SPACE, cluster_id.lower()).int % 10**8).zfill(8)


def group_id(cluster: Record) -> str:
    """The id of the node resource group."""
    return f"{cluster.id.split('/resourceGroups/')[0]}/resourceGroups/{cluster.properties['nodeResourceGroup']}"


def _put(cloud: Cloud, resource_id: str, kind: str, body: dict[str, Any]) -> Record:
    """Keep a resource that AKS makes; what is there already stays."""
    found = cloud.store.get(resource_id)
    return found or cloud.store.put(Record(resource_id, kind, body, created=cloud.now(), changed=cloud.now()))


def _named(group: str, kind: str, name: str) -> str:
    return f"{group}/providers/{kind}/{name}"


def begin(cloud: Cloud, cluster: Record) -> None:
    """The group itself: there from the first moment of the creation."""
    tags = dict(cluster.body.get("tags") or {})
    tags |= {"aks-managed-cluster-name": cluster.name, "aks-managed-cluster-rg": cluster.id.split("/")[4]}
    _put(cloud, group_id(cluster), GROUP, {"location": region(cluster), "tags": tags, "managedBy": cluster.id})


def identity(cloud: Cloud, cluster: Record, name: str) -> dict[str, str]:
    """A managed identity in the node resource group, made when it is not there."""
    resource_id = _named(group_id(cluster), IDENTITY, name)
    record = cloud.store.get(resource_id)
    if record is None:
        principal = cloud.directory.add(name, "ManagedIdentity", resource=resource_id)
        ids = {"tenantId": cloud.tenant, "principalId": principal.object_id, "clientId": principal.app_id}
        record = _put(cloud, resource_id, IDENTITY, {"location": region(cluster), "tags": {}, "properties": ids})
    return {
        # Azure answers this id with another spelling of the group's part.
        "resourceId": record.id.replace("/resourceGroups/", "/resourcegroups/"),
        "clientId": record.properties["clientId"],
        "objectId": record.properties["principalId"],
    }


def outbound(cloud: Cloud, cluster: Record, count: int) -> list[dict[str, str]]:
    """The public addresses of the outbound rule."""
    found = []
    for index in range(count):
        name = str(uuid.uuid5(SPACE, f"{cluster.id.lower()} {index}"))
        number = uuid.uuid5(SPACE, name).int % 2**16
        body = {
            "location": region(cluster),
            "sku": {"name": "Standard", "tier": "Regional"},
            "zones": ["3", "1", "2"],
            "tags": {"aks-managed-cluster-name": cluster.name, "aks-managed-type": "aks-slb-managed-outbound-ip"},
            "properties": {
                "ipAddress": str(ipaddress.ip_address("20.61.0.0") + number),
                "publicIPAddressVersion": "IPv4",
                "publicIPAllocationMethod": "Static",
                "idleTimeoutInMinutes": 4,
                "resourceGuid": str(uuid.uuid5(SPACE, f"guid {name}")),
            },
        }
        found.append({"id": _put(cloud, _named(group_id(cluster), ADDRESS, name), ADDRESS, body).id})
    return found


def _network(cloud: Cloud, cluster: Record) -> None:
    """AKS's own network, where no pool names a subnet."""
    if any(pool.properties.get("vnetSubnetID") for pool in pools_of(cloud, cluster.id)):
        return
    network_id = _named(group_id(cluster), NETWORK, f"aks-vnet-{seed(cluster.id)}")
    space = {"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}, "enableDdosProtection": False}
    body = {"location": region(cluster), "properties": {**space, "resourceGuid": str(uuid.uuid5(SPACE, network_id))}}
    _put(cloud, network_id, NETWORK, body)
    subnet = {
        "properties": {
            "addressPrefix": "10.224.0.0/16",
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            "delegations": [],
        }
    }
    _put(cloud, f"{network_id}/subnets/aks-subnet", SUBNET, subnet)


def _own_rights(cloud: Cloud, cluster: Record) -> None:
    """AKS lets the cluster's identity rule the node resource group."""
    block = cluster.body.get("identity") or {}
    users = block.get("userAssignedIdentities") or {}
    principals = [block.get("principalId"), *(value.get("principalId") for value in users.values())]
    for principal in filter(None, principals):
        scope = group_id(cluster)
        name = str(uuid.uuid5(SPACE, f"{scope.lower()} {principal}"))
        now = stamp(cloud.now())
        body = {
            "roleDefinitionId": (
                f"/subscriptions/{cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
            ),
            "principalId": str(principal).lower(),
            "principalType": "ServicePrincipal",
            "scope": scope,
            "createdOn": now,
            "updatedOn": now,
            "createdBy": "",
            "updatedBy": "",
        }
        record = _put(cloud, _named(scope, ASSIGNMENTS, name), ASSIGNMENTS, {"properties": body})
        record.private.setdefault("effective", cloud.now())


def finish(cloud: Cloud, cluster: Record) -> None:
    """What is in the group when the cluster has come up: load balancer, security group, network, rights."""
    group, where = group_id(cluster), region(cluster)
    _network(cloud, cluster)
    _own_rights(cloud, cluster)
    name = f"aks-agentpool-{seed(cluster.id)}-nsg"
    rules = {"securityRules": [], "resourceGuid": str(uuid.uuid5(SPACE, f"{group} {name}"))}
    _put(cloud, _named(group, SECURITY_GROUP, name), SECURITY_GROUP, {"location": where, "properties": rules})
    effective = look(cluster.body, "properties.networkProfile.loadBalancerProfile.effectiveOutboundIPs", [])
    if effective:
        balancer = _named(group, BALANCER, "kubernetes")
        fronts = [
            {
                "name": one["id"].rpartition("/")[2],
                "id": f"{balancer}/frontendIPConfigurations/{one['id'].rpartition('/')[2]}",
                "properties": {
                    "publicIPAddress": one,
                    "privateIPAllocationMethod": "Dynamic",
                    "provisioningState": "Succeeded",
                },
            }
            for one in effective
        ]
        body = {
            "location": where,
            "sku": {"name": "Standard", "tier": "Regional"},
            "tags": {"aks-managed-cluster-name": cluster.name},
            "properties": {"frontendIPConfigurations": fronts, "backendAddressPools": [], "loadBalancingRules": []},
        }
        _put(cloud, balancer, BALANCER, body)
    sync(cloud, cluster)


def scale_set(cluster: Record, pool: Record) -> str:
    """The id of a pool's scale set."""
    return _named(group_id(cluster), SCALE_SET, f"aks-{pool.name}-{seed(cluster.id)}-vmss")


def sync(cloud: Cloud, cluster: Record) -> None:
    """One scale set for each pool, with as many nodes as it has."""
    for pool in pools_of(cloud, cluster.id):
        record = _put(cloud, scale_set(cluster, pool), SCALE_SET, {"location": region(cluster)})
        stopped = look(pool.body, "powerState.code") == "Stopped"
        record.body |= {
            "tags": {"aks-managed-poolName": pool.name, "aks-managed-orchestrator": _running(pool.properties)},
            "sku": {
                "name": pool.properties.get("vmSize"),
                "tier": "Standard",
                "capacity": 0 if stopped else int(pool.properties.get("count") or 0),
            },
            "zones": pool.properties.get("availabilityZones") or [],
            "properties": {"singlePlacementGroup": False, "orchestrationMode": "Uniform"},
        }
        cloud.store.put(record)


def _running(pool: Properties) -> str:
    return f"Kubernetes:{pool.get('currentOrchestratorVersion', '')}"


def without_pool(cloud: Cloud, cluster: Record, pool: Record) -> None:
    """The scale set goes with its pool."""
    record = cloud.store.get(scale_set(cluster, pool))
    if record is not None and pool.type == POOL:
        operations.delete_now(cloud, record)


def gone(cloud: Cloud, cluster: Record) -> None:
    """The whole group goes with the cluster, homes on disks in it too."""
    group = cloud.store.get(group_id(cluster))
    if group is not None:
        operations.delete_now(cloud, group)


def home(cloud: Cloud, cluster: Record, claim: str, namespace: str, size: int) -> Record:
    """A disk such as AKS makes for a claim of a user's home."""
    name = f"pvc-{uuid.uuid5(SPACE, f'{cluster.id.lower()} {namespace} {claim}')}"
    body = {
        "location": region(cluster),
        "tags": {
            "k8s-azure-created-by": "kubernetes-azure-dd",
            "kubernetes.io-created-for-pv-name": name,
            "kubernetes.io-created-for-pvc-name": claim,
            "kubernetes.io-created-for-pvc-namespace": namespace,
        },
        "sku": {"name": "StandardSSD_LRS", "tier": "StandardSSD"},
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": size,
            "diskSizeBytes": size * 2**30,
            "diskState": "Unattached",
            "timeCreated": stamp(cloud.now()),
            "uniqueId": str(uuid.uuid5(SPACE, name)),
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
        },
    }
    return _put(cloud, _named(group_id(cluster), DISK, name), DISK, body)
