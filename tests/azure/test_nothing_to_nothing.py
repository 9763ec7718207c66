# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The whole Azure side from nothing to nothing, by runs that are killed; what a teardown asks before it removes.

Some kills, at places that differ in what the next run finds. With HUB_TEST_ALL_KILLS=1 all of this twice: with a kill
after every write, and with one at every task; that takes a quarter of an hour.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_modules import Cloud
from killed_play import Play, after_write, at_task
from stand_in import StandIn

GROUP, NODES = "down-rg", "down-node-rg"
VARIABLES: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_stack": "down",
    "infrastructure_dns_label": "down-hub",
    "infrastructure_vault_create": True,
    "infrastructure_workspace_id": "{{ shared }}/Microsoft.OperationalInsights/workspaces/shared",
    "infrastructure_data_volumes": [{"name": "data", "mount_path": "/data", "quota": 100}],
    # The stand-in has no Kubernetes behind its clusters.
    "node_pools_device_plugin": False,
    "node_pools_pools": [
        {"name": "user", "purpose": "user", "vm_size": "Standard_E8s_v5", "min": 1, "max": 10},
        {"name": "worker", "purpose": "worker", "vm_size": "Standard_E8s_v5", "min": 0, "max": 20, "priority": "Spot"},
    ],
    "shared": "/subscriptions/{{ infrastructure_subscription_id }}/resourceGroups/shared-rg/providers",
}
ALL = {"infrastructure_teardown_confirm": "down", "infrastructure_teardown_data": ["homes", "shares", "vault", "group"]}


BUILD, TEARDOWN = ("infrastructure", "node_pools"), ("teardown",)
#: One request at a time, so that a kill can come after each.
ONE_BY_ONE = {"infrastructure_parallel": 1, "node_pools_parallel": 1}
#: More runs than it takes to come through with one write in each.
RUNS = 150


@dataclass(frozen=True)
class Kill:
    """When a run is killed; ``alone``: only Ansible, and its worker and the module notice."""

    when: Callable[[Play], bool]
    alone: bool = False


#: Where runs are killed.
SOME: dict[tuple[str, ...], list[Kill]] = {
    BUILD: [
        Kill(after_write()),
        Kill(after_write("/managedClusters/down-cluster"), alone=True),
        # All is there, and nobody was told.
        Kill(at_task("Set the outputs of the Azure side")),
        Kill(after_write("/agentPools/user")),
    ],
    TEARDOWN: [
        Kill(after_write("/managedClusters/down-cluster")),
        # The group is there, with what Azure has made in it.
        Kill(at_task("Look at what is left")),
        Kill(at_task("Remove the resource group")),
    ],
}


def at_least(number: int) -> Callable[[Play], bool]:
    """At the n-th task."""
    return lambda play: len(play.tasks()) >= number


def kills(mode: str, playbooks: tuple[str, ...]) -> list[Kill]:
    """Where the runs of some playbooks are killed, one after the other."""
    if mode == "each write":
        return [Kill(after_write(), alone=run % 2 == 1) for run in range(RUNS)]
    if mode == "each task":
        return [Kill(at_least(number)) for number in range(1, RUNS)]
    return SOME[playbooks]


class Hub:
    """A hub's inventory and playbooks run for it; ``kills``: where runs are killed."""

    def __init__(self, stand_in: StandIn, directory: Path, kills: str) -> None:
        self.stand_in = stand_in
        self.directory = directory
        self.kills = kills

    def words(self, playbooks: Iterable[str], **variables: Any) -> list[str]:
        """Playbooks and inventory; said values beside those of VARIABLES."""
        path = self.directory / "hosts.yml"
        path.write_text(yaml.safe_dump({"all": {"hosts": {"down": {**VARIABLES, **variables}}}}), encoding="utf-8")
        return [*(f"playbooks/{playbook}.yml" for playbook in playbooks), "-i", str(path)]

    def play(self, playbooks: Iterable[str], *words: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run playbooks."""
        return self.stand_in.playbook(*self.words(playbooks, **variables), *words)

    def die(self, playbooks: tuple[str, ...], **variables: Any) -> int:
        """Run playbooks again and again, each time killed; how often, until one went through or there is no more."""
        one_by_one = ONE_BY_ONE if self.kills == "each write" else {}
        # Operations take a moment, so that they are under way when the run dies.
        self.stand_in.dial("PATCH", "/latency", {"scale": 0.01})
        count = 0
        for kill in kills(self.kills, playbooks):
            play = Play(self.stand_in, self.directory / "log", *self.words(playbooks, **{**one_by_one, **variables}))
            if not play.killed(kill.when, kill.alone):
                break
            print(f"killed at {play.tasks()[-1:]} after {play.writes()}")
            count += 1
        self.stand_in.dial("PATCH", "/latency", {"scale": 0})
        return count

    def contents(self) -> set[str]:
        """Types of what is in the hub's group."""
        return {str(one.type).lower() for one in self.stand_in.arm.resources.list_by_resource_group(GROUP)}


def resource(cloud: Cloud, group: str, kind: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
    resource_id = f"{cloud.subscription}/resourceGroups/{group}/providers/{kind}"
    return {"name": kind.rpartition("/")[2], "id": resource_id, "api_version": version, "body": body}


@pytest.fixture(
    scope="module", params=["each write", "each task"] if os.environ.get("HUB_TEST_ALL_KILLS") else ["some"]
)
def hub(
    stand_in: StandIn, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Hub]:
    """A hub of which nothing exists, and a workspace that others use as well."""
    stand_in.arm.resource_groups.create_or_update("shared-rg", {"location": "westeurope"})
    logs = {"location": "westeurope", "properties": {"sku": {"name": "PerGB2018"}}}
    shared = resource(cloud, "shared-rg", "Microsoft.OperationalInsights/workspaces/shared", "2025-07-01", logs)
    assert not cloud.run([shared]).get("failed")
    yield Hub(stand_in, tmp_path_factory.mktemp("hub"), request.param)
    cloud.reset()


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stdout + done.stderr).split())


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    return said(done)


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tasks have changed something; each playbook ends with a recap of all so far."""
    succeeded(done)
    return int(re.findall(r"^down +: ok=\d+ +changed=(\d+)", done.stdout, re.M)[-1])


def test_killed_runs_build_it(hub: Hub, cloud: Cloud) -> None:
    """The next run goes on from where they were; the one after it has nothing to do."""
    count = hub.die(BUILD)
    done = hub.play(BUILD)
    if hub.kills == "some":
        # A pool may be left, or both are on their way.
        assert count == len(SOME[BUILD]) and changed(done) <= 1
    else:
        assert 5 < count < RUNS - 1 and changed(done) == 0
    begin = time.time()
    assert changed(hub.play(BUILD)) == 0
    assert cloud.writes(begin) == []


def test_somebody_works_with_it(hub: Hub, cloud: Cloud) -> None:
    """A home appears, which is a disk."""
    properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 15}
    disk = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "properties": properties}
    result = cloud.run([resource(cloud, NODES, "Microsoft.Compute/disks/pvc-1", "2026-03-02", disk)])
    assert not result.get("failed"), result
    assert "microsoft.network/virtualnetworks" in hub.contents()


def test_check_mode_is_the_plan(hub: Hub) -> None:
    before = hub.contents()
    plan = succeeded(hub.play(TEARDOWN, "--check"))
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
    refused = hub.play(TEARDOWN, **variables)
    assert refused.returncode != 0 and sentence in said(refused)
    assert "Traceback" not in said(refused) and hub.contents() == before


def test_killed_runs_tear_it_down(hub: Hub) -> None:
    count = hub.die(TEARDOWN, **ALL)
    finished = succeeded(hub.play(TEARDOWN, **ALL))
    if hub.kills == "some":
        assert count == len(SOME[TEARDOWN]) and " changed=1 " in finished
    else:
        assert 5 < count < RUNS - 1 and " changed=0 " in finished
    assert "Left, adopted:" in finished
    groups = {group.name for group in hub.stand_in.arm.resource_groups.list()}
    assert groups == {"shared-rg"}
    left = [one.name for one in hub.stand_in.arm.resources.list_by_resource_group("shared-rg")]
    assert left == ["shared"]


def test_again_changes_nothing(hub: Hub) -> None:
    again = succeeded(hub.play(TEARDOWN, **ALL))
    assert " changed=0 " in again and "Removed" not in again
