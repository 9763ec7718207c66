# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is wrong with a hub, one user's server or one Dask cluster, read from the objects of a namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ansible_collections.planetary.hub.plugins.module_utils import (
    _hub_diagnosis_logs as logs,
)
from ansible_collections.planetary.hub.plugins.module_utils import (
    _hub_diagnosis_objects as objects,
)
from ansible_collections.planetary.hub.plugins.module_utils import (
    _hub_diagnosis_pods as pods,
)
from ansible_collections.planetary.hub.plugins.module_utils import (
    _hub_diagnosis_scheduling as scheduling,
)
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import Finding, Snapshot

RULES: tuple[Callable[[Snapshot], Iterable[Finding]], ...] = (
    objects.namespace,
    objects.rights,
    objects.created,
    objects.claims,
    objects.services,
    objects.certificates,
    objects.jobs,
    objects.workloads,
    scheduling.autoscaler,
    scheduling.pods,
    pods.containers,
    pods.mounts,
    pods.sandboxes,
    pods.nodes,
    logs.certificate,
    logs.deaf,
    logs.unanswered,
    objects.absent,
)

# The most telling first: what explains others stands before what it explains. What is not listed comes last but for
# "rights" and "scaling", which explain least.
ORDER = (
    "namespace",
    "azure-quota",
    "azure-capacity",
    "quota",
    "missing",
    "image",
    "volume",
    "unschedulable",
    "node",
    "dns-label",
    "load-balancer",
    "crash",
    "network",
    "job",
    "certificate",
    "hub-deaf",
    "not-ready",
)
LAST = ("scaling", "absent", "rights")
# A workload that is not ready is no news beside the reason of one of its pods, and a volume beside its claim's.
EXPLAINED = {
    "not-ready": {"crash", "missing", "image", "volume", "unschedulable", "quota", "node", "network", "scaling"},
    "absent": {"namespace", "missing", "quota", "crash", "hub-deaf"},
}


def diagnose(snapshot: Snapshot) -> list[Finding]:
    """All that is wrong, most telling first; what several objects share is said once."""
    found = [finding for rule in RULES for finding in rule(snapshot)]
    causes = {family(finding.cause) for finding in found}
    telling = [finding for finding in found if not EXPLAINED.get(family(finding.cause), set()) & causes]
    return sorted(_together(telling), key=_rank)


def family(cause: str) -> str:
    """A cause without its detail.

    >>> family("unschedulable-taint"), family("dns-label")
    ('unschedulable', 'dns-label')
    """
    return "unschedulable" if cause.startswith("unschedulable") else cause


def message(findings: list[Finding], subject: str) -> str:
    """The findings for people to read.

    :param subject: what was looked at, such as ``the server of ada``
    """
    if not findings:
        return f"Nothing is wrong with {subject} as far as the cluster shows."
    lines = [f"What keeps {subject} from running:" if len(findings) == 1 else f"What is wrong with {subject}:"]
    for number, one in enumerate(findings, 1):
        evidence = one.evidence.replace("\n", "\n       ")
        lines += [f"  {number}. {one.object}: {one.cause}", f"     seen: {evidence}", f"     do:   {one.remedy}"]
    return "\n".join(lines)


def _rank(finding: Finding) -> int:
    name = family(finding.cause)
    if name in LAST:
        return len(ORDER) + 1 + LAST.index(name)
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _together(findings: list[Finding]) -> list[Finding]:
    """One finding for all objects with the same trouble."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in findings:
        names = alike.setdefault((one.cause, one.evidence, one.remedy), [])
        if one.object not in names:
            names.append(one.object)
    return [
        Finding(cause, names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more", evidence, remedy)
        for (cause, evidence, remedy), names in alike.items()
    ]
