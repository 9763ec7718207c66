# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a cluster is, as far as a hub depends on it: version, nodes, storage classes, where its API server is."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_scheduling import AUTOSCALER, amount
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._purposes import GPU_RESOURCE, PURPOSES
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, quote

Object = Mapping[str, Any]

# Labels that say what a node is for.
PURPOSE_LABELS = frozenset(key for row in PURPOSES.values() for key in row["labels"])
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def visible(api: ClusterApi, path: str, **query: str) -> list[dict[str, Any]] | None:
    """The objects of a list; None when they may not be looked at, or their kind is not known."""
    try:
        return api.items(path, **query)
    except ClusterError as error:
        if error.status in (403, 404):
            return None
        raise


def check_namespace(api: ClusterApi, namespace: str) -> bool:
    """Whether the namespace is there; whoever may use one need not be allowed to look at it.

    :raises InputError: when it is on its way out
    """
    try:
        found = api.find(f"/api/v1/namespaces/{namespace}")
    except ClusterError as error:
        if error.status != 403:
            raise
        return True
    if ((found or {}).get("status") or {}).get("phase") == "Terminating":
        raise InputError(
            f"The namespace {namespace} is being deleted; wait until it is gone, or name another one in hub_namespace."
        )
    return found is not None


def grows(api: ClusterApi) -> bool:
    """Whether nodes may come that are not there yet: the cluster autoscaler writes what it does into a ConfigMap."""
    try:
        return api.find(f"/api/v1/namespaces/kube-system/configmaps/{AUTOSCALER}") is not None
    except ClusterError as error:
        if error.status != 403:
            raise
        return True


def shapes(nodes: Iterable[Object]) -> list[dict[str, Any]]:
    """Nodes as far as they differ for a pod: [{name, labels, taints, allocatable: {cpu, memory, gpu}}].

    Of several alike the first; labels are those that say what a node is for; memory is in bytes.
    """
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        metadata, room = node["metadata"], (node.get("status") or {}).get("allocatable") or {}
        labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key in PURPOSE_LABELS}
        taints = [
            {key: taint[key] for key in ("key", "value", "effect") if key in taint}
            for taint in (node.get("spec") or {}).get("taints") or []
            # Of a node that is not well, or closed for a while.
            if not str(taint["key"]).startswith("node.kubernetes.io/")
        ]
        allocatable = {
            "cpu": float(amount(room.get("cpu", 0))),
            "memory": int(amount(room.get("memory", 0))),
            "gpu": int(amount(room.get(GPU_RESOURCE, 0))),
        }
        shape = {"labels": labels, "taints": taints, "allocatable": allocatable}
        found.setdefault(repr(shape), {"name": metadata["name"], **shape})
    return list(found.values())


def check_storage(classes: Iterable[Object], volumes: Iterable[Object] | None, wanted: Mapping[str, str]) -> None:
    """Refuse storage classes that are not there.

    :param volumes: the cluster's volumes; None when they may not be looked at
    :param wanted: what says it -> name of the class, empty for the cluster's default
    :raises InputError: one sentence
    """
    known = list(classes)
    names = sorted(str(one["metadata"]["name"]) for one in known)
    choice = f"name one of {', '.join(names)}" if names else "make one"
    default = any((one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for one in known)
    # A claim without a class takes a volume without a class.
    default = default or volumes is None or any(not (one["spec"].get("storageClassName")) for one in volumes)
    for said, name in wanted.items():
        if name and name not in names:
            raise InputError(f"{said} is {quote(name)}, and the cluster has no such storage class; {choice}.")
        if not name and not default:
            raise InputError(f"{said} is empty, and the cluster has no default storage class; {choice}.")


def public_addresses(api: ClusterApi) -> list[str]:
    """Addresses of the API server in the internet, as pods and as the kubeconfig see it; IPv4."""
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    slices = visible(api, path, labelSelector="kubernetes.io/service-name=kubernetes") or []
    found = {str(address) for one in slices for end in one.get("endpoints") or [] for address in end["addresses"]}
    found |= resolved(urlsplit(api.host).hostname or "")
    return sorted(filter(public, found), key=IPv4Address)


def resolved(host: str) -> set[str]:
    """The addresses of a name; none where names outside are not known, as behind a proxy."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)}
    except OSError:
        return set()


def public(address: str) -> bool:
    """Whether an address is one of the internet's, IPv4.

    >>> [public(each) for each in ("20.50.1.2", "10.0.0.1", "127.0.0.1", "100.64.0.1", "2001:4860::1", "x")]
    [True, False, False, False, False, False]
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return isinstance(found, IPv4Address) and found.is_global
