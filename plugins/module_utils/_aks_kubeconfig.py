# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What AKS says about the way to a cluster, and the kubeconfig that comes of it; private files."""

from __future__ import annotations

import base64
import binascii
import copy
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump, yaml_load

API_VERSION = "2026-08-01"
# AKS's server application in Entra ID, the audience of its tokens, in every cloud.
# Source: https://azure.github.io/kubelogin/concepts/aks.html
SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"
# May call listClusterUserCredential, listClusterAdminCredential.
USER_ROLE = "Azure Kubernetes Service Cluster User Role"
ADMIN_ROLE = "Azure Kubernetes Service Cluster Admin Role"
HIDDEN = "(hidden)"
# Of a user entry: what is never shown.
SECRET = ("token", "client-key-data", "client-certificate-data", "password")
UNKNOWN = "(known after apply)"
# Seconds of a fixed token's life below which a long release is at risk.
SHORT = 1800


class Refused(Exception):
    """Why there is no kubeconfig, in one sentence."""


@dataclass(frozen=True)
class Access:
    """The way to a cluster, as AKS describes it.

    :ivar server: address of the API server
    :ivar authority: the cluster entry of the kubeconfig (server, certificate-authority-data)
    :ivar user: the user entry as AKS gives it: a client certificate, or the call of a credential plugin
    :ivar tenant: Entra ID's tenant that the cluster trusts; empty when the cluster knows only certificates
    :ivar server_id: audience of the tokens
    """

    server: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    tenant: str = ""
    server_id: str = SERVER_ID

    @property
    def entra(self) -> bool:
        """Whether the cluster asks for a token of Entra ID."""
        return bool(self.tenant)


def option_of(words: list[Any], name: str) -> str:
    """The value that follows an option on a command line, or empty.

    >>> option_of(["get-token", "--tenant-id", "t"], "--tenant-id")
    't'
    """
    return str(words[words.index(name) + 1]) if name in words[:-1] else ""


def access_of(answer: Any) -> Access:
    """Read the answer of listClusterUserCredential or listClusterAdminCredential.

    Source: https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials

    :raises Refused: when it holds no kubeconfig
    """
    try:
        found: Any = from_text(base64.b64decode(answer["kubeconfigs"][0]["value"], validate=True).decode())
        cluster = dict(found["clusters"][0]["cluster"])
        user = dict(found["users"][0]["user"])
        server = str(cluster["server"])
    except (LookupError, TypeError, ValueError, binascii.Error):
        raise Refused("AKS answered without a kubeconfig; the cluster may still be being created: try again.") from None
    return Access(server, cluster, user, *_entra(user))


def _entra(user: Mapping[str, Any]) -> tuple[str, str]:
    """Tenant and audience that AKS's own entry gives to its credential plugin."""
    words = list((user.get("exec") or {}).get("args") or [])
    old = (user.get("auth-provider") or {}).get("config") or {}
    tenant = option_of(words, "--tenant-id") or str(old.get("tenant-id") or "")
    server = option_of(words, "--server-id") or str(old.get("apiserver-id") or "")
    return tenant, server or SERVER_ID


def exec_user(python: str, script: Path, access: Access, authority: str, client_id: str = "") -> dict[str, Any]:
    """A user whose token comes from the script, asked for again whenever it ends.

    :param python: interpreter with azure-identity
    :param script: the file of ``_aks_token.py`` beside the kubeconfig
    :param authority: host that gives tokens
    :param client_id: only when the environment shall not decide whose token it is
    """
    words = [str(script), f"--tenant-id={access.tenant}", f"--server-id={access.server_id}", f"--authority={authority}"]
    words += [f"--client-id={client_id}"] if client_id else []
    words.append(f"--cache={script.with_suffix('.json')}")
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": python,
            "args": words,
            "env": None,
            "interactiveMode": "Never",
            "provideClusterInfo": False,
            "installHint": f"azure-identity is needed: {python} -m pip install azure-identity",
        }
    }


def kubeconfig(access: Access, context: str, user: Mapping[str, Any]) -> dict[str, Any]:
    """A kubeconfig of one cluster, one user and one context, all of one name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": dict(access.cluster)}],
        "users": [{"name": context, "user": dict(user)}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
        "preferences": {},
    }


def masked(document: Any) -> Any:
    """The kubeconfig without its secrets."""
    shown = copy.deepcopy(document)
    for user in users_of(shown):
        user |= {name: HIDDEN for name in SECRET if name in user}
    return shown


def lasting(document: Any) -> Any:
    """The kubeconfig without what differs at every call: the fixed token."""
    rest = copy.deepcopy(document)
    for user in users_of(rest):
        if "token" in user and "client-key-data" not in user:
            user["token"] = HIDDEN
    return rest


def users_of(document: Any) -> list[dict[str, Any]]:
    """The user entries of something that should be a kubeconfig."""
    entries = document.get("users") if isinstance(document, dict) else None
    entries = entries if isinstance(entries, list) else []
    users = [entry.get("user") for entry in entries if isinstance(entry, dict)]
    return [user for user in users if isinstance(user, dict)]


def as_text(document: Any) -> str:
    """The kubeconfig as it is written; empty for none."""
    return str(yaml_dump(document, sort_keys=False, default_flow_style=False)) if document is not None else ""


def from_text(text: str | None) -> Any:
    """The kubeconfig that a file holds; None without a file, HIDDEN when the file holds something else."""
    try:
        found = None if text is None else yaml_load(text)
    except Exception:  # PyYAML's own errors are not to be had through Ansible
        return HIDDEN
    return found if text is None or isinstance(found, dict) else HIDDEN


def script_of(path: Path) -> Path:
    """The credential plugin of a kubeconfig; its cache and lock stand beside it.

    >>> script_of(Path("/srv/hub/prod.kubeconfig"))
    PosixPath('/srv/hub/prod.kubeconfig.token.py')
    """
    return path.with_name(f"{path.name}.token.py")


def files_of(path: Path) -> list[Path]:
    """All that belongs to a kubeconfig, itself first."""
    script = script_of(path)
    cache = script.with_suffix(".json")
    return [path, script, cache, cache.with_name(f"{cache.name}.lock")]


def read(path: Path) -> str | None:
    """The text of a file; None when it is not there.

    :raises Refused: when it cannot be read
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"{path} cannot be read ({getattr(error, 'strerror', None) or error}); name another path."
        ) from None


def is_private(path: Path) -> bool:
    """Whether nobody else can read or write the file; true when there is none."""
    try:
        return not stat.S_IMODE(path.stat().st_mode) & 0o077
    except OSError:
        return True


def write(path: Path, text: str) -> None:
    """Write a file for its owner alone, where nobody else can put files; a reader sees a whole one or none.

    :raises Refused: when it cannot be written, or others could replace it
    """
    directory = path.parent
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = directory.stat()
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            raise Refused(
                f"The directory {directory} can be written by others ({stat.filemode(state.st_mode)}), who could put"
                " their own kubeconfig there; name a path in a directory of mode 0700."
            )
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); name another path.") from None


def remove(paths: list[Path]) -> None:
    """Remove the files that are there.

    :raises Refused: when one cannot be removed
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise Refused(f"{path} cannot be removed ({error.strerror}); remove it by hand.") from None
