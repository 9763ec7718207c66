# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Try on the API server, without changing anything, what an upgrade would create and update.

Helm's own dry run renders and goes no further: what the server, an admission policy or a quota refuses would come to
light in the middle of an upgrade. Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_drift import list_of, path_of
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import HOOK, Objects
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError

REFUSALS = (400, 403, 422)
# A webhook that says so would be asked for real, and what it says then is not known before.
UNTRIED = re.compile(r"does not support dry run")
SIDE_BY_SIDE = 8  # requests
UNKNOWN_FIELD = re.compile(r'unknown field "([^"]*)"')


@dataclass(frozen=True)
class Trial:
    """What came of it.

    :ivar refused: what the server would not take, a sentence without a full stop for each object
    :ivar ignored: fields that the server does not know and leaves out, with their objects
    """

    refused: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def tried(api: ClusterApi, namespace: str, before: Objects, after: Objects) -> Trial:
    """Try what differs. What may not be tried, or is of a kind that comes with the chart, is passed over.

    :param before: the objects of the last revision; hooks come and go and are left out
    """
    keys = sorted(after, key=lambda key: key[1:])
    different = [key for key in keys if before.get(key) != after[key] and not key[1].startswith(HOOK)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        found = threads.map(lambda key: _trial(api, namespace, before.get(key), after[key]), different)
    trial = Trial()
    for key, (problem, unknown) in zip(different, found, strict=True):
        name = f"{key[1]}/{key[2].rpartition('/')[2]}"
        if problem:
            trial.refused.append(f"{name} ({problem})")
        if unknown:
            trial.ignored.append(f"{name}: {', '.join(unknown)}")
    return trial


def _trial(
    api: ClusterApi, namespace: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> tuple[str, list[str]]:
    """Why an object is refused, empty when it is not, and its fields that the server does not know."""
    path = path_of(list_of(new, namespace))
    problem = _refusal(api, path, old, new, "Strict")
    unknown = list(dict.fromkeys(UNKNOWN_FIELD.findall(problem)))
    return _refusal(api, path, old, new, "Ignore") if unknown else problem, unknown


def _refusal(api: ClusterApi, path: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], fields: str) -> str:
    """Why the server does not take an object; empty when it does, or when nobody can tell.

    :param fields: what it is to do about fields that it does not know
    """
    options = {"dryRun": "All", "fieldManager": "helm", "fieldValidation": fields}
    try:
        if old is None:
            api.create(path, new, **options)
        else:
            api.patch(f"{path}/{new['metadata']['name']}", _patch(old, new), **options)
    except ClusterError as error:
        if error.status not in REFUSALS or UNTRIED.search(str(error)):
            return ""
        return str(error)
    return ""


def _patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = merge_patch(old, new)
    for name in ("strategy", "updateStrategy"):
        if name in (patch.get("spec") or {}):
            # What the server has added to one type does not fit another; Helm's kind of patch knows that.
            patch["spec"][name] = {"rollingUpdate": None, **(patch["spec"][name] or {})}
    return patch


def merge_patch(old: Any, new: Any) -> Any:
    """What turns one object into another, whatever else somebody has added (RFC 7386).

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4, "d": 3}, "e": [5]})
    {'b': {'c': 4}, 'e': [5], 'a': None}
    """
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    changed = {
        key: merge_patch(old[key], value) if key in old else value
        for key, value in new.items()
        if key not in old or old[key] != value
    }
    return {**changed, **{key: None for key in old if key not in new}}
