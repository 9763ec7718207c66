# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""playbooks/teardown.yml: nothing without a name, user data only when named, at the end only what was adopted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_modules import Cloud
from stand_in import ROOT, StandIn

GROUP, NODES = "down-rg", "down-node-rg"
VARIABLES: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_stack": "down",
    "infrastructure_dns_label": "down-hub",
    "infrastructure_vault_create": True,
    "infrastructure_workspace_id": "{{ shared }}/Microsoft.OperationalInsights/workspaces/shared",
    "infrastructure_data_volumes": [{"name": "data", "mount_path": "/data", "quota": 100}],
    "shared": "/subscriptions/{{ infrastructure_subscription_id }}/resourceGroups/shared-rg/providers",
}
ALL = {"infrastructure_teardown_confirm": "down", "infrastructure_teardown_data": ["homes", "shares", "vault", "group"]}


class Hub:
    """A hub's inventory and playbooks run for it."""

    def __init__(self, stand_in: StandIn, directory: Path) -> None:
        self.stand_in = stand_in
        self.directory = directory

    def inventory(self, **variables: Any) -> str:
        path = self.directory / "hosts.yml"
        path.write_text(yaml.safe_dump({"all": {"hosts": {"down": {**VARIABLES, **variables}}}}), encoding="utf-8")
        return str(path)

    def play(self, name: str, *words: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook; said values beside those of VARIABLES."""
        return self.stand_in.playbook(f"playbooks/{name}.yml", "-i", self.inventory(**variables), *words)

    def contents(self) -> set[str]:
        """Types of what is in the hub's group."""
        return {str(one.type).lower() for one in self.stand_in.arm.resources.list_by_resource_group(GROUP)}


def resource(cloud: Cloud, group: str, kind: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
    resource_id = f"{cloud.subscription}/resourceGroups/{group}/providers/{kind}"
    return {"name": kind.rpartition("/")[2], "id": resource_id, "api_version": version, "body": body}


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A hub that somebody works with: a home, and a workspace that others use as well."""
    stand_in.arm.resource_groups.create_or_update("shared-rg", {"location": "westeurope"})
    logs = {"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}}}
    shared = resource(cloud, "shared-rg", "Microsoft.OperationalInsights/workspaces/shared", "2025-07-01", logs)
    assert not cloud.run([shared]).get("failed")
    one = Hub(stand_in, tmp_path_factory.mktemp("teardown"))
    built = one.play("infrastructure")
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 15}
    disk = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "properties": properties}
    home = resource(cloud, NODES, "Microsoft.Compute/disks/pvc-1", "2026-03-02", disk)
    result = cloud.run([home])
    assert not result.get("failed"), result
    return one


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    return said(done)


def test_check_mode_is_the_plan(hub: Hub) -> None:
    before = hub.contents()
    plan = succeeded(hub.play("teardown", "--check"))
    assert "Removed: Microsoft.ContainerService/managedClusters/down-cluster" in plan
    assert "Removed, made by Azure itself: " in plan and "Failure Anomalies - down-insights" in plan
    assert "User data that go: 1 disk of homes (15 GiB), which die with the cluster" in plan
    assert "resourceGroups/shared-rg/providers/Microsoft.OperationalInsights/workspaces/shared" in plan
    assert "set it to down (or to the name of its resource group, down-rg)" in plan
    assert hub.contents() == before


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "This would remove hub down, and infrastructure_teardown_confirm is ''; set it to down"),
        (
            {"infrastructure_teardown_confirm": "down", "infrastructure_teardown_data": ["vault", "group"]},
            "would delete user data: 1 disk of homes (15 GiB), which die with the cluster and the file share data",
        ),
    ],
)
def test_refused_before_anything_is_removed(hub: Hub, variables: dict[str, Any], sentence: str) -> None:
    before = hub.contents()
    refused = hub.play("teardown", **variables)
    assert refused.returncode != 0 and sentence in said(refused)
    assert "Traceback" not in said(refused) and hub.contents() == before


def test_killed_in_the_middle_and_finished(hub: Hub, cloud: Cloud) -> None:
    before = hub.contents()
    cloud.dial("PATCH", "/latency", {"scale": 1, "seconds": {"DELETE Microsoft.ContainerService/managedClusters": 5}})
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/teardown.yml"]
    play = subprocess.Popen(
        [*command, "-i", hub.inventory(**ALL)],
        cwd=ROOT,
        env={**os.environ, **hub.stand_in.env, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    cloud.until(lambda: hub.contents() < before, "something is removed", 60)
    os.killpg(play.pid, signal.SIGKILL)
    play.wait()
    assert "microsoft.network/virtualnetworks" in hub.contents()
    cloud.dial(
        "PATCH", "/latency", {"scale": 0, "seconds": {"DELETE Microsoft.ContainerService/managedClusters": None}}
    )

    finished = succeeded(hub.play("teardown", **ALL))
    assert "Left, adopted:" in finished
    groups = {group.name for group in hub.stand_in.arm.resource_groups.list()}
    assert groups == {"shared-rg"}
    left = [one.name for one in hub.stand_in.arm.resources.list_by_resource_group("shared-rg")]
    assert left == ["shared"]


def test_again_changes_nothing(hub: Hub) -> None:
    again = succeeded(hub.play("teardown", **ALL))
    assert " changed=0 " in again and "Removed" not in again
