# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Pools as people write them: what Azure gets for them, and what is refused with which sentence."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import node_pool_bodies, written
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_values import POOL_PURPOSES
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import node_pools
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes"


def pool(**keys: Any) -> dict[str, Any]:
    """A pool that is right, with some keys changed; None takes one away."""
    wanted = {"name": "users", "purpose": "user", "vm_size": "Standard_E8s_v5", "min": 0, "max": 10, **keys}
    return {key: value for key, value in wanted.items() if value is not None}


def properties(item: dict[str, Any], defaults: dict[str, Any] | None = None) -> dict[str, Any]:
    (found,) = node_pool_bodies([item], defaults)
    body: dict[str, Any] = found["body"]["properties"]
    return body


@pytest.mark.parametrize("purpose", POOL_PURPOSES)
@pytest.mark.parametrize("spot", [False, True])
def test_labels_and_taints_are_those_that_pods_look_for(purpose: str, spot: bool) -> None:
    if spot and purpose == "core":
        with pytest.raises(InputError):
            node_pools([pool(purpose=purpose, priority="Spot", min=1)])
        return
    (found,) = node_pools([pool(purpose=purpose, priority="Spot" if spot else "Regular", min=1)])
    labels = purposes.labels(purpose, spot)
    assert found.labels.items() >= labels.items()
    assert set(found.labels) - set(labels) == ({"accelerator"} if purpose.startswith("gpu_") else set())
    assert list(found.taints) == purposes.taints(purpose, spot)


def test_own_labels_taints_and_tags_are_added() -> None:
    found = properties(
        pool(
            labels={"pool-name": "user-alpha-pool"},
            taints=["team=imagery:NoExecute", "hub.jupyter.org_dedicated=user:NoSchedule"],
            tags={"cost": "1"},
        ),
        {"labels": {"team": "imagery"}, "tags": {"owner": "platform"}},
    )
    assert found["nodeLabels"] == {
        "team": "imagery",
        "pool-name": "user-alpha-pool",
        "hub.jupyter.org/node-purpose": "user",
    }
    assert found["nodeTaints"] == ["hub.jupyter.org_dedicated=user:NoSchedule", "team=imagery:NoExecute"]
    assert found["tags"] == {"owner": "platform", "cost": "1"}


# What is written of the number of nodes, and what Azure gets.
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"min": 1, "max": 5}, {"count": 1, "enableAutoScaling": True, "minCount": 1, "maxCount": 5}),
        ({"min": 0, "max": 5, "count": 1}, {"count": 1, "enableAutoScaling": True, "minCount": 0, "maxCount": 5}),
        ({"min": None, "max": 5}, {"count": 0, "enableAutoScaling": True, "minCount": 0, "maxCount": 5}),
        (
            {"min": None, "max": 5, "mode": "System"},
            {"count": 1, "enableAutoScaling": True, "minCount": 1, "maxCount": 5},
        ),
        ({"min": None, "max": None, "count": 3}, {"count": 3, "enableAutoScaling": False}),
        ({"min": None, "max": None, "count": 0}, {"count": 0, "enableAutoScaling": False}),
    ],
)
def test_number_of_nodes(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    found = properties(pool(**keys))
    assert {
        key: found[key] for key in found if key in {"count", "enableAutoScaling", "minCount", "maxCount"}
    } == expected


# What is written, and the part of Azure's body that comes of it; "absent" is not there.
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"priority": "spot"}, {"scaleSetPriority": "Spot", "scaleSetEvictionPolicy": "Delete", "spotMaxPrice": -1}),
        (
            {"priority": "Spot", "eviction_policy": "deallocate", "price": 0.05},
            {"scaleSetEvictionPolicy": "Deallocate", "spotMaxPrice": 0.05},
        ),
        ({}, {"scaleSetPriority": "Regular", "scaleSetEvictionPolicy": "absent", "spotMaxPrice": "absent"}),
        ({"priority": "Spot"}, {"upgradeSettings": "absent"}),
        ({}, {"upgradeSettings": {"maxSurge": "10%"}}),
        ({"max_surge": 1}, {"upgradeSettings": {"maxSurge": "1"}}),
        ({"os_sku": "azurelinux"}, {"osSKU": "AzureLinux"}),
        ({"os_disk_size": 200, "os_disk_type": "ephemeral"}, {"osDiskSizeGB": 200, "osDiskType": "Ephemeral"}),
        ({"zones": [2, "1"]}, {"availabilityZones": ["1", "2"]}),
        (
            {},
            {"availabilityZones": "absent", "tags": "absent", "orchestratorVersion": "absent", "gpuProfile": "absent"},
        ),
        ({"version": "1.35"}, {"orchestratorVersion": "1.35"}),
        ({"subnet_id": SUBNET}, {"vnetSubnetID": SUBNET}),
        ({"subnet_id": "${subnet.id}"}, {"vnetSubnetID": "${subnet.id}"}),
        ({"purpose": "core", "min": 1}, {"mode": "System"}),
        ({}, {"mode": "User", "osType": "Linux", "type": "VirtualMachineScaleSets", "maxPods": 110}),
        ({"purpose": "gpu_user"}, {"gpuProfile": {"driver": "Install"}, "gpuInstanceProfile": "absent"}),
        ({"purpose": "gpu_user", "gpu_driver": "none"}, {"gpuProfile": {"driver": "None"}}),
        ({"purpose": "gpu_user", "mig_profile": "mig1G"}, {"gpuInstanceProfile": "MIG1g"}),
        (
            {"purpose": "gpu_user", "managed_gpu": True, "min": None, "max": None, "count": 1},
            {"gpuProfile": {"driver": "Install", "nvidia": {"managementMode": "Managed"}}},
        ),
        (
            {"purpose": None, "gpu": True},
            {"gpuProfile": {"driver": "Install"}, "nodeLabels": {"accelerator": "nvidia"}},
        ),
    ],
)
def test_body(keys: dict[str, Any], expected: dict[str, Any]) -> None:
    found = properties(pool(**keys), {"max_surge": "10%", "max_pods": 110, "eviction_policy": "Delete"})
    assert {key: found.get(key, "absent") for key in expected} == expected


def test_aks_plugin_and_ours_do_not_meet_on_one_node() -> None:
    (found,) = node_pools([pool(purpose="gpu_user", managed_gpu=True, min=None, max=None, count=1)])
    assert "accelerator" not in found.labels


def test_headers_go_beside_the_body() -> None:
    (found,) = node_pool_bodies([pool(headers={"UseGPUDedicatedVHD": "true"})])
    assert found["headers"] == {"UseGPUDedicatedVHD": "true"}
    assert "UseGPUDedicatedVHD" not in str(found["body"])


def test_a_taint_is_written_as_it_was_read() -> None:
    (found,) = node_pools([pool(purpose=None, taints=["example.org/team=a.b:PreferNoSchedule", "empty=:NoSchedule"])])
    assert [written(taint) for taint in found.taints] == ["example.org/team=a.b:PreferNoSchedule", "empty=:NoSchedule"]


WHO = 'node_pools_pools[0] "users"'


# What is written, and what is said of it.
@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"name": "Users"}, 'node_pools_pools[0] "Users": name is the text "Users"; write 1 to 12 lowercase letters'),
        ({"name": "averylongname"}, 'name is the text "averylongname"; write 1 to 12 lowercase letters and digits'),
        ({"name": "1st"}, "that begin with a letter."),
        ({"name": None}, "node_pools_pools[0]: name is empty; write"),
        ({"purpose": "gpuuser"}, f'{WHO} has the purpose "gpuuser"; did you mean "gpu_user"?'),
        ({"purpose": "scheduler"}, f'{WHO} has the purpose "scheduler"; known are core, user,'),
        ({"vm_size": None}, f'{WHO}: vm_size is empty; write a size such as "Standard_E8s_v5".'),
        ({"vm_size": "E8s_v5"}, f'{WHO}: vm_size is the text "E8s_v5"; write a size such as "Standard_E8s_v5".'),
        ({"vmsize": "x"}, f'{WHO} has the unknown key "vmsize"; did you mean "vm_size"?'),
        ({"min": 5, "max": 2}, f"{WHO} has min 5 above max 2; swap them or raise max."),
        ({"max": None}, f"{WHO} has min without max; give both for the autoscaler, or count without it."),
        ({"min": None, "max": None}, f"{WHO} does not say how many nodes; give min and max, or count without"),
        ({"count": 11}, f"{WHO} starts with count 11, which is not between min 0 and max 10; change one of them."),
        ({"max": 1001}, f"{WHO}: max is the number 1001; write a number of nodes from 1 to 1000."),
        ({"min": "1"}, f'{WHO}: min is the text "1"; write a number of nodes from 0 to 1000.'),
        ({"min": True}, f"{WHO}: min is the boolean true; write a number of nodes from 0 to 1000."),
        ({"min": 0, "purpose": "core"}, f"{WHO}: min is the number 0; write a number of nodes from 1 to 1000."),
        ({"priority": "Low"}, f'{WHO}: priority is the text "Low"; write one of Regular, Spot.'),
        ({"price": 1}, f"{WHO} has price but no spot nodes; add priority: Spot or leave it out."),
        ({"eviction_policy": "Delete"}, f"{WHO} has eviction_policy but no spot nodes;"),
        ({"priority": "Spot", "price": 0}, f"{WHO}: price is the number 0; write the most US dollars an hour"),
        ({"priority": "Spot", "max_surge": "10%"}, f"{WHO} has max_surge on spot nodes, which AKS refuses; leave it"),
        ({"priority": "Spot", "mode": "System", "min": 1}, f"{WHO} is a system pool on spot nodes, which AKS refuses;"),
        ({"max_surge": "a few"}, f'{WHO}: max_surge is the text "a few"; write a number of nodes such as 1'),
        ({"max_surge": "101%"}, f'{WHO}: max_surge is the text "101%"; write'),
        ({"os_sku": "Windows2022"}, f'{WHO}: os_sku is the text "Windows2022"; write one of AzureLinux,'),
        ({"os_disk_size": 8}, f"{WHO}: os_disk_size is the number 8; write a number of GB such as 128."),
        ({"max_pods": 500}, f"{WHO}: max_pods is the number 500; write a number of pods such as 110."),
        ({"zones": "1"}, f'{WHO}: zones is the text "1"; write a list of zones such as'),
        ({"zones": [1, 1]}, f"{WHO}: zones is a list; write a list of zones such as"),
        (
            {"version": 1.35},
            f'{WHO}: version is the number 1.35; write a version of Kubernetes in quotes, such as "1.35".',
        ),
        ({"subnet_id": "nodes"}, f'{WHO}: subnet_id is the text "nodes"; write the full id of a subnet,'),
        ({"taints": ["team=imagery"]}, f'{WHO}: taints[0] is the text "team=imagery"; write key=value:Effect, such as'),
        ({"taints": ["team:NoSchedule"]}, f'{WHO}: taints[0] is the text "team:NoSchedule"; write key=value:Effect'),
        ({"taints": ["a=b:noschedule"]}, f'{WHO}: taints[0] has the effect "noschedule"; '),
        ({"taints": "a=b:NoSchedule"}, f'{WHO}: taints is the text "a=b:NoSchedule"; write a list of taints'),
        ({"labels": {"a b": "c"}}, f'{WHO} has a label with the key "a b", which Kubernetes refuses; rename it.'),
        ({"labels": {"a": "b c"}}, f'{WHO}: labels: a is the text "b c"; write at most 63 letters'),
        ({"labels": {"a": 1}}, f"{WHO}: labels: a is the number 1; write a text, in quotes."),
        (
            {"labels": {"hub.jupyter.org/node-purpose": "core"}},
            f"{WHO} has the label hub.jupyter.org/node-purpose=core, but its purpose user has "
            "hub.jupyter.org/node-purpose=user; leave the label out.",
        ),
        (
            {"labels": {"kubernetes.azure.com/mode": "user"}},
            f"{WHO} has the label kubernetes.azure.com/mode, which AKS keeps for itself; leave it out.",
        ),
        (
            {"gpu_driver": "none"},
            f"{WHO} has gpu_driver but no GPU; take the purpose gpu_user or gpu_worker or leave it",
        ),
        ({"gpu": False, "purpose": "gpu_user"}, f"{WHO} has gpu false but the purpose gpu_user; take the purpose user"),
        (
            {"purpose": "gpu_user", "managed_gpu": True},
            f"{WHO} asks for managed_gpu under the autoscaler, which AKS does not support; "
            "give count instead of min and max, or leave out managed_gpu.",
        ),
        ({"headers": {"a": 1}}, f"{WHO}: headers: a is the number 1; write a text, in quotes."),
    ],
)
def test_what_is_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        node_pools([pool(**keys)])
    said = str(raised.value)
    assert sentence in said
    assert said.endswith((".", "?")) and "\n" not in said


@pytest.mark.parametrize(
    ("pools", "defaults", "sentence"),
    [
        ({}, {}, "node_pools_pools is a mapping of nothing; write a list of pools with name, purpose,"),
        (None, {}, "node_pools_pools is empty; write a list of pools"),
        (["users"], {}, 'node_pools_pools[0] is the text "users"; write a mapping with keys such as name, purpose,'),
        ([pool(), pool()], {}, 'node_pools_pools[1] "users" is the second pool of this name; give each pool a name'),
        ([], {"name": "x"}, 'node_pools_defaults has the unknown key "name"; '),
        ([pool()], {"os_sku": "Mint"}, 'node_pools_pools[0] "users": os_sku is the text "Mint"; write one of'),
    ],
)
def test_what_is_refused_of_the_list(pools: Any, defaults: Any, sentence: str) -> None:
    with pytest.raises(InputError) as raised:
        node_pools(pools, defaults)
    assert sentence in str(raised.value)


def test_the_list_may_have_another_name() -> None:
    with pytest.raises(InputError, match="infrastructure_core_pool\\[0\\]"):
        node_pools([pool(name="X")], None, "infrastructure_core_pool")


def test_what_was_written_is_not_changed() -> None:
    item, defaults = pool(labels={"a": "b"}), {"labels": {"c": "d"}}
    properties(item, defaults)["nodeLabels"]["e"] = "f"
    assert item == pool(labels={"a": "b"}) and defaults == {"labels": {"c": "d"}}
    assert "e" not in properties(item, defaults)["nodeLabels"]
