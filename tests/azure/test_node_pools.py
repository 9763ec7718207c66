# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The role node_pools against the stand-in: from nothing, again, changed, refused, removed; fifty pools at once."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_modules import Cloud
from stand_in import StandIn

VERSION = "2026-08-01"
T4 = "Standard_NC4as_T4_v3"
POOLS: list[dict[str, Any]] = [
    {"name": "user", "purpose": "user", "vm_size": "Standard_E8s_v5", "min": 1, "max": 10, "os_disk_size": 200},
    {"name": "worker", "purpose": "worker", "vm_size": "Standard_E8s_v5", "min": 0, "max": 20, "priority": "Spot"},
    {"name": "gpuuser", "purpose": "gpu_user", "vm_size": T4, "min": 0, "max": 4},
    {"name": "gpuworker", "purpose": "gpu_worker", "vm_size": T4, "min": 0, "max": 4, "priority": "Spot"},
]
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: planetary.hub.node_pools, tasks_from: "{{ entry_point }}"}
    - ansible.builtin.debug: {var: node_pools_outputs}
"""


class Hub:
    """A cluster, and runs of the role for it."""

    def __init__(self, stand_in: StandIn, directory: Path) -> None:
        self.stand_in = stand_in
        self.cloud = Cloud(stand_in.env)
        self.directory = directory
        self.group = f"{self.cloud.subscription}/resourceGroups/pools-rg"
        self.cluster = f"{self.group}/providers/Microsoft.ContainerService/managedClusters/pools"
        self.subnet = f"{self.group}/providers/Microsoft.Network/virtualNetworks/pools/subnets/nodes"
        (directory / "play.yml").write_text(PLAY, encoding="utf-8")
        self.outputs: dict[str, Any] = {}

    def build(self) -> None:
        """An empty cloud with a network and a cluster."""
        self.cloud.reset()
        core = {"name": "core", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
        network, _, _ = self.subnet.partition("/subnets/")
        identity = f"{self.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pools"
        resources = [
            ("group", self.group, "2025-04-01", {"location": "westeurope"}),
            (
                "network",
                network,
                "2025-05-01",
                {
                    "location": "westeurope",
                    "properties": {
                        "addressSpace": {"addressPrefixes": ["10.0.0.0/12"]},
                        "subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.1.0.0/16"}}],
                    },
                },
            ),
            ("identity", identity, "2024-11-30", {"location": "westeurope"}),
            (
                "right",
                f"{network}/providers/Microsoft.Authorization/roleAssignments",
                "2022-04-01",
                {
                    "properties": {
                        "roleDefinitionId": "4d97b98b-1d4f-4787-a291-c67834d212e7",
                        "principalId": "${identity.properties.principalId}",
                    }
                },
            ),
            (
                "cluster",
                self.cluster,
                VERSION,
                {
                    "location": "westeurope",
                    "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
                    "properties": {
                        "dnsPrefix": "pools",
                        "networkProfile": {
                            "networkPlugin": "azure",
                            "networkPluginMode": "overlay",
                            "podCidr": "10.244.0.0/14",
                            "serviceCidr": "10.64.0.0/16",
                            "dnsServiceIP": "10.64.0.10",
                        },
                        "agentPoolProfiles": [{**core, "type": "VirtualMachineScaleSets", "vnetSubnetID": self.subnet}],
                    },
                },
            ),
        ]
        result = self.cloud.run(
            [
                {
                    "name": name,
                    "id": id,
                    "api_version": version,
                    "body": body,
                    "depends_on": ["right"][: name == "cluster"],
                }
                for name, id, version, body in resources
            ]
        )
        assert not result.get("failed"), result

    def run(self, *words: str, entry_point: str = "main", **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the role with variables changed."""
        given = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "node_pools_cluster_id": self.cluster,
            "node_pools_location": "westeurope",
            "node_pools_subnet_id": self.subnet,
            "node_pools_device_plugin": False,
            "node_pools_pools": POOLS,
            "entry_point": entry_point,
            **variables,
        }
        inventory = self.directory / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": {"hub": given}}}), encoding="utf-8")
        done = self.stand_in.playbook(
            str(self.directory / "play.yml"), "-i", str(inventory), *words, ANSIBLE_CALLBACK_RESULT_FORMAT="json"
        )
        shown = re.findall(r"^ok: \[hub\] => (\{\n.*?^\})$", done.stdout, flags=re.MULTILINE | re.DOTALL)
        found = [json.loads(text) for text in shown]
        self.outputs = next((item["node_pools_outputs"] for item in found if "node_pools_outputs" in item), {})
        return done

    def pools(self) -> dict[str, dict[str, Any]]:
        """The cluster's pools as Azure has them."""
        wanted = [{"name": "pools", "id": f"{self.cluster}/agentPools", "api_version": VERSION}]
        found = self.cloud.begin("azure_resources_info", resources=wanted).result()["resources"]["pools"]
        return {pool["name"]: pool["properties"] for pool in found or []}

    def info(self, pools: list[dict[str, Any]], **arguments: Any) -> dict[str, Any]:
        """What the module says of pools."""
        given = {"cluster_id": self.cluster, "location": "westeurope", "pools": pools, **arguments}
        return self.cloud.begin("node_pools_info", **given).result()


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub(stand_in, tmp_path_factory.mktemp("pools"))


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What a run has printed, in one line."""
    return " ".join((done.stdout + done.stderr).replace('\\"', '"').split())


def succeeded(done: subprocess.CompletedProcess[str], changed: int) -> None:
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert f" changed={changed} " in done.stdout, done.stdout


def changed_pool(name: str, **keys: Any) -> list[dict[str, Any]]:
    """POOLS with one of them changed."""
    return [{**pool, **keys} if pool["name"] == name else pool for pool in POOLS]


def writes(hub: Hub, since: float) -> list[str]:
    return [f"{entry['method']} {entry['id'].rsplit('/', 1)[-1]}" for entry in hub.cloud.writes(since)]


def test_before_there_is_a_cluster(hub: Hub) -> None:
    start = time.time()
    succeeded(hub.run("--check", "--diff", node_pools_device_plugin=True), changed=1)
    assert [pool["name"] for pool in hub.outputs["pools"]] == [pool["name"] for pool in POOLS]
    failed = hub.run()
    assert failed.returncode != 0
    assert f"The cluster {hub.cluster} does not exist; run playbooks/infrastructure.yml first." in said(failed)
    assert writes(hub, start) == []


def test_from_nothing_and_again(hub: Hub) -> None:
    hub.build()
    succeeded(hub.run(), changed=1)
    outputs, there = hub.outputs, hub.pools()
    assert set(there) == {"core", *(pool["name"] for pool in POOLS)}
    start = time.time()
    succeeded(hub.run(), changed=0)
    succeeded(hub.run(entry_point="outputs"), changed=0)
    assert writes(hub, start) == []
    rows = {row["name"]: row for row in hub.outputs["pools"]}
    # What other roles reckon with is what Azure has.
    for name, row in rows.items():
        assert row["labels"] == there[name]["nodeLabels"]
        assert sorted(row["taints"]) == sorted(there[name]["nodeTaints"])
        assert (row["min"], row["max"]) == (there[name]["minCount"], there[name]["maxCount"])
    assert rows["user"]["allocatable"] == {"cpu": 7.82, "memory": 66255323136, "gpu": 0}
    assert rows["gpuworker"]["allocatable"]["gpu"] == 1 and rows["gpuworker"]["spot"]
    assert hub.outputs["values"] == {} and hub.outputs["unlisted"] == []
    assert [row["labels"] for row in outputs["pools"]] == [row["labels"] for row in hub.outputs["pools"]]


def test_bounds_change_in_place_and_the_count_stays(hub: Hub) -> None:
    before = hub.pools()["user"]["count"]
    succeeded(hub.run(node_pools_pools=changed_pool("user", max=30)), changed=1)
    user = hub.pools()["user"]
    assert (user["minCount"], user["maxCount"], user["count"]) == (1, 30, before)


def test_another_size_is_explained_before_anything_is_changed(hub: Hub) -> None:
    start = time.time()
    pools = changed_pool("worker", vm_size="Standard_E16s_v5")
    done = hub.run(node_pools_pools=[*pools, {**POOLS[0], "name": "more"}])
    assert done.returncode != 0
    assert "properties.vmSize" in said(done) and "add a pool of another name and delete this one" in said(done)
    assert writes(hub, start) == []


def test_a_pool_that_left_the_list_is_left_alone_until_it_is_named(hub: Hub) -> None:
    kept = [pool for pool in POOLS if pool["name"] != "gpuuser"]
    # One task changes something: a bound of another pool goes back to what it was.
    done = hub.run(node_pools_pools=kept)
    succeeded(done, changed=1)
    assert "The cluster has pools that are not in node_pools_pools, gpuuser: they are left alone" in said(done)
    assert hub.outputs["unlisted"] == ["gpuuser"]
    done = hub.run(node_pools_removed=["gpuuser"])
    assert done.returncode != 0 and "node_pools_removed names gpuuser, which node_pools_pools lists too" in said(done)
    succeeded(hub.run(node_pools_pools=kept, node_pools_removed=["gpuuser", "core"]), changed=1)
    assert set(hub.pools()) == {"core", "user", "worker", "gpuworker"}


def test_all_pools_are_checked_before_one_is_touched(hub: Hub) -> None:
    start = time.time()
    hub.cloud.dial("PATCH", "/quota", {"Standard NCASv3_T4 Family": 3})
    new = {"name": "other", "purpose": "worker", "vm_size": "Standard_D4s_v5", "min": 1, "max": 2}
    done = hub.run(node_pools_pools=[new, *POOLS])
    hub.cloud.dial("PATCH", "/quota", {"Standard NCASv3_T4 Family": None})
    assert done.returncode != 0
    assert f'node_pools_pools[3] "gpuuser" needs 4 vCPUs for 1 node of {T4}' in said(done)
    assert writes(hub, start) == []


# What is written, and what is said of it, as far as Azure has to be asked.
@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"vm_size": "Standard_E7s_v5"}, 'node_pools_pools[0] "new" has the vm_size Standard_E7s_v5, which westeurope'),
        (
            {"os_disk_type": "Ephemeral"},
            "asks for an ephemeral disk, but Standard_E8s_v5 has no room for it on its host",
        ),
        ({"min": 1000, "max": 1000}, "needs 8000 vCPUs for 1000 nodes of Standard_E8s_v5, but the quota"),
    ],
)
def test_what_is_refused(hub: Hub, keys: dict[str, Any], sentence: str) -> None:
    pool = {"name": "new", "purpose": "worker", "vm_size": "Standard_E8s_v5", "min": 0, "max": 1, **keys}
    found = hub.info([pool])
    assert found["failed"] and sentence in found["msg"] and "\n" not in found["msg"], found["msg"]


def test_fifty_pools(hub: Hub) -> None:
    """All there after one run, made side by side, and the next run has nothing to do."""
    hub.build()
    pools = [
        {"name": f"pool{index:02}", "purpose": "worker", "vm_size": "Standard_D4s_v5", "min": 0, "max": 2}
        for index in range(50)
    ]
    hub.cloud.dial("PATCH", "/latency", {"scale": 0.005})
    start = time.time()
    succeeded(hub.run(node_pools_pools=pools, node_pools_parallel=50), changed=1)
    hub.cloud.dial("PATCH", "/latency", {"scale": 0})
    made = [entry for entry in hub.cloud.calls("operation", start) if entry["status"] == "Succeeded"]
    assert len(hub.pools()) == 51
    # At some moment many of them were being made at once.
    assert max(sum(one["start"] <= other["start"] < one["end"] for one in made) for other in made) > 10
    succeeded(hub.run(node_pools_pools=pools), changed=0)
