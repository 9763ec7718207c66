# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a teardown would remove, what stays, and why it may not go on: worked out before anything is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What Application Insights makes beside itself, with the versions of Azure's API by which it is removed.
# Source: https://learn.microsoft.com/azure/azure-monitor/alerts/proactive-failure-diagnostics
DETECTOR = "microsoft.alertsmanagement/smartdetectoralertrules"
ACTION_GROUP = "microsoft.insights/actiongroups"
VERSIONS = {DETECTOR: "2021-04-01", ACTION_GROUP: "2023-01-01"}
DETECTOR_NAME = "failure anomalies - "
ACTION_GROUP_NAME = "application insights smart detection"

# What Azure keeps for a while after it was deleted, under a name that nobody else can have.
RECOVERABLE = {
    "microsoft.keyvault/vaults": "the vault {name} can be recovered, and holds its name, until its retention ends",
    "microsoft.operationalinsights/workspaces": "the workspace {name} can be recovered for 14 days",
}


@dataclass(frozen=True)
class Asked:
    """What the operator asks for.

    :ivar hub: the hub's name in the inventory
    :ivar group: name of its resource group
    :ivar confirm: one of the two, or a mistake
    :ivar data: user data that may be deleted: homes, shares, vault, group
    :ivar keep: user data that stays: shares, vault
    """

    hub: str
    group: str
    confirm: str
    data: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def teardown(
    plan: Iterable[Mapping[str, Any]], found: Mapping[str, Any], adopted: Iterable[str], insights: str, asked: Asked
) -> dict[str, Any]:
    """Work a teardown out.

    :param plan: the module azure_resources's plan of the removal, without the group
    :param found: what was read: ``group``, ``contents`` (all resources of the group), ``disks`` of the node group,
        ``shares`` of the hub's own account, ``vault``; None for what is not there
    :param adopted: ids that belong to others and are only used
    :param insights: name of the hub's Application Insights
    :returns: ``lines`` for people; ``problem``, a sentence, or empty; ``beside``: resources that Azure made by itself;
        ``others``: ids in the group that nobody described; ``group``: whether the group goes; ``anything``: whether
        there is anything to remove
    """
    doomed = [one for one in plan if one["action"] == "delete"]
    contents = list(found.get("contents") or [])
    rest = [one for one in contents if not _below(str(one["id"]), (str(gone["id"]) for gone in doomed))]
    beside = _beside(rest, insights)
    others = [str(one["id"]) for one in rest if one not in beside]
    group = "group" in asked.data and bool(found.get("group")) and not others
    data = _data({str(one["name"]) for one in doomed}, found)
    anything = bool(doomed or beside or group)
    return {
        "lines": _lines(doomed, beside, others, group, data, list(adopted), found, asked),
        "problem": _problem(data, asked) if anything else "",
        "beside": [
            {"name": f"beside_{number}", "id": one["id"], "api_version": VERSIONS[str(one["type"]).lower()]}
            for number, one in enumerate(beside)
        ],
        "others": others,
        "group": group,
        "anything": anything,
    }


def _below(resource: str, above: Iterable[str]) -> bool:
    own = f"{resource.lower()}/"
    return any(own.startswith(f"{one.lower()}/") for one in above)


def _beside(rest: list[dict[str, Any]], insights: str) -> list[dict[str, Any]]:
    """What Azure made for our Application Insights; the group of its alerts only when nobody else's use it."""
    detectors = [one for one in rest if str(one["type"]).lower() == DETECTOR]
    ours = [one for one in detectors if str(one["name"]).lower() == f"{DETECTOR_NAME}{insights}".lower()]
    groups = [
        one
        for one in rest
        if str(one["type"]).lower() == ACTION_GROUP and str(one["name"]).lower() == ACTION_GROUP_NAME
    ]
    return ours + (groups if len(ours) == len(detectors) else [])


def _data(doomed: set[str], found: Mapping[str, Any]) -> dict[str, str]:
    """The user data that would go, by kind, in words."""
    data: dict[str, str] = {}
    disks = found.get("disks") or []
    if "cluster" in doomed and disks:
        size = sum(int((disk.get("properties") or {}).get("diskSizeGB") or 0) for disk in disks)
        data["homes"] = f"{_count(len(disks), 'disk')} of homes ({size} GiB), which die with the cluster"
    shares = found.get("shares") or []
    if "storage_account" in doomed and shares:
        data["shares"] = (
            f"the file {'share' if len(shares) == 1 else 'shares'} {_all(str(one['name']) for one in shares)}"
        )
    if "vault" in doomed and found.get("vault"):
        data["vault"] = f"the vault {found['vault']['name']} with its secrets"
    return data


def _problem(data: Mapping[str, str], asked: Asked) -> str:
    if asked.confirm not in (asked.hub, asked.group):
        return (
            f"This would remove hub {asked.hub}, and infrastructure_teardown_confirm is {asked.confirm!r}; set it to"
            f" {asked.hub} (or to the name of its resource group, {asked.group}) if that is what you want."
        )
    unnamed = [kind for kind in data if kind not in asked.data]
    if not unnamed:
        return ""
    keepable = [kind for kind in unnamed if kind != "homes"]
    keep = f", or keep {_all(keepable)} with infrastructure_teardown_keep" if keepable else ""
    return (
        f"The teardown of hub {asked.hub} would delete user data: {_all(data[kind] for kind in unnamed)}; save what is"
        f" needed and name {_all(unnamed)} in infrastructure_teardown_data{keep}."
    )


def _lines(
    doomed: list[Mapping[str, Any]],
    beside: list[dict[str, Any]],
    others: list[str],
    group: bool,
    data: Mapping[str, str],
    adopted: list[str],
    found: Mapping[str, Any],
    asked: Asked,
) -> list[str]:
    lines = [f"Removed: {_short(one['id'], asked.group)}" for one in doomed]
    lines += [f"Removed, made by Azure itself: {_short(one['id'], asked.group)}" for one in beside]
    if any(one["name"] == "cluster" for one in doomed):
        node_group = ((found.get("cluster") or {}).get("properties") or {}).get("nodeResourceGroup")
        lines += [f"Removed with the cluster: its node pools and the resource group {node_group}"]
    lines += [f"Removed when it is empty: the resource group {asked.group}"] if group else []
    lines += [f"User data that go: {text}" for text in data.values()]
    lines += [f"Kept by Azure: {text}" for text in map(_recoverable, doomed) if text]
    lines += [f"Stays, adopted: {one}" for one in adopted]
    lines += [f"Stays, not of this inventory or kept: {one}" for one in others]
    if found.get("group") and not group:
        lines.append(f"Stays: the resource group {asked.group}")
    return lines or ["There is nothing to remove."]


def _short(resource: str, group: str) -> str:
    """What people read of an id: inside the hub's own group what follows it."""
    before, _word, after = resource.partition("/providers/")
    return after if before.lower().endswith(f"/resourcegroups/{group.lower()}") and after else resource


def _recoverable(one: Mapping[str, Any]) -> str:
    text = RECOVERABLE.get(str(one["type"]).lower(), "")
    return text.format(name=str(one["id"]).rpartition("/")[2])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _all(texts: Iterable[str]) -> str:
    """One text of several.

    >>> _all(["a", "b", "c"])
    'a, b and c'
    """
    listed = list(texts)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
