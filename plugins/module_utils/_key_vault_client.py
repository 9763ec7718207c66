# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The data of one Key Vault: its secrets, and what to say when it refuses.

Source: https://learn.microsoft.com/rest/api/keyvault/secrets/
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import cloud_of
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._network_error import NAME_NOT_KNOWN
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

API_VERSION = "7.4"
ASSIGNMENTS_VERSION = "2022-04-01"
# Seconds after which an assignment has spread, or never will.
SPREAD = 900.0
# The smallest built-in role for a data action that ends so.
ROLES = {"getsecret/action": "Key Vault Secrets User", "readmetadata/action": "Key Vault Secrets User"}
OFFICER = "Key Vault Secrets Officer"
# Built-in roles that hold the data actions on secrets: Secrets User, Secrets Officer, Administrator.
HOLDERS = frozenset(
    {
        "4633458b-17de-408a-b874-0445c86b69e6",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    }
)
_ACTION = re.compile(r"Action: '(?P<action>[^']+)'")
_OBJECT = re.compile(r"oid=(?P<oid>[0-9a-fA-F-]+)")
_POLICY = re.compile(r"does not have (?P<kind>\w+) (?P<word>\w+) permission on key vault")


class VaultClient(AzureClient):
    """Requests to one vault; safe to use from many threads.

    :param uri: address of the vault, such as https://example.vault.azure.net/
    """

    def __init__(self, options: Mapping[str, Any], uri: str, parallel: int = 32, retry_timeout: float = 120) -> None:
        known = cloud_of(options)
        address = urlsplit(uri)
        name, _dot, suffix = address.netloc.partition(".")
        if address.scheme != "https" or not name or suffix.lower() != known.vault_suffix:
            raise InputError(
                f"vault_uri is {uri!r}; write the address of a vault of {known.name}, as in "
                f"https://example.{known.vault_suffix}/."
            )
        self.name = name
        super().__init__(
            options,
            parallel,
            retry_timeout,
            cloud=dataclasses.replace(
                known,
                management=f"https://{address.netloc}",
                management_scope=f"https://{known.vault_suffix}/.default",
            ),
        )

    def secret(self, name: str) -> dict[str, Any] | None:
        """The newest version of a secret: value, attributes, contentType; None without one."""
        return self.get(f"/secrets/{name}", API_VERSION)

    def deleted(self, name: str) -> bool:
        """Whether a secret of this name was deleted and can be recovered."""
        return self.get(f"/deletedsecrets/{name}", API_VERSION) is not None

    def write(
        self, name: str, value: str, content_type: str, tags: Mapping[str, str], expires: float | None = None
    ) -> None:
        """Add a version to a secret, or make it.

        :param expires: seconds since 1970; the vault's owner can be told shortly before
        """
        body: dict[str, Any] = {"value": value, "contentType": content_type, "tags": dict(tags)}
        if expires is not None:
            body["attributes"] = {"exp": int(expires)}
        self._send("PUT", f"/secrets/{name}", API_VERSION, body=body)

    def recover(self, name: str, limit: float = 60) -> dict[str, Any]:
        """Bring a deleted secret back, which takes the vault some seconds."""
        self._send("POST", f"/deletedsecrets/{name}/recover", API_VERSION)
        end = time.monotonic() + limit
        while True:
            found = self.secret(name)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise AzureError(f"the secret {name} is not back after {limit:.0f} s", code="TimedOut")
            time.sleep(1)


def lacks_right(error: AzureError) -> bool:
    """Whether a role or an access policy is missing, not only an open door."""
    return error.status == 403 and bool(_ACTION.search(error.message) or _POLICY.search(error.message))


def is_disabled(error: AzureError) -> bool:
    """Whether somebody switched the secret off."""
    return error.status == 403 and "disabled secret" in error.message


def sentence(error: AzureError, vault: str, scope: str) -> str:
    """What the vault refuses and what to do about it, without a full stop.

    :param vault: its name
    :param scope: its full id, or an empty text

    >>> action = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    >>> said = f"Caller is not authorized. Caller: appid=1;oid=a-1;iss=x Action: '{action}'"
    >>> sentence(AzureError(said, status=403), "v", "").partition(": ")[2]
    'give the principal a-1 the role "Key Vault Secrets User" on the vault v'
    """
    who = _OBJECT.search(error.message)
    principal = f"the principal {who['oid']}" if who else "whoever runs this"
    action = _ACTION.search(error.message)
    if error.status == 403 and action:
        role = next((role for end, role in ROLES.items() if action[1].lower().endswith(end)), OFFICER)
        return (
            f"the vault {vault} does not allow {action[1].rpartition('/secrets/')[2]}: "
            f'give {principal} the role "{role}" on {scope or f"the vault {vault}"}'
        )
    policy = _POLICY.search(error.message)
    if error.status == 403 and policy:
        return (
            f"the vault {vault} does not allow to {policy['word']} {policy['kind']}: allow it with"
            f" az keyvault set-policy --name {vault} --object-id {who['oid'] if who else '<object id>'}"
            f" --{policy['kind'].rstrip('s')}-permissions {policy['word']}"
        )
    if error.status == 403 and "Client address is not authorized" in error.message:
        return (
            f"the firewall of the vault {vault} keeps this machine out: allow its address with"
            f" az keyvault network-rule add --name {vault} --ip-address <address>, or run where the vault is reached"
        )
    if error.status == 403 and "Public network access is disabled" in error.message:
        return f"the vault {vault} is reached by its private endpoint only: run inside of its network"
    if error.code == "Unreachable" and NAME_NOT_KNOWN in error.message:
        return f"there is no vault {vault}: {error.message}"
    return f"the vault {vault} refuses: {' '.join(str(error).split()).rstrip('. ')}"


def given_lately(
    arm: AzureClient, scope: str, object_id: str, now: float | None = None, holders: frozenset[str] = HOLDERS
) -> bool:
    """Whether somebody has just given the principal one of these roles there, so that it may still be spreading.

    Without a principal, whoever it was given to.

    Source: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    """
    query = {"$filter": f"assignedTo('{object_id}')" if object_id else "atScope()"}
    try:
        found = arm.list(f"{scope}/providers/Microsoft.Authorization/roleAssignments", ASSIGNMENTS_VERSION, query)
    except AzureError:
        # Without the right to look there is no reason to hope.
        return False
    newest = max((_age(one, now) for one in found or [] if _role(one) in holders), default=0.0)
    return newest > 0


def _role(assignment: Mapping[str, Any]) -> str:
    return str(assignment["properties"]["roleDefinitionId"]).rpartition("/")[2].lower()


def _age(assignment: Mapping[str, Any], now: float | None) -> float:
    """Seconds that the assignment may still need to spread; zero or less when it has had its time."""
    made = str(assignment["properties"].get("createdOn") or "")
    try:
        moment = datetime.fromisoformat(re.sub(r"\.(\d{6})\d*", r".\1", made).replace("Z", "+00:00"))
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return SPREAD - ((time.time() if now is None else now) - moment.timestamp())


def object_id(error: AzureError) -> str:
    """Whom the vault refused; empty when it does not say."""
    found = _OBJECT.search(error.message)
    return found["oid"] if found else ""
