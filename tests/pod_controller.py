# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a cluster's controllers and kubelets would do, as far as Helm waits for it: Deployments become ready.

A bare API server runs no pod. Here every Deployment gets a ReplicaSet and says that its pods are ready, unless the tag
of an image is `broken`: then it has a pod whose image cannot be pulled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from kubernetes.client import ApiException

from kubernetes import client, config

INTERVAL = 0.2  # seconds
BROKEN = ":broken"


class PodController:
    """Watches the Deployments of all namespaces until it is stopped."""

    def __init__(self, kubeconfig: Path) -> None:
        loader: Any = config.new_client_from_config
        api = loader(str(kubeconfig))
        self._apps: Any = client.AppsV1Api(api)
        self._core: Any = client.CoreV1Api(api)
        self._done: dict[str, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> PodController:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, after the look that it is at."""
        self._stopped.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            for one in self._apps.list_deployment_for_all_namespaces().items:
                if self._done.get(one.metadata.uid) == one.metadata.generation:
                    continue
                # What is deleted meanwhile, or in a namespace that goes away, is looked at no more.
                with contextlib.suppress(ApiException):
                    self._done[one.metadata.uid] = one.metadata.generation
                    self._reconcile(one)

    def _reconcile(self, one: Any) -> None:
        space, name = one.metadata.namespace, one.metadata.name
        broken = any(container.image.endswith(BROKEN) for container in one.spec.template.spec.containers)
        template = self._apps.api_client.sanitize_for_serialization(one.spec.template)
        count = 0 if broken else one.spec.replicas
        self._replica_set(one, template, count)
        self._pod(space, name, template, broken)
        status = {"observedGeneration": one.metadata.generation, "replicas": one.spec.replicas}
        ready = dict.fromkeys(("readyReplicas", "availableReplicas"), count)
        ready |= {"updatedReplicas": one.spec.replicas, "unavailableReplicas": one.spec.replicas - count}
        self._apps.patch_namespaced_deployment_status(name, space, {"status": {**status, **ready}})

    def _replica_set(self, one: Any, template: dict[str, Any], count: int) -> None:
        space = one.metadata.namespace
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        labels = {**template["metadata"]["labels"], "pod-template-hash": digest}
        name = f"{one.metadata.name}-{digest}"
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": one.metadata.name, "uid": one.metadata.uid}
        body = {
            "metadata": {"name": name, "labels": labels, "ownerReferences": [{**owner, "controller": True}]},
            "spec": {
                "replicas": one.spec.replicas,
                "selector": {"matchLabels": labels},
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
        }
        with contextlib.suppress(ApiException):
            self._apps.create_namespaced_replica_set(space, body)
        # Helm asks whether the status is of this generation; a ReplicaSet of a Deployment has only one.
        status = {
            "observedGeneration": 1,
            "replicas": one.spec.replicas,
            "readyReplicas": count,
            "availableReplicas": count,
        }
        self._apps.patch_namespaced_replica_set_status(name, space, {"status": status})

    def _pod(self, space: str, name: str, template: dict[str, Any], broken: bool) -> None:
        """The pod that cannot start, there for as long as its template is."""
        with contextlib.suppress(ApiException):
            self._core.delete_namespaced_pod(f"{name}-broken", space, grace_period_seconds=0)
        if not broken:
            return
        metadata = {"name": f"{name}-broken", "labels": template["metadata"]["labels"]}
        self._core.create_namespaced_pod(space, {"metadata": metadata, "spec": template["spec"]})
        waiting = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": f"no image {container['image']}"}},
            }
            for container in template["spec"]["containers"]
        ]
        self._core.patch_namespaced_pod_status(
            f"{name}-broken", space, {"status": {"phase": "Pending", "containerStatuses": waiting}}
        )
