# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The release of a hub on a real cluster, against plain Helm with the same chart and the same values.

Wants `make bench KUBECONFIG=<file of a cluster-admin>`, with `CHARTS=<folder with the packaged charts and an index>`
where the public repositories are out of reach; without a cluster it is left out. What takes minutes anywhere, such as
pulling images, is done before anything is measured.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.row import Row

CHECKOUT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
#: Seconds one command may take; images may have to be pulled.
LIMIT = 1800
UNCHANGED_LIMIT = 5.0
#: Both ways are measured in turns, and the best of each counts: a node has much else to do.
TURNS = 2
PROBES = 3
CHART_PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.include_role": {"name": "planetary.hub.ui"}},
            {
                "ansible.builtin.include_role": {"name": "planetary.hub.daskhub", "tasks_from": "kubernetes/chart.yml"},
                "vars": {"__daskhub_work": {"path": "{{ chart_folder }}"}},
            },
        ],
    }
]
# The stage as site.yml runs it, where what other roles say is known; a task before and one behind it say when.
STAGE = "bench-stage"
STAGE_PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            *(
                {"ansible.builtin.include_role": {"name": f"planetary.hub.{role}", "tasks_from": "outputs"}}
                for role in ("ui", "infrastructure", "secrets")
            ),
            {"ansible.builtin.debug": {"msg": f"{STAGE} {{{{ now(utc=true).timestamp() }}}}"}},
            {"ansible.builtin.include_role": {"name": "planetary.hub.daskhub"}},
            {"ansible.builtin.debug": {"msg": f"{STAGE} {{{{ now(utc=true).timestamp() }}}}"}},
        ],
    }
]


def rows() -> list[Row]:
    if not os.environ.get("KUBECONFIG"):
        say("the release on a cluster is left out: make bench KUBECONFIG=<file of its cluster-admin> [CHARTS=<folder>]")
        return []
    if not shutil.which("helm"):
        say("the release on a cluster is left out: helm is not on PATH")
        return []
    with tempfile.TemporaryDirectory(prefix="kubernetes-bench-") as folder:
        hub = Hub(Path(folder), Path(os.environ["KUBECONFIG"]).resolve())
        try:
            return list(hub.measure())
        finally:
            hub.remove()


class Hub:
    """A hub in a namespace of its own."""

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.folder = folder
        # Some objects of a release are in no namespace and are named after it.
        self.name = f"bench-{os.urandom(3).hex()}"
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(folder / "home"),
        }
        (folder / "home").mkdir()
        (folder / "chart.yml").write_text(json.dumps(CHART_PLAY), encoding="utf-8")
        (folder / "stage.yml").write_text(json.dumps(STAGE_PLAY), encoding="utf-8")
        hosts = {"all": {"hosts": {"hub": self.variables(kubeconfig)}}}
        (folder / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")

    def variables(self, kubeconfig: Path) -> dict[str, Any]:
        """What the inventory says."""
        charts = os.environ.get("HUB_CHARTS", "")
        folders = {"daskhub_chart_repositories": dict.fromkeys(("jupyterhub", "dask-gateway"), charts)}
        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "hub_platform": "kubernetes",
            "hub_azure": False,
            "hub_kubeconfig": str(kubeconfig),
            "hub_release": self.name,
            "hub_namespace": self.name,
            "hub_authentication": {"type": "shared-password", "allow_all": True},
            "daskhub_match_node_purpose": "prefer",
            "daskhub_service_type": "ClusterIP",
            # What a node has to pull first is no matter of speed.
            "daskhub_pre_pull": False,
            "daskhub_profiles": [
                {
                    "name": "python",
                    "display_name": "Python",
                    "image": "pangeo/base-notebook:2025.11.13",
                    "cores": {"limit": 1, "guarantee": 0.1},
                    "memory": {"limit": "1G", "guarantee": "256M"},
                }
            ],
            "daskhub_dask_options": {
                "scheduler": {"cores": {"limit": 1, "guarantee": 0.1}, "memory": {"limit": 1, "guarantee": 0.25}},
                "worker": {
                    "cores": {"default": 1, "min": 0.1, "max": 1, "request": 0.1},
                    "memory": {"default": 0.5, "min": 0.25, "max": 1, "request": 0.5},
                },
            },
            **(folders if charts else {}),
        }

    def measure(self) -> Iterator[Row]:
        say("the release on a cluster, once beforehand")
        self.play("playbooks/secrets.yml")
        self.play("playbooks/daskhub.yml")
        self.play(str(self.folder / "chart.yml"), "-e", json.dumps({"chart_folder": str(self.folder)}))
        values = self.folder / "values.json"
        values.write_text(self.helm("get", "values", self.name, "--output=json"), encoding="utf-8")
        (chart,) = self.folder.glob("daskhub-*.tgz")
        plain = ("upgrade", "--install", self.name, str(chart), "--values", str(values), "--wait", "--timeout=20m")
        ours, theirs = [], []
        for turn in range(TURNS):
            say(f"the release on a cluster from nothing, plain Helm and the role, {turn + 1} of {TURNS}")
            self.nothing()
            theirs.append(seconds(lambda: self.helm(*plain)))
            self.nothing()
            ours.append(self.stage())
        yield Row(
            "release from nothing, stage of site.yml",
            min(ours),
            "s",
            "helm upgrade --install --wait",
            min(theirs),
            1.15,
        )
        say("the release on a cluster with nothing to change")
        ours = [seconds(lambda: self.play("playbooks/daskhub.yml", changed=False)) for _probe in range(PROBES)]
        yield Row("nothing to change, daskhub.yml", min(ours), "s", "limit", UNCHANGED_LIMIT, 1)

    def stage(self) -> float:
        """Seconds of the role in a play that knows the rest."""
        first, last = re.findall(rf"{STAGE} ([\d.]+)", self.play(str(self.folder / "stage.yml")))
        return float(last) - float(first)

    def nothing(self) -> None:
        """Take the release away; the secrets are there, as in the site."""
        self.helm("uninstall", self.name, "--wait", "--ignore-not-found", "--timeout=5m")
        self.kubectl("wait", "pods", "--all", "--for=delete", "--timeout=300s")
        self.play("playbooks/secrets.yml")

    def play(self, name: str, *words: str, changed: bool = True) -> str:
        """What a playbook prints."""
        command = [str(BIN / "ansible-playbook"), name, "-i", str(self.folder / "hosts.json"), *words]
        said = self.run(command)
        if not changed and "changed=0 " not in said:
            sys.exit(f"{' '.join(command)}\nchanged something in the benchmark:\n{said[-4000:]}")
        return said

    def helm(self, *words: str) -> str:
        return self.run(["helm", *words, "--namespace", self.name])

    def kubectl(self, *words: str) -> str:
        return self.run(["kubectl", *words, "--namespace", self.name])

    def run(self, command: list[str]) -> str:
        """Run a command; what it printed is shown when it fails."""
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}\nfailed in the benchmark:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        return done.stdout

    def remove(self) -> None:
        """Delete everything."""
        for command in (
            ["helm", "uninstall", self.name, "--namespace", self.name, "--ignore-not-found"],
            ["kubectl", "delete", "namespace", self.name, "--ignore-not-found", "--wait=false"],
        ):
            subprocess.run(command, env=self.environment, capture_output=True, timeout=LIMIT, check=False)


def seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def say(what: str) -> None:
    print(f"bench: {what} ...", file=sys.stderr, flush=True)
