#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_gpu_pool
short_description: Make, change or delete a GPU agent pool of an AKS cluster
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes one agent pool with GPUs through Azure's own Python package.
  - Before it asks for the pool it looks whether Azure can make it. It refuses a size without GPU, a size that the
    region does not offer or that the subscription may not have there, and a quota that leaves no room for the first
    node or for the least number of nodes. It says the quota's name, its limit, what is used and what is needed. A
    quota that leaves too little for all nodes that the autoscaler may ask for is a warning.
  - What the autoscaler owns, the number of nodes, is never reset. What Azure cannot change is explained before anything
    is written.
  - Nodes have the label C(accelerator=nvidia), which the device plugin looks for.
  - Shows a line now and then while Azure works.
attributes:
  check_mode:
    support: full
    description:
      - Reads and checks everything and writes nothing.
      - Of a cluster that does not exist yet, nothing can be checked; the pool shows as one that will be created.
  diff_mode:
    support: full
    description: Shows the properties that change.
  idempotent:
    support: full
    description: A pool that is as wanted is left alone.
extends_documentation_fragment:
  - planetary.hub.azure
requirements:
  - azure-mgmt-containerservice >= 41
options:
  cluster_id:
    description: Full id of the cluster. Otherwise O(resource_group), O(cluster_name) and O(subscription_id).
    type: str
  resource_group:
    description: Resource group of the cluster.
    type: str
  cluster_name:
    description: Name of the cluster.
    type: str
  name:
    description: Name of the pool, 1 to 12 lowercase letters and digits, a letter first.
    type: str
    required: true
  state:
    description: Whether there shall be such a pool. Deleting one ends what runs on its nodes.
    type: str
    choices: [present, absent]
    default: present
  vm_size:
    description: Size of the nodes. Required with O(state=present); Azure cannot change it later.
    type: str
  purpose:
    description: What runs there. Gives labels and taints, those that users' servers and Dask's workers look for.
    type: str
    choices: [gpu_user, gpu_worker]
  min_count:
    description: Least nodes of the autoscaler. V(0) without a value.
    type: int
  max_count:
    description: Most nodes of the autoscaler. With it the pool has the autoscaler.
    type: int
  node_count:
    description: Number of nodes. Under the autoscaler the number at creation, O(min_count) without a value.
    type: int
  spot:
    description: Makes nodes of spare capacity, which Azure may take back. Azure cannot change it later.
    type: dict
    suboptions:
      eviction_policy:
        description: What happens to nodes that Azure takes back.
        type: str
        choices: [Delete, Deallocate]
        default: Delete
      max_price:
        description: The most US dollars an hour that a node may cost, V(-1) for the price of a regular one.
        type: float
        default: -1
  labels:
    description: Own labels.
    type: dict
    default: {}
  taints:
    description: Own taints, each as V(key=value:Effect).
    type: list
    elements: str
    default: []
  custom_headers:
    description: Headers of the request that writes the pool. The pool does not remember them.
    type: dict
    default: {}
  gpu_driver:
    description: Whether AKS installs the GPU driver. Azure cannot change it later.
    type: str
    choices: [install, none]
    default: install
  mig_profile:
    description: How a GPU is divided. Azure cannot change it later.
    type: str
    choices: [MIG1g, MIG2g, MIG3g, MIG4g, MIG7g]
  managed_gpu:
    description:
      - Whether AKS looks after driver, device plugin and metrics itself.
      - A preview of AKS that does not work under the autoscaler.
    type: bool
    default: false
  os_sku:
    description: Operating system of the nodes. Azure's choice, if not given.
    type: str
    choices: [AzureLinux, AzureLinux3, AzureContainerLinux, Ubuntu, Ubuntu2204, Ubuntu2404]
  zones:
    description: Availability zones.
    type: list
    elements: str
  os_disk_size:
    description: Size of a node's disk in GB.
    type: int
  os_disk_type:
    description: Where a node's disk is.
    type: str
    choices: [Ephemeral, Managed]
  max_pods:
    description: Most pods of a node. Azure cannot change it later.
    type: int
  max_surge:
    description: Nodes, or share of the nodes, that an upgrade adds for its time. Not for spot nodes.
    type: str
  version:
    description: Version of Kubernetes. The cluster's, if not given.
    type: str
  subnet_id:
    description: Full id of the subnet of the nodes.
    type: str
  tags:
    description: Tags of what Azure makes for the pool.
    type: dict
    default: {}
  mode:
    description: Whether the cluster's own pods run there.
    type: str
    choices: [User, System]
    default: User
  wait:
    description: Whether to wait until Azure is done.
    type: bool
    default: true
  timeout:
    description: Seconds for one operation of Azure's.
    type: int
    default: 3600
  retry_timeout:
    description: Seconds for which a refusal that passes, such as another operation in progress, is waited out.
    type: int
    default: 900
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Give Dask's workers GPUs on spot nodes
  planetary.hub.aks_gpu_pool:
    cluster_id: "{{ infrastructure_outputs['cluster']['id'] }}"
    name: gpuworker
    purpose: gpu_worker
    vm_size: Standard_NC4as_T4_v3
    min_count: 0
    max_count: 25
    spot:
      eviction_policy: Delete
    os_sku: AzureLinux
    subnet_id: "{{ infrastructure_outputs['network']['node_subnet_id'] }}"

- name: Remove the pool
  planetary.hub.aks_gpu_pool:
    resource_group: pcc-prod-rg
    cluster_name: pcc-prod-cluster
    name: gpuworker
    state: absent
"""

RETURN = r"""
action:
  description:
    - What was done (would be, in check mode).
    - V(create), V(update), V(delete), V(none); V(unknown) in check mode when there is no cluster yet.
  returned: success
  type: str
  sample: create
changes:
  description: The properties that changed, each with C(path), C(before) and C(after).
  returned: success
  type: list
  elements: dict
pool:
  description: The pool as Azure answers it. In check mode, what is wanted of it; empty when it is absent.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._cluster_pools import CLUSTER_TYPE, check_cluster_id
from ansible_collections.planetary.hub.plugins.module_utils._gpu_pool import GpuPool, Plan
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import body
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_values import WORDS
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool, node_pool
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, quote

# Options of the module to keys of a pool.
KEYS = {
    **{name: name for name in ("name", "vm_size", "purpose", "labels", "taints", "gpu_driver", "mig_profile")},
    **{name: name for name in ("managed_gpu", "os_sku", "zones", "os_disk_size", "os_disk_type", "max_pods")},
    **{name: name for name in ("max_surge", "version", "subnet_id", "tags", "mode")},
    "min_count": "min",
    "max_count": "max",
    "node_count": "count",
    "custom_headers": "headers",
}


def argument_spec() -> dict[str, Any]:
    spot = {
        "eviction_policy": {"type": "str", "choices": list(WORDS["eviction_policy"]), "default": "Delete"},
        "max_price": {"type": "float", "default": -1},
    }
    return {
        **ARGUMENT_SPEC,
        "cluster_id": {"type": "str"},
        "resource_group": {"type": "str"},
        "cluster_name": {"type": "str"},
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "vm_size": {"type": "str"},
        "purpose": {"type": "str", "choices": ["gpu_user", "gpu_worker"]},
        "min_count": {"type": "int"},
        "max_count": {"type": "int"},
        "node_count": {"type": "int"},
        "spot": {"type": "dict", "options": spot},
        "labels": {"type": "dict", "default": {}},
        "taints": {"type": "list", "elements": "str", "default": []},
        "custom_headers": {"type": "dict", "default": {}},
        "gpu_driver": {"type": "str", "choices": ["install", "none"], "default": "install"},
        "mig_profile": {"type": "str", "choices": list(WORDS["mig_profile"])},
        "managed_gpu": {"type": "bool", "default": False},
        "os_sku": {"type": "str", "choices": list(WORDS["os_sku"])},
        "zones": {"type": "list", "elements": "str"},
        "os_disk_size": {"type": "int"},
        "os_disk_type": {"type": "str", "choices": list(WORDS["os_disk_type"])},
        "max_pods": {"type": "int"},
        "max_surge": {"type": "str"},
        "version": {"type": "str"},
        "subnet_id": {"type": "str"},
        "tags": {"type": "dict", "default": {}},
        "mode": {"type": "str", "choices": ["User", "System"], "default": "User"},
        "wait": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 3600},
        "retry_timeout": {"type": "int", "default": 900},
        "progress_file": {"type": "path"},
    }


def cluster_of(given: dict[str, Any]) -> str:
    """The cluster's id from the options."""
    if given["cluster_id"]:
        check_cluster_id(given["cluster_id"])
        return str(given["cluster_id"]).rstrip("/")
    if not given["subscription_id"]:
        raise InputError("subscription_id is not given; set it, or AZURE_SUBSCRIPTION_ID, or give cluster_id.")
    group = f"/subscriptions/{given['subscription_id']}/resourceGroups/{given['resource_group']}"
    return f"{group}/providers/{CLUSTER_TYPE}/{given['cluster_name']}"


def pool_of(given: dict[str, Any], where: str) -> Pool:
    """The pool from the options, checked."""
    wanted = {key: given[option] for option, key in KEYS.items()}
    if given["spot"] is not None:
        wanted |= {"priority": "Spot", "eviction_policy": given["spot"]["eviction_policy"]}
        wanted["price"] = given["spot"]["max_price"]
    # Values of a mapping are read as texts, as Azure has them.
    for key in ("labels", "tags", "headers"):
        wanted[key] = {name: item if isinstance(item, str) else str(item) for name, item in wanted[key].items()}
    return node_pool({**wanted, "gpu": True}, {}, where)


def run(module: AnsibleModule, client: AzureClient) -> dict[str, Any]:
    given = module.params
    where = f"The pool {quote(given['name'])}"
    progress = Progress(given["progress_file"] or "")
    pools = GpuPool(client, cluster_of(given), given["name"], progress, given["timeout"], given["retry_timeout"])
    if given["state"] == "absent":
        plan = pools.plan_absent()
        if plan.action == "delete" and not module.check_mode:
            pools.delete(given["wait"])
        return result(plan, {})
    pool = pool_of(given, where)
    plan = pools.plan(pool, where, module.check_mode)
    for warning in plan.warnings:
        module.warn(warning)
    if plan.action == "none":
        return result(plan, dict(plan.live or {}))
    if module.check_mode:
        return result(plan, {"id": pools.id, "name": pool.name, **body(pool)})
    return result(plan, pools.apply(pool, plan, where, given["wait"]))


def result(plan: Plan, pool: dict[str, Any]) -> dict[str, Any]:
    return {
        "changed": plan.action != "none",
        "action": plan.action,
        "changes": [vars(change) for change in plan.comparison.changes],
        "diff": plan.diff,
        "pool": pool,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_if=[("state", "present", ["vm_size"])],
        required_one_of=[("cluster_id", "cluster_name")],
        required_together=[("resource_group", "cluster_name")],
        mutually_exclusive=[("cluster_id", "cluster_name")],
    )
    name = module.params["name"]
    try:
        client = AzureClient(module.params, retry_timeout=module.params["retry_timeout"])
        module.exit_json(**run(module, client))
    except (InputError, LibraryMissing, CredentialProblem) as error:
        module.fail_json(msg=str(error))
    except AzureError as error:
        module.fail_json(msg=f"The pool {quote(name)}: {str(error).rstrip('. ')}.")
    except Abandoned as error:
        module.fail_json(msg=f"Nobody waits for the pool {quote(name)} any more: {error}; Azure goes on with it.")


if __name__ == "__main__":
    main()
