#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_cluster_info
short_description: Say whether a hub can be released to a cluster, and what its nodes are
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Fails with one sentence when the cluster cannot be reached or is older than Kubernetes 1.32, when the namespace is
    being deleted, when rights are missing, or when a storage class is not there. Nothing is changed.
  - Returns what profiles and network policies depend on.
attributes:
  check_mode:
    support: full
    description: It only reads.
  diff_mode:
    support: none
    description: Nothing is changed, so there is no difference to show.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  namespace:
    description: The hub's namespace. It need not exist.
    type: str
    required: true
  storage_classes:
    description:
      - Names of storage classes that have to be there, by what asks for them.
      - An empty name is the cluster's default.
    type: dict
    default: {}
  features:
    description: What is switched on and asks for rights of its own.
    type: list
    elements: str
    choices: [home_files, home_snapshots, home_snapshots_class]
    default: []
"""

EXAMPLES = r"""
- name: Look at the cluster
  planetary.hub.hub_cluster_info:
    namespace: dhub
    storage_classes:
      daskhub_home_storage_class: managed-csi
  register: cluster

- name: Say whether its nodes have a purpose
  ansible.builtin.debug:
    var: cluster.has_purposes
"""

RETURN = r"""
host:
  description: Address of the API server, as the kubeconfig has it.
  returned: success
  type: str
version:
  description: Version of Kubernetes, such as V(1.35).
  returned: success
  type: str
namespace_exists:
  description: Whether the namespace is there, or may not be looked at.
  returned: success
  type: bool
nodes:
  description: The nodes, of several alike the first; null when they may not be looked at.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
    labels:
      description: Labels that say what the node is for.
      type: dict
    taints:
      description: Taints, each with C(key), C(value) and C(effect).
      type: list
      elements: dict
    allocatable:
      description: What it has for pods, C(cpu) (cores), C(memory) (bytes), C(gpu).
      type: dict
has_purposes:
  description: Whether some node says what it is for; also when nobody may look.
  returned: success
  type: bool
grows:
  description: Whether an autoscaler may bring nodes that are not there yet.
  returned: success
  type: bool
public_addresses:
  description: IPv4 addresses of the API server that are in the internet.
  returned: success
  type: list
  elements: str
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _cluster_facts as facts
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._cluster_rights import FEATURES, check_rights
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "storage_classes": {"type": "dict", "default": {}},
    "features": {"type": "list", "elements": "str", "choices": [*FEATURES], "default": []},
}
SIDE_BY_SIDE = 6  # requests


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Ask what is needed, side by side; the first answer tells whether there is a cluster at all."""
    api = ClusterApi(given)
    version = f"1.{api.minor()}"
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        addresses = threads.submit(facts.public_addresses, api)
        nodes = threads.submit(facts.visible, api, "/api/v1/nodes")
        grows = threads.submit(facts.grows, api)
        kinds = threads.submit(api.find, "/apis/gateway.dask.org")
        classes = threads.submit(facts.visible, api, "/apis/storage.k8s.io/v1/storageclasses")
        volumes = threads.submit(facts.visible, api, "/api/v1/persistentvolumes")
        exists = facts.check_namespace(api, given["namespace"])
        check_rights(api, given["namespace"], exists, kinds.result() is not None, given["features"])
        known = classes.result()
        if known is not None:
            facts.check_storage(known, volumes.result(), given["storage_classes"])
        shapes = None if (found := nodes.result()) is None else facts.shapes(found)
        return {
            "host": api.host,
            "version": version,
            "namespace_exists": exists,
            "nodes": shapes,
            "has_purposes": shapes is None or any(shape["labels"] for shape in shapes),
            "grows": grows.result(),
            "public_addresses": addresses.result(),
        }


def outcome(given: dict[str, Any], _check: bool) -> dict[str, Any]:
    """The module's result."""
    try:
        return {"changed": False, **run(given)}
    except (InputError, LibraryMissing) as error:
        return {"failed": True, "msg": str(error)}
    except ClusterError as error:
        place = f" of the kubeconfig {given['kubeconfig']}" if given["kubeconfig"] else ""
        remedy = "" if error.status else "; start it, or name another kubeconfig in hub_kubeconfig"
        return {"failed": True, "msg": f"The cluster{place} cannot be used: {error}{remedy}."}


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
