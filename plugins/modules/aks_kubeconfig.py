#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: aks_kubeconfig
short_description: Give the control node access to an AKS cluster
version_added: 0.1.0
description:
  - Asks Azure for a cluster's address and certificate authority and writes a kubeconfig that only its owner can read.
  - For a cluster with Entra ID the kubeconfig needs no further program such as kubelogin. Its user is a small Python
    script beside it, which gets tokens with azure-identity from the environment of whoever uses the kubeconfig (Helm,
    kubectl, the Kubernetes client of Python), keeps a token for the calls that follow and renews it shortly before it
    ends. A release that takes longer than a token lives is not interrupted.
  - A cluster without Entra ID is used with the client certificate that Azure gives to its users.
  - Neither tokens nor keys are ever returned, logged or shown in a diff.
author:
  - planetary.hub contributors (@planetary-hub)
attributes:
  check_mode:
    support: full
    description: Asks Azure, writes nothing. A cluster that is not there yet is no error.
  diff_mode:
    support: full
    description: Shows the kubeconfig with its secrets masked.
  idempotent:
    support: full
    description: A fixed token is written anew at every run, which is no change.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  cluster_id:
    description:
      - The cluster's full resource id.
      - Either this, or O(resource_group) and O(cluster_name), is needed unless O(state=absent).
    type: str
  resource_group:
    description: The cluster's resource group in O(subscription_id).
    type: str
  cluster_name:
    description: The cluster's name.
    type: str
  path:
    description:
      - The kubeconfig. It has mode C(0600).
      - Its directory is made with mode C(0700). One that others can write is refused.
    type: path
    required: true
  context:
    description:
      - Name of the context.
      - Without it, the cluster's name.
    type: str
  auth:
    description:
      - How a client proves who it is.
      - With V(exec) it runs the script beside the kubeconfig whenever it needs a token. The script takes the credential
        from its environment, as this module does; a O(client_secret) that stands only in the task does not reach it.
      - With V(token) the kubeconfig holds one token, which is good for about an hour.
      - With V(admin) the kubeconfig holds the administrator's certificate, which passes over Entra ID and its rights.
        Only for clusters that allow local accounts.
    type: str
    choices: [exec, token, admin]
    default: exec
  python:
    description:
      - Python that runs the script. It needs azure-identity.
      - Without it, the one that runs this module.
    type: path
  state:
    description: With V(absent) the kubeconfig is removed, with its script and the token that the script kept.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Get access to the cluster
  planetary.hub.aks_kubeconfig:
    cluster_id: "{{ infrastructure_outputs['cluster']['id'] }}"
    path: ~/.local/state/hub/prod.kubeconfig
  register: __daskhub_access

- name: List the nodes
  kubernetes.core.k8s_info:
    kubeconfig: "{{ __daskhub_access['path'] }}"
    kind: Node

- name: Remove it
  planetary.hub.aks_kubeconfig:
    path: ~/.local/state/hub/prod.kubeconfig
    state: absent
"""

RETURN = r"""
path:
  description: The kubeconfig.
  returned: success
  type: str
  sample: /srv/hub/prod.kubeconfig
server:
  description: Address of the API server; C((known after apply\)) in check mode when there is no cluster yet.
  returned: when O(state=present)
  type: str
  sample: https://hub-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443
context:
  description: Name of the context.
  returned: when O(state=present)
  type: str
  sample: pcc-prod-cluster
auth:
  description:
    - What the kubeconfig holds.
    - V(exec), V(token) or V(certificate); C((known after apply\)) in check mode when there is no cluster yet.
  returned: when O(state=present)
  type: str
  sample: exec
expiry:
  description: When the token of O(auth=token) ends; null otherwise.
  returned: when O(state=present)
  type: str
  sample: "2026-11-22T20:15:00Z"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._aks_access import Kubeconfig
from ansible_collections.planetary.hub.plugins.module_utils._aks_kubeconfig import Refused
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError


def argument_spec() -> dict[str, Any]:
    return ARGUMENT_SPEC | {
        "cluster_id": {"type": "str"},
        "resource_group": {"type": "str"},
        "cluster_name": {"type": "str"},
        "path": {"type": "path", "required": True},
        "context": {"type": "str"},
        "auth": {"type": "str", "choices": ["exec", "token", "admin"], "default": "exec"},
        "python": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        mutually_exclusive=[("cluster_id", "resource_group"), ("cluster_id", "cluster_name")],
        required_together=[("resource_group", "cluster_name")],
        required_if=[("state", "present", ("cluster_id", "resource_group"), True)],
    )
    try:
        wanted = Kubeconfig(module)
        result = wanted.absent() if module.params["state"] == "absent" else wanted.present()
    except (Refused, AzureError, CredentialProblem, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    else:
        module.exit_json(**result)


if __name__ == "__main__":
    main()
