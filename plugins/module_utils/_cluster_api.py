# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A cluster's API as paths and JSON: for what is read broadly and shown, whatever its kind."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing, missing_library
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import (
    TIMEOUT,
    ClusterError,
    new_client,
    refusal,
)
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

MERGE = "application/merge-patch+json"
# Only what an object is, without what it holds.
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
OLDEST = 32  # the chart of JupyterHub wants Kubernetes 1.32


class ClusterApi:
    """Requests to the API server of a kubeconfig.

    :param options: a module's options, those of ``_kubernetes_client.ARGUMENT_SPEC``
    :raises LibraryMissing: without the Python package kubernetes
    :raises InputError: when there is no usable kubeconfig
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        try:
            from kubernetes.dynamic import DynamicClient

            import kubernetes
        except ImportError:
            raise LibraryMissing(missing_library("kubernetes")) from None
        path = options.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
        try:
            client: Any = kubernetes
            self.api = new_client(client, os.path.expanduser(path), options.get("context"))
        except Exception as error:
            # Whatever stands in that file: YAML that is broken, or other things than a kubeconfig.
            known = isinstance(error, (client.config.ConfigException, OSError))
            reason = " ".join(str(error).split()).rstrip(".") if known else "it is no kubeconfig"
            mark = getattr(error, "problem_mark", None)
            reason = f"it is no YAML in line {mark.line + 1}" if mark else reason
            raise InputError(f"The kubeconfig {path} cannot be used ({reason}); name another one.") from None
        self._given = (os.path.expanduser(path), options.get("context"))
        self.host = str(self.api.configuration.host)
        # Paths are known here: nothing has to be discovered.
        dynamic: Any = DynamicClient
        self._client = dynamic(self.api, discoverer=lambda *_given: None)

    def get(self, path: str, accept: str = "application/json", **query: str) -> dict[str, Any]:
        """What is at a path; ``query`` may hold labelSelector, fieldSelector, limit …"""
        return self._ask("get", path, query=query, accept=accept)

    def find(self, path: str, **query: str) -> dict[str, Any] | None:
        """What is at a path; None when nothing is."""
        try:
            return self.get(path, **query)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        return list(self.get(path, **query).get("items") or [])

    def create(self, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """Make an object; a review is answered and not kept. ``query`` may hold dryRun, fieldValidation …"""
        return self._ask("post", path, body=body, query=query)

    def patch(self, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """Merge into an object; null removes a key."""
        return self._ask("patch", path, body=body, query=query, content_type=MERGE)

    def fresh(self) -> Any:
        """Another client of the same cluster, for streams, which change the client that they use."""
        import kubernetes

        loader: Any = kubernetes.config.new_client_from_config
        return loader(*self._given)

    def minor(self) -> int:
        """The minor version of the server, such as 35.

        :raises InputError: when it is older than what the charts run on
        """
        found = self.get("/version")
        digits = "".join(sign for sign in str(found.get("minor", "")) if sign.isdigit())
        minor = int(digits or 0)
        if str(found.get("major")) == "1" and minor < OLDEST:
            raise InputError(
                f"The cluster at {self.host} runs Kubernetes 1.{minor}, and the hub needs 1.{OLDEST} or later; upgrade"
                " the cluster."
            )
        return minor

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        accept: str = "application/json",
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        from kubernetes.dynamic.exceptions import DynamicApiError
        from urllib3.exceptions import HTTPError

        try:
            answer = self._client.request(
                method,
                path,
                body=body,
                query_params=list((query or {}).items()),
                header_params={"Accept": accept},
                content_type=content_type,
                serialize=False,
                _request_timeout=TIMEOUT,
            )
            found: dict[str, Any] = json.loads(answer.data)
            return found
        except DynamicApiError as error:
            status = int(error.status or 0)
            raise ClusterError(refusal(status, error.body, self.host), status) from None
        except (HTTPError, OSError) as error:
            raise ClusterError(f"the cluster at {self.host} cannot be reached: {why(error)}") from None
