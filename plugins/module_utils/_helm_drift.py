# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What of a release is not in the cluster as Helm left it: deleted, scaled or given another image by hand.

Helm's own upgrade makes anew what is missing and sets back what was changed; it has only to be started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import METADATA, ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import (
    HOOK,
    Difference,
    Key,
    Objects,
    dumped,
    masked,
)
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError

# Kinds that are in no namespace: https://kubernetes.io/docs/reference/kubernetes-api/
CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "IngressClass",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    }
)
WORKLOADS = frozenset({"Deployment", "StatefulSet"})
# Group version, plural and namespace (empty: none) of a list.
Place = tuple[str, str, str]


def plural(kind: str) -> str:
    """A kind in the words of a path, as Kubernetes forms them.

    >>> plural("NetworkPolicy"), plural("Ingress"), plural("PriorityClass"), plural("ConfigMap")
    ('networkpolicies', 'ingresses', 'priorityclasses', 'configmaps')
    """
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


def list_of(one: Mapping[str, Any], namespace: str) -> Place:
    """The list in which an object of a release is found."""
    kind = str(one["kind"])
    own = str((one.get("metadata") or {}).get("namespace") or namespace)
    return str(one.get("apiVersion", "v1")), plural(kind), "" if kind in CLUSTER_WIDE else own


def path_of(place: Place) -> str:
    """As the API server knows it.

    >>> path_of(("v1", "secrets", "dhub")), path_of(("rbac.authorization.k8s.io/v1", "clusterroles", ""))
    ('/api/v1/namespaces/dhub/secrets', '/apis/rbac.authorization.k8s.io/v1/clusterroles')
    """
    version, name, namespace = place
    start = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{start}/namespaces/{namespace}/{name}" if namespace else f"{start}/{name}"


def drift(api: ClusterApi, namespace: str, stored: Objects) -> list[Difference]:
    """What is not as the release says.

    What may not be looked at is taken to be as it should.

    :param stored: the objects of the last revision, and its hooks, which come and go and are left out
    """
    lists: dict[Place, dict[str, Mapping[str, Any]] | None] = {}
    found = []
    for key, one in sorted(stored.items(), key=lambda item: (item[0][1], item[0][2])):
        if key[1].startswith(HOOK):
            continue
        place = list_of(one, namespace)
        if place not in lists:
            lists[place] = _listed(api, place, whole=key[1] in WORKLOADS)
        there = lists[place]
        if there is not None:
            found += list(_deviation(key, one, there.get(str(one["metadata"]["name"]))))
    return found


def _listed(api: ClusterApi, place: Place, whole: bool) -> dict[str, Mapping[str, Any]] | None:
    """What is there, by name; None when nobody can tell."""
    try:
        items = api.items(path_of(place), **({} if whole else {"accept": METADATA}))
    except ClusterError as error:
        # A kind with another plural, or one that the cluster has lost.
        if error.status in (403, 404):
            return None
        raise
    return {str(one["metadata"]["name"]): one for one in items}


def _deviation(key: Key, one: Mapping[str, Any], live: Mapping[str, Any] | None) -> Iterator[Difference]:
    name = f"{key[1]}/{key[2].rpartition('/')[2]}"
    if live is None:
        yield Difference(name, key[1], "create", *masked(None, one), note="was deleted by hand; it is made anew")
        return
    if key[1] not in WORKLOADS:
        return
    was, is_ = by_hand(one, live)
    if was != is_:
        words = ", ".join(f"{what}: {is_[what]}" for what in was if was[what] != is_[what])
        yield Difference(
            *(name, key[1], "update", dumped(is_), dumped(was)),
            replaces_pods=any(what != "replicas" and was[what] != is_[what] for what in was),
            note=f"was changed by hand ({words}); it is set back",
        )


def by_hand(one: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What people change by hand, as the release says it and as it is: replicas and images.

    >>> by_hand({"spec": {"replicas": 1, "template": {}}}, {"spec": {"replicas": 0, "template": {}}})
    ({'replicas': 1}, {'replicas': 0})
    """
    was, is_ = _settings(one), _settings(live)
    return was, {what: is_.get(what) for what in was}


def _settings(one: Mapping[str, Any]) -> dict[str, Any]:
    spec = one.get("spec") or {}
    # Without a number, somebody else says it.
    found = {} if spec.get("replicas") is None else {"replicas": spec["replicas"]}
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]
    return {**found, **{f"image of {each['name']}": each.get("image") for each in containers}}
