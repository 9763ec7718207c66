# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The az command line, as it is, against the stand-in: the guide's lines, and those that bootstrap prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stand_in import StandIn

#: Seconds for all lines of one script.
LIMIT = 300
#: "Deploy your own JupyterHub", recommended deployment; source:
#: https://planetarycomputer.microsoft.com/docs/concepts/hub-deployment
GUIDE = r"""
az group create --name pangeo --location westeurope

az aks create --resource-group pangeo --name pangeoCluster --generate-ssh-keys \
 --node-count=1 \
 --nodepool-name core \
 --nodepool-labels hub.jupyter.org/node-purpose=core

az aks nodepool add \
   --name users \
   --cluster-name pangeoCluster \
   --resource-group pangeo \
   --enable-cluster-autoscaler \
   --node-count 1 \
   --min-count 0 --max-count 10 \
   --node-vm-size Standard_D2s_v3 \
   --labels hub.jupyter.org/node-purpose=user

az aks nodepool add \
   --name workers \
   --cluster-name pangeoCluster \
   --resource-group pangeo \
   --enable-cluster-autoscaler \
   --node-count 1 \
   --min-count 0 --max-count 50 \
   --node-vm-size Standard_D2s_v3 \
   --priority Spot \
   --eviction-policy Delete \
   --spot-max-price -1 \
   --labels="k8s.dask.org/dedicated=worker"

az aks get-credentials \
   --name pangeoCluster \
   --resource-group pangeo \
   --output table
"""
HOST = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_stack": "az",
    "infrastructure_bootstrap_github_repository": "example/hub",
    "infrastructure_bootstrap_github_environments": ["prod"],
}


class CommandLine:
    """A person's shell, signed in, with a home of its own."""

    def __init__(self, stand_in: StandIn, home: Path) -> None:
        self.home = home
        program = Path(os.environ["HUB_TEST_AZ"])
        self.environment = {
            **os.environ,
            **stand_in.env,
            "HOME": str(home),
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.run(
            'az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID"'
        )

    def run(self, lines: str) -> str:
        """Run lines; the first that fails ends them."""
        command = ["bash", "-euc", lines]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def ask(self, line: str) -> Any:
        return json.loads(self.run(line))


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    running = StandIn(tmp_path_factory.mktemp("azure")).start("--latency", "0")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def az(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(stand_in, tmp_path_factory.mktemp("home"))


def test_the_guide(az: CommandLine) -> None:
    az.run(GUIDE)
    pools = az.ask("az aks nodepool list --cluster-name pangeoCluster --resource-group pangeo --output json")
    found = {pool["name"]: (pool["minCount"], pool["maxCount"], pool["scaleSetPriority"]) for pool in pools}
    assert found == {"core": (None, None, None), "users": (0, 10, None), "workers": (0, 50, "Spot")}
    kubeconfig = yaml.safe_load((az.home / ".kube" / "config").read_text(encoding="utf-8"))
    assert kubeconfig["current-context"] == "pangeoCluster"
    az.run("az group delete -n pangeo --yes")
    assert az.ask("az group exists -n pangeo") is False


def test_what_bootstrap_prints_does_what_it_does(az: CommandLine, stand_in: StandIn, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"prod": HOST}}}), encoding="utf-8")
    planned = stand_in.playbook("playbooks/bootstrap.yml", "-i", str(inventory), "--check")
    assert planned.returncode == 0 and re.search(r"changed=[1-9]", planned.stdout), planned.stdout[-3000:]
    printed = planned.stdout.split("The same with the az command line:\n")[1].split("\n\n")[0]
    az.run(printed)
    again = stand_in.playbook("playbooks/bootstrap.yml", "-i", str(inventory), "--diff")
    assert again.returncode == 0 and " changed=0 " in again.stdout, again.stdout[-4000:]
