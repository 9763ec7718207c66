# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What an upgrade of a release would change, and what people whose servers are running would notice of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._helm_history import Recovery
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import (
    Difference,
    Objects,
    changed_paths,
    differences,
    objects,
)

# Labels of KubeSpawner and Dask Gateway on the pods of people.
PEOPLES = {"servers": "component=singleuser-server", "Dask clusters": "gateway.dask.org/cluster"}
# A change of what stops them: path of the value, its default, of whom, why.
STOPS: tuple[tuple[str, Any, str, str], ...] = (
    ("jupyterhub.hub.baseUrl", "/", "servers", "they answer at the old address"),
    ("jupyterhub.hub.db.type", "sqlite-pvc", "servers", "the hub forgets them with its old database"),
    ("jupyterhub.hub.db.url", None, "servers", "the hub forgets them with its old database"),
    ("jupyterhub.hub.config.KubeSpawner.namespace", None, "servers", "the hub looks for them in another namespace"),
    ("dask-gateway.gateway.prefix", "/", "Dask clusters", "their gateway has another address"),
)
# Objects that hold what people's pods live on.
HOLDERS = {
    "PersistentVolumeClaim/hub-db-dir": ("servers", "the hub forgets them with its database"),
    "CustomResourceDefinition/daskclusters.gateway.dask.org": (
        "Dask clusters",
        "Kubernetes deletes them with their kind",
    ),
}
# What is noticed while pods of these workloads are replaced; component label or name to what people see.
NOTICED = {
    "hub": "people's servers go on; signing in and starting servers wait some seconds",
    "proxy": "connections to the hub and to people's servers are interrupted for some seconds",
    "traefik": "connections to Dask clusters are interrupted for some seconds",
}


@dataclass
class Plan:
    """What a run would do.

    :ivar action: ``none``, ``install``, ``upgrade``, or ``recover`` when nothing more can be known before that
    :ivar lines: the plan for people, one line each
    :ivar unseen: whether kubernetes.core.helm, which compares values and versions only, would see no change
    """

    action: str
    lines: list[str] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    unseen: bool = False
    config_maps: list[str] = field(default_factory=list)
    stops_servers: bool = False


def recovering(found: Recovery, release: str) -> Plan:
    """The plan while a killed run has to be cleaned up first.

    >>> recovering(Recovery("rollback", 3, "pending-upgrade"), "dask").lines[0]
    'The release dask was left in pending-upgrade by a run that was killed; first it goes back to revision 3.'
    """
    first = f"it goes back to revision {found.revision}" if found.action == "rollback" else "it is removed"
    line = f"The release {release} was left in {found.status} by a run that was killed; first {first}."
    shown = {"before": "", "after": f"{line}\n(the rest is known after that)\n", "after_header": release}
    return Plan("recover", [line], [{"before_header": release, **shown}])


def made(
    live: Mapping[str, Any],
    wanted: Mapping[str, Any],
    status: str,
    people: Mapping[str, int],
    stored: Objects | None = None,
    drift: Iterable[Difference] = (),
) -> Plan:
    """Compare the stored release with the one of a dry run.

    :param live: the last revision as Helm stores it; empty without a release
    :param status: of that revision
    :param people: how many servers and Dask clusters are running, by the keys of ``PEOPLES``
    :param stored: the objects of ``live``, if they are known already
    :param drift: what is not in the cluster as ``live`` says
    """
    stored = objects(live) if stored is None else stored
    # Mostly nothing has changed, and the same need not be read twice.
    found = [] if _same(live, wanted) else differences(stored, objects(wanted))
    told = {one.name for one in found}
    found += [one for one in drift if one.name not in told]
    if not live:
        names = "".join(f"{one.name}\n" for one in found)
        line = f"The release does not exist yet; {name_of(wanted)} is installed, {len(found)} objects."
        return Plan("install", [line], [{"before": "", "after": names, "before_header": "", "after_header": "objects"}])
    paths = changed_paths(live.get("config") or {}, wanted.get("config") or {})
    versions = (name_of(live), name_of(wanted))
    seen = bool(paths) or versions[0] != versions[1]
    if not (found or seen or status != "deployed"):
        return Plan("none")
    diff = [one.diff() for one in found]
    before, after = _head(versions[0], [], status), _head(versions[1], paths, "deployed")
    if before != after:
        diff.insert(0, {"before_header": "release", "after_header": "release", "before": before, "after": after})
    return Plan(
        "upgrade",
        _lines(found, live, wanted, people),
        diff,
        not seen,
        [one.name.partition("/")[2] for one in found if one.kind == "ConfigMap" and one.action != "delete"],
        bool(list(_stopped(found, live, wanted, people))),
    )


def _same(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the objects of both are the same to the letter."""
    both = [
        (one.get("manifest"), sorted(str(hook.get("manifest")) for hook in one.get("hooks") or []))
        for one in (live, wanted)
    ]
    return both[0] == both[1]


def name_of(release: Mapping[str, Any]) -> str:
    """Chart, version and application version of a release, such as ``daskhub-1.0.0``."""
    metadata = (release.get("chart") or {}).get("metadata") or {}
    application = f" (app {metadata['appVersion']})" if metadata.get("appVersion") else ""
    return f"{metadata.get('name', '')}-{metadata.get('version', '')}{application}"


def _head(version: str, paths: list[str], status: str) -> str:
    values = "".join(f"  {path}\n" for path in paths)
    return f"chart: {version}\nstatus: {status}\n" + (f"values that change:\n{values}" if values else "")


def _lines(
    found: list[Difference], live: Mapping[str, Any], wanted: Mapping[str, Any], people: Mapping[str, int]
) -> list[str]:
    lines = []
    if _chart(live) != _chart(wanted):
        lines.append(f"The release was made from {name_of(live)}; it is taken over.")
    lines += [f"{one.name} {one.note}." for one in found if one.note]
    for one in found:
        if one.replaces_pods:
            name = one.name.partition("/")[2]
            seen = next((text for part, text in NOTICED.items() if name == part or part in name.split("-")), "")
            lines.append(f"{one.name}: its pods are replaced{'; ' + seen if seen else ''}.")
    stopped = list(_stopped(found, live, wanted, people))
    lines += [f"{count} running {who} have to be stopped and started again: {why}." for who, count, why in stopped]
    gone_on = [f"{count} {who}" for who, count in people.items() if count and who not in {one[0] for one in stopped}]
    if gone_on:
        lines.append(f"{' and '.join(gone_on)} of people are running and go on.")
    return lines


def _chart(release: Mapping[str, Any]) -> str:
    return name_of(release).partition("+")[0].rpartition("-")[0]


def _stopped(
    found: Iterable[Difference], live: Mapping[str, Any], wanted: Mapping[str, Any], people: Mapping[str, int]
) -> Iterable[tuple[str, int, str]]:
    """Who has to be stopped, how many, and why; nobody where nobody runs."""
    old, new = live.get("config") or {}, wanted.get("config") or {}
    told = set()
    reasons = [(who, why) for path, default, who, why in STOPS if _at(old, path, default) != _at(new, path, default)]
    reasons += [HOLDERS[one.name] for one in found if one.action == "delete" and one.name in HOLDERS]
    for who, why in reasons:
        if people.get(who) and who not in told:
            told.add(who)
            yield who, people[who], why


def _at(values: Any, path: str, default: Any) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return default if values is None else values
