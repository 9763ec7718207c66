# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: node_pool_bodies
short_description: Turn node pools into agent pools as Azure writes them
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks the pools of a cluster and writes each as the body of an agent pool of AKS.
  - Labels and taints follow from the purpose, the same that users' servers and Dask's workers look for.
  - Own labels and taints are added.
  - A pool that cannot be used is an error of one sentence that names it.
positional: _input, defaults
options:
  _input:
    description: The pools.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: 1 to 12 lowercase letters and digits, a letter first. Each name once.
        type: str
        required: true
      purpose:
        description: What runs there. Gives labels and taints, for GPUs C(accelerator=nvidia) too. May be left out.
        type: str
        choices: [core, user, worker, gpu_user, gpu_worker]
      vm_size:
        description: Size of the nodes, such as V(Standard_E8s_v5). Azure cannot change it later.
        type: str
        required: true
      min:
        description: Least nodes of the autoscaler. V(0) without a value, V(1) for a system pool.
        type: int
      max:
        description: Most nodes of the autoscaler. With it the pool has the autoscaler.
        type: int
      count:
        description: Number of nodes. Under the autoscaler the number at creation, O(_input[].min) without a value.
        type: int
      priority:
        description: Whether nodes are spare capacity that Azure may take back. Azure cannot change it later.
        type: str
        choices: [Regular, Spot]
        default: Regular
      eviction_policy:
        description: What happens to spot nodes that Azure takes back. V(Delete), if not given.
        type: str
        choices: [Delete, Deallocate]
      price:
        description: The most US dollars an hour that a spot node may cost, V(-1) for the price of a regular one.
        type: float
      os_sku:
        description: Operating system of the nodes. Azure's choice, if not given.
        type: str
        choices: [AzureLinux, AzureLinux3, AzureContainerLinux, Ubuntu, Ubuntu2204, Ubuntu2404]
      os_disk_size:
        description: Size of a node's disk in GB.
        type: int
      os_disk_type:
        description: Where a node's disk is.
        type: str
        choices: [Ephemeral, Managed]
      zones:
        description: Availability zones. None, if not given.
        type: list
        elements: str
      max_surge:
        description: Nodes, or share of the nodes, that an upgrade adds for its time. Not for spot nodes.
        type: str
      max_pods:
        description: Most pods of a node. The more, the more memory AKS keeps for itself.
        type: int
      version:
        description: Version of Kubernetes, in quotes. The cluster's, if not given.
        type: str
      labels:
        description: Own labels.
        type: dict
        default: {}
      taints:
        description: Own taints, each as V(key=value:Effect).
        type: list
        elements: str
        default: []
      tags:
        description: Tags of what Azure makes for the pool.
        type: dict
        default: {}
      subnet_id:
        description: Full id of the subnet of the nodes.
        type: str
      mode:
        description: Whether the cluster's own pods run there. V(System) for the purpose V(core), otherwise V(User).
        type: str
        choices: [System, User]
      gpu:
        description: Whether nodes have NVIDIA GPUs. Follows from the purpose, if there is one.
        type: bool
      gpu_driver:
        description: Whether AKS installs the GPU driver.
        type: str
        choices: [install, none]
      mig_profile:
        description: How a GPU is divided.
        type: str
        choices: [MIG1g, MIG2g, MIG3g, MIG4g, MIG7g]
      managed_gpu:
        description: Whether AKS looks after driver, device plugin and metrics itself. Not under the autoscaler.
        type: bool
        default: false
      headers:
        description: Headers of the request that writes the pool.
        type: dict
        default: {}
  defaults:
    description: What pools have that do not say otherwise. Labels, tags and headers are added to those of a pool.
    type: dict
    default: {}
  variable:
    description: What errors call the list.
    type: str
    default: node_pools_pools
  cluster_id:
    description: Full id of the cluster. With it each item is a resource as M(planetary.hub.azure_resources) takes it.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what Azure gets
  ansible.builtin.debug:
    msg: "{{ pools | planetary.hub.node_pool_bodies({'os_sku': 'AzureLinux'}) }}"
  vars:
    pools:
      - name: users
        purpose: user
        vm_size: Standard_E8s_v5
        min: 1
        max: 100
      - name: workers
        purpose: worker
        vm_size: Standard_E8s_v5
        min: 0
        max: 50
        priority: Spot
"""

RETURN = r"""
_value:
  description: One item for each pool.
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pool.
      type: str
    id:
      description: Full id of the pool, with O(cluster_id).
      type: str
    api_version:
      description: Version of the interface that the body is written for, with O(cluster_id).
      type: str
    body:
      description: The body, with C(properties) in Azure's words.
      type: dict
    headers:
      description: Headers of the request.
      type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _node_pool_bodies(
    pools: Any, defaults: Any = None, variable: Any = None, cluster_id: str = ""
) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import node_pool_bodies
    from ansible_collections.planetary.hub.plugins.module_utils._node_pools import VARIABLE
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return node_pool_bodies(pools, defaults, str(variable or VARIABLE), str(cluster_id).rstrip("/"))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter node_pool_bodies."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"node_pool_bodies": _node_pool_bodies}
