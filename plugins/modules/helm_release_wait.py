#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_wait
short_description: Wait for a Helm release, and say which of its pods are ready
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Follows M(planetary.hub.helm_deployment), started with C(async) and C(poll=0), until it ends, and shows meanwhile
    what becomes of the workloads of the release. Helm itself says nothing while it waits.
  - Without O(job), it waits until all that the release runs is ready.
  - It fails only when it cannot ask the cluster. Whether Helm succeeded is a result, so that what went wrong can be
    looked at before it is rolled back.
  - When the play is stopped, Helm is stopped too, and ends the release as failed.
attributes:
  check_mode:
    support: full
    description: Does not wait in check mode.
  diff_mode:
    support: none
    description: It only waits.
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
  job:
    description: The RV(ignore:results_file) of the task that was started with C(async). It is removed.
    type: path
  chart:
    description: The chart, for sentences about it.
    type: str
    default: ""
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 1800
  scratch:
    description: A folder that is removed when Helm has succeeded, since nothing needs it any more.
    type: path
  progress_file:
    description: Where lines for people go; set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Deploy the release
  planetary.hub.helm_deployment:
    name: dask
    namespace: dhub
    chart_ref: ./daskhub-0.1.0.tgz
    values_files: [./values.json]
    wait: true
  async: 1800
  poll: 0
  register: job

- name: Follow it
  planetary.hub.helm_release_wait:
    release: dask
    namespace: dhub
    job: "{{ job['results_file'] }}"
"""

RETURN = r"""
succeeded:
  description: Whether Helm succeeded; without a job, whether everything is ready.
  returned: success
  type: bool
problem:
  description: What went wrong, without a full stop; empty when nothing did.
  returned: success
  type: str
waiting:
  description: What was not ready at the end, in words.
  returned: success
  type: str
revision:
  description: The last revision.
  returned: success
  type: int
status:
  description: Its status.
  returned: success
  type: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import os
import shutil
import signal
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _helm_history as stored
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import at_work
from ansible_collections.planetary.hub.plugins.module_utils._helm_job import Job, follow
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "release": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "job": {"type": "path"},
    "chart": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 1800},
    "scratch": {"type": "path"},
    "progress_file": {"type": "path"},
}


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Follow Helm, and say how it ended."""
    progress = Progress(given["progress_file"] or "")
    job = Job(given["job"], given) if given["job"] else None
    api = ClusterApi(given)
    try:
        ended = follow(api, given, progress, job)
    except Abandoned:
        for number in at_work(given["release"], given["namespace"]):
            os.kill(number, signal.SIGTERM)
        raise
    finally:
        if job:
            job.forget()
    if given["scratch"] and not ended.problem:
        shutil.rmtree(given["scratch"], ignore_errors=True)
    history = stored.read_history(api, given["namespace"], given["release"])
    return {
        "succeeded": not ended.problem,
        "problem": ended.problem,
        "waiting": ended.waiting,
        "revision": history[-1].number if history else 0,
        "status": history[-1].status if history else "",
    }


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(succeeded=True, problem="", waiting="", revision=0, status="", seconds=0.0)
    start = time.monotonic()
    try:
        found = run(module.params)
    except (InputError, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    except ClusterError as error:
        module.fail_json(msg=f"The release {module.params['release']} cannot be watched: {error}.")
    except Abandoned as error:
        module.fail_json(msg=f"Helm was stopped: {error}.")
    module.exit_json(**found, seconds=round(time.monotonic() - start, 2))


if __name__ == "__main__":
    main()
