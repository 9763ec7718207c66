# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: teardown
short_description: Work out what the teardown of a hub removes
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Says what of a hub on Azure would be removed and what would stay, and why the removal may not go on, before anything
    is removed.
positional: _input, found, asked
options:
  _input:
    description: The plan of P(planetary.hub.azure_resources#module) for the removal of all but the resource group.
    type: list
    elements: dict
    required: true
  found:
    description:
      - What P(planetary.hub.azure_resources_info#module) read.
      - C(group), C(cluster), C(vault), C(contents) of the group, C(disks) of the node group, C(shares) of the account.
    type: dict
    required: true
  asked:
    description: What is asked for.
    type: dict
    required: true
    suboptions:
      hub:
        description: The hub's name in the inventory.
        type: str
        required: true
      group:
        description: Name of its resource group.
        type: str
        required: true
      confirm:
        description: One of the two, which confirms the removal.
        type: str
        required: true
      data:
        description: User data that may be deleted.
        type: list
        elements: str
        choices: [homes, shares, vault, group]
        required: true
      keep:
        description: User data that stays.
        type: list
        elements: str
        choices: [shares, vault]
        required: true
  adopted:
    description: Ids that belong to others and are only used.
    type: list
    elements: str
  insights:
    description: Name of the hub's Application Insights.
    type: str
"""

EXAMPLES = r"""
- name: Say what would be removed
  ansible.builtin.debug:
    msg: "{{ (plan | planetary.hub.teardown(found, asked))['lines'] }}"
  vars:
    asked:
      hub: prod
      group: hub-prod-rg
      confirm: prod
      data: [homes]
      keep: []
"""

RETURN = r"""
_value:
  description: The teardown.
  type: dict
  contains:
    lines:
      description: What goes and what stays, for people.
      type: list
      elements: str
    problem:
      description: Why it may not go on, or empty.
      type: str
    beside:
      description: What Azure made by itself and is to be removed as well, as resources of azure_resources.
      type: list
      elements: dict
    others:
      description: Ids of what is left in the resource group.
      type: list
      elements: str
    group:
      description: Whether the resource group goes as well.
      type: bool
    anything:
      description: Whether there is anything to remove.
      type: bool
"""

from collections.abc import Callable, Sequence
from typing import Any


def _filter(plan: Any, found: Any, asked: Any, adopted: Sequence[str] = (), insights: str = "") -> dict[str, Any]:
    from ansible_collections.planetary.hub.plugins.module_utils import _teardown
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    given = plain(asked)
    wanted = _teardown.Asked(
        str(given["hub"]), str(given["group"]), str(given["confirm"]), tuple(given["data"]), tuple(given["keep"])
    )
    return _teardown.teardown(plain(plan), plain(found), plain(list(adopted)), str(insights), wanted)


class FilterModule:
    """The filter teardown."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"teardown": _filter}
