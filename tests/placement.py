# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Which nodes a pod may go to, as Kubernetes' scheduler reads selectors, required affinity and taints.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    """A node: its labels and its taints."""

    labels: dict[str, str]
    taints: list[dict[str, str]] = field(default_factory=list)


def _meets(labels: dict[str, str], expression: dict[str, Any]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]


def _tolerates(toleration: dict[str, Any], taint: dict[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", "")


def may_go(pod: dict[str, Any], node: Node) -> bool:
    """Whether a pod of this specification may be put on a node."""
    if any(node.labels.get(key) != value for key, value in (pod.get("nodeSelector") or {}).items()):
        return False
    affinity = (pod.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    # Terms are alternatives, the expressions of one are not.
    if terms is not None and not any(
        all(_meets(node.labels, expression) for expression in term.get("matchExpressions") or []) for term in terms
    ):
        return False
    hard = [taint for taint in node.taints if taint["effect"] != "PreferNoSchedule"]
    return all(any(_tolerates(each, taint) for each in pod.get("tolerations") or []) for taint in hard)
