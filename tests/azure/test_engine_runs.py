# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""azure_resources as it runs: killed, abandoned, beside another run, within its bounds, and what people see of it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from azure_modules import ROOT, Cloud, actions, listener

NETWORKS = "Microsoft.Network/virtualNetworks"
SECRET = "hush-hush-hush"


@pytest.fixture(autouse=True)
def _fresh(cloud: Cloud) -> None:
    cloud.reset()


def group(cloud: Cloud) -> dict[str, Any]:
    return {
        "name": "group",
        "id": f"{cloud.subscription}/resourceGroups/runs",
        "api_version": "2025-04-01",
        "body": {"location": "westeurope"},
    }


def network(name: str = "network", ranges: str = "10.0.0.0/16") -> dict[str, Any]:
    return {
        "name": name,
        "id": f"${{group.id}}/providers/{NETWORKS}/{name}",
        "api_version": "2025-05-01",
        "body": {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": [ranges]}}},
    }


def subnet(number: int) -> dict[str, Any]:
    return {
        "name": f"subnet{number}",
        "id": f"${{network.id}}/subnets/s{number}",
        "api_version": "2025-05-01",
        "body": {"properties": {"addressPrefix": f"10.0.{number}.0/24"}},
    }


def identity(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "id": f"${{group.id}}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
        "api_version": "2024-11-30",
        "body": {"location": "westeurope"},
    }


def test_a_killed_run_is_finished_by_the_next(cloud: Cloud, tmp_path: Path) -> None:
    resources = [group(cloud), network(), subnet(1), subnet(2)]
    cloud.dial("PATCH", "/latency", {"scale": 0.01, "seconds": {f"PUT {NETWORKS}": 800}})
    running = cloud.begin("azure_resources", resources=resources)
    cloud.until(lambda: [one for one in cloud.writes() if one["type"] == NETWORKS], "the network is begun")
    running.process.kill()
    running.process.wait()
    with listener(tmp_path / "progress") as path:
        result = cloud.run(resources, progress_file=str(path))
        lines = path.read_text(encoding="utf-8")
    assert not result.get("failed"), result["msg"]
    assert set(actions(result)) == {"subnet1", "subnet2"}, "the network of the killed run was waited for, not written"
    assert "network: waits, it is" in lines
    assert "which another run has begun" in lines
    assert actions(cloud.run(resources)) == {}


def test_a_run_whose_play_is_gone_starts_nothing_more(cloud: Cloud, tmp_path: Path) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.1, "seconds": {f"PUT {NETWORKS}": 30}})
    resources = [group(cloud), network(), subnet(1)]
    with listener(tmp_path / "progress") as path:
        running = cloud.begin("azure_resources", resources=resources, progress_file=str(path))
        cloud.until(lambda: [one for one in cloud.writes() if one["type"] == NETWORKS], "the network is begun")
    result = running.result()
    assert result["msg"] == "Ended, because the play that ran it has ended; run it again, which goes on from here."
    assert not [one for one in cloud.writes() if one["type"] == f"{NETWORKS}/subnets"]


def test_a_run_told_to_end_says_so(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.1, "seconds": {f"PUT {NETWORKS}": 200}})
    running = cloud.begin("azure_resources", resources=[group(cloud), network()])
    cloud.until(lambda: [one for one in cloud.writes() if one["type"] == NETWORKS], "the network is begun")
    start = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.result()["msg"] == "Interrupted; run it again, which goes on from here."
    assert time.monotonic() - start < 5


def test_a_failed_resource_is_written_again(cloud: Cloud) -> None:
    cloud.dial(
        "POST", "/faults", {"method": "PUT", "type": NETWORKS, "operation": True, "code": "Bad", "message": "Bad."}
    )
    resources = [group(cloud), network()]
    assert cloud.run(resources)["failed"]
    result = cloud.run(resources, check=True)
    assert actions(result) == {"network": "update"}
    (planned,) = [one for one in result["plan"] if one["name"] == "network"]
    assert planned["changes"] == [{"path": "properties.provisioningState", "before": "Failed", "after": "Succeeded"}]
    assert not cloud.run(resources).get("failed")
    assert actions(cloud.run(resources)) == {}


def test_two_engines_race_on_one_network(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.05})
    first = [group(cloud), network(), subnet(1), subnet(2), subnet(3)]
    second = [group(cloud), network(), subnet(4), subnet(5), subnet(6)]
    second[1]["body"]["tags"] = {"second": "yes"}
    racing = [cloud.begin("azure_resources", resources=resources) for resources in (first, second)]
    for running in racing:
        result = running.result()
        assert not result.get("failed"), result["msg"]
    everything = [*second, *first[2:]]
    result = cloud.run(everything)
    assert actions(result) == {}
    names = sorted(one["name"] for one in result["resources"]["network"]["properties"]["subnets"])
    assert names == [f"s{number}" for number in range(1, 7)]


def pool(number: int) -> dict[str, Any]:
    return {
        "name": f"pool{number}",
        "id": f"${{cluster.id}}/agentPools/pool{number}",
        "api_version": "2026-08-01",
        "body": {
            "properties": {
                "vmSize": "Standard_D4s_v5",
                "mode": "User",
                "enableAutoScaling": True,
                "minCount": 0,
                "maxCount": 2,
                "nodeLabels": {"number": str(number)},
            }
        },
    }


def test_two_engines_race_on_one_cluster(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.001})
    core = {"name": "core", "count": 1, "vmSize": "Standard_D4s_v5", "mode": "System"}
    cluster = {
        "name": "cluster",
        "id": "${group.id}/providers/Microsoft.ContainerService/managedClusters/runs",
        "api_version": "2026-08-01",
        "body": {
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {"dnsPrefix": "runs", "agentPoolProfiles": [core]},
        },
    }
    assert actions(cloud.run([group(cloud), cluster])) == {"group": "create", "cluster": "create"}
    upgraded = {**cluster, "body": {"location": "westeurope", "tags": {"by": "one"}}}
    first = [group(cloud), upgraded, pool(1), pool(2), pool(3)]
    second = [group(cloud), cluster, pool(4), pool(5), pool(3)]
    racing = [cloud.begin("azure_resources", resources=resources) for resources in (first, second)]
    for running in racing:
        result = running.result()
        assert not result.get("failed"), result["msg"]
    result = cloud.run([*first, *second[2:4]])
    assert actions(result) == {}
    pools = result["resources"]["cluster"]["properties"]["agentPoolProfiles"]
    assert sorted(one["name"] for one in pools) == ["core", *(f"pool{number}" for number in range(1, 6))]
    assert result["resources"]["cluster"]["tags"] == {"by": "one"}


def test_a_deleted_vault_is_brought_back(cloud: Cloud) -> None:
    vault: dict[str, Any] = {
        "name": "vault",
        "id": "${group.id}/providers/Microsoft.KeyVault/vaults/runs-vault",
        "api_version": "2025-05-01",
        "body": {
            "location": "westeurope",
            "tags": {"life": "first"},
            "properties": {
                "tenantId": cloud.environment["AZURE_TENANT_ID"],
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
            },
        },
    }
    cloud.run([group(cloud), vault])
    assert actions(cloud.run([{**group(cloud), "existing": True}, vault], state="absent")) == {"vault": "delete"}
    second = {**vault, "body": {**vault["body"], "tags": {"life": "second"}}}
    result = cloud.run([group(cloud), second])
    assert not result.get("failed"), result["msg"]
    assert result["resources"]["vault"]["tags"] == {"life": "second"}
    assert actions(cloud.run([group(cloud), second])) == {}


def test_operations_side_by_side_are_bounded(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.1, "seconds": {f"PUT {NETWORKS}": 5}})
    networks = [network(f"network{number}", f"10.{number}.0.0/16") for number in range(6)]
    cloud.run([group(cloud), *networks], parallel=3)
    spans = [(one["start"], one["end"]) for one in cloud.calls("operation") if one["type"] == NETWORKS]
    assert len(spans) == 6
    most = max(sum(start <= other < end for start, end in spans) for other, _ in spans)
    assert most == 3


def test_nobody_waits_for_what_it_does_not_need(cloud: Cloud) -> None:
    """A slow resource holds up only what needs it."""
    cloud.dial("PATCH", "/latency", {"scale": 0.1, "seconds": {f"PUT {NETWORKS}": 20}})
    credential = {
        "name": "credential",
        "id": "${identity.id}/federatedIdentityCredentials/hub",
        "api_version": "2024-11-30",
        "body": {
            "properties": {
                "issuer": "https://issuer.example.org/",
                "subject": "system:serviceaccount:x:hub",
                "audiences": ["api://AzureADTokenExchange"],
            }
        },
    }
    cloud.run([group(cloud), network(), identity("identity"), credential])
    ends = {one["type"]: one["end"] for one in cloud.calls("operation")}
    written = {one["type"]: one["start"] for one in cloud.writes()}
    assert written["Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"] < ends[NETWORKS]


def test_nothing_to_do_is_quick_and_only_reads(cloud: Cloud) -> None:
    resources = [group(cloud), network(), *(subnet(number) for number in range(14))]
    resources += [identity(f"identity{number}") for number in range(14)]
    cloud.run(resources)
    begun = time.time()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = cloud.run(resources)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert actions(result) == {}
    asked = [one for one in cloud.calls(since=begun) if "/resourcegroups/" in one["id"].lower()]
    assert len(asked) == len(resources) == 30
    assert {one["method"] for one in asked} == {"GET"}
    # Of the processor: the wall's clock depends on what else runs here.
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 2.5


PLAY = """
- name: Bring it about
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Bring the resources about
      planetary.hub.azure_resources:
        resources: "{{ wanted }}"
        parallel: 4
"""


def play(cloud: Cloud, tmp_path: Path, resources: list[dict[str, Any]], *options: str) -> str:
    """Run the module from a playbook; what a person sees."""
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    (tmp_path / "wanted.json").write_text(json.dumps({"wanted": resources}), encoding="utf-8")
    python = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml"), "-i", "localhost,"),
            *("-e", f"@{tmp_path / 'wanted.json'}", "-e", json.dumps(python), *options),
        ],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("AZURE_")},
            **cloud.environment,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_a_person_sees(cloud: Cloud, tmp_path: Path) -> None:
    resources = [group(cloud), network(), subnet(1)]
    resources[0]["body"]["tags"] = {"password": SECRET}
    shown = play(cloud, tmp_path, resources, "--check", "--diff")
    assert "+++ after: network (create)" in shown
    assert '+    - "10.0.0.0/16"' in shown or "+    - 10.0.0.0/16" in shown
    assert "changed=1" in shown
    assert cloud.writes() == []
    shown = play(cloud, tmp_path, resources, "--diff", "-vvv")
    assert "[localhost] Azure: network: creating" in shown
    assert "[localhost] Azure: network: created in" in shown
    assert SECRET not in shown
    assert cloud.environment["AZURE_CLIENT_SECRET"] not in shown
    shown = play(cloud, tmp_path, resources, "--diff")
    assert "changed=0" in shown
    assert "Azure:" not in shown


def test_information_is_read_at_once(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/settings", {"page": 2})
    cloud.run([group(cloud), network(), *(subnet(number) for number in range(5))])
    path = f"{cloud.subscription}/resourceGroups/runs/providers/{NETWORKS}"
    wanted = [
        {"name": "network", "id": f"{path}/network", "api_version": "2025-05-01"},
        {"name": "subnets", "id": f"{path}/network/subnets", "api_version": "2025-05-01"},
        {"name": "nothing", "id": f"{path}/nothing", "api_version": "2025-05-01"},
        {"name": "none of nothing", "id": f"{path}/nothing/subnets", "api_version": "2025-05-01"},
        {"name": "left out", "id": "x", "api_version": "x", "condition": False},
    ]
    result = cloud.begin("azure_resources_info", resources=wanted).result()
    assert result["changed"] is False
    found = result["resources"]
    assert found["network"]["name"] == "network"
    assert sorted(one["name"] for one in found["subnets"]) == [f"s{number}" for number in range(5)]
    assert found["nothing"] is None
    assert found["none of nothing"] is None
    assert "left out" not in found


def test_information_that_cannot_be_read(cloud: Cloud) -> None:
    wanted = [
        {"name": "a", "id": f"{cloud.subscription}/providers/Microsoft.Nothing/at/all", "api_version": "2025-05-01"},
        {"name": "b", "id": f"{cloud.subscription}/resourceGroups/b", "api_version": "1999-01-01"},
    ]
    result = cloud.begin("azure_resources_info", resources=wanted).result()
    assert [problem.split(" (")[0] for problem in result["problems"]] == ['resource "a"', 'resource "b"']
    result = cloud.begin("azure_resources_info", resources=[wanted[0], wanted[0]]).result()
    assert result["msg"] == 'Two resources are named "a"; give each a name of its own.'
