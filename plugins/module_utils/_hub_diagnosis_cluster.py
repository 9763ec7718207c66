# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Reads a namespace for its diagnosis, through the dynamic client; changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing, missing_library
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_logs import wanted
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_scheduling import AUTOSCALER
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import Object, Snapshot
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError, refusal
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

TIMEOUT = 30.0  # seconds for one answer
# What is read: kind, API version, whether it is the namespace's.
KINDS = (
    ("Pod", "v1", True),
    ("Event", "v1", True),
    ("PersistentVolumeClaim", "v1", True),
    ("Service", "v1", True),
    ("Deployment", "apps/v1", True),
    ("ReplicaSet", "apps/v1", True),
    ("StatefulSet", "apps/v1", True),
    ("DaemonSet", "apps/v1", True),
    ("Job", "batch/v1", True),
    ("DaskCluster", "gateway.dask.org/v1alpha1", True),
    ("Certificate", "cert-manager.io/v1", True),
    ("Node", "v1", False),
    ("StorageClass", "storage.k8s.io/v1", False),
)


class Reader:
    """A cluster that is only read.

    :param options: a module's options, those of ``_kubernetes_client.ARGUMENT_SPEC``
    :raises LibraryMissing: without the Python packages kubernetes and openshift
    :raises InputError: when there is no usable kubeconfig
    :raises ClusterError: when the cluster does not answer
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        try:
            from openshift.dynamic import DynamicClient

            import kubernetes
        except ImportError as error:
            raise LibraryMissing(missing_library(str(error.name or "openshift").partition(".")[0])) from None
        path = options.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
        library: Any = kubernetes
        try:
            api = library.config.new_client_from_config(os.path.expanduser(path), options.get("context"))
        except (library.config.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise InputError(f"The kubeconfig {path} cannot be used ({reason}); name another one.") from None
        self.host = str(api.configuration.host)
        self._client: Any = self._ask(lambda: DynamicClient(api))

    def snapshot(self, namespace: str, release: str, user: str, dask_cluster: str, log_lines: int) -> Snapshot:
        """All that the rules want to know of a namespace, with the logs of what failed."""
        objects: dict[str, list[Object]] = {}
        refused = []
        for kind, version, own in KINDS:
            try:
                objects[kind] = self._list(kind, version, namespace if own else None)
            except ClusterError as error:
                if error.status == 403:
                    refused.append(kind)
                elif error.status != 404:
                    raise
        for kind, name, place in (("Namespace", namespace, None), ("ConfigMap", AUTOSCALER, "kube-system")):
            try:
                objects[kind] = [self._get(kind, name, place)]
            except ClusterError as error:
                if error.status == 403:
                    refused.append(kind)
                elif error.status != 404:
                    raise
        found = Snapshot(namespace, objects, {}, tuple(refused), release, user, dask_cluster, log_lines)
        logs = {}
        for one in wanted(found):
            try:
                logs[one.pod, one.container] = self._log(namespace, one.pod, one.container, one.previous, one.lines)
            except ClusterError:
                # A pod that is gone by now, or a node that does not answer, has no log: the other findings stand.
                continue
        return replace(found, logs=logs)

    def _list(self, kind: str, version: str, namespace: str | None) -> list[Object]:
        from kubernetes.dynamic.exceptions import ResourceNotFoundError

        def ask() -> Any:
            try:
                resource = self._client.resources.get(api_version=version, kind=kind)
            except ResourceNotFoundError:
                return {"items": []}
            return resource.get(namespace=namespace, _request_timeout=TIMEOUT).to_dict()

        return list(self._ask(ask).get("items") or [])

    def _get(self, kind: str, name: str, namespace: str | None) -> Object:
        def ask() -> Any:
            resource = self._client.resources.get(api_version="v1", kind=kind)
            return resource.get(name=name, namespace=namespace, _request_timeout=TIMEOUT).to_dict()

        content: Object = self._ask(ask)
        return content

    def _log(self, namespace: str, pod: str, container: str, previous: bool, lines: int) -> str:
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = [("container", container), ("tailLines", lines), ("limitBytes", 2**20)]
        if previous:
            query.append(("previous", "true"))
        answer = self._ask(
            lambda: self._client.request(
                "get",
                path,
                query_params=query,
                header_params={"Accept": "*/*"},
                serialize=False,
                _request_timeout=TIMEOUT,
            )
        )
        return bytes(answer.data or b"").decode("utf-8", "replace")

    def _ask(self, ask: Any) -> Any:
        from kubernetes.client import ApiException
        from kubernetes.dynamic.exceptions import DynamicApiError
        from urllib3.exceptions import HTTPError

        try:
            return ask()
        except (ApiException, DynamicApiError) as error:
            status = int(error.status or 0)
            raise ClusterError(refusal(status, error.body, self.host), status) from None
        except HTTPError as error:
            raise ClusterError(f"the cluster at {self.host} cannot be reached: {why(error)}") from None
