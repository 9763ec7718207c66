# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: dask_options
short_description: Check the sizes and limits of Dask clusters
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks what users may choose for their Dask clusters, fills in what is not said, and writes it for the gateway.
  - Memory is a number of GiB, or a text with a unit as in V(512M).
  - What cannot be used is an error of one sentence that names the key.
positional: _input, profiles
options:
  _input:
    description: What users may choose, and what they cannot.
    type: dict
    required: true
    suboptions:
      scheduler:
        description: Size of each cluster's scheduler.
        type: dict
        suboptions:
          cores:
            description: Cores.
            type: dict
            suboptions:
              limit:
                description: Most cores it can use.
                type: float
                default: 1
              guarantee:
                description: Cores it is sure to have.
                type: float
                default: 0.5
          memory:
            description: Memory.
            type: dict
            suboptions:
              limit:
                description: Most memory it can use.
                type: float
                default: 2
              guarantee:
                description: Memory it is sure to have.
                type: float
                default: 1
      worker:
        description: Size of each worker, as users choose it.
        type: dict
        suboptions:
          cores:
            description: Cores; a worker has as many threads, at least one.
            type: dict
            suboptions:
              default:
                description: What a user gets who chooses nothing.
                type: float
                default: 1
              min:
                description: The least a user can choose.
                type: float
                default: 0.1
              max:
                description: The most a user can choose.
                type: float
                default: 2
              request:
                description: The share that is reserved on a node, so that n workers of an n-th of a node fit on it.
                type: float
                default: 0.9
          memory:
            description: Memory.
            type: dict
            suboptions:
              default:
                description: What a user gets who chooses nothing.
                type: float
                default: 2
              min:
                description: The least a user can choose.
                type: float
                default: 0.5
              max:
                description: The most a user can choose.
                type: float
                default: 6
              request:
                description: The share that is reserved on a node.
                type: float
                default: 0.88
      gpu:
        description: Workers with one GPU each.
        type: dict
        suboptions:
          enabled:
            description: Whether users are offered them.
            type: bool
            default: false
          cores_max:
            description: Most cores of a worker with GPU.
            type: float
            default: 4
          memory_max:
            description: Most memory of a worker with GPU.
            type: float
            default: 24
      idle_timeout:
        description: Seconds after which an idle cluster is stopped; 0 means never.
        type: float
        default: 600
      limits:
        description: What one cluster can have at most, its scheduler included.
        type: dict
        suboptions:
          cores:
            description: Cores.
            type: float
            default: 100
          memory:
            description: Memory.
            type: float
            default: 800
          workers:
            description: Workers.
            type: int
            default: 100
      image:
        description: Image of clusters whose users choose none. The default profile's, if not given.
        type: str
      images:
        description:
          - Patterns of images that clusters may use, as in V(registry.example.org/hub/*).
          - Any version of the images in O(profiles) and O(_input.image) is allowed besides.
        type: list
        elements: str
        default: []
  profiles:
    description: The output of the filter P(planetary.hub.profile_list#filter).
    type: list
    elements: dict
  capacity:
    description:
      - What one pod can get at most. Sizes that no node can hold are an error.
      - Keys are C(scheduler), C(worker) and C(gpu_worker), each with C(cores) and C(memory) in bytes; all are optional.
    type: dict
  match_node_purpose:
    description:
      - How schedulers and workers choose nodes by the labels of their purpose.
      - Without GPU they never run on GPU nodes, workers with GPU only there, whichever value this has.
    type: str
    choices: [ignore, prefer, require]
    default: prefer
"""

EXAMPLES = r"""
- name: Show what users may choose for a Dask cluster
  ansible.builtin.debug:
    msg: "{{ options | planetary.hub.dask_options(daskhub_profiles | planetary.hub.profile_list) }}"
  vars:
    options:
      worker:
        cores: {default: 1, min: 0.1, max: 8}
        memory: {default: 8, min: 1, max: 64}
      limits: {cores: 100, memory: 800, workers: 100}
"""

RETURN = r"""
_value:
  description:
    - Everything said, the scheduler and the limits in bytes, sizes of workers in GiB.
    - Besides C(image), C(images), and C(placement), the parts of the pods' specification that choose their nodes.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _dask_options(
    options: Any, profiles: Any = None, capacity: Any = None, match_node_purpose: str = "prefer"
) -> dict[str, Any]:
    from ansible_collections.planetary.hub.plugins.module_utils._dask_options import dask_options
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return dask_options(options, profiles, capacity, match_node_purpose)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter dask_options."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"dask_options": _dask_options}
