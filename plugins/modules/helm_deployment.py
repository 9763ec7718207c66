#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_deployment
short_description: Run kubernetes.core.helm in the background
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Runs M(kubernetes.core.helm) with the same options. That module's own action plugin refuses C(async), without which
    nothing can be shown while Helm waits.
  - Start it with C(poll=0), and follow it with M(planetary.hub.helm_release_wait).
attributes:
  check_mode:
    support: none
    description: Ask M(planetary.hub.helm_release_diff) what would change.
  diff_mode:
    support: none
    description: Ask M(planetary.hub.helm_release_diff) what changes.
options:
  kubeconfig:
    description: The kubeconfig.
    type: path
  binary_path:
    description: Helm. Without it, the one on E(PATH).
    type: path
  name:
    description: Name of the release.
    type: str
    required: true
  namespace:
    description: Its namespace.
    type: str
    required: true
  chart_ref:
    description: The chart.
    type: path
    required: true
  values_files:
    description: Files with values, the last one wins.
    type: list
    elements: str
    default: []
  wait:
    description: Whether Helm waits until everything is ready.
    type: bool
    default: false
  timeout:
    description: How long each step may take, such as V(600s).
    type: str
  history_max:
    description: How many revisions are kept.
    type: int
  create_namespace:
    description: Whether a missing namespace is made.
    type: bool
    default: false
requirements:
  - kubernetes.core
  - helm >= 3.17
"""

EXAMPLES = r"""
- name: Deploy the chart
  planetary.hub.helm_deployment:
    name: dask
    namespace: dhub
    chart_ref: ./daskhub-0.1.0.tgz
    values_files: [./values.json]
    wait: true
  async: 1800
  poll: 0
  no_log: true
  register: job
"""

RETURN = r"""
results_file:
  description: Where the result will be, for M(planetary.hub.helm_release_wait).
  returned: with C(async)
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

SPEC: dict[str, Any] = {
    "kubeconfig": {"type": "path"},
    "binary_path": {"type": "path"},
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart_ref": {"type": "path", "required": True},
    "values_files": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "bool", "default": False},
    "timeout": {"type": "str"},
    "history_max": {"type": "int"},
    "create_namespace": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC)
    module.fail_json(msg="helm_deployment is an action plugin; it cannot be run as a module.")


if __name__ == "__main__":
    main()
