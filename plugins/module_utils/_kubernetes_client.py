# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The official client of a kubeconfig; what a cluster refuses, in one sentence."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import env_fallback

# As kubernetes.core's modules have them.
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path", "fallback": (env_fallback, ["K8S_AUTH_KUBECONFIG"])},
    "context": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_CONTEXT"])},
}
TIMEOUT = (6.0, 60.0)  # seconds to connect, and for an answer
RETRIES = 1


class ClusterError(Exception):
    """A request that the cluster refused or never got, in one sentence without a full stop.

    :ivar status: HTTP status, 0 without an answer
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


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
    >>> refusal(403, '{"message": "pods x is forbidden: exceeded quota"}', "https://h")
    'pods x is forbidden: exceeded quota'
    """
    try:
        message = str(json.loads(body or "{}").get("message") or "")
    except (ValueError, AttributeError):
        message = ""
    if status == 401:
        return f"the cluster at {host} does not accept the credentials; make a new kubeconfig"
    if status == 403:
        said = message.rstrip(". ") or "the cluster refuses"
        # A quota or a policy forbids too, and no right helps against it.
        if message and "cannot " not in message:
            return said
        return f'{said}; give it that right, or in AKS the role "Azure Kubernetes Service RBAC Cluster Admin"'
    return f"the cluster at {host} answers {status}: {message.rstrip('. ') or 'without a reason'}"
