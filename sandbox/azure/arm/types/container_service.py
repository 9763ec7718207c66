# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.ContainerService: clusters, their pools and maintenance windows, credentials, versions.

What only time or others do to a cluster is done by paths of the control endpoint:

* ``POST /aks/upgrade`` ``{"id": <cluster>, "version": "1.35.4"}`` what an upgrade channel does: control plane and
  pools move on
* ``POST /aks/scale`` ``{"id": <pool>, "count": 3}`` what the autoscaler does
* ``POST /aks/node-image`` ``{"id": <cluster or pool>, "date": "202611.19.0"}`` new node images
* ``POST /aks/homes`` ``{"id": <cluster>, "count": 2, "namespace": "dhub", "size": 15}`` disks of users' homes
* ``POST /aks/state`` ``{"id": <cluster or pool>, "state": "Failed"}`` how an operation ended long ago
* setting ``vnet_ownership``: for so many seconds (at latency scale 1) after a pool's creation has begun, another on
  the same
  network fails with SetVNetOwnershipFailed (0: never)

Source: https://learn.microsoft.com/rest/api/aks/
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...dials import dial
from ...store import Operation, Record
from ...web import Answer, Refusal, Request
from .. import answers, operations
from ..kinds import Action, Body, Call, ResourceType, look
from . import _aks_access as access
from . import _aks_clusters as clusters
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions
from ._aks_versions import AksRefusal, invalid
from .managed_identity import lower_group

if TYPE_CHECKING:
    from ...cloud import Cloud

CLUSTER, POOL = pools.CLUSTER, pools.POOL
MAINTENANCE = f"{CLUSTER}/maintenanceConfigurations"
VERSIONS = tuple(
    f"{year}-{month:02}-{day}"
    for year, months in (
        (2019, "2 4 6 8 10 11"), (2020, "1 2 3 4 6 7 9 11 12"), (2021, "2 3 5 7 8 9 10"), (2022, "1 2 3 4 6 7 8 9 11"),
        (2023, "1 2 3 4 5 6 7 8 9 10 11"), (2024, "1 2 5 6 7 8 9 10"), (2025, "1 2 3 4 5 6 7 8 9 10"),
        (2026, "1 2 3 4 5 6 7 8"),
    )
    for month in map(int, months.split())
    for day in ("01", "02-preview")
)  # fmt: skip
BUSY = (
    409,
    "OperationNotAllowed",
    (
        "Operation is not allowed: Another operation is in progress, please wait for it to finish before starting a"
        " new operation. See https://aka.ms/aks-pending-operation for more details"
    ),
)
#: Seconds after the beginning of a pool's creation in which its network is being marked as AKS's.
OWNERSHIP = 0.5

_POOL_ENUMS: dict[str, tuple[str, ...]] = {
    "mode": ("System", "User", "Gateway"),
    "osType": ("Linux", "Windows"),
    "osDiskType": ("Managed", "Ephemeral"),
    "scaleSetPriority": ("Spot", "Regular"),
    "scaleSetEvictionPolicy": ("Delete", "Deallocate"),
    "scaleDownMode": ("Delete", "Deallocate"),
    "gpuInstanceProfile": ("MIG1g", "MIG2g", "MIG3g", "MIG4g", "MIG7g"),
    "osSKU": (
        "Ubuntu", "AzureLinux", "AzureLinux3", "CBLMariner", "Windows2019", "Windows2022", "Ubuntu2204",
        "Windows2025", "Ubuntu2404",
        "AzureContainerLinux",
    ),
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- clusters
def _pool_ids(call: Call) -> Iterable[str]:
    """A write of a cluster locks its pools."""
    return [pool.id for pool in pools.pools_of(call.cloud, call.target.path)]


def _cluster_deleted(cloud: Cloud, record: Record) -> None:
    nodes.gone(cloud, record)


# ---------------------------------------------------------------------------------------------------------------- pools
def _cluster_of(cloud: Cloud, pool: Record) -> Record:
    cluster = cloud.store.get(pool.id.rpartition("/agentPools/")[0])
    assert cluster is not None
    return cluster


def _check_pool(call: Call, body: Body, live: Record | None) -> None:
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
        clusters.check_subnet(call, given["vnetSubnetID"], network["serviceCidr"], network.get("podCidr"))
        clusters.check_join(call.cloud, cluster.body.get("identity") or {}, given["vnetSubnetID"])
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


def _store_pool(call: Call, body: Body, live: Record | None) -> Body:
    cluster = call.parent()
    before = live.properties if live else None
    running = cluster.properties["currentKubernetesVersion"]
    filled = pools.fill(body.get("properties", {}), before, cluster.properties, running)
    return {"properties": filled}


def _answer_pool(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    shown.pop("etag", None)
    shown["properties"] = pools.shown(record, cloud.store.get(record.id.rpartition("/agentPools/")[0]))
    return shown


def _pool_done(cloud: Cloud, record: Record) -> None:
    cluster = _cluster_of(cloud, record)
    nodes.sync(cloud, cluster)
    if record.properties.get("enableAutoScaling") and not cluster.properties.get("autoScalerProfile"):
        cluster.properties["autoScalerProfile"] = dict(clusters.AUTOSCALER)
        cloud.store.put(cluster)


def _pool_deletable(call: Call, live: Record) -> None:
    if live.properties.get("mode") == "System":
        _check_last_system(call, live.id)


def _pool_deleted(cloud: Cloud, record: Record) -> None:
    cluster = cloud.store.get(record.id.rpartition("/agentPools/")[0])
    if cluster is not None:
        nodes.without_pool(cloud, cluster, record)


# ---------------------------------------------------------------------------------------------------------- maintenance
SCHEDULES = ("daily", "weekly", "absoluteMonthly", "relativeMonthly")
AUTO_UPGRADE = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")


def _check_maintenance(call: Call, body: Body, live: Record | None) -> None:
    given = body.get("properties", {})
    window = given.get("maintenanceWindow")
    if call.target.name == "default":
        if window is not None:
            raise invalid("maintenanceWindow", "The configuration 'default' takes timeInWeek and notAllowedTime")
        return
    if call.target.name not in AUTO_UPGRADE:
        names = ", ".join(("default", *AUTO_UPGRADE))
        raise invalid("maintenanceConfiguration.name", f"The name must be one of {names}")
    if not isinstance(window, dict):
        raise invalid("maintenanceWindow", "maintenanceWindow is required")
    if sum(window.get("schedule", {}).get(name) is not None for name in SCHEDULES) != 1:
        raise invalid("maintenanceWindow.schedule", "Exactly one schedule must be specified")
    hours = window.get("durationHours")
    if not isinstance(hours, int) or not 4 <= hours <= 24:
        raise invalid("maintenanceWindow.durationHours", f"Duration {hours} must be between 4 and 24 hours")
    start = window.get("startDate")
    known = look(live.body, "properties.maintenanceWindow.startDate") if live else None
    today = datetime.datetime.fromtimestamp(call.cloud.now(), datetime.UTC).date().isoformat()
    if start is not None and start < today and (start != known or known < today):
        raise invalid("maintenanceWindow.startDate", f"Start date {start} lies in the past")


def _store_maintenance(call: Call, body: Body, _live: Record | None) -> Body:
    window = body.get("properties", {}).get("maintenanceWindow")
    if isinstance(window, dict):
        today = datetime.datetime.fromtimestamp(call.cloud.now(), datetime.UTC).date().isoformat()
        window.setdefault("startDate", today)
        window.setdefault("utcOffset", "+00:00")
    return body


# -------------------------------------------------------------------------------------------------------------- actions
def _kubernetes_versions(_call: Call) -> Answer:
    return Answer(200, versions.listed())


def _upgrade_of(version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in versions.upgrades(version):
        item: dict[str, Any] = {"kubernetesVersion": one}
        if versions.minor(one) in versions.PREVIEW:
            item["isPreview"] = True
        found.append(item)
    return found


def _cluster_upgrades(call: Call) -> Answer:
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


def _pool_upgrades(call: Call) -> Answer:
    pool = call.live
    assert pool is not None
    running = pool.properties["currentOrchestratorVersion"]
    above = _cluster_of(call.cloud, pool).properties["currentKubernetesVersion"]
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


def _available_pool_versions(call: Call) -> Answer:
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


def _cluster_and_pools(call: Call) -> list[str]:
    path = call.target.parent
    return [path, *(pool.id for pool in pools.pools_of(call.cloud, path))]


def _set_state(state: str, *, stopped: bool | None = None) -> Any:
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


def _power(code: str) -> Any:
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


def _succeeded(cloud: Cloud, operation: Operation) -> None:
    record = cloud.store.get(operation.resource)
    if record is not None:
        record.state = "Succeeded"
        cloud.store.put(record)


def _new_image(cloud: Cloud, operation: Operation) -> dict[str, Any] | None:
    record = cloud.store.get(operation.resource)
    if record is None:
        return None
    record.state = "Succeeded"
    record.properties["nodeImageVersion"] = versions.image(record.properties)
    cloud.store.put(record)
    return answers.show(cloud, record)


def _abort(call: Call) -> Answer:
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


_CREDENTIALS = {
    "listClusterUserCredential": access.user,
    "listClusterAdminCredential": access.admin,
    "listClusterMonitoringUserCredential": access.monitoring,
}
ACTIONS = {
    **{f"POST {CLUSTER}/{name}": Action(run, seconds=0.3) for name, run in _CREDENTIALS.items()},
    "GET Microsoft.ContainerService/locations/kubernetesVersions": Action(_kubernetes_versions, VERSIONS, needs=False),
    f"GET {CLUSTER}/upgradeProfiles": Action(_cluster_upgrades),
    f"GET {POOL}/upgradeProfiles": Action(_pool_upgrades),
    f"GET {CLUSTER}/availableAgentPoolVersions": Action(_available_pool_versions),
    f"POST {CLUSTER}/stop": Action(
        _set_state("Stopping", stopped=True), seconds=120, long=True, done=_power("Stopped"), locks=_cluster_and_pools
    ),
    f"POST {CLUSTER}/start": Action(
        _set_state("Starting", stopped=False), seconds=180, long=True, done=_power("Running"), locks=_cluster_and_pools
    ),
    f"POST {CLUSTER}/rotateClusterCertificates": Action(
        _set_state("RotatingClusterCertificates"), seconds=300, long=True, done=_succeeded, locks=_cluster_and_pools
    ),
    f"POST {POOL}/upgradeNodeImageVersion": Action(
        _set_state("UpgradingNodeImageVersion"), seconds=120, long=True, done=_new_image,
        locks=lambda call: [call.target.parent],
    ),
    f"POST {CLUSTER}/abort": Action(_abort),
    f"POST {POOL}/abort": Action(_abort),
}  # fmt: skip


# ------------------------------------------------------------------------------------------------- what others do to it
def _named(cloud: Cloud, request: Request, *types: str) -> tuple[Record, dict[str, Any]]:
    said = request.json() or {}
    record = cloud.store.get(str(said.get("id", "")))
    if record is None or record.type not in types:
        raise Refusal(404, "NotFound", f"There is no {' or '.join(types)} {said.get('id')}.")
    return record, said


def _shown(record: Record) -> Answer:
    return Answer(200, {"id": record.id, "state": record.state, "properties": record.properties})


@dial("POST /aks/upgrade")
def _channel(cloud: Cloud, request: Request) -> Answer:
    """The upgrade channel moves the control plane and all pools to a version, without a request of ours."""
    cluster, said = _named(cloud, request, CLUSTER)
    running = cluster.properties["currentKubernetesVersion"]
    wanted = str(said.get("version") or (versions.upgrades(running) or [running])[0])
    for record, name, current in (
        (cluster, "kubernetesVersion", "currentKubernetesVersion"),
        *((pool, "orchestratorVersion", "currentOrchestratorVersion") for pool in pools.pools_of(cloud, cluster.id)),
    ):
        given = str(record.properties[name])
        # A minor version that was asked for stays, while it is still the one that runs.
        record.properties[name] = given if given == versions.minor(wanted) else wanted
        record.properties[current] = wanted
        if record.type == POOL:
            record.properties["nodeImageVersion"] = versions.image(record.properties)
        cloud.store.put(record)
    return _shown(cluster)


@dial("POST /aks/scale")
def _scale(cloud: Cloud, request: Request) -> Answer:
    """The autoscaler sets the number of nodes."""
    pool, said = _named(cloud, request, POOL)
    pool.properties["count"] = int(said["count"])
    cloud.store.put(pool)
    nodes.sync(cloud, _cluster_of(cloud, pool))
    return _shown(pool)


@dial("POST /aks/node-image")
def _images(cloud: Cloud, request: Request) -> Answer:
    """The node OS channel brings new images."""
    record, said = _named(cloud, request, CLUSTER, POOL)
    for pool in pools.pools_of(cloud, record.id) if record.type == CLUSTER else [record]:
        pool.properties["nodeImageVersion"] = versions.image(
            pool.properties, str(said.get("date", versions.IMAGE_DATES[-1]))
        )
        cloud.store.put(pool)
    return _shown(record)


@dial("POST /aks/homes")
def _homes(cloud: Cloud, request: Request) -> Answer:
    """Users' homes: disks in the node resource group."""
    cluster, said = _named(cloud, request, CLUSTER)
    for index in range(int(said.get("count", 1))):
        nodes.home(cloud, cluster, f"claim-user{index}", str(said.get("namespace", "dhub")), int(said.get("size", 15)))
    return _shown(cluster)


@dial("POST /aks/state")
def _state(cloud: Cloud, request: Request) -> Answer:
    """A cluster or a pool whose last operation ended so."""
    record, said = _named(cloud, request, CLUSTER, POOL)
    record.state = str(said["state"])
    cloud.store.put(record)
    return _shown(record)


TYPES = (
    ResourceType(
        CLUSTER,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.ManagedCluster",
        tracked=True,
        name_rule=r"[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?",
        name_error=("InvalidParameter", "The value of parameter managedCluster.name is invalid: {name}. Please see "
                    "https://aka.ms/aks-naming-rules for more details."),
        seconds={"PUT": 240.0, "UPDATE": 60.0, "PATCH": 10.0, "DELETE": 240.0},
        long=("PUT", "PATCH", "DELETE"),
        etag=True,
        patch="tags",
        enums={
            "sku.tier": ("Premium", "Standard", "Free"),
            "sku.name": ("Base", "Automatic"),
            "properties.networkProfile.networkPlugin": ("azure", "kubenet", "none"),
            "properties.networkProfile.networkPluginMode": ("overlay",),
            "properties.networkProfile.networkPolicy": ("none", "calico", "azure", "cilium"),
            "properties.networkProfile.networkDataplane": ("azure", "cilium"),
            "properties.networkProfile.loadBalancerSku": ("standard", "basic"),
            "properties.autoUpgradeProfile.upgradeChannel": ("rapid", "stable", "patch", "node-image", "none"),
            "properties.autoUpgradeProfile.nodeOSUpgradeChannel": ("None", "Unmanaged", "NodeImage", "SecurityPatch"),
            **{f"properties.agentPoolProfiles.*.{name}": values for name, values in _POOL_ENUMS.items()},
        },
        write_only=("properties.windowsProfile.adminPassword", "properties.aadProfile.serverAppSecret",
                    "properties.servicePrincipalProfile.secret"),
        siblings=_pool_ids,
        busy=BUSY,
        spell_id=lower_group,
        check=clusters.check,
        store=clusters.store,
        answer=clusters.answer,
        done=clusters.done,
        deleted=_cluster_deleted,
    ),
    ResourceType(
        POOL,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.AgentPool",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=r".*",
        seconds={"PUT": 150.0, "UPDATE": 30.0, "DELETE": 120.0},
        long=("PUT", "DELETE"),
        etag=True,
        enums={f"properties.{name}": values for name, values in _POOL_ENUMS.items()},
        busy=BUSY,
        spell_id=lower_group,
        check=_check_pool,
        store=_store_pool,
        answer=_answer_pool,
        done=_pool_done,
        deletable=_pool_deletable,
        deleted=_pool_deleted,
    ),
    ResourceType(
        MAINTENANCE,
        versions=VERSIONS,
        model="azure.mgmt.containerservice.models.MaintenanceConfiguration",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        seconds={"PUT": 1.5, "DELETE": 1.0},
        spell_id=lower_group,
        shows_state=False,
        check=_check_maintenance,
        store=_store_maintenance,
    ),
)  # fmt: skip
