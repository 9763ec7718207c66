# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A cluster of AKS learns of a right minutes after somebody gave it: what to wait for, and how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

# Azure Kubernetes Service RBAC Cluster Admin, Admin, Writer.
# Source: https://learn.microsoft.com/azure/aks/manage-azure-rbac
WRITERS = frozenset(
    {
        "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
        "3498e952-d568-435e-9b2c-8d77e338d7f7",
        "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
    }
)
PAUSE = 3.0

Result = TypeVar("Result")


def patiently(work: Callable[[], Result], given: Mapping[str, Any], progress: Progress) -> Result:
    """Do the work again while the cluster refuses it for a right that was just given in Azure.

    Args:
        work: raises ClusterError; may be done twice.
        given: a module's options: cluster_id (empty: it is no cluster of AKS), rights_timeout, and those of Azure.

    Raises:
        ClusterError: as the work does, when there is nothing to wait for, or the time is over.
    """
    try:
        return work()
    except ClusterError as error:
        if error.status != 403 or not given["rights_timeout"] or not _hopeful(given):
            raise
    name = str(given["cluster_id"]).rpartition("/")[2]
    progress.say(f"the right on the cluster {name} was just given: waiting until it is known there")
    wait = Wait(given["rights_timeout"], f"waiting for the right on the cluster {name} to spread", progress)
    while True:
        more = wait.pause(PAUSE)
        try:
            return work()
        except ClusterError as error:
            if not more or error.status != 403:
                raise


def _hopeful(given: Mapping[str, Any]) -> bool:
    """Whether somebody was given a right on the cluster a moment ago; it names nobody that Azure knows by an id."""
    if not given["cluster_id"]:
        return False
    # Mostly nobody has to be asked, and these take their time.
    from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import CredentialProblem, LibraryMissing
    from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
    from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
    from ansible_collections.planetary.hub.plugins.module_utils._key_vault_client import given_lately

    try:
        return given_lately(AzureClient(given), given["cluster_id"], "", holders=WRITERS)
    except (AzureError, CredentialProblem, LibraryMissing):
        return False
