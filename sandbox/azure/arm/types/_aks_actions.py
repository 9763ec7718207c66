# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What can be asked of clusters and pools besides writing them: versions, upgrades, stop and start, new images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...store import Operation
from ...web import Answer
from .. import answers, operations
from ..kinds import Call, look
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions
from ._aks_pool_writes import cluster_of
from ._aks_pools import CLUSTER, POOL
from ._aks_versions import AksRefusal
from .managed_identity import lower_group

if TYPE_CHECKING:
    from ...cloud import Cloud


def kubernetes_versions(_call: Call) -> Answer:
    return Answer(200, versions.listed())


def _upgrade_of(version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in versions.upgrades(version):
        item: dict[str, Any] = {"kubernetesVersion": one}
        if versions.minor(one) in versions.PREVIEW:
            item["isPreview"] = True
        found.append(item)
    return found


def cluster_upgrades(call: Call) -> Answer:
    cluster = call.live
    assert cluster is not None
    running = cluster.properties["currentKubernetesVersion"]
    profile = {"kubernetesVersion": running, "osType": "Linux", "upgrades": _upgrade_of(running)}
    per_pool = [
        {"name": pool.name, "kubernetesVersion": pool.properties["currentOrchestratorVersion"], "osType": "Linux"}
        for pool in pools.pools_of(call.cloud, cluster.id)
    ]
    body = {
        "id": f"{lower_group(cluster.id)}/upgradeprofiles/default",
        "name": "default",
        "type": f"{CLUSTER}/upgradeprofiles",
        "properties": {"controlPlaneProfile": profile, "agentPoolProfiles": per_pool},
    }
    return Answer(200, body)


def pool_upgrades(call: Call) -> Answer:
    pool = call.live
    assert pool is not None
    running = pool.properties["currentOrchestratorVersion"]
    above = cluster_of(call.cloud, pool).properties["currentKubernetesVersion"]
    allowed = [
        one for one in _upgrade_of(running) if versions.number(one["kubernetesVersion"]) <= versions.number(above)
    ]
    properties = {
        "kubernetesVersion": running,
        "osType": "Linux",
        "upgrades": allowed,
        "latestNodeImageVersion": versions.image(pool.properties),
    }
    body = {
        "id": f"{lower_group(pool.id)}/upgradeProfiles/default",
        "name": "default",
        "type": f"{POOL}/upgradeProfiles",
    }
    return Answer(200, {**body, "properties": properties})


def available_pool_versions(call: Call) -> Answer:
    cluster = call.live
    assert cluster is not None
    running = cluster.properties["currentKubernetesVersion"]
    offers = [
        patch
        for patches in versions.PATCHES.values()
        for patch in patches
        if versions.number(patch) <= versions.number(running)
    ]
    value = [{"kubernetesVersion": one, **({"default": True} if one == running else {})} for one in offers]
    body = {
        "id": f"{lower_group(cluster.id)}/availableagentpoolversions",
        "name": "default",
        "type": f"{CLUSTER}/availableAgentpoolVersions",
    }
    return Answer(200, {**body, "properties": {"agentPoolVersions": value}})


def cluster_and_pools(call: Call) -> list[str]:
    path = call.target.parent
    return [path, *(pool.id for pool in pools.pools_of(call.cloud, path))]


def set_state(state: str, *, stopped: bool | None = None) -> Any:
    def run(call: Call) -> Answer:
        record = call.live
        assert record is not None
        if stopped is not None and (look(record.body, "properties.powerState.code") == "Stopped") == stopped:
            now = "stopped" if stopped else "running"
            raise AksRefusal(400, "OperationNotAllowed", f"The managed cluster is {now} already.")
        record.state = state
        call.cloud.store.put(record)
        return Answer(202)

    return run


def power(code: str) -> Any:
    def done(cloud: Cloud, operation: Operation) -> None:
        cluster = cloud.store.get(operation.resource)
        if cluster is None:
            return
        cluster.state = "Succeeded"
        cluster.properties["powerState"] = {"code": code}
        for pool in pools.pools_of(cloud, cluster.id):
            pool.properties["powerState"] = {"code": code}
            cloud.store.put(pool)
        cloud.store.put(cluster)
        nodes.sync(cloud, cluster)

    return done


def succeeded(cloud: Cloud, operation: Operation) -> None:
    record = cloud.store.get(operation.resource)
    if record is not None:
        record.state = "Succeeded"
        cloud.store.put(record)


def new_image(cloud: Cloud, operation: Operation) -> dict[str, Any] | None:
    record = cloud.store.get(operation.resource)
    if record is None:
        return None
    record.state = "Succeeded"
    record.properties["nodeImageVersion"] = versions.image(record.properties)
    cloud.store.put(record)
    return answers.show(cloud, record)


def abort(call: Call) -> Answer:
    """Cancel what runs on a cluster or a pool."""
    record = call.live
    assert record is not None
    running = operations.of_resource(call.cloud, record.id)
    if running is None:
        raise AksRefusal(400, "OperationNotAllowed", "There is no operation in progress that could be aborted.")
    running.state = "Canceled"
    call.cloud.store.keep(running)
    for one in (record, *pools.pools_of(call.cloud, record.id)):
        if one is record or one.private.get("with_cluster"):
            one.state = "Canceled"
            call.cloud.store.put(one)
    return Answer(204)
