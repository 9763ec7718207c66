# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A release as it is against as it would be, from Helm and the cluster, asked at the same time."""

from __future__ import annotations

import shutil
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _helm_history as stored
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import METADATA, ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import Helm, KindUnknown, Process
from ansible_collections.planetary.hub.plugins.module_utils._helm_drift import drift
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import objects
from ansible_collections.planetary.hub.plugins.module_utils._helm_plan import PEOPLES, Plan, made, recovering
from ansible_collections.planetary.hub.plugins.module_utils._helm_rollout import read_rollout
from ansible_collections.planetary.hub.plugins.module_utils._helm_trial import tried
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

REFUSED = (
    "Kubernetes refuses what the release {} is to be, and nothing was changed: {}. Correct it in daskhub_values or the"
    " variables of the roles, or in the cluster where one of its policies says so."
)
IGNORED = "Kubernetes does not know a field and leaves it out; {}."


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Ask Helm and the cluster at the same time, and compare.

    :param given: the options of the module helm_release_diff
    :param check: whether its folder of scratch is of no more use, whatever is found
    :raises InputError: what is given, or what the release is to be, cannot be
    :raises ClusterError: the cluster refuses, or gives no answer
    :raises HelmError: Helm refuses
    """
    helm = Helm(given)
    process = helm.start_dry_run(given["chart"], given["values_file"])
    try:
        found = compared(ClusterApi(given), helm, process, given)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if given["scratch"] and (check or (found["action"] == "none" and found["ready"])):
        shutil.rmtree(given["scratch"])
    return found


def compared(api: ClusterApi, helm: Helm, process: Process, given: dict[str, Any]) -> dict[str, Any]:
    """The result, from what the cluster says while Helm renders, and what Helm says then."""
    namespace, release = given["namespace"], given["release"]
    exists = namespace_there(api, namespace)
    history = stored.read_history(api, namespace, release)
    last = history[-1] if history else None
    facts: dict[str, Any] = {"revision": last.number if last else 0, "status": last.status if last else ""}
    facts["namespace_exists"] = exists
    recovery = stored.recovery(history)
    if recovery.action != "none":
        return result(recovering(recovery, release), ready=False, **facts)
    live = stored.read_release(api, namespace, last) if last and last.status != "uninstalled" else {}
    rollout = read_rollout(api, namespace, release)
    people = {who: running(api, namespace, label) for who, label in PEOPLES.items()} if live else {}
    before = objects(live)
    gone = drift(api, namespace, before)
    to_be = wanted(helm, process, given, api, first=not live)
    plan = made(live, to_be, facts["status"], people, before, gone)
    if exists and plan.action in ("install", "upgrade"):
        trial = tried(api, namespace, before, objects(to_be))
        if trial.refused:
            raise InputError(REFUSED.format(release, "; ".join(trial.refused[:3])))
        plan.lines += [IGNORED.format(one) for one in trial.ignored]
    return result(plan, ready=not rollout.waiting, **facts)


def wanted(helm: Helm, process: Process, given: dict[str, Any], api: ClusterApi, first: bool) -> dict[str, Any]:
    """The release that is to be.

    :param first: whether Helm will install the kinds of objects that the chart brings, which a dry run does not
    """
    try:
        return helm.release_of(process)
    except KindUnknown:
        if not first:
            raise
        return helm.rendered(given["chart"], given["values_file"], f"1.{api.minor()}")


def namespace_there(api: ClusterApi, namespace: str) -> bool:
    """Whether the namespace exists; says in one sentence where no release can be made.

    :raises InputError: when the cluster is too old, or the namespace is on its way out
    """
    api.minor()
    try:
        found = api.find(f"/api/v1/namespaces/{namespace}")
    except ClusterError as error:
        if error.status != 403:
            raise
        # Whoever may use a namespace need not be allowed to look at it.
        return True
    if ((found or {}).get("status") or {}).get("phase") == "Terminating":
        raise InputError(
            f"The namespace {namespace} is being deleted; wait until it is gone, or name another one in hub_namespace."
        )
    return found is not None


def running(api: ClusterApi, namespace: str, label: str) -> int:
    """How many servers or Dask clusters are running: pods with a label, or what the label tells apart."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    pods = api.items(path, accept=METADATA, labelSelector=label, fieldSelector="status.phase=Running")
    key, _equals, value = label.partition("=")
    # A cluster has several pods, whose label names it.
    return len(pods) if value else len({one["metadata"]["labels"][key] for one in pods})


def result(plan: Plan, **facts: Any) -> dict[str, Any]:
    """As the module returns it."""
    return {
        "changed": plan.action != "none",
        "action": plan.action,
        "plan": plan.lines,
        "diff": plan.diff,
        "unseen": plan.unseen,
        "config_maps": plan.config_maps,
        "stops_servers": plan.stops_servers,
        **facts,
    }
