# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Objects as the API writes them, with what the diagnosis reads."""

from __future__ import annotations

from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import Snapshot

SPACE = "dhub"
Made = dict[str, Any]


def obj(kind: str, name: str, spec: Made | None = None, status: Made | None = None, **metadata: Any) -> Made:
    """Any object."""
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": SPACE, **metadata},
        "spec": spec or {},
        "status": status or {},
    }


def pod(name: str = "hub-1", states: list[Made] | None = None, component: str = "hub", **spec: Any) -> Made:
    """A pod on a node, with the states of its containers."""
    labels = {"app.kubernetes.io/component": component, "release": "dask"}
    containers = [{"name": "hub", "image": "registry.example.org/hub:1"}]
    wanted = {"containers": containers, "nodeName": "node", **spec}
    return obj("Pod", name, wanted, {"phase": "Pending", "containerStatuses": states or []}, labels=labels)


def unplaced(said: str, name: str = "hub-1", requests: Made | None = None, **spec: Any) -> Made:
    """A pod that the scheduler cannot place, as it says."""
    found = pod(name, **spec)
    del found["spec"]["nodeName"]
    found["spec"]["containers"][0]["resources"] = {"requests": requests or {}}
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    found["status"] = {"phase": "Pending", "conditions": [condition]}
    return found


def state(ready: bool = False, last: Made | None = None, restarts: int = 0, **now: Made) -> Made:
    """The state of the container ``hub``: ``waiting``, ``running`` or ``terminated``."""
    last_state = {"terminated": last} if last else {}
    return {
        "name": "hub",
        "image": "registry.example.org/hub:1",
        "ready": ready,
        "restartCount": restarts,
        "state": now,
        "lastState": last_state,
    }


def node(name: str = "node", allocatable: Made | None = None, taints: list[Made] | None = None, **labels: str) -> Made:
    """A node that is ready."""
    room = {"cpu": "4", "memory": "16Gi", "pods": "110"} | (allocatable or {})
    ready = {"type": "Ready", "status": "True"}
    named = {key.replace("__", "/"): value for key, value in labels.items()}
    return obj("Node", name, {"taints": taints or []}, {"allocatable": room, "conditions": [ready]}, labels=named)


def event(kind: str, name: str, reason: str, message: str, at: str = "2026-11-20T10:00:00Z") -> Made:
    """A warning about an object."""
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": kind, "name": name},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }


def snapshot(*found: Made, logs: dict[tuple[str, str], str] | None = None, **chosen: Any) -> Snapshot:
    """A namespace with these objects; it is there and well unless one of them is a Namespace."""
    by_kind: dict[str, list[Any]] = {}
    for one in found:
        by_kind.setdefault(one["kind"], []).append(one)
    by_kind.setdefault("Namespace", [obj("Namespace", SPACE, status={"phase": "Active"})])
    return Snapshot(SPACE, by_kind, logs or {}, **chosen)
