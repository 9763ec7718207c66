# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Sizes and quotas as Azure answers them, and what AKS leaves of a node."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _vm_sizes as vm
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool, node_pools
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

GIB = 2**30
WHO = 'node_pools_pools[0] "p"'


def sku(name: str, **keys: Any) -> dict[str, Any]:
    """An item of the answer of Microsoft.Compute/skus."""
    able = {"vCPUs": "4", "MemoryGB": "28", "LowPriorityCapable": "True", **keys.pop("able", {})}
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "family": keys.pop("family", "standardESv5Family"),
        "locations": ["westeurope"],
        "locationInfo": [{"location": "WestEurope", "zones": ["3", "1", "2"]}],
        "capabilities": [{"name": key, "value": value} for key, value in able.items()],
        "restrictions": keys.pop("restrictions", []),
        **keys,
    }


def zone_restriction(*zones: str) -> dict[str, Any]:
    information = {"locations": ["westeurope"], "zones": list(zones)}
    return {"type": "Zone", "reasonCode": "NotAvailableForSubscription", "restrictionInfo": information}


LOCATION = {
    "type": "Location",
    "values": ["westeurope"],
    "reasonCode": "NotAvailableForSubscription",
    "restrictionInfo": {"locations": ["westeurope"]},
}
ELSEWHERE = {**LOCATION, "values": ["eastus"], "restrictionInfo": {"locations": ["eastus"]}}
T4 = {"GPUs": "1"}
CACHE = {"EphemeralOSDiskSupported": "True", "CachedDiskBytes": str(100 * GIB), "MaxResourceVolumeMB": "65536"}
SIZES = vm.vm_sizes(
    [
        sku("Standard_E4s_v5", able={"MemoryGB": "32"}),
        sku("Standard_E4s_v3", able={"MemoryGB": "32", **CACHE}),
        sku("Standard_NC4as_T4_v3", family="Standard NCASv3_T4 Family", able=T4),
        sku("Standard_NC24ads_A100_v4", able={**T4, "vCPUs": "24"}, restrictions=[LOCATION]),
        sku("Standard_NC6s_v3", able=T4, restrictions=[zone_restriction("1", "2")]),
        sku("Standard_NV6", able=T4, restrictions=[ELSEWHERE], locationInfo=[{"location": "westeurope", "zones": []}]),
        sku("Standard_B4ms", able={"LowPriorityCapable": "False"}),
        sku("Standard_M8-2ms", able={"vCPUs": "8", "vCPUsAvailable": "2", "MemoryGB": "218.75"}),
        sku("Standard_D2s_v5", locations=["eastus"]),
        {"resourceType": "disks", "name": "Premium_LRS", "locations": ["westeurope"]},
    ],
    "West Europe",
)


def pool(**keys: Any) -> Pool:
    wanted = {"name": "p", "vm_size": "Standard_E4s_v5", "min": 0, "max": 10, **keys}
    (found,) = node_pools([{key: value for key, value in wanted.items() if value is not None}])
    return found


def test_only_machines_of_the_region() -> None:
    assert "standard_d2s_v5" not in SIZES and "premium_lrs" not in SIZES
    assert SIZES["standard_nc4as_t4_v3"] == {
        "name": "Standard_NC4as_T4_v3",
        "family": "Standard NCASv3_T4 Family",
        "cores": 4,
        "quota_cores": 4,
        "memory": 28 * GIB,
        "gpus": 1,
        "zones": ["1", "2", "3"],
        "restricted_zones": [],
        "restriction": "",
        "spot": True,
        "ephemeral_disk": 0,
        "architecture": "x64",
    }


def test_a_constrained_size_has_fewer_cores_than_the_quota_counts() -> None:
    size = SIZES["standard_m8-2ms"]
    assert (size["cores"], size["quota_cores"]) == (2, 8)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"vm_size": "standard_e4S_V5"},
        {"vm_size": "Standard_NC4as_T4_v3", "purpose": "gpu_user", "zones": ["1", "3"]},
        {"vm_size": "Standard_NC6s_v3", "purpose": "gpu_user", "zones": ["3"]},
        {"vm_size": "Standard_NC6s_v3", "purpose": "gpu_user"},
        {"vm_size": "Standard_NV6", "purpose": "gpu_user"},
        {"vm_size": "Standard_E4s_v3", "os_disk_type": "Ephemeral", "os_disk_size": 100},
    ],
)
def test_sizes_that_serve(keys: dict[str, Any]) -> None:
    vm.check_size(WHO, pool(**keys), SIZES, "westeurope")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"vm_size": "Standard_E4s_v6"},
            f'{WHO} has the vm_size Standard_E4s_v6, which westeurope does not offer; did you mean "Standard_E4s_v',
        ),
        (
            {"purpose": "gpu_user"},
            f"{WHO} is a pool for GPUs, but Standard_E4s_v5 has none; choose a size such as Standard_NC4as_T4_v3.",
        ),
        (
            {"vm_size": "Standard_NC24ads_A100_v4"},
            f"{WHO} asks for Standard_NC24ads_A100_v4, which this subscription cannot have in westeurope "
            "(NotAvailableForSubscription); choose another size or region, or ask Azure's support for access.",
        ),
        (
            {"vm_size": "Standard_NC6s_v3", "zones": ["3", "1"]},
            f"{WHO} asks for Standard_NC6s_v3 in zone 1 of westeurope, but it is in zones 3; change zones.",
        ),
        ({"vm_size": "Standard_NV6", "zones": ["1"]}, "but it is in no zone of the region; change zones."),
        (
            {"vm_size": "Standard_B4ms", "priority": "Spot"},
            f"{WHO} asks for spot nodes of Standard_B4ms, which there are none of; leave out priority: Spot.",
        ),
        (
            {"os_disk_type": "Ephemeral", "os_disk_size": 100},
            f"{WHO} asks for an ephemeral disk of 100 GB, but Standard_E4s_v5 has no room for it on its host; "
            "take os_disk_type: Managed, a smaller disk or another size.",
        ),
        (
            {"vm_size": "Standard_E4s_v3", "os_disk_type": "Ephemeral", "os_disk_size": 128},
            "asks for an ephemeral disk of 128 GB, but Standard_E4s_v3 has 100 GB on its host;",
        ),
    ],
)
def test_sizes_that_do_not_serve(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        vm.check_size(WHO, pool(**keys), SIZES, "westeurope")
    assert sentence in str(raised.value)


def quotas(family: tuple[int, int], region: tuple[int, int] = (0, 1000), spot: tuple[int, int] = (0, 1000)) -> Any:
    """(used, limit) of the family of NC4as_T4_v3, of the region and of spot nodes."""
    rows = {"Standard NCASv3_T4 Family": family, "cores": region, "lowPriorityCores": spot}
    names = {"cores": "Total Regional vCPUs", "lowPriorityCores": "Total Regional Low-priority vCPUs"}
    return vm.vm_quotas(
        {
            "unit": "Count",
            "currentValue": used,
            "limit": limit,
            "name": {"value": name, "localizedValue": names.get(name, f"{name} vCPUs")},
        }
        for name, (used, limit) in rows.items()
    )


def gpu(minimum: int, maximum: int, **keys: Any) -> Pool:
    return pool(vm_size="Standard_NC4as_T4_v3", purpose="gpu_user", min=minimum, max=maximum, **keys)


# Pools as (least, most, nodes that are there; None: no such pool), a quota of the family as (used, limit): which pool
# is refused (None: none) and how many warnings there are.
@pytest.mark.parametrize(
    ("wanted", "family", "refused", "warnings"),
    [
        ([(0, 1, None)], (0, 4), None, 0),
        ([(0, 2, None)], (0, 4), None, 1),
        ([(0, 1, None)], (0, 0), 0, 0),
        ([(0, 1, None)], (4, 7), 0, 0),
        ([(2, 2, None)], (0, 8), None, 0),
        ([(2, 2, None)], (0, 7), 0, 0),
        ([(1, 1, None), (1, 1, None)], (0, 8), None, 0),
        ([(1, 1, None), (1, 1, None)], (0, 7), 1, 0),
        # Nodes that the autoscaler may take later are not taken from the others.
        ([(0, 2, None), (0, 2, None)], (0, 8), None, 0),
        # A pool that is there already is measured by what is added to it for sure.
        ([(1, 1, 1)], (4, 4), None, 0),
        ([(0, 1, 0)], (4, 4), None, 1),
        ([(0, 1, None)], (4, 4), 0, 0),
        ([(3, 3, 1)], (4, 12), None, 0),
        ([(3, 3, 1)], (4, 11), 0, 0),
        ([(0, 5, 5)], (40, 20), None, 0),
    ],
)
def test_quota_of_a_family(
    wanted: list[tuple[int, int, int | None]], family: tuple[int, int], refused: int | None, warnings: int
) -> None:
    pools = [(f"pool {index}", gpu(least, most), has) for index, (least, most, has) in enumerate(wanted)]
    if refused is None:
        assert len(vm.check_quotas(pools, SIZES, quotas(family), "westeurope")) == warnings
    else:
        with pytest.raises(InputError, match=f"^pool {refused} needs"):
            vm.check_quotas(pools, SIZES, quotas(family), "westeurope")


def test_the_sentence_names_quota_and_need() -> None:
    with pytest.raises(InputError) as raised:
        vm.check_quotas([(WHO, gpu(2, 5), None)], SIZES, quotas((4, 8)), "westeurope")
    assert str(raised.value) == (
        f"{WHO} needs 8 vCPUs for 2 nodes of Standard_NC4as_T4_v3, but the quota "
        '"Standard NCASv3_T4 Family vCPUs" (Standard NCASv3_T4 Family) in westeurope leaves 4 (limit 8, used 4); '
        "raise it to at least 12, with az quota update or in the portal, or choose another size."
    )


def test_the_warning_names_quota_and_need() -> None:
    (warning,) = vm.check_quotas([(WHO, gpu(0, 25), None)], SIZES, quotas((0, 40)), "westeurope")
    assert warning == (
        f"{WHO} may grow to 25 nodes of Standard_NC4as_T4_v3, but the quota "
        '"Standard NCASv3_T4 Family vCPUs" (Standard NCASv3_T4 Family) in westeurope leaves 40 of the 100 vCPUs for '
        "them (limit 40, used 0)."
    )


def test_spot_nodes_count_against_the_quota_of_spot_nodes_alone() -> None:
    spot = [(WHO, gpu(1, 1, priority="Spot"), None)]
    assert vm.check_quotas(spot, SIZES, quotas((0, 0), region=(0, 0), spot=(0, 4)), "westeurope") == []
    with pytest.raises(InputError, match="Total Regional Low-priority vCPUs"):
        vm.check_quotas(spot, SIZES, quotas((0, 100), spot=(0, 3)), "westeurope")


def test_the_region_has_a_quota_too() -> None:
    with pytest.raises(InputError, match="Total Regional vCPUs"):
        vm.check_quotas([(WHO, gpu(1, 1), None)], SIZES, quotas((0, 100), region=(98, 100)), "westeurope")


# A size (cores, GiB), pods of a node: what AKS keeps, from its documentation.
@pytest.mark.parametrize(
    ("cores", "gibibytes", "max_pods", "cpu", "kept"),
    [
        (2, 7, 110, 1.9, 7 * 256),  # a quarter
        (4, 16, 30, 3.86, 650),
        (8, 64, 110, 7.82, 2250),
        (8, 64, None, 7.82, 5050),
        (16, 128, 250, 15.74, 5050),
        (64, 504, 110, 63.26, 2250),
        (96, 900, 110, 94.94, 2250),
    ],
)
def test_allocatable(cores: int, gibibytes: int, max_pods: int | None, cpu: float, kept: int) -> None:
    found = vm.allocatable({"cores": cores, "memory": gibibytes * GIB, "gpus": 0}, max_pods)
    assert found == {"cpu": cpu, "memory": gibibytes * GIB - (kept + 100) * 2**20, "gpu": 0}


@pytest.mark.parametrize(("profile", "gpus"), [(None, 4), ("MIG1g", 28), ("MIG2g", 12), ("MIG3g", 8), ("MIG7g", 4)])
def test_a_divided_gpu_is_several(profile: str | None, gpus: int) -> None:
    size = {"cores": 96, "memory": 900 * GIB, "gpus": 4}
    assert vm.allocatable(size, 110, profile)["gpu"] == gpus
