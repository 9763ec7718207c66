# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""aks_gpu_pool: create, modify and delete, each as check, for real, check again, for real again; what it refuses."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.modules import aks_gpu_pool

from azure_modules import Cloud, listener

T4 = "Standard_NC4as_T4_v3"
FAMILY = "Standard NCASv3_T4 Family"
VERSION = "2026-08-01"
CREDENTIAL = ("tenant_id", "client_id", "client_secret")
OFFERED: dict[str, Any] = {T4: {"absent": [], "restricted": []}}
CLUSTER = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "dnsPrefix": "gpu",
        "agentPoolProfiles": [
            {
                "name": "core",
                "mode": "System",
                "count": 1,
                "vmSize": "Standard_D4s_v5",
                "type": "VirtualMachineScaleSets",
            }
        ],
    },
}
POOL: dict[str, Any] = {
    "name": "gpu",
    "purpose": "gpu_worker",
    "vm_size": T4,
    "min_count": 0,
    "max_count": 5,
    "spot": {"eviction_policy": "Delete"},
    "labels": {"team": "imagery"},
    "taints": ["team=imagery:NoSchedule"],
    "os_sku": "AzureLinux",
    "os_disk_size": 128,
    "zones": ["1"],
    "tags": {"cost": "42"},
}
MODIFIED = {**POOL, "max_count": 7, "labels": {"team": "imagery", "stage": "two"}, "taints": []}


def cluster_id(cloud: Cloud) -> str:
    return f"{cloud.subscription}/resourceGroups/gpu-rg/providers/Microsoft.ContainerService/managedClusters/gpu"


def build(cloud: Cloud) -> None:
    """An empty cloud with one cluster."""
    cloud.reset()
    group = {
        "name": "group",
        "id": f"{cloud.subscription}/resourceGroups/gpu-rg",
        "api_version": "2025-04-01",
        "body": {"location": "westeurope"},
    }
    cluster = {"name": "cluster", "id": cluster_id(cloud), "api_version": VERSION, "body": CLUSTER}
    result = cloud.run([group, cluster])
    assert not result.get("failed"), result


@pytest.fixture(scope="module")
def built(cloud: Cloud) -> Cloud:
    build(cloud)
    return cloud


@pytest.fixture
def fresh(built: Cloud) -> Cloud:
    """The cluster without a GPU pool; dials as new."""
    built.dial("DELETE", "/faults")
    built.dial("PATCH", "/quota", {FAMILY: None, "lowPriorityCores": None, "cores": None})
    built.dial("PATCH", "/settings", {"skus": OFFERED})
    azure(built).delete(f"{cluster_id(built)}/agentPools/gpu", VERSION)
    return built


def gpu_pool(cloud: Cloud, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module in this process, which saves its imports; None takes an argument away."""
    given = {"cluster_id": cluster_id(cloud), **arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    said = io.StringIO()
    with (
        patch_module_args({key: item for key, item in given.items() if item is not None}),
        contextlib.redirect_stdout(said),
        pytest.raises(SystemExit),
    ):
        aks_gpu_pool.main()
    result: dict[str, Any] = json.loads(said.getvalue())
    # ansible-core wraps them for its own side.
    result["warnings"] = [
        item if isinstance(item, str) else item["event"]["msg"] for item in result.get("warnings", [])
    ]
    return result


@functools.cache
def azure(cloud: Cloud) -> AzureClient:
    """Azure, as the collection's modules see it."""
    return AzureClient({name: cloud.environment[f"AZURE_{name.upper()}"] for name in CREDENTIAL})


def live(cloud: Cloud) -> dict[str, Any] | None:
    """The pool as Azure has it."""
    return azure(cloud).get(f"{cluster_id(cloud)}/agentPools/gpu", VERSION)


def writes(cloud: Cloud, since: float) -> list[str]:
    return [entry["method"] for entry in cloud.writes(since) if "agentpools" in entry["id"].lower()]


STEPS = [
    pytest.param(
        arguments, action, check, again, id=f"{action}, {'check' if check else 'real'}{' again' if again else ''}"
    )
    for action, arguments in (
        ("create", POOL),
        ("update", MODIFIED),
        ("delete", {"name": "gpu", "state": "absent"}),
    )
    for again in (False, True)
    for check in (True, False)
]


@pytest.mark.parametrize(("arguments", "action", "check", "again"), STEPS)
def test_matrix(built: Cloud, arguments: dict[str, Any], action: str, check: bool, again: bool) -> None:
    start = time.time()
    result = gpu_pool(built, check, **arguments)
    assert not result.get("failed"), result["msg"]
    assert result["action"] == ("none" if again else action)
    assert result["changed"] is not again
    assert bool(writes(built, start)) is (not check and not again)
    if action == "update" and not again:
        changed = {change["path"]: (change["before"], change["after"]) for change in result["changes"]}
        assert changed["properties.maxCount"] == (5, 7)
        assert result["diff"]["before"]["properties.maxCount"] == 5
        assert result["diff"]["after"]["properties.maxCount"] == 7
    there = live(built)
    exists = {"create": not check or again, "update": True, "delete": check and not again}[action]
    assert (there is not None) is exists
    if action == "create" and there:
        assert there["properties"]["gpuProfile"]["driver"] == "Install"
        assert there["properties"]["nodeLabels"]["accelerator"] == "nvidia"
        assert there["properties"]["nodeLabels"]["pc.microsoft.com/workerkind"] == "gpu"
        assert set(there["properties"]["nodeTaints"]) == {
            "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
            "team=imagery:NoSchedule",
        }


def test_the_cluster_by_its_name(fresh: Cloud) -> None:
    given = {"cluster_id": None, "resource_group": "gpu-rg", "cluster_name": "gpu", "subscription_id": None}
    result = gpu_pool(fresh, **{**POOL, **given})
    assert result["action"] == "create", result
    assert live(fresh) is not None


def test_the_count_is_the_autoscalers(fresh: Cloud) -> None:
    """What the autoscaler did is no difference, and a change of something else does not undo it."""
    gpu_pool(fresh, **POOL)
    scaled = {"properties": {"enableAutoScaling": False, "count": 3}}
    body = {"name": "pool", "id": f"{cluster_id(fresh)}/agentPools/gpu", "api_version": VERSION, "body": scaled}
    fresh.run([body])
    back = {"properties": {"enableAutoScaling": True, "minCount": 0, "maxCount": 5}}
    fresh.run([{**body, "body": back}])
    assert gpu_pool(fresh, **POOL)["changed"] is False
    assert gpu_pool(fresh, **{**POOL, "max_count": 9})["changed"] is True
    pool = live(fresh)
    assert pool is not None and (pool["properties"]["count"], pool["properties"]["maxCount"]) == (3, 9)


# What differs from POOL, and what is said of it before anything is asked for.
@pytest.mark.parametrize(
    ("changes", "quota", "skus", "sentence"),
    [
        (
            {"vm_size": "Standard_E8s_v5"},
            {},
            {},
            'The pool "gpu" is a pool for GPUs, but Standard_E8s_v5 has none; choose',
        ),
        ({"vm_size": "Standard_NC4as_T4_v9"}, {}, {}, "which westeurope does not offer; did you mean"),
        (
            {},
            {},
            {T4: {"absent": ["westeurope"]}},
            f'The pool "gpu" has the vm_size {T4}, which westeurope does not offer;',
        ),
        (
            {},
            {},
            {T4: {"restricted": ["westeurope"]}},
            f'The pool "gpu" asks for {T4}, which this subscription cannot have in westeurope '
            "(NotAvailableForSubscription); choose another size or region, or ask Azure's support for access.",
        ),
        ({"zones": ["3"]}, {}, {}, f'The pool "gpu" asks for {T4} in zone 3 of westeurope, but it is in zones 1, 2;'),
        (
            {"spot": None},
            {FAMILY: 0},
            {},
            f'The pool "gpu" needs 4 vCPUs for 1 node of {T4}, but the quota ',
        ),
        (
            {"spot": None},
            {FAMILY: 0},
            {},
            f"({FAMILY}) in westeurope leaves 0 (limit 0, used 0); raise it to at least 4,",
        ),
        ({"spot": None, "min_count": 3}, {FAMILY: 8}, {}, "needs 12 vCPUs for 3 nodes of"),
        (
            {},
            {"lowPriorityCores": 3},
            {},
            "(lowPriorityCores) in westeurope leaves 3 (limit 3, used 0); raise it to at least 4",
        ),
        ({"min_count": 6}, {}, {}, 'The pool "gpu" has min 6 above max 5; swap them or raise max.'),
        ({"max_surge": "10%"}, {}, {}, 'The pool "gpu" has max_surge on spot nodes, which AKS refuses; leave it out.'),
        (
            {"managed_gpu": True},
            {},
            {},
            'The pool "gpu" asks for managed_gpu under the autoscaler, which AKS does not support;',
        ),
        ({"name": "GPU"}, {}, {}, 'name is the text "GPU"; write 1 to 12 lowercase letters and digits'),
        ({"taints": ["team"]}, {}, {}, 'taints[0] is the text "team"; write key=value:Effect'),
        ({"cluster_id": "gpu"}, {}, {}, 'cluster_id is "gpu"; write the full id of a cluster,'),
        ({"vm_size": None}, {}, {}, "state is present but all of the following are missing: vm_size"),
    ],
)
def test_what_is_refused(
    fresh: Cloud, changes: dict[str, Any], quota: dict[str, int], skus: dict[str, Any], sentence: str
) -> None:
    fresh.dial("PATCH", "/quota", quota)
    fresh.dial("PATCH", "/settings", {"skus": {**OFFERED, **skus}})
    start = time.time()
    result = gpu_pool(fresh, **{**POOL, **changes})
    assert result["failed"] and sentence in result["msg"], result["msg"]
    assert "\n" not in result["msg"]
    assert writes(fresh, start) == []


def test_a_quota_for_fewer_nodes_than_the_most_is_a_warning(fresh: Cloud) -> None:
    fresh.dial("PATCH", "/quota", {"lowPriorityCores": 8})
    result = gpu_pool(fresh, **POOL)
    assert result["action"] == "create"
    (warning,) = result["warnings"]
    assert f"may grow to 5 nodes of {T4}, but the quota" in warning and "leaves 8 of the 20 vCPUs" in warning


def test_a_pool_that_is_there_is_not_measured_again(fresh: Cloud) -> None:
    gpu_pool(fresh, **POOL)
    fresh.dial("PATCH", "/quota", {"lowPriorityCores": 0})
    fresh.dial("PATCH", "/settings", {"skus": {T4: {"restricted": ["westeurope"]}}})
    assert gpu_pool(fresh, **POOL)["changed"] is False


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"vm_size": "Standard_NC8as_T4_v3"}, "properties.vmSize"),
        ({"gpu_driver": "none"}, "properties.gpuProfile.driver"),
        ({"spot": None}, "properties.scaleSetPriority"),
        ({"zones": ["2"]}, "properties.availabilityZones"),
        ({"os_disk_size": 256}, "properties.osDiskSizeGB"),
    ],
)
def test_what_azure_cannot_change_is_explained(fresh: Cloud, changes: dict[str, Any], path: str) -> None:
    gpu_pool(fresh, **POOL)
    start = time.time()
    for check in (True, False):
        result = gpu_pool(fresh, check, **{**POOL, **changes})
        assert result["failed"]
        assert result["msg"].startswith(f'The pool "gpu" has {path} ') and "another name" in result["msg"], result[
            "msg"
        ]
    assert writes(fresh, start) == []


def test_custom_headers_arrive(fresh: Cloud) -> None:
    """A header that AKS refuses is proof that it got there."""
    result = gpu_pool(fresh, **{**POOL, "custom_headers": {"If-None-Match": "*"}})
    assert result["action"] == "create"
    fresh.dial(
        "POST", "/faults", {"method": "PUT", "type": "*/agentPools", "status": 409, "code": "Busy", "message": "x"}
    )
    failed = gpu_pool(fresh, **{**MODIFIED, "retry_timeout": 1})
    assert failed["failed"] and "Busy" in failed["msg"]


# A fault at the pool's write, and whether the module gets there nevertheless.
FAULTS = [
    ({"status": 409, "code": "OperationNotAllowed", "message": "Another operation is in progress."}, ""),
    ({"status": 429, "code": "TooManyRequests", "message": "Slow down.", "retry_after": 0}, ""),
    ({"status": 503, "code": "ServerTimeout", "message": "Try again."}, ""),
    ({"status": 412, "code": "PreconditionFailed", "message": "The etag is another one."}, ""),
    ({"operation": True, "code": "SetVNetOwnershipFailed", "message": "The VNet is busy."}, ""),
    ({"operation": True, "code": "VMExtensionProvisioningError", "message": "The driver failed."}, "The driver failed"),
    ({"status": 400, "code": "ErrCode_InsufficientVCPUQuota", "message": "Insufficient vcpu quota."}, "vcpu quota"),
    ({"status": 403, "code": "AuthorizationFailed", "message": "No right."}, "AuthorizationFailed: No right"),
    ({"reset": True}, ""),
    ({"reset": True, "after": True}, ""),
]


@pytest.mark.parametrize(("fault", "sentence"), FAULTS)
def test_faults(fresh: Cloud, fault: dict[str, Any], sentence: str) -> None:
    fresh.dial("POST", "/faults", {"method": "PUT", "type": "*/agentPools", **fault})
    result = gpu_pool(fresh, **POOL)
    if not sentence:
        assert not result.get("failed"), result["msg"]
        there = live(fresh)
        assert there is not None and there["properties"]["provisioningState"] == "Succeeded"
    else:
        assert result["failed"] and sentence in result["msg"], result["msg"]
        assert result["msg"].startswith('The pool "gpu": ') and "\n" not in result["msg"]
    # The next run finishes what was begun.
    fresh.dial("DELETE", "/faults")
    assert not gpu_pool(fresh, **POOL).get("failed")
    assert gpu_pool(fresh, **POOL)["changed"] is False


def test_without_a_cluster(built: Cloud) -> None:
    missing = cluster_id(built).replace("gpu-rg", "no-rg")
    result = gpu_pool(built, True, **{**POOL, "cluster_id": missing})
    assert result["action"] == "unknown" and result["changed"] and result["warnings"]
    result = gpu_pool(built, **{**POOL, "cluster_id": missing})
    assert result["failed"] and result["msg"].startswith(f"There is no cluster {missing}")
    assert gpu_pool(built, name="gpu", state="absent", cluster_id=missing)["changed"] is False


def test_without_waiting(fresh: Cloud) -> None:
    result = gpu_pool(fresh, **{**POOL, "wait": False})
    assert result["action"] == "create" and result["pool"]["name"] == "gpu"


def test_lines_while_azure_works(fresh: Cloud, tmp_path: Path) -> None:
    with listener(tmp_path / "progress") as path:
        gpu_pool(fresh, **{**POOL, "progress_file": str(path)})
        assert path.read_text(encoding="utf-8").startswith("gpu is being created")
