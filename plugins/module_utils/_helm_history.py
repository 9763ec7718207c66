# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A release as Helm keeps it, one Secret for each revision, and what a run that was killed left to be done.

https://helm.sh/docs/topics/advanced/#storage-backends; statuses: https://pkg.go.dev/helm.sh/helm/v3/pkg/release#Status
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import METADATA, ClusterApi

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclass(frozen=True)
class Revision:
    """One revision: number, status (``deployed``, ``superseded``, ``failed``, ``pending-…``), name of its Secret."""

    number: int
    status: str
    secret: str


@dataclass(frozen=True)
class Recovery:
    """What has to be done before anything else.

    :ivar action: ``none``, ``rollback`` or ``uninstall``
    :ivar revision: to which a rollback leads, otherwise 0
    :ivar status: in which the release was found; empty without a release
    """

    action: str
    revision: int = 0
    status: str = ""


def revisions(secrets: Iterable[Mapping[str, Any]]) -> list[Revision]:
    """The revisions of a release from the labels of Helm's Secrets, oldest first."""
    found = []
    for secret in secrets:
        labels = secret["metadata"].get("labels") or {}
        number = str(labels.get("version", ""))
        if number.isdigit():
            found.append(Revision(int(number), str(labels.get("status", "")), str(secret["metadata"]["name"])))
    return sorted(found, key=lambda revision: revision.number)


def last_good(history: list[Revision]) -> Revision | None:
    """The revision to go back to: the deployed one, otherwise (after a rollback that failed) the last that was.

    >>> last_good([Revision(1, "superseded", "a"), Revision(2, "deployed", "b"), Revision(3, "failed", "c")]).number
    2
    >>> last_good([Revision(1, "superseded", "a"), Revision(2, "superseded", "b"), Revision(3, "failed", "c")]).number
    2
    """
    for status in ("deployed", "superseded"):
        found = [revision for revision in history if revision.status == status]
        if found:
            return found[-1]
    return None


def recovery(history: list[Revision]) -> Recovery:
    """What a killed run left to be done, so that Helm works on the release again.

    >>> recovery([Revision(1, "deployed", "a"), Revision(2, "pending-upgrade", "b")])
    Recovery(action='rollback', revision=1, status='pending-upgrade')
    >>> recovery([Revision(1, "pending-install", "a")])
    Recovery(action='uninstall', revision=0, status='pending-install')
    >>> recovery([Revision(1, "failed", "a")])
    Recovery(action='none', revision=0, status='failed')
    """
    if not history:
        return Recovery("none")
    status = history[-1].status
    if status == "uninstalling":
        return Recovery("uninstall", 0, status)
    if status in PENDING:
        return undo(history)
    return Recovery("none", 0, status)


def undo(history: list[Revision]) -> Recovery:
    """How to take the last revision back: to the one before it that was deployed, or away when there was none."""
    if not history:
        return Recovery("none")
    good, last = last_good(history[:-1]), history[-1]
    if last.status == "deployed":
        return Recovery("none", 0, last.status)
    return Recovery("rollback", good.number, last.status) if good else Recovery("uninstall", 0, last.status)


def decoded(data: str) -> dict[str, Any]:
    """A release from the value of its Secret: JSON, compressed, in base64, and in base64 once more by Kubernetes."""
    content = base64.b64decode(base64.b64decode(data))
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    release: dict[str, Any] = json.loads(content)
    return release


def read_history(api: ClusterApi, namespace: str, release: str) -> list[Revision]:
    """The revisions of a release in a cluster."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    found = api.get(path, accept=METADATA, labelSelector=f"owner=helm,name={release}")
    return revisions(found.get("items") or [])


def read_release(api: ClusterApi, namespace: str, revision: Revision) -> dict[str, Any]:
    """The stored release of a revision; nothing when it has just gone."""
    found = api.find(f"/api/v1/namespaces/{namespace}/secrets/{revision.secret}")
    return decoded(found["data"]["release"]) if found else {}
