#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_pools_info
short_description: Check node pools against a cluster, its region and its quotas
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Reads the cluster, its pools, the sizes of virtual machines in its region and the quotas of the subscription, side
    by side, and says what the pools that are wanted will be.
  - Refuses pools that Azure would refuse half-way, all of them before any is touched, with one sentence that names the
    pool. That is a size that the region does not offer or the subscription may not have, a size without GPU for a GPU
    pool, a zone without the size, no spot nodes of it, no room for an ephemeral disk, or a quota that leaves no room
    for the pool's first or least number of nodes.
  - Warns when a quota leaves no room for all nodes that the autoscaler may ask for.
  - A pool that exists is not measured again, except for nodes that are to be added to it for sure.
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: Nothing is changed.
  idempotent:
    support: full
    description: Changes nothing.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  cluster_id:
    description: Full id of the cluster. It may not exist yet.
    type: str
    required: true
  location:
    description: Region of a cluster that does not exist yet. Naming that of an existing one saves a request's time.
    type: str
    default: ""
  pools:
    description: The pools, as P(planetary.hub.node_pool_bodies#filter) takes them.
    type: list
    elements: dict
    required: true
  defaults:
    description: What pools have that do not say otherwise.
    type: dict
    default: {}
  verify:
    description: Whether to refuse what sizes and quotas do not allow. A pool that is written wrong is always refused.
    type: bool
    default: true
  variable:
    description: What errors call the list.
    type: str
    default: node_pools_pools
  retry_timeout:
    description: Seconds for which throttling, failures of Azure and lost connections are waited out.
    type: int
    default: 300
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Check the pools
  planetary.hub.node_pools_info:
    cluster_id: "{{ infrastructure_outputs['cluster']['id'] }}"
    location: westeurope
    pools:
      - {name: users, purpose: user, vm_size: Standard_E8s_v5, min: 1, max: 100}
  register: __node_pools_found
"""

RETURN = r"""
cluster_exists:
  description: Whether the cluster is there.
  returned: success
  type: bool
pools:
  description: The pools that are wanted, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    purpose:
      description: What runs there; null without one.
      type: str
    vm_size:
      description: Size of the nodes.
      type: str
    min:
      description: Least nodes.
      type: int
    max:
      description: Most nodes.
      type: int
    spot:
      description: Whether they are spot nodes.
      type: bool
    gpu:
      description: Whether they have GPUs.
      type: bool
    labels:
      description: All labels of the nodes.
      type: dict
    taints:
      description: All taints of the nodes, each as C(key=value:Effect).
      type: list
      elements: str
    allocatable:
      description: What AKS leaves of a node to pods, C(cpu) (cores), C(memory) (bytes), C(gpu). Null if unknown.
      type: dict
    exists:
      description: Whether the cluster has it.
      type: bool
unlisted:
  description:
    - Pools of the cluster that are not in the list, each with C(name), C(mode), C(vm_size), C(gpu) and C(resource).
  returned: success
  type: list
  elements: dict
device_plugin:
  description: What the NVIDIA device plugin has to know of the list.
  returned: success
  type: dict
  contains:
    pools:
      description: Names of the GPU pools that it serves. AKS looks after its managed GPUs itself.
      type: list
      elements: str
    tolerations:
      description: What it has to tolerate there.
      type: list
      elements: dict
    mig:
      description: Whether some of the GPUs are divided.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _cluster_pools as cluster_pools
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_pause import SpokenPause
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import named, node_pools
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENT_SPEC,
            "cluster_id": {"type": "str", "required": True},
            "location": {"type": "str", "default": ""},
            "pools": {"type": "list", "elements": "dict", "required": True},
            "defaults": {"type": "dict", "default": {}},
            "verify": {"type": "bool", "default": True},
            "variable": {"type": "str", "default": "node_pools_pools"},
            "retry_timeout": {"type": "int", "default": 300},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        pools = node_pools(given["pools"], given["defaults"], given["variable"])
        cluster_pools.check_cluster_id(given["cluster_id"])
        pause = SpokenPause(Progress(given["progress_file"] or ""))
        client = AzureClient(given, retry_timeout=given["retry_timeout"], pause=pause)
        cluster = cluster_pools.read_cluster(client, given["cluster_id"].rstrip("/"), given["location"])
        if given["verify"]:
            for warning in cluster_pools.check_pools(named(pools, given["variable"]), cluster):
                module.warn(warning)
    except (InputError, LibraryMissing, CredentialProblem) as error:
        module.fail_json(msg=str(error))
    except Abandoned as error:
        module.fail_json(msg=f"The pools of {given['cluster_id']} were not checked to the end: {error}.")
    except AzureError as error:
        module.fail_json(msg=f"The pools of {given['cluster_id']} cannot be checked: {str(error).rstrip('. ')}.")
    module.exit_json(
        changed=False,
        cluster_exists=cluster.live is not None,
        pools=cluster_pools.rows(pools, cluster),
        unlisted=cluster_pools.unlisted(pools, cluster),
        device_plugin=cluster_pools.device_plugin(pools),
    )


if __name__ == "__main__":
    main()
