# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A cluster's Secrets and namespaces through the official client; what is refused, in one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing, missing_library
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

# As kubernetes.core's modules have them.
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path", "fallback": (env_fallback, ["K8S_AUTH_KUBECONFIG"])},
    "context": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_CONTEXT"])},
}
MANAGER = "planetary.hub"
TIMEOUT = (6.0, 60.0)  # seconds to connect, and for an answer
RETRIES = 1


class ClusterError(Exception):
    """A request that the cluster refused or never got, in one sentence without a full stop.

    :ivar status: HTTP status, 0 without an answer
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """What the modules ask of a cluster.

    :param options: a module's options, those of ``ARGUMENT_SPEC``
    :raises LibraryMissing: without the Python package kubernetes
    :raises InputError: when there is no usable kubeconfig
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        try:
            import kubernetes
        except ImportError:
            raise LibraryMissing(missing_library("kubernetes")) from None
        path = options.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
        try:
            client: Any = kubernetes
            api = new_client(client, os.path.expanduser(path), options.get("context"))
        except (client.config.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise InputError(f"The kubeconfig {path} cannot be used ({reason}); name another one.") from None
        self.host = str(api.configuration.host)
        self._api = client.client.CoreV1Api(api)

    def namespace(self, name: str) -> dict[str, Any] | None:
        """A namespace; None without one."""
        return self._found(lambda: self._api.read_namespace(name, _request_timeout=TIMEOUT))

    def create_namespace(self, body: Mapping[str, Any]) -> None:
        """Make a namespace."""
        self._ask(lambda: self._api.create_namespace(dict(body), field_manager=MANAGER, _request_timeout=TIMEOUT))

    def secret(self, namespace: str, name: str) -> dict[str, Any] | None:
        """A Secret as the API writes it; None without one."""
        return self._found(lambda: self._api.read_namespaced_secret(name, namespace, _request_timeout=TIMEOUT))

    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None:
        """Make a Secret."""
        self._ask(
            lambda: self._api.create_namespaced_secret(
                namespace, dict(body), field_manager=MANAGER, _request_timeout=TIMEOUT
            )
        )

    def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> None:
        """Merge into a Secret; null removes a key. What others wrote into it stays."""
        self._ask(
            lambda: self._api.patch_namespaced_secret(
                name, namespace, dict(body), field_manager=MANAGER, _request_timeout=TIMEOUT
            )
        )

    def delete_secret(self, namespace: str, name: str) -> None:
        """Remove a Secret."""
        self._ask(lambda: self._api.delete_namespaced_secret(name, namespace, _request_timeout=TIMEOUT))

    def _found(self, ask: Callable[[], Any]) -> dict[str, Any] | None:
        try:
            found = self._ask(ask)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise
        content: dict[str, Any] = self._api.api_client.sanitize_for_serialization(found)
        return content

    def _ask(self, ask: Callable[[], Any]) -> Any:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return ask()
        except ApiException as error:
            raise ClusterError(refusal(int(error.status or 0), error.body, self.host), int(error.status or 0)) from None
        except HTTPError as error:
            raise ClusterError(f"the cluster at {self.host} cannot be reached: {why(error)}") from None


def new_client(kubernetes: Any, path: str, context: str | None) -> Any:
    """A client of a kubeconfig; of a cluster that is away it says so within seconds.

    :param kubernetes: the package
    """
    configuration = type.__call__(kubernetes.client.Configuration)
    # By itself it connects four times. Set before the client is made, which does not look at it later.
    configuration.retries = RETRIES
    return kubernetes.config.new_client_from_config(path, context, client_configuration=configuration)


def refusal(status: int, body: Any, host: str) -> str:
    """What the API server says, with what to do about it.

    >>> refusal(401, "", "https://h")
    'the cluster at https://h does not accept the credentials; make a new kubeconfig'
    >>> refusal(403, '{"message": "User x cannot get resource secrets"}', "https://h").partition("; ")[0]
    'User x cannot get resource secrets'
    """
    try:
        message = str(json.loads(body or "{}").get("message") or "")
    except (ValueError, AttributeError):
        message = ""
    if status == 401:
        return f"the cluster at {host} does not accept the credentials; make a new kubeconfig"
    if status == 403:
        return (
            f'{message.rstrip(". ") or "the cluster refuses"}; give it that right, or in AKS the role "Azure Kubernetes'
            ' Service RBAC Cluster Admin"'
        )
    return f"the cluster at {host} answers {status}: {message.rstrip('. ') or 'without a reason'}"
