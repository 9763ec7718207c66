#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_diff
short_description: What an upgrade of a Helm release would change, object by object
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Lets Helm render the release by a dry run on the server, where charts find what they look up, and compares each
    object with the release as it is stored. Nothing is changed.
  - What it would create and update is tried on the API server, which keeps nothing of it. So what the server, a quota
    or an admission policy refuses fails here, before anything is changed, and fields that it does not know are named.
  - What was deleted by hand, and a workload that was scaled or given another image by hand, is a change that an upgrade
    takes back.
  - "M(kubernetes.core.helm) alone compares only the values and the version of the chart: without a plugin of Helm it
    has no diff, and it does not see what a chart looks up in the cluster."
  - It says what people whose servers are running will notice, and what a run that was killed left to be done.
attributes:
  check_mode:
    support: full
    description: The same in check mode.
  diff_mode:
    support: full
    description: Every object that changes, as YAML; values of Secrets are masked.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  release:
    description: Name of the release.
    type: str
    required: true
  namespace:
    description: Its namespace.
    type: str
    required: true
  chart:
    description: The chart, a folder, a packaged chart, or an OCI reference.
    type: str
    required: true
  values_file:
    description: File with the values, YAML or JSON.
    type: path
    required: true
  scratch:
    description:
      - A folder that is removed when nothing needs it any more, in check mode and when there is nothing to change or to
        wait for.
    type: path
  binary_path:
    description: Helm. Without it, the one on E(PATH).
    type: path
requirements:
  - kubernetes
  - PyYAML
  - helm >= 3.17
"""

EXAMPLES = r"""
- name: Compare the release with what is wanted
  planetary.hub.helm_release_diff:
    kubeconfig: ~/.kube/config
    release: dask
    namespace: dhub
    chart: ./daskhub-0.1.0.tgz
    values_file: ./values.json
  register: plan
"""

RETURN = r"""
changed:
  description: Whether an upgrade would change anything. In a run that is not a check, the upgrade is still to be done.
  returned: success
  type: bool
action:
  description:
    - V(none), V(install) or V(upgrade).
    - V(recover) when a killed run has to be cleaned up before more can be known.
  returned: success
  type: str
plan:
  description: Lines for people, on what is going to happen and whom it touches.
  returned: success
  type: list
  elements: str
stops_servers:
  description: Whether servers or Dask clusters of people that are running now have to be stopped for it.
  returned: success
  type: bool
unseen:
  description: Whether M(kubernetes.core.helm) would not see the change.
  returned: success
  type: bool
config_maps:
  description: The ConfigMaps that are created or changed.
  returned: success
  type: list
  elements: str
ready:
  description: Whether all that the release runs is ready now.
  returned: success
  type: bool
namespace_exists:
  description: Whether the namespace is there, or may not be looked at.
  returned: success
  type: bool
revision:
  description: The last revision; 0 without a release.
  returned: success
  type: int
status:
  description: The status of the last revision; empty without a release.
  returned: success
  type: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import shutil
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _helm_history as stored
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import METADATA, ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import Helm, HelmError, KindUnknown, Process
from ansible_collections.planetary.hub.plugins.module_utils._helm_drift import drift
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import objects
from ansible_collections.planetary.hub.plugins.module_utils._helm_plan import PEOPLES, Plan, made, recovering
from ansible_collections.planetary.hub.plugins.module_utils._helm_rollout import read_rollout
from ansible_collections.planetary.hub.plugins.module_utils._helm_trial import tried
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "release": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart": {"type": "str", "required": True},
    "values_file": {"type": "path", "required": True},
    "scratch": {"type": "path"},
    "binary_path": {"type": "path"},
}

REFUSED = (
    "Kubernetes refuses what the release {} is to be, and nothing was changed: {}. Correct it in daskhub_values or the"
    " variables of the roles, or in the cluster where one of its policies says so."
)
IGNORED = "Kubernetes does not know a field and leaves it out; {}."


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Ask Helm and the cluster at the same time, and compare."""
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


def outcome(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """The module's result."""
    start = time.monotonic()
    try:
        found = run(given, check)
    except (InputError, LibraryMissing) as error:
        return {"failed": True, "msg": str(error)}
    except (ClusterError, HelmError) as error:
        return {"failed": True, "msg": f"The release {given['release']} cannot be compared: {error}."}
    return {**found, "seconds": round(time.monotonic() - start, 2)}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    found = outcome(module.params, module.check_mode)
    end = module.fail_json if found.get("failed") else module.exit_json
    end(**found)


if __name__ == "__main__":
    main()
