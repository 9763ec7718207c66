#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_diagnosis_info
short_description: Say why a hub, a user's server or a Dask cluster does not run
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Reads the objects, events and logs of the hub's namespace, and says what is wrong, what shows it and what to do.
  - Without O(user) and O(dask_cluster), the release is looked at, without what its users started.
  - What looks like a secret in a log is masked.
attributes:
  check_mode:
    support: full
    description: It only reads.
  diff_mode:
    support: none
    description: Nothing is changed, so there is no difference to show.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  namespace:
    description: The hub's namespace.
    type: str
    required: true
  release:
    description: The Helm release. Without it, all of the namespace that is not a user's.
    type: str
    default: ""
  user:
    description: The name of a user, as the hub has it, whose server is looked at.
    type: str
    default: ""
  dask_cluster:
    description: The name of a Dask cluster, as Dask Gateway shows it.
    type: str
    default: ""
  log_lines:
    description: How many of a container's last lines are shown at most.
    type: int
    default: 10
requirements:
  - kubernetes
  - openshift
"""

EXAMPLES = r"""
- name: Look at the release
  planetary.hub.hub_diagnosis_info:
    namespace: dhub
    release: dask
  register: diagnosis

- name: Look at a user's server
  planetary.hub.hub_diagnosis_info:
    namespace: dhub
    user: ada@example.org
  register: diagnosis

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ diagnosis.message.splitlines() }}"
"""

RETURN = r"""
findings:
  description: What is wrong, most telling first; empty when nothing is.
  returned: success
  type: list
  elements: dict
  contains:
    cause:
      description:
        - A word for the cause. V(namespace), V(azure-quota), V(azure-capacity), V(quota), V(missing), V(image),
          V(volume), V(unschedulable), V(unschedulable-selector), V(unschedulable-taint), V(unschedulable-cpu),
          V(unschedulable-memory), V(unschedulable-gpu) and others of that kind, V(node), V(dns-label),
          V(load-balancer), V(crash), V(network), V(job), V(certificate), V(hub-deaf), V(not-ready), V(policy),
          V(scaling), V(absent), V(rights).
      type: str
    object:
      description: C(<Kind>/<name>), and how many more it concerns.
      type: str
    evidence:
      description: What the cluster says; for a crash with the last lines of the log.
      type: str
    remedy:
      description: What to do.
      type: str
message:
  description: The findings as text for people, one sentence if there are none.
  returned: success
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis import diagnose, message
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_cluster import Reader
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "release": {"type": "str", "default": ""},
    "user": {"type": "str", "default": ""},
    "dask_cluster": {"type": "str", "default": ""},
    "log_lines": {"type": "int", "default": 10},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Look, and judge."""
    given = module.params
    if given["user"] and given["dask_cluster"]:
        raise InputError(f"Both user ({given['user']}) and dask_cluster ({given['dask_cluster']}) are given; give one.")
    snapshot = Reader(given).snapshot(
        given["namespace"], given["release"], given["user"], given["dask_cluster"], given["log_lines"]
    )
    findings = diagnose(snapshot)
    return {"findings": [one._asdict() for one in findings], "message": message(findings, snapshot.subject)}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        result = run(module)
    except (InputError, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    except ClusterError as error:
        module.fail_json(msg=f"The hub cannot be looked at: {error}.")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
