# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A release of a stand-in umbrella chart: made by the role daskhub's own tasks, looked at by plain Helm."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from azure_modules import SERVER, Running
from kubernetes_api_server import ApiServer

ROOT = Path(__file__).resolve().parents[1]
CHARTS = ROOT / "tests/kubernetes/charts"
PLAYBOOKS = Path(sys.executable).parent
NUMBERS = itertools.count()
LIMIT = 120
DATA = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: hub-data
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}}
data:
  ui.json: {{ .Files.Get "files/ui.json" | quote }}
{{ with .Values.more }}{{ toYaml . }}{{ end }}
"""
PLAY = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Run the release of the role",
            "ansible.builtin.include_role": {"name": "planetary.hub.daskhub", "tasks_from": "kubernetes/release.yml"},
        },
        {
            "name": "Keep what it says",
            "ansible.builtin.copy": {
                "content": "{{ __daskhub_release_result | to_json }}",
                "dest": "{{ result_file }}",
                "mode": "0600",
            },
            "check_mode": False,
            "diff": False,
            "changed_when": False,
        },
    ],
}


class Release:
    """A release in a namespace of its own.

    :ivar values: what is written as the file of values, JSON
    :ivar data: a shipped file of the umbrella chart
    """

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.namespace = f"release-{next(NUMBERS)}"
        self.kubeconfig = str(server.kubeconfig())
        self.folder = folder
        self.values: dict[str, Any] = {}
        self.data = "{}"
        self.environment = {**os.environ, "KUBECONFIG": self.kubeconfig, "ANSIBLE_NOCOLOR": "1"}

    @property
    def work(self) -> Path:
        """What the role's chart.yml makes for a run; it goes away with the last change."""
        place = self.folder / "work"
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    @property
    def values_file(self) -> Path:
        """The values, written."""
        path = self.work / "values.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.values), encoding="utf-8")
        return path

    def chart(self) -> dict[str, str]:
        """The packaged umbrella chart; its version carries the digest of its content."""
        digest = hashlib.sha256(self.data.encode()).hexdigest()[:12]
        version = f"0.1.0+{digest}"
        package = self.folder / f"daskhub-{version}.tgz"
        if not package.exists():
            self._package(version)
        return {"name": "daskhub", "version": version, "path": str(package)}

    def _package(self, version: str) -> None:
        place = self.folder / "chart"
        shutil.rmtree(place, ignore_errors=True)
        for name in ("jupyterhub", "dask-gateway"):
            shutil.copytree(CHARTS / name, place / "charts" / name)
        (place / "templates").mkdir()
        (place / "files").mkdir()
        (place / "templates" / "data.yaml").write_text(DATA, encoding="utf-8")
        (place / "files" / "ui.json").write_text(self.data, encoding="utf-8")
        content = {"apiVersion": "v2", "name": "daskhub", "version": version}
        (place / "Chart.yaml").write_text(json.dumps(content), encoding="utf-8")
        self.helm("package", str(place), "--destination", str(self.folder), namespace=False)

    def helm(self, *arguments: str, namespace: bool = True) -> str:
        """Plain Helm."""
        place = ["--namespace", self.namespace] if namespace else []
        done = subprocess.run(
            ["helm", *arguments, *place], env=self.environment, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def by_hand(self, *arguments: str) -> str:
        """Install or upgrade as people do it."""
        command = ["upgrade", "--install", "dask", self.chart()["path"], "--create-namespace"]
        return self.helm(*command, "--values", str(self.values_file), *arguments)

    def history(self) -> list[str]:
        """The status of each revision."""
        return [one["status"] for one in json.loads(self.helm("history", "dask", "--output=json"))]

    def stored_values(self) -> dict[str, Any]:
        """The values as Helm has them."""
        found: dict[str, Any] = json.loads(self.helm("get", "values", "dask", "--output=json"))
        return found

    def module(self, name: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run one of the modules."""
        given = {"kubeconfig": self.kubeconfig, "release": "dask", "namespace": self.namespace, **arguments}
        given |= {"_ansible_check_mode": check, "_ansible_diff": True}
        return Running(SERVER.run(name, self.environment), given).result()

    def compared(self, **arguments: Any) -> dict[str, Any]:
        """What an upgrade would change."""
        given = {"chart": self.chart()["path"], "values_file": str(self.values_file), **arguments}
        return self.module("helm_release_diff", **given)

    def play(self, *options: str, **variables: Any) -> Played:
        """Run the tasks of the role."""
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "__daskhub_kubeconfig": self.kubeconfig,
            "__daskhub_release": "dask",
            "__daskhub_namespace": self.namespace,
            "__daskhub_chart": self.chart(),
            "__daskhub_values_file": str(self.values_file),
            "__daskhub_work_directory": str(self.work),
            "daskhub_deploy_timeout": 20,
            "result_file": str(self.folder / "result.json"),
            **variables,
        }
        (self.folder / "play.json").write_text(json.dumps([PLAY]), encoding="utf-8")
        (self.folder / "result.json").unlink(missing_ok=True)
        done = subprocess.run(
            [PLAYBOOKS / "ansible-playbook", str(self.folder / "play.json"), *options, "-e", json.dumps(variables)],
            cwd=ROOT,
            env={**self.environment, "ANSIBLE_HOME": str(self.folder / "ansible")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        return Played(done, self.folder / "result.json")


class Played:
    """A play that has ended.

    :ivar result: what the tasks say became of the release; empty when they failed
    """

    def __init__(self, done: subprocess.CompletedProcess[str], result: Path) -> None:
        self.failed = done.returncode != 0
        self.said = done.stdout + done.stderr
        # However Ansible broke the lines.
        self.text = " ".join(self.said.split())
        self.result: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        (line,) = (line for line in self.said.splitlines() if "changed=" in line)
        return int(line.partition("changed=")[2].split()[0])
