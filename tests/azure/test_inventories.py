# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The inventories simple, staging and prod as they are, side by side: built, found as built, torn down."""

from __future__ import annotations

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from azure_modules import Cloud
from stand_in import StandIn

INVENTORIES = ("simple", "staging", "prod")
SHARED, MANUAL = "pcc-westeurope-shared-rg", "pcc-westeurope-manual-rg"
# The stand-in has no Kubernetes behind its clusters.
VARIABLES = {"node_pools_device_plugin": False}


def adopted(cloud: Cloud, tenant: str) -> list[dict[str, Any]]:
    """What staging and prod adopt: a registry, a storage account, a vault and API Management that others have made."""

    def resource(name: str, version: str, **body: Any) -> dict[str, Any]:
        path = f"{cloud.subscription}/resourceGroups/{name}"
        return {
            "name": name.rpartition("/")[2],
            "id": path,
            "api_version": version,
            "body": {"location": "westeurope", **body},
        }

    publisher = {"publisherEmail": "api@example.org", "publisherName": "Example"}
    vault = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    return [
        resource(SHARED, "2025-04-01"),
        resource(MANUAL, "2025-04-01"),
        resource(
            f"{SHARED}/providers/Microsoft.ContainerRegistry/registries/example",
            "2025-11-01",
            sku={"name": "Standard"},
        ),
        resource(
            f"{SHARED}/providers/Microsoft.Storage/storageAccounts/pccexampledata",
            "2026-09-01",
            kind="StorageV2",
            sku={"name": "Standard_LRS"},
        ),
        resource(f"{MANUAL}/providers/Microsoft.KeyVault/vaults/pcc-example", "2026-05-15", properties=vault),
        *(
            resource(
                f"{MANUAL}/providers/Microsoft.ApiManagement/service/{name}",
                "2024-05-01",
                sku={"name": "Developer", "capacity": 1},
                properties=publisher,
            )
            for name in ("example-staging", "example-prod")
        ),
    ]


@pytest.fixture(scope="module")
def hubs(stand_in: StandIn, cloud: Cloud) -> StandIn:
    result = cloud.run(adopted(cloud, stand_in.env["AZURE_TENANT_ID"]))
    assert not result.get("failed"), result
    return stand_in


def run(stand_in: StandIn, *playbooks: str, **variables: Any) -> dict[str, int]:
    """Run playbooks for all three at once; how many tasks have changed something, by hub.

    Each in a process of its own: given together, the last inventory's variables for all hosts would be everybody's.
    """

    api = {"hub_api_group": f"/subscriptions/{stand_in.env['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{MANUAL}"}

    def one(name: str) -> int:
        done: subprocess.CompletedProcess[str] = stand_in.playbook(
            *(f"playbooks/{playbook}.yml" for playbook in playbooks),
            *("-i", f"inventories/{name}", "-e", json.dumps({**VARIABLES, **api, **variables})),
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr
        # Each playbook ends with a recap of all so far.
        return int(re.findall(rf"^{name} +: ok=\d+ +changed=(\d+)", done.stdout, re.M)[-1])

    with ThreadPoolExecutor(len(INVENTORIES)) as pool:
        return dict(zip(INVENTORIES, pool.map(one, INVENTORIES), strict=True))


def test_all_are_built_side_by_side(hubs: StandIn) -> None:
    # One task of each role; the smallest deployment has no pool but the cluster's own.
    assert run(hubs, "infrastructure", "node_pools") == {"simple": 1, "staging": 2, "prod": 2}
    groups = {str(group.name) for group in hubs.arm.resource_groups.list()}
    assert {"pangeo", "pcc-staging-rg", "pcc-westeurope-rg", SHARED, MANUAL} <= groups
    pools = [entry["id"] for entry in hubs.calls("operation") if entry["type"].endswith("/agentPools")]
    assert {pool.rpartition("/")[2] for pool in pools if "pcc-westeurope" in pool} >= {
        "user",
        "cpuworker",
        "gpuworker",
        "gpuuser",
    }


def test_again_changes_nothing(hubs: StandIn) -> None:
    assert run(hubs, "infrastructure", "node_pools") == dict.fromkeys(INVENTORIES, 0)


def test_torn_down_only_what_is_shared_remains(hubs: StandIn) -> None:
    run(
        hubs,
        "teardown",
        infrastructure_teardown_confirm="{{ inventory_hostname }}",
        infrastructure_teardown_data=["homes", "group"],
        infrastructure_teardown_keep=["shares"],
    )
    left = {str(group.name) for group in hubs.arm.resource_groups.list()}
    assert left == {SHARED, MANUAL}
    kinds = {str(one.type) for group in left for one in hubs.arm.resources.list_by_resource_group(group)}
    assert kinds == {
        "Microsoft.ApiManagement/service",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Storage/storageAccounts",
    }
