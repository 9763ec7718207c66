# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Why a pod that has a node does not run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_logs import lines
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import (
    Finding,
    Object,
    Snapshot,
    conditions,
    name,
    one_line,
    spec,
    status,
)

# Reasons of a container that waits, by what they tell.
IMAGE = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
MISSING = re.compile(
    r"(?:secrets?|configmaps?) \"[^\"]+\" not found|couldn't find key|references non-existent (?:secret|config) key",
    re.IGNORECASE,
)
FORBIDDEN = re.compile(r"401|403|unauthorized|denied|forbidden|authentication required|no basic auth", re.IGNORECASE)
ABSENT = re.compile(r"not found|manifest unknown|does not exist|no such image|NotFound", re.IGNORECASE)
UNREACHED = re.compile(r"no such host|timeout|connection refused|TLS handshake|x509|i/o|unreachable", re.IGNORECASE)


def containers(snapshot: Snapshot) -> Iterator[Finding]:
    """Containers that wait for their image or configuration, crash, or are not ready."""
    for pod in snapshot.pods():
        for state in _states(pod):
            found = _container(snapshot, pod, state)
            if found:
                yield found


def mounts(snapshot: Snapshot) -> Iterator[Finding]:
    """Volumes that cannot be attached or mounted, Secrets and ConfigMaps among them."""
    for pod in snapshot.pods():
        if _started(pod):
            continue
        for said in snapshot.events("Pod", name(pod), "FailedMount", "FailedAttachVolume", "FailedMapVolume")[:1]:
            where = f"Pod/{name(pod)}"
            if MISSING.search(said):
                yield missing(where, said)
            elif "Multi-Attach" in said:
                remedy = "Another node still has the disk: its pod has to end, or delete a node that is gone."
                yield Finding("volume", where, said, remedy)
            else:
                remedy = "See that the share or disk exists and that the Secret with its key is right."
                yield Finding("volume", where, said, remedy)


def sandboxes(snapshot: Snapshot) -> Iterator[Finding]:
    """Pods that get no network."""
    for pod in snapshot.pods():
        if _started(pod):
            continue
        for said in snapshot.events("Pod", name(pod), "FailedCreatePodSandBox", "NetworkNotReady")[:1]:
            remedy = (
                "The node's network plugin refuses: see its pods in kube-system, and the addresses left in the subnet."
            )
            yield Finding("network", f"Pod/{name(pod)}", said, remedy)


def nodes(snapshot: Snapshot) -> Iterator[Finding]:
    """Nodes of these pods that are gone or not ready; evictions."""
    used = {spec(pod).get("nodeName") for pod in snapshot.pods()}
    for node in snapshot.all("Node"):
        ready = conditions(node).get("Ready") or {}
        if name(node) in used and ready and ready.get("status") != "True":
            said = one_line(f"{ready.get('reason') or 'not ready'}: {ready.get('message') or 'no reason given'}")
            remedy = "Restart or replace the node; its pods start elsewhere after five minutes."
            yield Finding("node", f"Node/{name(node)}", said, remedy)
    for pod in snapshot.pods():
        if status(pod).get("phase") == "Failed" and status(pod).get("reason") in ("Evicted", "NodeLost", "Preempted"):
            said = one_line(f"{status(pod)['reason']}: {status(pod).get('message') or ''}")
            remedy = (
                "The node ran short or was taken away: start again, with less memory or disk on the node if it recurs."
            )
            yield Finding("node", f"Pod/{name(pod)}", said, remedy)


def missing(where: str, said: str) -> Finding:
    """A Secret, ConfigMap or key that is not there."""
    remedy = "Run the play of the stage that makes it (secrets, daskhub), or correct the name."
    return Finding("missing", where, said, remedy)


def _container(snapshot: Snapshot, pod: Object, state: Mapping[str, Any]) -> Finding | None:
    now = state.get("state") or {}
    waiting = now.get("waiting") or {}
    reason = str(waiting.get("reason") or "")
    where = f"Pod/{name(pod)}"
    if reason in IMAGE:
        return _image(snapshot, pod, state, one_line(waiting.get("message") or reason))
    if reason in CONFIG:
        said = one_line(f"container {state.get('name')}: {waiting.get('message') or reason}")
        if MISSING.search(said):
            return missing(where, said)
        return Finding("crash", where, f"{reason}, {said}", "Correct the container's command or configuration.")
    ended = now.get("terminated") or (state.get("lastState") or {}).get("terminated") or {}
    failed = bool(ended) and ended.get("exitCode") != 0
    if failed and not (state.get("ready") and "running" in now):
        return _crash(snapshot, pod, state, ended)
    if "running" in now and not state.get("ready") and not state.get("init"):
        probes = snapshot.events("Pod", name(pod), "Unhealthy")
        if probes:
            return _unready(snapshot, pod, state, probes[0])
    return None


def _image(snapshot: Snapshot, pod: Object, state: Mapping[str, Any], said: str) -> Finding:
    events = [one for one in snapshot.events("Pod", name(pod), "Failed") if "pull image" in one or "pull" in one]
    said = next((one for one in events if "failed to pull" in one.lower()), said)
    image = state.get("image") or next(
        (entry.get("image") for entry in spec(pod).get("containers") or [] if entry.get("name") == state.get("name")),
        "",
    )
    if FORBIDDEN.search(said):
        remedy = "Let the cluster read that registry (AcrPull for the kubelet's identity, or an image pull secret)."
    elif ABSENT.search(said):
        remedy = "Push that image, or correct its name and tag."
    elif UNREACHED.search(said):
        remedy = "The node cannot reach the registry: see its name, DNS, proxy and firewall."
    elif "429" in said or "toomanyrequests" in said:
        remedy = "The registry limits how often it is asked: import the image into a registry of your own."
    else:
        remedy = "See that the image's name and tag are right and that the nodes may read it."
    return Finding("image", f"Pod/{name(pod)}", f"image {image}: {said}", remedy)


def _crash(snapshot: Snapshot, pod: Object, state: Mapping[str, Any], ended: Mapping[str, Any]) -> Finding:
    count = state.get("restartCount") or 0
    said = f"container {state.get('name')} ended with {ended.get('exitCode')}"
    if ended.get("reason") not in (None, "Error", "Completed"):
        said += f" ({ended['reason']})"
    said += f", {count} restarts" if count else ""
    log = lines(snapshot, name(pod), str(state.get("name"))) or one_line(ended.get("message") or "")
    if log:
        said += f"; its last lines:\n{log}"
    if ended.get("reason") == "OOMKilled":
        remedy = "Give the container more memory, or let it use less."
    else:
        remedy = "The last lines say why; correct the configuration or the image, and run the play again."
    return Finding("crash", f"Pod/{name(pod)}", said, remedy)


def _unready(snapshot: Snapshot, pod: Object, state: Mapping[str, Any], probe: str) -> Finding:
    log = lines(snapshot, name(pod), str(state.get("name")))
    said = f"container {state.get('name')} runs and is not ready: {probe}" + (
        f"; its last lines:\n{log}" if log else ""
    )
    remedy = "The program does not answer its probe: its log says why; if it is only slow to start, wait."
    return Finding("not-ready", f"Pod/{name(pod)}", said, remedy)


def _states(pod: Object) -> list[dict[str, Any]]:
    init = [{**entry, "init": True} for entry in status(pod).get("initContainerStatuses") or []]
    return [*init, *(status(pod).get("containerStatuses") or [])]


def _started(pod: Object) -> bool:
    """Whether its containers run or have run."""
    return any("waiting" not in (state.get("state") or {}) for state in status(pod).get("containerStatuses") or [])
