# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Pools written one by one: what AKS refuses, keeps and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...store import Record
from .. import operations
from ..kinds import Body, Call, look
from . import _aks_cluster_checks as checks
from . import _aks_clusters as clusters
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions
from ._aks_pools import POOL
from ._aks_versions import AksRefusal

if TYPE_CHECKING:
    from ...cloud import Cloud

#: Seconds after the beginning of a pool's creation in which its network is being marked as AKS's.
OWNERSHIP = 0.5


def cluster_of(cloud: Cloud, pool: Record) -> Record:
    cluster = cloud.store.get(pool.id.rpartition("/agentPools/")[0])
    assert cluster is not None
    return cluster


def check(call: Call, body: Body, live: Record | None) -> None:
    cluster, given = call.parent(), body.get("properties", {})
    pools.check_name(call.target.name)
    if look(cluster.body, "properties.powerState.code") == "Stopped":
        message = (
            "Managed cluster is in stopped state: no node pool operation is allowed. Please start the cluster first."
        )
        raise AksRefusal(400, "OperationNotAllowed", message)
    if cluster.state == "Failed" and not cluster.properties.get("currentKubernetesVersion"):
        raise AksRefusal(409, "OperationNotAllowed", "The managed cluster has not been provisioned.")
    before = live.properties if live else None
    if before is not None:
        pools.check_change(given, before)
    wanted = pools.fill(given, before, cluster.properties, cluster.properties["currentKubernetesVersion"])
    where = pools.region(cluster)
    pools.check(call, where, given, wanted, before)
    if before is None:
        _check_new_pool(call, cluster, given, wanted)
    else:
        _check_alone(given, wanted, before)
        if before["mode"] == "System" and wanted["mode"] != "System":
            _check_last_system(call, call.target.path)
    versions.fits(wanted["currentOrchestratorVersion"], cluster.properties["currentKubernetesVersion"])
    pools.check_quota(call.cloud, where, [(call.target.path, wanted)])


def _check_new_pool(call: Call, cluster: Record, given: Body, wanted: Body) -> None:
    if given.get("orchestratorVersion"):
        versions.supported(str(given["orchestratorVersion"]))
    if len(pools.pools_of(call.cloud, cluster.id)) >= int(cluster.properties.get("maxAgentPools", 100)):
        raise AksRefusal(
            400, "OperationNotAllowed", "The maximum number of agent pools of the cluster has been reached."
        )
    if given.get("vnetSubnetID"):
        network = cluster.properties["networkProfile"]
        checks.check_subnet(call, given["vnetSubnetID"], network["serviceCidr"], network.get("podCidr"))
        checks.check_join(call.cloud, cluster.body.get("identity") or {}, given["vnetSubnetID"])
        _check_ownership(call, wanted)


def _check_alone(given: Body, wanted: Body, before: Body) -> None:
    """Upgrade and scaling of a pool are two operations."""
    if wanted["currentOrchestratorVersion"] == before["currentOrchestratorVersion"]:
        return
    changed = [
        name
        for name in ("count", "minCount", "maxCount", "enableAutoScaling", "mode", "nodeLabels", "nodeTaints")
        if given.get(name) is not None and wanted.get(name) != before.get(name)
    ]
    if changed:
        message = (
            f"Upgrade and scale operations of a node pool are mutually exclusive: {', '.join(changed)}. Change the"
            " Kubernetes version in an operation of its own."
        )
        raise AksRefusal(400, "OperationNotAllowed", message, "agentPoolProfile.orchestratorVersion")


def _check_ownership(call: Call, wanted: Body) -> None:
    """While one creation marks the network as AKS's, another that wants to do the same fails."""
    cloud, subnet = call.cloud, str(wanted.get("vnetSubnetID"))
    network = subnet.rpartition("/subnets/")[0]
    window = float(cloud.dials.settings.get("vnet_ownership", OWNERSHIP)) * cloud.dials.scale
    for operation in operations.running(cloud):
        if operation.type != POOL or operation.verb != "PUT" or cloud.now() - operation.started > window:
            continue
        other = cloud.store.get(operation.resource)
        if (
            other is None
            or str(other.properties.get("vnetSubnetID")).rpartition("/subnets/")[0].lower() != network.lower()
        ):
            continue
        parts = network.split("/")
        detail = (
            f"Virtual network {network} is in Updating state. It needs to be in Succeeded state in order to set"
            " resource ownership."
        )
        message = (
            f"Set virtual network ownership failed. Subscription: {parts[2]}; resource group: {parts[4]}; virtual"
            " network name: "
            f"{parts[-1]}. autorest/azure: Service returned an error. Status=400"
            ' Code="VirtualNetworkNotInSucceededState" '
            f'Message="{detail}" Details=[]'
        )
        raise AksRefusal(400, "SetVNetOwnershipFailed", message)


def _check_last_system(call: Call, pool_id: str) -> None:
    others = [
        pool
        for pool in pools.pools_of(call.cloud, call.target.parent)
        if pool.key != pool_id.lower() and pool.properties.get("mode") == "System"
    ]
    if not others:
        raise AksRefusal(400, "OperationNotAllowed", "There has to be at least one system agent pool.")


def store(call: Call, body: Body, live: Record | None) -> Body:
    cluster = call.parent()
    before = live.properties if live else None
    running = cluster.properties["currentKubernetesVersion"]
    filled = pools.fill(body.get("properties", {}), before, cluster.properties, running)
    return {"properties": filled}


def answer(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    shown.pop("etag", None)
    shown["properties"] = pools.shown(record, cloud.store.get(record.id.rpartition("/agentPools/")[0]))
    return shown


def done(cloud: Cloud, record: Record) -> None:
    cluster = cluster_of(cloud, record)
    nodes.sync(cloud, cluster)
    if record.properties.get("enableAutoScaling") and not cluster.properties.get("autoScalerProfile"):
        cluster.properties["autoScalerProfile"] = dict(clusters.AUTOSCALER)
        cloud.store.put(cluster)


def deletable(call: Call, live: Record) -> None:
    if live.properties.get("mode") == "System":
        _check_last_system(call, live.id)


def deleted(cloud: Cloud, record: Record) -> None:
    cluster = cloud.store.get(record.id.rpartition("/agentPools/")[0])
    if cluster is not None:
        nodes.without_pool(cloud, cluster, record)
