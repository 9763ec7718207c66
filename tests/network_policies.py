# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Which connections the NetworkPolicies of a rendered release let through, read as Kubernetes does and as Cilium does.

The two differ in ``ipBlock``: Kubernetes leaves it to the engine whether it matches pods and nodes, and most do match;
Cilium never lets it match a pod or a node, 0.0.0.0/0 too.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/,
https://docs.cilium.io/en/stable/network/kubernetes/policy/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Reading = Literal["kubernetes", "cilium"]
READINGS: tuple[Reading, ...] = ("kubernetes", "cilium")


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod, a node, or an address outside of the cluster.

    :ivar namespace: of a pod; empty for what is no pod
    :ivar ports: name to number, of a pod's containers
    """

    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    node: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)


def allowed(
    policies: Iterable[Mapping[str, Any]],
    source: Peer,
    target: Peer,
    port: int,
    reading: Reading,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection is let out of its source and into its target; one without policies is open."""
    known = list(policies)
    return _passes(known, "egress", source, target, target, port, protocol, reading) and _passes(
        known, "ingress", target, source, target, port, protocol, reading
    )


def _passes(
    policies: list[Mapping[str, Any]],
    direction: str,
    subject: Peer,
    other: Peer,
    target: Peer,
    port: int,
    protocol: str,
    reading: Reading,
) -> bool:
    # A pod's own node always reaches it, and what is no pod has no policies.
    if not subject.namespace or (direction == "ingress" and other.node):
        return True
    own = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == subject.namespace
        and direction.title() in _types(policy["spec"])
        and selects(policy["spec"].get("podSelector") or {}, subject.labels)
    ]
    if not own:
        return True
    side = "to" if direction == "egress" else "from"
    return any(
        _ports(rule, target, port, protocol)
        and (not rule.get(side) or any(_peer(one, policy, other, reading) for one in rule[side]))
        for policy in own
        for rule in policy["spec"].get(direction) or []
    )


def _types(spec: Mapping[str, Any]) -> list[str]:
    return list(spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])])


def _ports(rule: Mapping[str, Any], target: Peer, port: int, protocol: str) -> bool:
    if not rule.get("ports"):
        return True
    for entry in rule["ports"]:
        if entry.get("protocol", "TCP") != protocol:
            continue
        wanted = entry.get("port")
        if isinstance(wanted, str):
            wanted = target.ports.get(wanted, -1)
        if wanted is None or wanted <= port <= entry.get("endPort", wanted):
            return True
    return False


def _peer(entry: Mapping[str, Any], policy: Mapping[str, Any], other: Peer, reading: Reading) -> bool:
    if block := entry.get("ipBlock"):
        if reading == "cilium" and (other.namespace or other.node):
            return False
        address = ip_address(other.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(cidr) for cidr in block.get("except") or []
        )
    if not other.namespace:
        return False
    spaces = entry.get("namespaceSelector")
    if spaces is None:
        if other.namespace != policy["metadata"]["namespace"]:
            return False
    elif not selects(spaces, {"kubernetes.io/metadata.name": other.namespace}):
        return False
    return selects(entry.get("podSelector") or {}, other.labels)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or []:
        key, values = term["key"], term.get("values") or []
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[term["operator"]]
        if not holds:
            return False
    return True
