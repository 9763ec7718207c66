#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_values
short_description: Merge chart values, check them, and write them as one private file
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Merges what roles and the inventory say as P(planetary.hub.merge_values#filter) does, and checks the result with the
    C(values.schema.json) of the chart and of the charts that it carries.
  - What is wrong is said in one sentence, with the key, who said it and, of an inventory, file and line; never the
    value, which may be a secret.
  - Runs on the control node, and writes there.
attributes:
  check_mode:
    support: full
    description: The file is written in check mode too, because a comparison needs it; it is no part of the hub.
  diff_mode:
    support: none
    description: Values may be secrets.
options:
  fragments:
    description: Values by origin, see P(planetary.hub.merge_values#filter).
    type: list
    elements: dict
    required: true
  chart:
    description: The package whose schemas they are checked with. Without it they are merged only.
    type: path
    default: ""
  dest:
    description: The file, JSON, of mode 0600. Its folder has to be there.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write the values
  planetary.hub.chart_values:
    fragments:
      - {origin: role ui, values: {data: {ui.json: "{}"}}}
      - {origin: daskhub_values, values: "{{ daskhub_values }}", wins: true}
    chart: /tmp/daskhub/daskhub-0.1.0+0123456789abcdef.tgz
    dest: /tmp/daskhub/values.json
"""

RETURN = r"""
dest:
  description: The file.
  returned: success
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

SPEC: dict[str, Any] = {
    "fragments": {"type": "list", "elements": "dict", "required": True},
    "chart": {"type": "path", "default": ""},
    "dest": {"type": "path", "required": True},
}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    module.fail_json(msg="chart_values is an action plugin; it cannot be run as a module.")


if __name__ == "__main__":
    main()
