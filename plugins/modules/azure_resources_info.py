#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_resources_info
short_description: Read Azure resources and lists of them
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Reads any number of resources, or lists of resources, at once, as Azure Resource Manager answers them.
  - Lists are read to their last page.
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Nothing is changed.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  resources:
    description: What to read.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The key of the result.
        type: str
        required: true
      id:
        description:
          - A resource's id, or a list's, such as C(<cluster's id>/agentPools).
          - It may end with a query, such as C(?$filter=location eq 'westeurope').
        type: str
        required: true
      api_version:
        description: The version of the resource type's interface.
        type: str
        required: true
      condition:
        description: Whether to read it. When V(false) the result does not hold it.
        type: bool
        default: true
  parallel:
    description: How many requests go on at once.
    type: int
    default: 16
  retry_timeout:
    description: Seconds for which throttling, failures of Azure and lost connections are waited out.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Read a cluster and its pools
  planetary.hub.azure_resources_info:
    resources:
      - name: cluster
        id: "{{ cluster_id }}"
        api_version: "2026-08-01"
      - name: pools
        id: "{{ cluster_id }}/agentPools"
        api_version: "2026-08-01"
  register: azure

- name: Ask whether a DNS label is free
  planetary.hub.azure_resources_info:
    resources:
      - name: label
        id: "{{ locations }}/westeurope/CheckDnsNameAvailability?domainNameLabel=hub"
        api_version: "2025-05-01"
  vars:
    locations: "/subscriptions/{{ subscription_id }}/providers/Microsoft.Network/locations"
  register: azure
"""

RETURN = r"""
resources:
  description:
    - What was read, by name, with secrets masked. A dictionary for a resource, a list for a list.
    - None for what does not exist.
  returned: success
  type: dict
  sample:
    pools:
      - name: core
        properties: {count: 1, mode: System}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import ARGUMENT_SPEC
from ansible_collections.planetary.hub.plugins.module_utils._azure_run import look


def argument_spec() -> dict[str, Any]:
    resource = {
        "name": {"type": "str", "required": True},
        "id": {"type": "str", "required": True},
        "api_version": {"type": "str", "required": True},
        "condition": {"type": "bool", "default": True},
    }
    return {
        **ARGUMENT_SPEC,
        "resources": {"type": "list", "elements": "dict", "required": True, "options": resource},
        "parallel": {"type": "int", "default": 16},
        "retry_timeout": {"type": "int", "default": 300},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    result = look(module.params)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
