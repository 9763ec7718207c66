#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_recovery
short_description: Take a Helm release back to where it was deployed
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - A run of Helm that was killed leaves a release in a status in which Helm refuses to work on it. It is rolled back to
    the last revision that was deployed, or uninstalled when there was none.
  - "With O(undo), the same is done for a revision that failed: this is what C(helm upgrade --atomic) does, at a moment
    of one's own choice, after the failure was looked at."
  - When Helm is still at work on the release on this machine, its end is waited for first.
attributes:
  check_mode:
    support: full
    description: Says what would be done.
  diff_mode:
    support: none
    description: RV(done) says what is done.
  idempotent:
    support: full
    description: Where nothing is left to be done, nothing is done.
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
  undo:
    description: Whether a revision that failed is taken back too.
    type: bool
    default: false
  wait:
    description: Whether to wait until the pods of the revision are ready.
    type: bool
    default: false
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
  binary_path:
    description: Helm. Without it, the one on E(PATH).
    type: path
  progress_file:
    description: Where lines for people go; set by the action plugin of this module.
    type: path
requirements:
  - kubernetes
  - helm >= 3.17
"""

EXAMPLES = r"""
- name: Clean up after a run that was killed
  planetary.hub.helm_release_recovery:
    release: dask
    namespace: dhub
"""

RETURN = r"""
done:
  description: What was done, or would be in check mode, as a sentence; empty when nothing is to be done.
  returned: success
  type: str
action:
  description: V(none), V(rollback) or V(uninstall).
  returned: success
  type: str
revision:
  description: The revision to which a rollback leads, otherwise 0.
  returned: success
  type: int
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _helm_history as stored
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import Helm, HelmError, at_work
from ansible_collections.planetary.hub.plugins.module_utils._helm_job import follow
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "release": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "undo": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 600},
    "binary_path": {"type": "path"},
    "progress_file": {"type": "path"},
}


def wanted(api: ClusterApi, given: dict[str, Any]) -> stored.Recovery:
    """What is left to be done."""
    history = stored.read_history(api, given["namespace"], given["release"])
    found = stored.recovery(history)
    return stored.undo(history) if found.action == "none" and given["undo"] else found


def let_end(given: dict[str, Any], progress: Progress) -> bool:
    """Wait for a Helm that is still at work here; whether there was one.

    :raises HelmError: when it does not end
    """
    numbers = list(at_work(given["release"], given["namespace"]))
    if not numbers:
        return False
    wait = Wait(given["timeout"], f"Helm (process {numbers[0]}) is still at work on {given['release']}", progress, 5)
    while list(at_work(given["release"], given["namespace"])):
        if not wait.pause():
            raise HelmError(f"Helm is still at work on it (process {numbers[0]}); end that process, or wait for it")
    return True


def carry_out(api: ClusterApi, helm: Helm, given: dict[str, Any], step: stored.Recovery, progress: Progress) -> None:
    """Let Helm do it.

    :raises HelmError: when it cannot
    """
    wait = ["--wait", f"--timeout={given['timeout']}s"] if given["wait"] else []
    arguments = ["rollback", given["release"], str(step.revision)] if step.revision else ["uninstall", given["release"]]
    process = helm.start(*arguments, *wait)
    if given["wait"]:
        # Once begun it is finished, also when the play is gone.
        follow(api, given, progress.unattended(), ended=lambda: None if process.poll() is None else "")
    helm.ended(process, given["timeout"] + 60)


def sentence(step: stored.Recovery, given: dict[str, Any], tense: str) -> str:
    """What is done, for people."""
    name = f"The release {given['release']} was {step.status}"
    if step.action == "rollback":
        return f"{name}; it {tense} back to revision {step.revision}, the last that was deployed."
    return f"{name} and never deployed; it {tense} away." if step.action == "uninstall" else ""


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Find out what is left to be done, and do it."""
    progress = Progress(given["progress_file"] or "")
    helm, api = Helm(given), ClusterApi(given)
    step = wanted(api, given)
    if step.action != "none" and not check:
        if let_end(given, progress):
            step = wanted(api, given)
        if step.action != "none":
            progress.say(sentence(step, given, "goes"))
            carry_out(api, helm, given, step, progress)
    done = sentence(step, given, "would go" if check else "went")
    return {"changed": bool(done), "done": done, "action": step.action, "revision": step.revision}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    start = time.monotonic()
    try:
        found = run(module.params, module.check_mode)
    except (InputError, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    except Abandoned as error:
        module.fail_json(msg=f"The release was left as it is: {error}.")
    except (ClusterError, HelmError) as error:
        module.fail_json(msg=f"The release {module.params['release']} cannot be taken back: {error}.")
    module.exit_json(**found, seconds=round(time.monotonic() - start, 2))


if __name__ == "__main__":
    main()
