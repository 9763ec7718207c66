# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: inventory_problem
short_description: Say what keeps an inventory from being used
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Reads the files in C(group_vars) and C(host_vars) beside the inventory as YAML.
  - With a limit, it also looks for hosts.
  - Meant for a play's C(hosts), the only place that is evaluated before Ansible itself reads these files. Ansible's own
    message about a broken one does not say which file it is.
positional: _input, sources, limit
options:
  _input:
    description: The names of the inventory's hosts, V(groups['all']).
    type: list
    elements: str
    required: true
  sources:
    description: The sources of the inventory, V(ansible_inventory_sources).
    type: list
    elements: str
    required: true
  limit:
    description:
      - The limit of the run, V(ansible_limit).
      - Without one an inventory without hosts is no problem here, because a play can fail on localhost instead.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Check the inventory
  hosts: "{{ 'all' if not problem else undef(hint=problem) }}"
  vars:
    problem: "{{ groups['all'] | planetary.hub.inventory_problem(ansible_inventory_sources, limit) }}"
    limit: "{{ ansible_limit | default('') }}"
"""

RETURN = r"""
_value:
  description: One sentence that names the file, the place in it and what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _inventory_problem(hosts: Any, sources: Any, limit: Any = "") -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._inventory import inventory_problem

    for name, value in (("the hosts", hosts), ("the sources", sources)):
        if not isinstance(value, list | tuple):
            raise AnsibleFilterError(f"inventory_problem: {name} must be a list, found {type(value).__name__}.")
    return inventory_problem([str(host) for host in hosts], [str(source) for source in sources], str(limit))


class FilterModule:
    """The filter inventory_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"inventory_problem": _inventory_problem}
