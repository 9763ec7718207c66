# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: infrastructure_problem
short_description: Say what keeps the Azure side of a hub from being built
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks names, address ranges, ids, versions and volumes of the role C(infrastructure) against Azure's rules, before
    Azure sees them.
  - With what Azure says about the region it also checks location, version, DNS label and quota.
positional: _input, answers
options:
  _input:
    description:
      - The variables of the role by name.
      - C(names) are the names of all resources, C(given_names) those that were given, C(ranges) the address ranges,
        C(windows) the maintenance windows, C(core_pool) the core pool, C(storage_account_id) the account of volumes
        that name none.
    type: dict
    required: true
  answers:
    description: What Azure says, as answers of P(planetary.hub.azure_resources_info#module) by name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse what cannot work
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: "{{ settings | planetary.hub.infrastructure_problem }}"
"""

RETURN = r"""
_value:
  description: One sentence that names the variable and says what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any


def _infrastructure_problem(variables: Any, answers: Any = None) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._infrastructure import infrastructure_problem
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return infrastructure_problem(plain(variables), plain(answers))


class FilterModule:
    """The filter infrastructure_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"infrastructure_problem": _infrastructure_problem}
