# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What somebody has to be allowed in a cluster to release the hub there, asked before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
# Kinds that the release is made of, as <resource> or <resource>.<group>.
NAMESPACED = (
    "configmaps",
    "persistentvolumeclaims",
    "secrets",
    "serviceaccounts",
    "services",
    "daemonsets.apps",
    "deployments.apps",
    "cronjobs.batch",
    "jobs.batch",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
)
CLUSTER_WIDE = (
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "priorityclasses.scheduling.k8s.io",
)
# Helm makes these once, and asks for nothing where they are.
ONCE = "customresourcedefinitions.apiextensions.k8s.io"
VERBS = ("create", "patch")
# What somebody gives to a role of the release has to be theirs: feature -> (verb, kind, whether in the whole cluster).
FEATURES: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "home_files": tuple((verb, "storageclasses.storage.k8s.io", True) for verb in VERBS),
    "home_snapshots": (
        ("list", "persistentvolumeclaims", False),
        *((verb, "volumesnapshots.snapshot.storage.k8s.io", False) for verb in ("list", "create", "delete")),
    ),
    "home_snapshots_class": tuple((verb, "volumesnapshotclasses.snapshot.storage.k8s.io", True) for verb in VERBS),
}
SIDE_BY_SIDE = 8  # requests


class Api(Protocol):
    """What is asked: a ClusterApi."""

    host: str

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object; a review is answered and not kept."""


class Right(NamedTuple):
    """To do something with a kind; without a namespace, in the whole cluster."""

    verb: str
    resource: str
    namespace: str = ""


def check_rights(
    api: Api, namespace: str, namespace_exists: bool, kinds_exist: bool, features: Iterable[str] = ()
) -> None:
    """Refuse to begin what could not be finished.

    :param kinds_exist: whether the cluster knows the kinds of Dask Gateway
    :param features: names out of ``FEATURES`` that are switched on
    :raises InputError: one sentence with all rights that are missing
    """
    if allowed(api, Right("*", "*.*")):
        return
    rights = [Right(verb, kind, namespace) for kind in NAMESPACED for verb in VERBS]
    rights += [Right(verb, kind) for kind in CLUSTER_WIDE for verb in VERBS]
    for feature in features:
        rights += [Right(verb, kind, "" if whole else namespace) for verb, kind, whole in FEATURES[feature]]
    rights += [] if kinds_exist else [Right("create", ONCE)]
    rights += [] if namespace_exists else [Right("create", "namespaces")]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        found = list(threads.map(lambda right: allowed(api, right), rights))
    missing = [right for right, there in zip(rights, found, strict=True) if not there]
    if missing:
        raise InputError(
            f"{who(api)} may not {described(missing)} at the cluster {api.host}, which the hub needs; let somebody bind"
            ' the cluster role cluster-admin, or in AKS give the role "Azure Kubernetes Service RBAC Cluster Admin".'
        )


def allowed(api: Api, right: Right) -> bool:
    """Ask the cluster whether the kubeconfig's user has a right."""
    resource, _dot, group = right.resource.partition(".")
    attributes = {"verb": right.verb, "resource": resource, "group": group, "namespace": right.namespace}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    answer = api.create(REVIEWS, {**body, "spec": {"resourceAttributes": attributes}})
    return bool((answer.get("status") or {}).get("allowed"))


def who(api: Api) -> str:
    """The user as the cluster knows it."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    user = ((api.create(WHO, body).get("status") or {}).get("userInfo") or {}).get("username")
    return f'The user "{user}"' if user else "The user of the kubeconfig"


def described(rights: Iterable[Right]) -> str:
    """Rights for a sentence.

    >>> described([Right("create", "roles.rbac", "dhub"), Right("patch", "roles.rbac", "dhub"), Right("create", "x")])
    'create and patch roles in the namespace dhub and create x in the whole cluster'
    """
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.namespace, right.resource), []).append(right.verb)
    kinds: dict[tuple[str, str], list[str]] = {}
    for (namespace, resource), listed in verbs.items():
        kinds.setdefault((namespace, " and ".join(listed)), []).append(resource.partition(".")[0])
    return " and ".join(
        f"{verb} {', '.join(names)} in {f'the namespace {namespace}' if namespace else 'the whole cluster'}"
        for (namespace, verb), names in kinds.items()
    )
