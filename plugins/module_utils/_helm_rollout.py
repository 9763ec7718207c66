# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Which of a release's workloads are ready, and what the others wait for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress

KINDS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}
# What Helm waits for besides.
OTHERS = {
    "Service": "/api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
}
RELEASE = "meta.helm.sh/release-name"
LABELS = ("app.kubernetes.io/instance", "release")


@dataclass(frozen=True)
class Workload:
    """One workload: how many pods are ready and wanted, and why the others are not.

    :ivar settled: whether all of its pods are ready and of the newest template
    """

    name: str
    kind: str
    ready: int
    wanted: int
    settled: bool
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.settled:
            return f"{self.name}: ready" if self.kind != "Job" else f"{self.name}: done"
        why = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{self.name}: {self.ready} of {self.wanted} ready{why}"


@dataclass(frozen=True)
class Rollout:
    """All workloads of a release.

    :ivar others: what of its services and volume claims is not ready, such as ``proxy-public: no address yet``
    """

    workloads: list[Workload] = field(default_factory=list)
    others: tuple[str, ...] = ()

    @property
    def waiting(self) -> list[Workload]:
        """Those that are not ready. A pod for every node is not waited for: nodes come and go."""
        return [one for one in self.workloads if not one.settled and one.kind not in ("DaemonSet", "Job")]


def read_rollout(api: ClusterApi, namespace: str, release: str, others: bool = False) -> Rollout:
    """How far a release is.

    :param others: look at its services and volume claims too
    """
    found = list(_objects(api, KINDS, namespace, release))
    unsettled = [one for kind, one in found if not _state(kind, one)[2]]
    pods = api.items(f"/api/v1/namespaces/{namespace}/pods") if unsettled else []
    rest = _objects(api, OTHERS, namespace, release) if others else ()
    return Rollout(
        [workload(kind, one, pods) for kind, one in found], tuple(filter(None, (lacking(*each) for each in rest)))
    )


def _objects(
    api: ClusterApi, kinds: Mapping[str, str], namespace: str, release: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a release with their kinds; those that nobody may look at are left out."""
    for kind, path in kinds.items():
        try:
            objects = api.items(path.format(namespace))
        except ClusterError as error:
            if error.status != 403:
                raise
            continue
        yield from ((kind, one) for one in objects if belongs(one, release))


def lacking(kind: str, one: Mapping[str, Any]) -> str:
    """What a service or a volume claim waits for, in a few words; empty when it is ready.

    >>> lacking("Service", {"metadata": {"name": "proxy-public"}, "spec": {"type": "LoadBalancer"}})
    'proxy-public: no address yet'
    """
    status = one.get("status") or {}
    if kind == "Service":
        spec = one.get("spec") or {}
        balanced = spec.get("type") == "LoadBalancer" and not spec.get("externalIPs")
        lack = "no address yet" if balanced and not (status.get("loadBalancer") or {}).get("ingress") else ""
    else:
        lack = "" if status.get("phase") == "Bound" else "no volume yet"
    return f"{one['metadata']['name']}: {lack}" if lack else ""


def belongs(one: Mapping[str, Any], release: str) -> bool:
    """Whether an object is the release's: Helm says it in an annotation, charts (for hooks) in labels."""
    metadata = one["metadata"]
    labels = metadata.get("labels") or {}
    return (metadata.get("annotations") or {}).get(RELEASE) == release or release in (
        labels.get(name) for name in LABELS
    )


def workload(kind: str, one: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> Workload:
    """The state of a workload, with what its pods say."""
    ready, wanted, settled = _state(kind, one)
    labels = ((one["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    reasons: list[str] = []
    if not settled and labels:
        for pod in pods:
            if labels <= (pod["metadata"].get("labels") or {}).items():
                reason = pod_reason(pod)
                if reason and reason not in reasons:
                    reasons.append(reason)
    return Workload(str(one["metadata"]["name"]), kind, ready, wanted, settled, tuple(reasons[:3]))


def _state(kind: str, one: Mapping[str, Any]) -> tuple[int, int, bool]:
    """Pods that are ready, those wanted, and whether it is settled."""
    spec, status = one["spec"], one.get("status") or {}
    if kind == "Job":
        done = int(status.get("succeeded") or 0)
        wanted = int(spec.get("completions") or 1)
        return done, wanted, done >= wanted
    current = int(status.get("observedGeneration") or 0) >= int(one["metadata"].get("generation") or 0)
    if kind == "DaemonSet":
        wanted = int(status.get("desiredNumberScheduled") or 0)
        ready, updated = int(status.get("numberReady") or 0), int(status.get("updatedNumberScheduled") or 0)
    else:
        wanted = int(1 if spec.get("replicas") is None else spec["replicas"])
        # Of a StatefulSet, updatedReplicas may be missing when nothing was ever changed.
        ready, updated = int(status.get("readyReplicas") or 0), int(status.get("updatedReplicas") or 0)
        if int(status.get("replicas") or 0) > wanted:
            return ready, wanted, False
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        # Placeholders, which give way to users: nobody waits for them, Helm neither.
        return ready, wanted, True
    return ready, wanted, current and ready >= wanted and updated >= wanted


def pod_reason(pod: Mapping[str, Any]) -> str:
    """Why a pod is not ready, in a few words; empty when it is.

    >>> pod_reason({"status": {"phase": "Pending", "containerStatuses": [{"name": "hub", "ready": False,
    ...     "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}})
    'ImagePullBackOff'
    """
    status = pod.get("status") or {}
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return "the old one is ending"
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        if state.get("waiting"):
            return str(state["waiting"].get("reason") or "waiting")
        ended = state.get("terminated") or {}
        if ended and ended.get("exitCode") != 0:
            return f"{container['name']} ended with {ended.get('exitCode')}"
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return " ".join(str(condition.get("message") or condition.get("reason") or "not scheduled").split())[:200]
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or [])
    return "" if ready or status.get("phase") == "Succeeded" else str(status.get("phase") or "Pending").lower()


class Reporter:
    """Says what has changed since it was asked last."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said: dict[str, str] = {}

    def tell(self, rollout: Rollout) -> None:
        """One line for each workload of which there is news."""
        for line in [*map(str, rollout.workloads), *rollout.others]:
            name = line.partition(":")[0]
            if self._said.get(name) != line:
                self._said[name] = line
                self._progress.say(line)


def summary(rollout: Rollout, empty: str = "everything that it runs is ready") -> str:
    """What is not ready, in one line; for errors and for the line that says that a wait goes on."""
    waiting = [one for one in rollout.workloads if not one.settled and one.wanted]
    return "; ".join([*map(str, waiting), *rollout.others]) or empty
