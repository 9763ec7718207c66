# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: az_lines
short_description: Write resources of Azure as lines of the az command line
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Gives the lines of a shell that make the same as P(planetary.hub.azure_resources#module) with these resources, for
    whoever wants to see or to do it by hand.
  - Outputs of other resources become variables of the shell.
positional: _input
options:
  _input:
    description: Resources of the module azure_resources.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what would do the same
  ansible.builtin.debug:
    msg: "{{ resources | planetary.hub.az_lines }}"
"""

RETURN = r"""
_value:
  description: One line for each resource, and one before for each output of another that it needs.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any


def _az_lines(resources: Any) -> list[str]:
    from ansible_collections.planetary.hub.plugins.module_utils._az_lines import az_lines
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return az_lines(plain(resources))


class FilterModule:
    """The filter az_lines."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"az_lines": _az_lines}
