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

import datetime
import inspect
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _aks_kubeconfig as aks
from ansible_collections.planetary.hub.plugins.module_utils import _aks_token
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
    cloud_of,
    credential,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError, unreached

# Seconds for which throttling and the like are waited out.
PATIENCE = 300


class Missing(Exception):
    """There is no such cluster."""


def cluster_id(params: dict[str, Any]) -> str:
    """The cluster's id from the options."""
    if params["cluster_id"]:
        given = str(params["cluster_id"]).rstrip("/")
        if "/providers/microsoft.containerservice/managedclusters/" not in f"{given.lower()}/":
            raise aks.Refused(
                f"cluster_id is {given!r}, which is no cluster's id; give the full id of the AKS cluster."
            )
        return given
    if not params["subscription_id"]:
        raise aks.Refused("subscription_id is not given; set it, or AZURE_SUBSCRIPTION_ID, or give cluster_id.")
    return (
        f"/subscriptions/{params['subscription_id']}/resourceGroups/{params['resource_group']}"
        f"/providers/Microsoft.ContainerService/managedClusters/{params['cluster_name']}"
    )


def ask(client: AzureClient, cluster: str, auth: str) -> aks.Access:
    """Ask AKS for the way to the cluster."""
    if auth == "admin":
        found = client.get(cluster, aks.API_VERSION)
        if found is None:
            raise Missing
        if (found.get("properties") or {}).get("disableLocalAccounts"):
            raise aks.Refused(
                f"auth is admin, but cluster {name_of(cluster)} has its local accounts switched off; use auth exec with"
                " an identity that has a role in the cluster."
            )
    action, query = ("Admin", {}) if auth == "admin" else ("User", {"format": "exec"})
    try:
        answer = client.post(f"{cluster}/listCluster{action}Credential", aks.API_VERSION, query=query)
    except AzureError as error:
        if error.absent:
            raise Missing from None
        raise
    return aks.access_of(answer)


def name_of(cluster: str) -> str:
    return cluster.rpartition("/")[2]


def fixed_token(params: dict[str, Any], access: aks.Access) -> tuple[str, float]:
    """A token for the cluster and when it expires (seconds since 1970)."""
    from azure.core.exceptions import AzureError as SdkError

    scope = f"{access.server_id}/.default"
    try:
        found = credential({**params, "tenant_id": access.tenant}).get_token(scope)
    except SdkError as error:
        authority = f"https://{cloud_of(params).authority}"
        raise unreached(error, "POST", scope, authority, params["client_id"] or "") from None
    return found.token, float(found.expires_on)


def environment_lacks_secret(params: dict[str, Any]) -> bool:
    """Whether the credential stands only in the task, out of the script's reach."""
    there = os.environ.get("AZURE_CLIENT_SECRET") or os.environ.get("AZURE_SECRET")
    return bool(params["client_secret"]) and not there


class Kubeconfig:
    """What is wanted, beside what is there."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.path = Path(self.params["path"]).absolute()
        self.script = aks.script_of(self.path)

    def absent(self) -> dict[str, Any]:
        there = [path for path in aks.files_of(self.path) if path.exists()]
        before = aks.from_text(aks.read(self.path))
        if not self.module.check_mode:
            aks.remove(there)
        return {"changed": bool(there), "path": str(self.path), "diff": self.diff(before, None)}

    def present(self) -> dict[str, Any]:
        cluster = cluster_id(self.params)
        context = self.params["context"] or name_of(cluster)
        result = {"path": str(self.path), "context": context, "expiry": None}
        before = aks.from_text(aks.read(self.path))
        client = AzureClient(self.params, parallel=1, retry_timeout=PATIENCE)
        try:
            access = ask(client, cluster, self.params["auth"])
        except Missing:
            if not self.module.check_mode:
                raise aks.Refused(f"{self.not_there(cluster)}.") from None
            unknown = {"server": aks.UNKNOWN, "auth": aks.UNKNOWN}
            return {**result, **unknown, "changed": True, "diff": self.diff(before, {"server": aks.UNKNOWN})}
        except AzureError as error:
            raise aks.Refused(self.refusal(error, cluster)) from None
        finally:
            client.close()
        auth, user, expires = self.user(access)
        wanted = aks.kubeconfig(access, context, user)
        script = inspect.getsource(_aks_token) if auth == "exec" else None
        changed = self.differs(before, wanted, script)
        if not self.module.check_mode:
            self.write(wanted, script, changed or auth == "token")
        expiry = None if expires is None else rfc3339(expires)
        return {
            **result,
            "server": access.server,
            "auth": auth,
            "expiry": expiry,
            "changed": changed,
            "diff": self.diff(before, wanted),
        }

    def user(self, access: aks.Access) -> tuple[str, dict[str, Any], float | None]:
        """What the kubeconfig holds: kind, user entry, end of its token."""
        if self.params["auth"] == "admin" or not access.entra:
            return "certificate", dict(access.user), None
        if self.params["auth"] == "token":
            token, expires = fixed_token(self.params, access)
            self.module.no_log_values.add(token)
            self.warn_of_short(expires)
            return "token", {"token": token}, expires
        if environment_lacks_secret(self.params):
            self.module.warn(
                "client_secret stands only in the task, where the kubeconfig's script cannot find it: put"
                " AZURE_CLIENT_SECRET into the environment of the tasks that use the kubeconfig."
            )
        python = self.params["python"] or sys.executable
        # Whoever uses the kubeconfig decides whose token it is, unless the task does.
        identity = self.params["client_id"] or ""
        identity = "" if identity == os.environ.get("AZURE_CLIENT_ID", "") else identity
        return "exec", aks.exec_user(python, self.script, access, cloud_of(self.params).authority, identity), None

    def warn_of_short(self, expires: float) -> None:
        left = expires - time.time()
        if left < aks.SHORT:
            self.module.warn(
                f"The token in {self.path} is good for {left:.0f} s only; a release that takes longer needs auth exec."
            )

    def differs(self, before: Any, wanted: Any, script: str | None) -> bool:
        current = self.script if script is not None else None
        return (
            aks.lasting(before) != aks.lasting(wanted)
            or (current is not None and aks.read(current) != script)
            or (script is None and self.script.exists())
            or not aks.is_private(self.path)
        )

    def write(self, wanted: Any, script: str | None, needed: bool) -> None:
        if not needed:
            return
        if script is None:
            aks.remove(aks.files_of(self.path)[1:])
        else:
            aks.write(self.script, script)
        aks.write(self.path, aks.as_text(wanted))

    def diff(self, before: Any, after: Any) -> dict[str, str]:
        texts = {"before": aks.as_text(aks.masked(before)), "after": aks.as_text(aks.masked(after))}
        return texts | {"before_header": str(self.path), "after_header": str(self.path)}

    def not_there(self, cluster: str) -> str:
        return (
            f"There is no AKS cluster {name_of(cluster)} at {cluster}; create it first (playbooks/infrastructure.yml)"
        )

    def refusal(self, error: AzureError, cluster: str) -> str:
        if error.status == 403:
            role = aks.ADMIN_ROLE if self.params["auth"] == "admin" else aks.USER_ROLE
            return f"No access to AKS cluster {name_of(cluster)}: {sentence(error)}; it needs the role {role!r} there."
        return f"AKS cluster {name_of(cluster)} cannot be asked for access: {sentence(error)}."


def sentence(error: AzureError) -> str:
    return str(error).rstrip(". ")


def rfc3339(moment: float) -> str:
    return datetime.datetime.fromtimestamp(int(moment), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def fail(module: AnsibleModule, error: Exception) -> NoReturn:
    module.fail_json(msg=str(error))
    raise SystemExit(1)


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
    except (aks.Refused, AzureError, CredentialProblem, LibraryMissing) as error:
        fail(module, error)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
