# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_room_problem
short_description: Say what no node can hold
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Compares what profiles and Dask options guarantee with what pools and nodes have for pods, where they may run.
positional: _input, dask_options
options:
  _input:
    description: The output of P(planetary.hub.profile_list#filter).
    type: list
    elements: dict
    required: true
  dask_options:
    description: The output of P(planetary.hub.dask_options#filter).
    type: dict
    required: true
  pools:
    description: The C(pools) that M(planetary.hub.node_pools_info) returns.
    type: list
    elements: dict
    default: []
  nodes:
    description: The C(nodes) that M(planetary.hub.hub_cluster_info) returns.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Refuse what cannot be started
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    profiles: "{{ daskhub_profiles | planetary.hub.profile_list }}"
    problem: >-
      {{ profiles | planetary.hub.cluster_room_problem(daskhub_dask_options | planetary.hub.dask_options(profiles),
         nodes=cluster['nodes']) }}
"""

RETURN = r"""
_value:
  description:
    - One sentence that names the item, what it asks for, the largest pool or node for it, and what to do.
    - An empty string when all can be started, or nothing is known of the nodes.
  type: str
"""

from collections.abc import Callable
from typing import Any


def _cluster_room_problem(profiles: Any, dask_options: Any, pools: Any = None, nodes: Any = None) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._cluster_room import room_problem
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return room_problem(plain(profiles), plain(dask_options), plain(pools or []), plain(nodes or []))


class FilterModule:
    """The filter cluster_room_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"cluster_room_problem": _cluster_room_problem}
