# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Whether the nodes of a cluster can hold what users choose from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_scheduling import unmatched, untolerated
from ansible_collections.planetary.hub.plugins.module_utils._purposes import GPU_RESOURCE, labels
from ansible_collections.planetary.hub.plugins.module_utils._quantities import GIB, memory, readable

# What a pod asks for and a node has: cpu in cores, memory in bytes, gpu.
Amounts = Mapping[str, float]
Object = Mapping[str, Any]


class Asked(NamedTuple):
    """Something that users start.

    :ivar subject: how a sentence begins
    :ivar change: what to write else, if it is too large
    :ivar without: how to do without it; may be empty
    :ivar spec: affinity and tolerations of its pod
    """

    subject: str
    change: str
    without: str
    amounts: Amounts
    spec: Object


class Place(NamedTuple):
    """Where it may run: a pool, or a node; ``room`` is None when nobody knows."""

    title: str
    node: Object
    room: Amounts | None


# Of a cluster that is not there yet.
UNSEEN_CORE = Place("the core pool", {"metadata": {"name": "core", "labels": labels("core")}}, None)


def room_problem(profiles: Iterable[Object], dask: Object, pools: Sequence[Object], nodes: Iterable[Object]) -> str:
    """Say what no pool and no node can hold.

    Args:
        profiles: the output of profile_list.
        dask: the output of dask_options.
        pools: the output of the role node_pools.
        nodes: as hub_cluster_info returns them.

    Returns:
        One sentence; empty when all can be started, or nothing is known of the nodes.
    """
    live = list(map(_node, nodes))
    if not pools and not live:
        return ""
    places = [*map(_pool, pools), *(live or [UNSEEN_CORE])]
    for asked in [*map(_profile, profiles), *_dask_parts(dask)]:
        found = _homeless(asked, places, bool(pools))
        if found:
            return found
    return ""


def _homeless(asked: Asked, places: Sequence[Place], pools: bool) -> str:
    """Why nothing holds it, or nothing."""
    pod = {"spec": asked.spec}
    matching = [place for place in places if not unmatched(pod, place.node)]
    open_ones = [place for place in matching if not untolerated(pod, place.node)]
    if any(place.room is None or _fits(asked.amounts, place.room) for place in open_ones):
        return ""
    begin = f"{asked.subject} fits on no node: "
    larger = "give that pool a larger vm_size in node_pools_pools" if pools else "add a larger node"
    if open_ones:
        largest = max(open_ones, key=lambda place: _share(asked.amounts, place.room or {}))
        return (
            f"{begin}it is guaranteed {_shown(asked.amounts, asked.amounts)}, and the largest for it, {largest.title},"
            f" has {_shown(largest.room or {}, asked.amounts)}; {asked.change}, or {larger}."
        )
    if matching:
        taints = sorted({untolerated(pod, place.node) for place in matching})
        return f"{begin}it does not tolerate the taint {', '.join(taints)}; take it from some node."
    # A wish for a purpose tells more than one against a purpose.
    wanted = min((unmatched(pod, place.node) for place in places), key=lambda wish: ("!=" in wish, len(wish)))
    where = "add a pool for it to node_pools_pools" if pools else "label a node that is meant for it"
    return f"{begin}none is {wanted}; {where}{f', or {asked.without}' if asked.without else ''}."


def _fits(asked: Amounts, room: Amounts) -> bool:
    return all(amount <= room.get(name, 0) for name, amount in asked.items())


def _share(asked: Amounts, room: Amounts) -> tuple[float, float]:
    """The part of what is asked for that is there, of the scarcest first."""
    parts = sorted(min(1.0, room.get(name, 0) / amount) for name, amount in asked.items() if amount)
    return parts[0] if parts else 1.0, sum(parts)


def _shown(amounts: Amounts, named: Iterable[str]) -> str:
    """
    >>> _shown({"cpu": 7.82, "memory": 2**31, "gpu": 0}, ["cpu", "memory"])
    '7.82 cores and 2G of memory'
    """
    words = []
    for name in named:
        amount = amounts.get(name, 0)
        if name == "memory":
            words.append(f"{readable(int(amount))} of memory")
        else:
            noun = "core" if name == "cpu" else "GPU"
            words.append(f"{amount:g} {noun if amount == 1 else noun + 's'}")
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _profile(profile: Object) -> Asked:
    override = profile["kubespawner_override"]
    gpus = int(override["extra_resource_limits"][GPU_RESOURCE])
    amounts: dict[str, float] = {}
    if override["cpu_guarantee"]:
        amounts["cpu"] = override["cpu_guarantee"]
    if override["mem_guarantee"]:
        amounts["memory"] = memory("memory", override["mem_guarantee"])
    if gpus:
        amounts["gpu"] = gpus
    terms = {"nodeSelectorTerms": override["node_affinity_required"]}
    spec = {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
        "tolerations": override["tolerations"],
    }
    subject = f'The profile "{profile["slug"]}" of daskhub_profiles'
    return Asked(subject, "lower its guarantees or disable it", "disable it", amounts, spec)


def _dask_parts(dask: Object) -> Iterable[Asked]:
    """What a cluster's largest pods ask for."""
    where, scheduler, worker, gpu = "of daskhub_dask_options", dask["scheduler"], dask["worker"], dask["gpu"]
    shares = {name: worker[name]["request"] for name in ("cores", "memory")}
    rows: list[tuple[str, str, str, dict[str, float]]] = [
        (
            "scheduler",
            "A scheduler",
            "lower scheduler.cores.guarantee or scheduler.memory.guarantee",
            {"cpu": scheduler["cores"], "memory": scheduler["memory"]},
        ),
        (
            "worker",
            "The largest worker",
            "lower worker.cores.max or worker.memory.max",
            {
                "cpu": worker["cores"]["max"] * shares["cores"],
                "memory": worker["memory"]["max"] * shares["memory"] * GIB,
            },
        ),
    ]
    if gpu["enabled"]:
        amounts = {"cpu": gpu["cores_max"] * shares["cores"], "memory": gpu["memory_max"] * shares["memory"] * GIB}
        change = "lower gpu.cores_max or gpu.memory_max"
        rows.append(("gpu_worker", "The largest GPU worker", change, {**amounts, "gpu": 1}))
    for part, name, change, amounts in rows:
        without = "switch gpu.enabled off" if part == "gpu_worker" else ""
        yield Asked(f"{name} {where}", change, without, amounts, dask["placement"][part])


def _pool(pool: Object) -> Place:
    taints = []
    for written in pool["taints"]:
        pair, _colon, effect = str(written).rpartition(":")
        key, _equals, value = pair.partition("=")
        taints.append({"key": key, "value": value, "effect": effect})
    node = {"metadata": {"name": pool["name"], "labels": pool["labels"]}, "spec": {"taints": taints}}
    return Place(f"the pool {pool['name']} ({pool['vm_size']})", node, pool["allocatable"])


def _node(found: Object) -> Place:
    node = {"metadata": {"name": found["name"], "labels": found["labels"]}, "spec": {"taints": found["taints"]}}
    return Place(f"the node {found['name']}", node, found["allocatable"])
