# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A namespace at one moment, as its API writes it, and what part of it is looked at."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Object = Mapping[str, Any]

USERNAME = "hub.jupyter.org/username"
CLUSTER = "gateway.dask.org/cluster"
# Of pods that come and go with people; a release does not wait for them.
PEOPLES = {"singleuser-server", "dask-scheduler", "dask-worker", "user-placeholder"}


class Finding(NamedTuple):
    """One thing that is wrong.

    cause: a word, such as ``image`` or ``unschedulable-taint``.
    object: ``<Kind>/<name>``.
    evidence: what the cluster says; may have several lines.
    remedy: what to do, one sentence.
    """

    cause: str
    object: str
    evidence: str
    remedy: str


@dataclass(frozen=True)
class Snapshot:
    """What was found.

    :ivar objects: kind to the objects of the namespace; ``Namespace`` has the namespace itself, if there is one,
        ``Node``, ``StorageClass`` and the ConfigMap of the autoscaler are the cluster's
    :ivar logs: (pod, container) to the last lines
    :ivar refused: kinds that the credentials may not list
    :ivar release: Helm release, empty for whatever there is
    :ivar log_lines: how many of a container's last lines are shown at most
    """

    namespace: str
    objects: Mapping[str, list[Object]]
    logs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    release: str = ""
    user: str = ""
    dask_cluster: str = ""
    log_lines: int = 10

    @property
    def subject(self) -> str:
        """What is looked at, for people."""
        if self.user:
            return f"the server of {self.user}"
        if self.dask_cluster:
            return f"the Dask cluster {self.dask_cluster}"
        return f"the release {self.release}" if self.release else f"the namespace {self.namespace}"

    @property
    def personal(self) -> bool:
        """Whether it is about one user's things, not the release's."""
        return bool(self.user or self.dask_cluster)

    def all(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return list(self.objects.get(kind, []))

    def chosen(self, kind: str) -> list[Object]:
        """The objects of a kind that are looked at."""
        return [one for one in self.all(kind) if self._belongs(one)]

    def pods(self) -> list[Object]:
        """The pods that are looked at, without those that are done or on their way out."""
        return [
            pod
            for pod in self.chosen("Pod")
            if not meta(pod).get("deletionTimestamp") and status(pod).get("phase") != "Succeeded"
        ]

    def events(self, kind: str, object_name: str, *reasons: str) -> list[str]:
        """Messages of an object's events, the newest first, of these reasons only if any are given."""
        found = [
            event
            for event in self.all("Event")
            if (event.get("involvedObject") or {}).get("kind") == kind
            and (event.get("involvedObject") or {}).get("name") == object_name
            and (not reasons or event.get("reason") in reasons)
        ]
        return [one_line(event.get("message") or "") for event in sorted(found, key=moment, reverse=True)]

    def _belongs(self, one: Object) -> bool:
        if self.user:
            return is_users(one, self.user)
        if self.dask_cluster:
            return labels(one).get(CLUSTER) == cluster_id(self.dask_cluster)
        if component(one) in PEOPLES or USERNAME in notes(one):
            return False
        owner = labels(one).get("app.kubernetes.io/instance") or labels(one).get("release")
        return not self.release or not owner or owner == self.release


def cluster_id(dask_cluster: str) -> str:
    """A Dask cluster's name as its labels have it; people see it behind the namespace.

    >>> cluster_id("dhub.0a1b"), cluster_id("0a1b")
    ('0a1b', '0a1b')
    """
    return dask_cluster.rpartition(".")[2]


def is_users(one: Object, user: str) -> bool:
    """Whether a pod or a volume claim is a user's: its annotation says so, or its name."""
    known = notes(one).get(USERNAME)
    if known is not None:
        return bool(known == user)
    return name(one).partition("-")[2] == slug(user) and name(one).partition("-")[0] in ("jupyter", "claim")


def slug(user: str) -> str:
    """A user's name as KubeSpawner writes it into the names of pods.

    Source: ``kubespawner.slugs.safe_slug`` of KubeSpawner 7.

    >>> slug("ada"), slug("ada@example.org")
    ('ada', 'ada-example-org---cfe00dde')
    """
    if re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", user) and "--" not in user:
        return user
    short = re.sub(r"[^a-z0-9]+", "-", user.lower()).lstrip("-")[:21].rstrip("-")
    if short and not short[0].isalpha():
        short = "x-" + short[:19]
    return f"{short or 'x'}---{hashlib.sha256(user.encode()).hexdigest()[:8]}"


def meta(one: Object) -> Mapping[str, Any]:
    """An object's metadata."""
    return one.get("metadata") or {}


def name(one: Object) -> str:
    """An object's name."""
    return str(meta(one).get("name") or "")


def labels(one: Object) -> Mapping[str, str]:
    """An object's labels."""
    return meta(one).get("labels") or {}


def notes(one: Object) -> Mapping[str, str]:
    """An object's annotations."""
    return meta(one).get("annotations") or {}


def component(one: Object) -> str:
    """What the object is in its chart, such as ``hub``."""
    return labels(one).get("app.kubernetes.io/component") or labels(one).get("component") or ""


def spec(one: Object) -> Mapping[str, Any]:
    """An object's spec."""
    return one.get("spec") or {}


def status(one: Object) -> Mapping[str, Any]:
    """An object's status."""
    return one.get("status") or {}


def conditions(one: Object) -> dict[str, Mapping[str, Any]]:
    """An object's conditions by their type."""
    return {str(entry.get("type")): entry for entry in status(one).get("conditions") or []}


def moment(event: Object) -> str:
    """When an event was last seen, comparable as text."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((time for time in times if time), None) or meta(event).get("creationTimestamp") or "")


def one_line(text: str) -> str:
    """A text without line breaks and without a full stop at its end."""
    return " ".join(text.split()).rstrip(". ")


def listed(items: Iterable[str], most: int = 3) -> str:
    """Names for people, not too many.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    names = list(items)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
