# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What nodes are for: one table for the pools of the cluster, for KubeSpawner and for Dask Gateway.

Labels, taints, tolerations and expressions are in Kubernetes' own words: a taint is {key, value, effect}, an expression
{key, operator, values}. Values are those of the deployments this collection replaces.
"""

from __future__ import annotations

import copy
from typing import Any

NODE_PURPOSE = "hub.jupyter.org/node-purpose"
USER_KIND = "pc.microsoft.com/userkind"
WORKER_KIND = "pc.microsoft.com/workerkind"
DEDICATED = "k8s.dask.org/dedicated"
GPU_RESOURCE = "nvidia.com/gpu"

# AKS itself puts this label and this taint on the nodes of a spot pool.
SPOT_LABELS = {"kubernetes.azure.com/scalesetpriority": "spot"}
SPOT_TAINT = {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot", "effect": "NoSchedule"}

# Azure's tools once refused a slash in a taint, so both spellings are in use: pools have one, pods tolerate both.
_USER_TAINTS = (
    {"key": "hub.jupyter.org_dedicated", "value": "user", "effect": "NoSchedule"},
    {"key": "hub.jupyter.org/dedicated", "value": "user", "effect": "NoSchedule"},
)
_WORKER_TAINTS = (
    {"key": "k8s.dask.org_dedicated", "value": "worker", "effect": "NoSchedule"},
    {"key": "k8s.dask.org/dedicated", "value": "worker", "effect": "NoSchedule"},
)
_GPU_TAINT = {"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"}


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


# labels, taints: what a pool of this purpose has.
# tolerates: the taints its pods put up with.
# always: expressions every node must meet. A node without the label meets NotIn: a cluster without labels serves too.
# purpose: expressions that lead to the pool of this purpose; how strictly, is the deployment's choice (MATCHES).
PURPOSES: dict[str, dict[str, Any]] = {
    "core": {
        "labels": {NODE_PURPOSE: "core"},
        "taints": (),
        "tolerates": (),
        "always": (_expression(USER_KIND, "NotIn", "gpu"), _expression(WORKER_KIND, "NotIn", "gpu")),
        "purpose": (_expression(NODE_PURPOSE, "In", "core"),),
    },
    "user": {
        "labels": {NODE_PURPOSE: "user"},
        "taints": _USER_TAINTS[:1],
        "tolerates": _USER_TAINTS,
        "always": (_expression(USER_KIND, "NotIn", "gpu"), _expression(WORKER_KIND, "NotIn", "gpu")),
        "purpose": (_expression(NODE_PURPOSE, "In", "user"),),
    },
    "worker": {
        "labels": {DEDICATED: "worker", WORKER_KIND: "cpu"},
        "taints": (),
        "tolerates": (*_WORKER_TAINTS, SPOT_TAINT),
        "always": (_expression(USER_KIND, "NotIn", "gpu"), _expression(WORKER_KIND, "NotIn", "gpu")),
        "purpose": (_expression(DEDICATED, "In", "worker"), _expression(WORKER_KIND, "In", "cpu")),
    },
    "gpu_user": {
        "labels": {NODE_PURPOSE: "user", USER_KIND: "gpu"},
        "taints": _USER_TAINTS[:1],
        "tolerates": (*_USER_TAINTS, _GPU_TAINT),
        "always": (_expression(USER_KIND, "In", "gpu"),),
        "purpose": (_expression(NODE_PURPOSE, "In", "user"),),
    },
    "gpu_worker": {
        "labels": {DEDICATED: "worker", WORKER_KIND: "gpu"},
        "taints": (),
        "tolerates": (*_WORKER_TAINTS, SPOT_TAINT, _GPU_TAINT),
        "always": (_expression(WORKER_KIND, "In", "gpu"),),
        "purpose": (_expression(DEDICATED, "In", "worker"),),
    },
    # No pool of its own: schedulers live on core or user nodes, never where they keep a GPU or die with a spot node.
    "scheduler": {
        "labels": {},
        "taints": (),
        "tolerates": _USER_TAINTS,
        "always": (_expression(USER_KIND, "NotIn", "gpu"), _expression(WORKER_KIND, "NotIn", "gpu")),
        "purpose": (_expression(NODE_PURPOSE, "In", "core", "user"),),
    },
}

# The words of the JupyterHub chart's scheduling.userPods.nodeAffinity.matchNodePurpose.
MATCHES = ("ignore", "prefer", "require")


def labels(purpose: str, spot: bool = False) -> dict[str, str]:
    """Labels of the nodes of a pool."""
    return {**PURPOSES[purpose]["labels"], **(SPOT_LABELS if spot else {})}


def taints(purpose: str, spot: bool = False) -> list[dict[str, str]]:
    """Taints of the nodes of a pool."""
    return [dict(taint) for taint in (*PURPOSES[purpose]["taints"], *((SPOT_TAINT,) if spot else ()))]


def tolerations(purpose: str) -> list[dict[str, str]]:
    """Tolerations of the pods of a purpose."""
    return [{**taint, "operator": "Equal"} for taint in PURPOSES[purpose]["tolerates"]]


def required_terms(purpose: str, match: str) -> list[dict[str, Any]]:
    """Node selector terms a pod must have: one term, because several would be alternatives."""
    row = PURPOSES[purpose]
    expressions = [*row["always"], *(row["purpose"] if match == "require" else ())]
    return [{"matchExpressions": copy.deepcopy(expressions)}]


def preferred_terms(purpose: str, match: str) -> list[dict[str, Any]]:
    """Node selector terms, with weights, that a pod would rather have."""
    if match != "prefer":
        return []
    return [{"weight": 100, "preference": {"matchExpressions": copy.deepcopy(list(PURPOSES[purpose]["purpose"]))}}]


def pod_placement(purpose: str, match: str) -> dict[str, Any]:
    """The part of a pod's specification that chooses its node."""
    affinity: dict[str, Any] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": required_terms(purpose, match)}
    }
    preferred = preferred_terms(purpose, match)
    if preferred:
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return {"affinity": {"nodeAffinity": affinity}, "tolerations": tolerations(purpose)}
