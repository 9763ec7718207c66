# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A cluster's Secrets and namespaces, as what writes them wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import MERGE, ClusterApi

NAMESPACES = "/api/v1/namespaces"
# Who wrote them.
MANAGER = {"fieldManager": "planetary.hub"}


class Cluster(ClusterApi):
    """What the modules ask of a cluster. The official client's own classes take a second to be made."""

    def namespace(self, name: str) -> dict[str, Any] | None:
        """A namespace; None without one."""
        return self.find(f"{NAMESPACES}/{name}")

    def create_namespace(self, body: Mapping[str, Any]) -> None:
        """Make a namespace."""
        self._ask("post", NAMESPACES, body=body, query=MANAGER)

    def secret(self, namespace: str, name: str) -> dict[str, Any] | None:
        """A Secret as the API writes it; None without one."""
        return self.find(f"{NAMESPACES}/{namespace}/secrets/{name}")

    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None:
        """Make a Secret."""
        self._ask("post", f"{NAMESPACES}/{namespace}/secrets", body=body, query=MANAGER)

    def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> None:
        """Merge into a Secret; null removes a key. What others wrote into it stays."""
        self._ask("patch", f"{NAMESPACES}/{namespace}/secrets/{name}", body=body, query=MANAGER, content_type=MERGE)

    def delete_secret(self, namespace: str, name: str) -> None:
        """Remove a Secret."""
        self._ask("delete", f"{NAMESPACES}/{namespace}/secrets/{name}")
