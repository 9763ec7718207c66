# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who talks to which Azure: clouds by name, and a credential from options, environment or azure-identity's chain."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import env_fallback


class LibraryMissing(Exception):
    """A Python package that is needed is not installed, in one sentence."""


class CredentialProblem(Exception):
    """The options do not make a credential, in one sentence."""


@dataclass(frozen=True)
class Cloud:
    """The addresses of one of Azure's clouds; all without a slash at the end."""

    name: str
    authority: str  # host that gives tokens
    management: str  # Azure Resource Manager
    management_scope: str
    graph: str  # Microsoft Graph
    vault_suffix: str  # of Key Vault's host names


# Source: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure and
# https://learn.microsoft.com/azure/china/resources-developer-guide; the scopes are those of azure-mgmt-core.
CLOUDS: dict[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "AzureCloud",
            "login.microsoftonline.com",
            "https://management.azure.com",
            "https://management.azure.com/.default",
            "https://graph.microsoft.com",
            "vault.azure.net",
        ),
        Cloud(
            "AzureChinaCloud",
            "login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
            "https://microsoftgraph.chinacloudapi.cn",
            "vault.azure.cn",
        ),
        Cloud(
            "AzureUSGovernment",
            "login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
            "https://graph.microsoft.us",
            "vault.usgovcloudapi.net",
        ),
    )
}

# Options of every module that talks to Azure. The second names are those that AWX's "Microsoft Azure Resource Manager"
# credential puts into the environment.
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "subscription_id": {"type": "str", "fallback": (env_fallback, ["AZURE_SUBSCRIPTION_ID"])},
    "tenant_id": {"type": "str", "fallback": (env_fallback, ["AZURE_TENANT_ID", "AZURE_TENANT"])},
    "client_id": {"type": "str", "fallback": (env_fallback, ["AZURE_CLIENT_ID"])},
    "client_secret": {
        "type": "str",
        "no_log": True,
        "fallback": (env_fallback, ["AZURE_CLIENT_SECRET", "AZURE_SECRET"]),
    },
    "cloud": {
        "type": "str",
        "default": "AzureCloud",
        "choices": list(CLOUDS),
        "fallback": (env_fallback, ["AZURE_CLOUD_ENVIRONMENT"]),
    },
}


class SharedCredential:
    """A credential that many threads ask at once and that asks Entra ID once."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, **options: Any) -> Any:
        # The credential below keeps its tokens; whoever waited here finds the one that the first has fetched.
        with self._lock:
            return self._credential.get_token(*scopes, **options)


def cloud_of(options: Mapping[str, Any]) -> Cloud:
    """The cloud that the option ``cloud`` names."""
    return CLOUDS[options.get("cloud") or "AzureCloud"]


def credential(options: Mapping[str, Any]) -> SharedCredential:
    """The credential of a module's options: a service principal's secret when given, otherwise azure-identity's chain.

    :raises LibraryMissing: without azure-identity
    :raises CredentialProblem: when a secret is given, but not whose
    """
    authority = cloud_of(options).authority
    secret = options.get("client_secret")
    if secret:
        missing = [name for name in ("tenant_id", "client_id") if not options.get(name)]
        if missing:
            raise CredentialProblem(
                f"client_secret is given, but {' and '.join(missing)} not; set {' and '.join(missing)}"
                f" or {' and '.join(f'AZURE_{name.upper()}' for name in missing)} in the environment."
            )
        return SharedCredential(_client_secret(options["tenant_id"], options["client_id"], secret, authority))
    return SharedCredential(_default_chain(options, authority))


def _client_secret(tenant: str, client: str, secret: str, authority: str) -> Any:
    try:
        from azure.identity import ClientSecretCredential
    except ImportError:
        raise LibraryMissing(missing_library("azure-identity")) from None
    try:
        return ClientSecretCredential(tenant, client, secret, authority=authority)
    except ValueError as error:
        raise CredentialProblem(f"tenant_id {tenant} is not a tenant's id: {first_sentence(str(error))}") from None


def _default_chain(options: Mapping[str, Any], authority: str) -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise LibraryMissing(missing_library("azure-identity")) from None
    chosen: dict[str, Any] = {}
    if options.get("client_id"):
        chosen |= dict.fromkeys(("managed_identity_client_id", "workload_identity_client_id"), options["client_id"])
    if options.get("tenant_id"):
        chosen["workload_identity_tenant_id"] = options["tenant_id"]
    # An empty variable is as good as none, as CI systems set it; azure-identity refuses it.
    if os.environ.get("AZURE_CLIENT_SECRET") == "" and not os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH"):
        chosen["exclude_environment_credential"] = True
    try:
        return DefaultAzureCredential(authority=authority, **chosen)
    except ValueError as error:
        raise CredentialProblem(
            f"The variables AZURE_… of the environment make no credential ({first_sentence(str(error))}); set them all,"
            " or none of them."
        ) from None


def missing_library(package: str) -> str:
    """The sentence about a missing package."""
    return (
        f"The Python package {package} is missing where Ansible's modules run; install it there: pip install {package}."
    )


def deployer_of(token: str) -> dict[str, str]:
    """Who a token for Azure Resource Manager was given to: objectId, tenantId, principalType.

    Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return {
        "objectId": claims.get("oid", ""),
        "tenantId": claims.get("tid", ""),
        "principalType": "ServicePrincipal" if claims.get("idtyp") == "app" else "User",
    }


def first_sentence(text: str) -> str:
    """What stands before the first line break or the first full stop.

    >>> first_sentence("Invalid tenant. See https://aka.ms/x")
    'Invalid tenant'
    """
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line.split(". ")[0].rstrip(".")
