# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What only time or others do to a cluster, as paths of the control endpoint.

* ``POST /aks/upgrade`` ``{"id": <cluster>, "version": "1.35.4"}`` what an upgrade channel does: control plane and
  pools move on
* ``POST /aks/scale`` ``{"id": <pool>, "count": 3}`` what the autoscaler does
* ``POST /aks/node-image`` ``{"id": <cluster or pool>, "date": "202611.19.0"}`` new node images
* ``POST /aks/homes`` ``{"id": <cluster>, "count": 2, "namespace": "dhub", "size": 15}`` disks of users' homes
* ``POST /aks/state`` ``{"id": <cluster or pool>, "state": "Failed"}`` how an operation ended long ago
* setting ``vnet_ownership``: for so many seconds (at latency scale 1) after a pool's creation has begun, another on the
  same network fails with SetVNetOwnershipFailed (0: never)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...dials import dial
from ...store import Record
from ...web import Answer, Refusal, Request
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions
from ._aks_pool_writes import cluster_of
from ._aks_pools import CLUSTER, POOL

if TYPE_CHECKING:
    from ...cloud import Cloud


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
    nodes.sync(cloud, cluster_of(cloud, pool))
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
