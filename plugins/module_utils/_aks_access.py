# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The kubeconfig that is wanted for an AKS cluster, beside the one that is there."""

from __future__ import annotations

import datetime
import inspect
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.planetary.hub.plugins.module_utils import _aks_kubeconfig as aks
from ansible_collections.planetary.hub.plugins.module_utils import _aks_token
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import cloud_of, credential
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError, unreached

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

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
    """What is wanted, beside what is there.

    :param module: options of aks_kubeconfig, check mode, and whom to warn
    """

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.path = Path(self.params["path"]).absolute()
        self.script = aks.script_of(self.path)

    def absent(self) -> dict[str, Any]:
        """Remove the file and what belongs to it; the module's result.

        :raises Refused: when a file cannot be removed
        """
        there = [path for path in aks.files_of(self.path) if path.exists()]
        before = aks.from_text(aks.read(self.path))
        if not self.module.check_mode:
            aks.remove(there)
        return {"changed": bool(there), "path": str(self.path), "diff": self.diff(before, None)}

    def present(self) -> dict[str, Any]:
        """Write the file when it differs; the module's result.

        :raises Refused: when AKS gives no access, or the file cannot be written
        :raises CredentialProblem: when the credential cannot be used
        """
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
