# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Why a pod has no node: which of its wishes no node fulfils, and what the autoscaler says to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import (
    Finding,
    Object,
    Snapshot,
    conditions,
    labels,
    listed,
    name,
    one_line,
    spec,
    status,
)

GPU = "nvidia.com/gpu"
AUTOSCALER = "cluster-autoscaler-status"
QUOTA = re.compile(
    r"QuotaExceeded|exceeding approved|exceeds? (the )?(approved|regional|quota)|CountLimitReached|Quota(Limit)?Reached"
)
CAPACITY = re.compile(r"SkuNotAvailable|AllocationFailed|Overconstrained(Zonal)?Allocation|not have enough capacity")
# The cause's detail and the remedy of each resource that may be scarce.
RESOURCES = {
    "cpu": ("cpu", "cores"),
    "memory": ("memory", "memory"),
    GPU: ("gpu", "GPUs"),
    "ephemeral-storage": ("disk", "disk"),
    "pods": ("pods", "pods"),
}
_UNITS = {"n": "1e-9", "u": "1e-6", "m": "1e-3", "k": "1e3", "M": "1e6", "G": "1e9", "T": "1e12", "P": "1e15"} | {
    unit: str(2 ** (10 * power)) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), 1)
}


def pods(snapshot: Snapshot) -> Iterator[Finding]:
    """Pods that the scheduler cannot place."""
    nodes = snapshot.all("Node")
    known = "Node" not in snapshot.refused
    for pod in snapshot.pods():
        scheduled = conditions(pod).get("PodScheduled") or {}
        if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
            continue
        said = one_line(scheduled.get("message") or "")
        if "persistentvolumeclaim" in said.lower() and not _available(said):
            yield _volume(pod, said)
            continue
        if "persistent volumes to bind" in said:
            yield _no_volume(snapshot, pod, said)
            continue
        cause, evidence, remedy = _constraint(pod, nodes if known else [], said, known)
        yield _with_autoscaler(snapshot, pod, Finding(cause, f"Pod/{name(pod)}", evidence, remedy))


def autoscaler(snapshot: Snapshot) -> Iterator[Finding]:
    """What the cluster autoscaler says of Azure's refusals, if one of these pods waits for it."""
    if not any((conditions(pod).get("PodScheduled") or {}).get("status") == "False" for pod in snapshot.pods()):
        return
    for one in snapshot.all("ConfigMap"):
        if name(one) != AUTOSCALER:
            continue
        for line in str((one.get("data") or {}).get("status") or "").splitlines():
            found = azure_refusal(f"ConfigMap/{AUTOSCALER}", one_line(line))
            if found:
                yield found
                return


def azure_refusal(where: str, said: str) -> Finding | None:
    """Azure's quota, or its lack of machines, if a message tells of one."""
    if QUOTA.search(said):
        remedy = (
            "Raise the quota of that VM family or address type in this region (az quota, or Quotas in the portal), or "
            "choose another VM size or a lower maximum of nodes."
        )
        return Finding("azure-quota", where, said, remedy)
    if CAPACITY.search(said):
        remedy = "Azure has no such machines there now: choose another VM size or zone, not spot, or wait."
        return Finding("azure-capacity", where, said, remedy)
    return None


def amount(quantity: Any) -> Decimal:
    """A quantity as Kubernetes writes it.

    >>> amount("500m"), amount("2Gi") == 2 * 2**30, amount(1)
    (Decimal('0.500'), True, Decimal('1'))
    """
    match = re.fullmatch(r"([0-9.]+(?:[eE][0-9]+)?)([numkMGTP]|[KMGTP]i)?", str(quantity))
    if not match:
        return Decimal(0)
    return Decimal(match[1]) * Decimal(_UNITS[match[2]] if match[2] else 1)


def requests(pod: Object) -> dict[str, Decimal]:
    """What a pod asks a node for: its containers together, or its largest init container."""
    total: dict[str, Decimal] = {}
    for container in spec(pod).get("containers") or []:
        for resource, quantity in ((container.get("resources") or {}).get("requests") or {}).items():
            total[resource] = total.get(resource, Decimal(0)) + amount(quantity)
    for container in spec(pod).get("initContainers") or []:
        for resource, quantity in ((container.get("resources") or {}).get("requests") or {}).items():
            total[resource] = max(total.get(resource, Decimal(0)), amount(quantity))
    return total


def unmatched(pod: Object, node: Object) -> str:
    """The pod's selector or required affinity that a node does not fulfil, or nothing."""
    wanted = spec(pod).get("nodeSelector") or {}
    missing = [f"{key}={value}" for key, value in wanted.items() if labels(node).get(key) != value]
    if missing:
        return ", ".join(missing)
    affinity = ((spec(pod).get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    terms = affinity.get("nodeSelectorTerms") or []
    failed = [
        ", ".join(
            _words(entry)
            for entry in [*(term.get("matchExpressions") or []), *(term.get("matchFields") or [])]
            if not _holds(entry, {**labels(node), "metadata.name": name(node)})
        )
        for term in terms
    ]
    return "" if not failed or "" in failed else " or ".join(failed)


def untolerated(pod: Object, node: Object) -> str:
    """The first taint of a node that keeps the pod off it, as ``key=value:effect``, or nothing."""
    for taint in spec(node).get("taints") or []:
        if taint.get("effect") == "PreferNoSchedule":
            continue
        if not any(_tolerates(entry, taint) for entry in spec(pod).get("tolerations") or []):
            value = f"={taint['value']}" if taint.get("value") else ""
            return f"{taint.get('key')}{value}:{taint.get('effect')}"
    return ""


def _constraint(pod: Object, nodes: list[Object], said: str, known: bool) -> tuple[str, str, str]:
    """Cause, evidence and remedy: the wish at which the last of the nodes drops out."""
    if not known:
        return _as_said(said)
    if not nodes:
        return "unschedulable-no-node", said, "Give the cluster a node, or let its autoscaler do so."
    matching = [node for node in nodes if not unmatched(pod, node)]
    if not matching:
        wish = unmatched(pod, nodes[0])
        return (
            "unschedulable-selector",
            f"no node fulfils {wish}; {said}",
            "Make a node pool with that label (its minimum of nodes may be 0 under the autoscaler), or choose another "
            "purpose for the pod; daskhub_match_node_purpose: prefer does not insist on purposes.",
        )
    tolerated = [node for node in matching if not untolerated(pod, node)]
    if not tolerated:
        taints = sorted({untolerated(pod, node) for node in matching})
        return _taint(taints, said, matching)
    usable = [node for node in tolerated if not spec(node).get("unschedulable")]
    if not usable:
        names = listed(map(name, tolerated))
        return "unschedulable-cordoned", f"{names} closed; {said}", f"Open it again: kubectl uncordon {names}."
    for resource in RESOURCES:
        # The scheduler says it, or no node is that large.
        wanted = requests(pod).get(resource, Decimal(1 if resource == "pods" else 0))
        most = max(amount((status(node).get("allocatable") or {}).get(resource, 0)) for node in usable)
        if wanted > most:
            return _too_large(resource, wanted, most, said)
    return _as_said(said)


def _taint(taints: list[str], said: str, nodes: list[Object]) -> tuple[str, str, str]:
    evidence = f"taint {listed(taints)} on {listed(map(name, nodes))}; {said}"
    if any("node.kubernetes.io/" in taint or "cloudprovider" in taint for taint in taints):
        return "node", evidence, "The node is not well: kubectl describe node says why; a new one replaces it."
    return (
        "unschedulable-taint",
        evidence,
        "Let the pod tolerate that taint (the purpose of its profile decides), or take the taint from the node pool.",
    )


def _too_large(resource: str, wanted: Decimal, most: Decimal, said: str) -> tuple[str, str, str]:
    detail, words = RESOURCES[resource]
    evidence = f"asks for {_shown(resource, wanted)}, the largest node has {_shown(resource, most)}; {said}"
    if resource == GPU and not most:
        remedy = "The node pool has no GPU to give: its VM size needs one, and the device plugin has to run there."
    else:
        remedy = f"Ask for less in the profile or Dask option, or make a node pool whose VM size has more {words}."
    return f"unschedulable-{detail}", evidence, remedy


def _as_said(said: str) -> tuple[str, str, str]:
    """What the scheduler's own words tell."""
    for resource, (detail, words) in RESOURCES.items():
        if f"Insufficient {resource}" in said or (resource == "pods" and "Too many pods" in said):
            remedy = f"All nodes are full ({words}): stop what is not needed, or raise the maximum of the node pool."
            return f"unschedulable-{detail}", said, remedy
    table = (
        ("untolerated taint", "unschedulable-taint", "Let the pod tolerate a taint, or take it from the node pool."),
        ("node affinity/selector", "unschedulable-selector", "Make a node pool with the labels that the pod asks for."),
        ("volume node affinity", "unschedulable-volume", "Its volume lies in another zone: add a node there."),
        ("max volume count", "unschedulable-volume", "No node takes another disk: add a node."),
        ("pod affinity", "unschedulable-affinity", "Its wish to be beside other pods cannot be fulfilled: relax it."),
        ("anti-affinity", "unschedulable-affinity", "Its wish to be apart from other pods needs one node more."),
        ("topology spread", "unschedulable-affinity", "Its wish to be spread needs one node more."),
        ("free ports", "unschedulable-ports", "Another pod has that port of the host: add a node."),
        ("were unschedulable", "unschedulable-cordoned", "Open the node again: kubectl uncordon <node>."),
    )
    for words, cause, remedy in table:
        if words in said:
            return cause, said, remedy
    return (
        "unschedulable",
        said,
        "Compare the pod's wishes with the nodes: kubectl describe pod, kubectl describe node.",
    )


def _with_autoscaler(snapshot: Snapshot, pod: Object, found: Finding) -> Finding:
    """What the cluster autoscaler did, which may be the better answer."""
    refused = snapshot.events("Pod", name(pod), "NotTriggerScaleUp", "FailedScaleUp", "ScaleUpFailed")
    started = snapshot.events("Pod", name(pod), "TriggeredScaleUp")
    for said in refused:
        if azure := azure_refusal(found.object, said):
            return azure
    if started and not (refused and found.cause == "unschedulable-selector"):
        remedy = "A node is on its way: wait some minutes; look again if the pod still has none then."
        return Finding("scaling", found.object, f"{started[0]}; {found.evidence}", remedy)
    if not refused:
        return found
    evidence = f"{found.evidence}; the autoscaler: {refused[0]}"
    if "max node group size reached" in refused[0]:
        remedy = "The node pool is at its maximum: raise max_count, or stop what is not needed."
        return found._replace(evidence=evidence, remedy=remedy)
    return found._replace(evidence=evidence)


def _volume(pod: Object, said: str) -> Finding:
    remedy = "See what is said of the claim; a claim that is not there has to be made, or its name corrected."
    return Finding("volume", f"Pod/{name(pod)}", said, remedy)


def _no_volume(snapshot: Snapshot, pod: Object, said: str) -> Finding:
    """A storage class that makes no volumes by itself has none that is free and large enough."""
    named = {(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in spec(pod).get("volumes") or []}
    wanted = [
        f"{name(claim)} asks for {((spec(claim).get('resources') or {}).get('requests') or {}).get('storage')} of the "
        f"class {spec(claim).get('storageClassName') or '(default)'}"
        for claim in snapshot.all("PersistentVolumeClaim")
        if name(claim) in named and status(claim).get("phase") == "Pending"
    ]
    remedy = "No free volume is that large: make one, ask for less, or name a storage class that makes volumes itself."
    return Finding("volume", f"Pod/{name(pod)}", "; ".join([*wanted, said]), remedy)


def _available(said: str) -> bool:
    """Whether the scheduler speaks of other reasons too."""
    reasons = said.partition("available: ")[2].partition(". preemption")[0]
    return any("persistentvolumeclaim" not in reason.lower() for reason in reasons.split(", ") if reason)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or bool(toleration["key"] == taint.get("key"))
    return toleration.get("key") == taint.get("key") and (toleration.get("value") or "") == (taint.get("value") or "")


def _holds(entry: Mapping[str, Any], there: Mapping[str, str]) -> bool:
    key, values = str(entry.get("key")), entry.get("values") or []
    value = there.get(key)
    if entry.get("operator") in ("Gt", "Lt"):
        if value is None or not value.isdigit() or not values:
            return False
        return int(value) > int(values[0]) if entry["operator"] == "Gt" else int(value) < int(values[0])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(str(entry.get("operator")), False)


def _words(entry: Mapping[str, Any]) -> str:
    """An expression as people write it."""
    key, values = entry.get("key"), "|".join(map(str, entry.get("values") or []))
    return {"In": f"{key}={values}", "NotIn": f"{key}!={values}", "Exists": f"{key}", "DoesNotExist": f"no {key}"}.get(
        str(entry.get("operator")), f"{key} {entry.get('operator')} {values}"
    )


def _shown(resource: str, value: Decimal) -> str:
    if resource in ("memory", "ephemeral-storage"):
        return f"{float(value) / 2**30:.4g} GiB of {RESOURCES[resource][1]}"
    return f"{float(value):g} {RESOURCES[resource][1]}"
