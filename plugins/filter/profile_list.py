# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: profile_list
short_description: Turn profiles into KubeSpawner's profileList
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks what users shall be able to choose from and writes it as KubeSpawner reads it.
  - A profile that cannot be used is an error of one sentence that names it.
  - Profiles without GPU ask for no GPU explicitly and stay off GPU nodes.
positional: _input
options:
  _input:
    description: The profiles, in the order shown to users. The first enabled one is the default if none is marked.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Lowercase letters, digits and single hyphens; what programs choose by. Each name once.
        type: str
        required: true
      display_name:
        description: What users read. The name, if not given.
        type: str
      description:
        description: What users read below it; HTML is allowed. The sizes, if not given.
        type: str
      image:
        description: Image with a tag or a digest.
        type: str
        required: true
      cores:
        description: Number of cores; without a guarantee the limit is guaranteed, without both there is neither.
        type: dict
        suboptions:
          limit:
            description: Most cores a server can use.
            type: float
          guarantee:
            description: Cores a server is sure to have.
            type: float
      memory:
        description: Amount of memory with a unit, as in V(32G); K, M, G and T are powers of 1024.
        type: dict
        suboptions:
          limit:
            description: Most memory a server can use.
            type: str
          guarantee:
            description: Memory a server is sure to have. The limit, if not given.
            type: str
      gpu:
        description: Number of GPUs.
        type: int
        default: 0
      default_url:
        description: Where the browser arrives, as in V(/lab).
        type: str
      environment:
        description: Environment variables; values are texts and arrive as written.
        type: dict
        default: {}
      purpose:
        description: Which nodes servers run on; has to agree with O(_input[].gpu), which it follows if not given.
        type: str
        choices: [user, gpu_user]
      visible_to:
        description: Who sees the profile; everyone, if nobody is named.
        type: dict
        suboptions:
          users:
            description: Names of users.
            type: list
            elements: str
            default: []
          groups:
            description: Names of groups.
            type: list
            elements: str
            default: []
      default:
        description: Whether this is what users get who choose nothing.
        type: bool
        default: false
      enabled:
        description: Whether the profile is offered. A profile that is not is still checked.
        type: bool
        default: true
  capacity:
    description:
      - What one server can get at most; each key is optional.
      - A profile that is guaranteed more is an error.
    type: dict
    suboptions:
      cores:
        description: Number of cores.
        type: float
      memory:
        description: Memory in bytes.
        type: int
      gpu:
        description: Number of GPUs.
        type: int
  match_node_purpose:
    description:
      - How servers choose nodes by the label C(hub.jupyter.org/node-purpose).
      - With V(require) they run on nodes of their purpose only, with V(prefer) rather there, with V(ignore) anywhere.
      - Servers without GPU never run on GPU nodes, servers with GPU only there, whichever value this has.
    type: str
    choices: [ignore, prefer, require]
    default: prefer
"""

EXAMPLES = r"""
- name: Show what users choose from
  ansible.builtin.debug:
    msg: "{{ profiles | planetary.hub.profile_list(capacity={'cores': 8, 'memory': 64 * 1024**3}) }}"
  vars:
    profiles:
      - name: python
        display_name: Python
        image: pangeo/pangeo-notebook:2026.01.30
        cores: {limit: 4, guarantee: 3}
        memory: {limit: 32G, guarantee: 25G}
        default: true
      - name: gpu-pytorch
        image: pangeo/pytorch-notebook:2026.01.30
        cores: {limit: 4, guarantee: 3}
        memory: {limit: 27G, guarantee: 20G}
        gpu: 1
        visible_to:
          groups: [gpu-users]
"""

RETURN = r"""
_value:
  description:
    - The enabled profiles as KubeSpawner's C(profile_list), exactly one of them with C(default) true.
    - C(visible_to) is not KubeSpawner's; the hub's own code reads it.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _profile_list(profiles: Any, capacity: Any = None, match_node_purpose: str = "prefer") -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return profile_list(profiles, capacity, match_node_purpose)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter profile_list."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"profile_list": _profile_list}
