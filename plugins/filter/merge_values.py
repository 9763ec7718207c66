# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: merge_values
short_description: Merge chart values that several roles contribute
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Mappings merge. Lists whose items all have a C(name), or all a C(mountPath), merge by it. Everything else is a
    value, other lists too.
  - Two fragments that set one key differently are an error of one sentence that names both origins and the key, never
    the values, which may be secrets. Equal values are fine.
positional: _input
options:
  _input:
    description: The fragments.
    type: list
    elements: dict
    required: true
    suboptions:
      origin:
        description: Who contributes it, for the error.
        type: str
        required: true
      values:
        description: Chart values.
        type: dict
        required: true
      wins:
        description: Whether its values take the place of what fragments before it set.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Merge what two roles contribute to the chart
  ansible.builtin.set_fact:
    values: "{{ fragments | planetary.hub.merge_values }}"
  vars:
    fragments:
      - origin: role ui
        values: "{{ ui_outputs['values'] }}"
      - origin: role monitoring
        values: "{{ monitoring_outputs['values'] }}"
"""

RETURN = r"""
_value:
  description: One mapping of chart values.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _merge_values(fragments: Any) -> dict[str, Any]:
    from ansible_collections.planetary.hub.plugins.module_utils._merge_values import merge_values
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return merge_values(fragments)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter merge_values."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"merge_values": _merge_values}
