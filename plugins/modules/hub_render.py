#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_render
short_description: Write the chart values and the manifests of a hub, without a cluster and without secrets
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Merges and checks values as M(planetary.hub.chart_values) does, and writes C(values.json). Where Helm and the charts
    are there, it writes what C(helm template) makes of them to C(manifests.yml) too.
  - In place of each secret, also of those that charts make up by themselves, there are 64 zeros. The same inventory is
    the same files.
  - Runs on the control node, and writes there. Files have mode 0600.
attributes:
  check_mode:
    support: full
    description: Renders, but writes no file.
  diff_mode:
    support: full
    description: Shows both files, in which there is no secret.
options:
  fragments:
    description:
      - Values by origin, see P(planetary.hub.merge_values#filter).
      - Or a text, why there are none, with which the task fails.
    type: raw
    required: true
  directory:
    description: Where the files are written. It is made if it is not there.
    type: path
    required: true
  chart:
    description: The chart. Without it there are no manifests.
    type: dict
    suboptions:
      chart:
        description: See O(planetary.hub.helm_umbrella_chart#module:chart).
        type: str
        required: true
      version:
        description: See O(planetary.hub.helm_umbrella_chart#module:version).
        type: str
        default: ""
      digest:
        description: See O(planetary.hub.helm_umbrella_chart#module:digest).
        type: str
        default: ""
      dependencies:
        description: See O(planetary.hub.helm_umbrella_chart#module:dependencies).
        type: list
        elements: dict
        default: []
      sources:
        description: See O(planetary.hub.helm_umbrella_chart#module:sources).
        type: list
        elements: dict
        default: []
      insertions:
        description: See O(planetary.hub.helm_umbrella_chart#module:insertions).
        type: list
        elements: dict
        default: []
      cache:
        description: See O(planetary.hub.helm_umbrella_chart#module:cache).
        type: path
        default: ~/.cache/planetary.hub/charts
  release:
    description: Name of the release.
    type: str
    default: ""
  namespace:
    description: Its namespace.
    type: str
    default: ""
  binary_path:
    description: Helm.
    type: str
    default: helm
"""

EXAMPLES = r"""
- name: Render values and manifests
  planetary.hub.hub_render:
    fragments:
      - {origin: role ui, values: {data: {ui.json: "{}"}}}
    directory: ./rendered
    chart: {chart: ./chart}
    release: dask
    namespace: dhub
"""

RETURN = r"""
directory:
  description: Where the files are.
  returned: success
  type: str
files:
  description: Their names.
  returned: success
  type: list
  elements: str
  sample: [manifests.yml, values.json]
without_manifests:
  description: Why there are no manifests; empty if there are.
  returned: success
  type: str
  sample: there is no program helm
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

_PART = {"type": "list", "elements": "dict", "default": []}
SPEC: dict[str, Any] = {
    "fragments": {"type": "raw", "required": True},
    "directory": {"type": "path", "required": True},
    "chart": {
        "type": "dict",
        "options": {
            "chart": {"type": "str", "required": True},
            "version": {"type": "str", "default": ""},
            "digest": {"type": "str", "default": ""},
            "dependencies": _PART,
            "sources": _PART,
            "insertions": _PART,
            "cache": {"type": "path", "default": "~/.cache/planetary.hub/charts"},
        },
    },
    "release": {"type": "str", "default": ""},
    "namespace": {"type": "str", "default": ""},
    "binary_path": {"type": "str", "default": "helm"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    module.fail_json(msg="hub_render is an action plugin; it cannot be run as a module.")


if __name__ == "__main__":
    main()
