# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Files of ConfigMaps in running pods: kubelet brings them late, unless the pod itself changes.

"As soon as the ConfigMap is updated … the total delay can be as long as kubelet sync period + cache propagation delay":
a minute and more. "You can trigger an immediate refresh by updating one of the Pod's annotations":
https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#mounted-configmaps-are-updated-automatically
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

ANNOTATION = "planetary.hub/files"
# Pods of people, in which nothing is run that they did not ask for.
PEOPLES = ("hub.jupyter.org/username", "gateway.dask.org/cluster")
AGAIN = 15.0  # seconds after which a pod is nudged once more
LIMIT = 20.0  # seconds for one command in a pod


@dataclass(frozen=True)
class Mounted:
    """A ConfigMap in a container that runs.

    :ivar files: path in the container to the SHA-256 that its content shall have
    """

    pod: str
    container: str
    config_map: str
    files: Mapping[str, str]


def digests(config_map: Mapping[str, Any]) -> dict[str, str]:
    """Key to the SHA-256 of its content."""
    found = {key: hashlib.sha256(value.encode()).hexdigest() for key, value in (config_map.get("data") or {}).items()}
    for key, value in (config_map.get("binaryData") or {}).items():
        found[key] = hashlib.sha256(base64.b64decode(value)).hexdigest()
    return found


def mounts(pods: Iterable[Mapping[str, Any]], config_maps: Mapping[str, Mapping[str, str]]) -> list[Mounted]:
    """Where ConfigMaps are mounted, in pods that run and are not ending.

    What is mounted as single files (``subPath``) never changes in a pod, and is left out.

    :param config_maps: name to the digests of its keys
    """
    found = []
    for pod in pods:
        metadata = pod["metadata"]
        if (pod.get("status") or {}).get("phase") != "Running" or metadata.get("deletionTimestamp"):
            continue
        if set(PEOPLES) & set(metadata.get("labels") or {}):
            continue
        volumes = {volume["name"]: _files(volume, config_maps) for volume in pod["spec"].get("volumes") or []}
        for container in pod["spec"].get("containers") or []:
            for mount in container.get("volumeMounts") or []:
                for name, files in volumes.get(mount["name"], []):
                    if not files or mount.get("subPath") or mount.get("subPathExpr"):
                        continue
                    place = mount["mountPath"].rstrip("/")
                    there = {f"{place}/{path}": digest for path, digest in files.items()}
                    found.append(Mounted(pod["metadata"]["name"], container["name"], name, there))
    return found


def _files(volume: Mapping[str, Any], config_maps: Mapping[str, Mapping[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """The ConfigMaps of a volume, each with path to digest."""
    sources = [volume.get("configMap")]
    sources += [source.get("configMap") for source in (volume.get("projected") or {}).get("sources") or []]
    found = []
    for source in sources:
        if not source or source.get("name") not in config_maps:
            continue
        known = config_maps[source["name"]]
        items = source.get("items") or [{"key": key, "path": key} for key in known]
        found.append((source["name"], {one["path"]: known[one["key"]] for one in items if one["key"] in known}))
    return found


def nudge(api: ClusterApi, namespace: str, pod: str, value: str) -> None:
    """Change an annotation of a pod, so that its kubelet looks at its volumes now; a pod that is gone needs nothing."""
    try:
        api.patch(f"/api/v1/namespaces/{namespace}/pods/{pod}", {"metadata": {"annotations": {ANNOTATION: value}}})
    except ClusterError as error:
        if error.status != 404:
            raise


def arrived(api: ClusterApi, namespace: str, mounted: Mounted) -> bool | None:
    """Whether a container sees the files as they shall be; None when it cannot be asked (it has no sha256sum …)."""
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    from kubernetes import client, stream

    loader: Any = client
    try:
        said = stream.stream(
            loader.CoreV1Api(api.fresh()).connect_get_namespaced_pod_exec,
            mounted.pod,
            namespace,
            container=mounted.container,
            command=["sha256sum", *mounted.files],
            stdout=True,
            stderr=False,
            stdin=False,
            tty=False,
            _request_timeout=LIMIT,
        )
    except (ApiException, HTTPError, OSError):
        return None
    return seen(str(said)) == dict(mounted.files) if said else None


def seen(said: str) -> dict[str, str]:
    """Path to digest, as sha256sum says it.

    >>> seen("abc  /etc/x\\n")
    {'/etc/x': 'abc'}
    """
    rows = (line.split(None, 1) for line in said.splitlines() if line.strip())
    return {row[1].lstrip("*"): row[0].lstrip("\\") for row in rows if len(row) == 2}


def synchronise(
    api: ClusterApi, namespace: str, wanted: list[Mounted], progress: Progress, seconds: float
) -> tuple[list[Mounted], list[Mounted]]:
    """Nudge the pods until each container sees its files.

    :returns: those that were behind, and those that still are after the time, or that cannot be asked
    """
    left = [one for one in wanted if not arrived(api, namespace, one)]
    behind, wait, nudged = list(left), Wait(seconds, "waiting for files to arrive", progress), 0.0
    number = 0
    while left:
        if not number or wait.passed - nudged >= AGAIN:
            number, nudged = number + 1, wait.passed
            for pod in sorted({one.pod for one in left}):
                digest = hashlib.sha256(repr([dict(one.files) for one in left if one.pod == pod]).encode())
                nudge(api, namespace, pod, f"{digest.hexdigest()[:16]}-{number}")
        if not wait.pause(0.5):
            break
        for one in list(left):
            if arrived(api, namespace, one):
                left.remove(one)
                progress.say(f"{one.config_map}: arrived in {one.pod} ({one.container})")
    return behind, left
