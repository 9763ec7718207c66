# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the hub's values do to users' pods on a real node: steps after a start, and placeholders that give way.

E2E_NOTEBOOK names an image with JupyterLab that the cluster's nodes have or can pull.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

IMAGE = os.environ.get("E2E_NOTEBOOK", "pangeo/base-notebook:2025.11.13")
PATIENCE = 150.0
PLUGIN = "@jupyterlab/docmanager-extension:plugin"
STEPS = {
    # An address that nobody has (RFC 5737): it never answers.
    "repositories": [{"url": "https://192.0.2.1/examples.git", "branch": "", "folder": "examples"}],
    "qgis": None,
    "timeout": 3,
}
ASK = (
    "import json, urllib.request as r;"
    f"found = json.load(r.urlopen('http://127.0.0.1:8888/lab/api/settings/{PLUGIN}?token=t'));"
    "print(found['schema']['properties']['defaultViewers']['default'])"
)
Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(owner: Path) -> Iterator[Kubectl]:
    """kubectl in a namespace of this test alone; objects as JSON on its input."""
    name = f"e2e-{os.urandom(4).hex()}"

    def run(*words: str, given: Any = None) -> str:
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(owner), "--namespace", name, *words],
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"

    run("create", "namespace", name)
    yield run
    run("delete", "namespace", name, "--wait=false")
    run("delete", "priorityclass", "--selector", f"e2e={name}")


def until(look: Callable[[], bool], what: str) -> None:
    """Wait for the cluster."""
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end, what
        time.sleep(1)


def test_steps_after_a_start(kubectl: Kubectl, root: Path) -> None:
    """The pod runs at once, the log says what failed, and JupyterLab has the hub's settings."""
    role = root / "roles/daskhub"
    shell = yaml.safe_load((role / "vars/main/post_start.yml").read_text())["__daskhub_post_start_shell"]
    files = {
        "post_start.py": (role / "files/post_start/post_start.py").read_text(),
        "steps.json": json.dumps(STEPS),
        "default_setting_overrides.json": json.dumps({PLUGIN: {"defaultViewers": {"markdown": "Markdown Preview"}}}),
    }
    settings = "/usr/local/etc/jupyter/labconfig/default_setting_overrides.json"
    container = {
        "name": "notebook",
        "image": IMAGE,
        "command": ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=8888", "--ServerApp.token=t"],
        "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", shell]}}},
        "securityContext": {"runAsUser": 1000},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "volumeMounts": [
            {"name": "post-start", "mountPath": "/usr/local/share/daskhub/post-start", "readOnly": True},
            {"name": "post-start", "mountPath": settings, "subPath": Path(settings).name, "readOnly": True},
            {"name": "home", "mountPath": "/home/jovyan"},
        ],
    }
    volumes = [{"name": "post-start", "configMap": {"name": "post-start"}}, {"name": "home", "emptyDir": {}}]
    spec = {"containers": [container], "volumes": volumes, "securityContext": {"fsGroup": 100}}
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "post-start"}, "data": files},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "notebook"}, "spec": spec},
    ]
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})

    def log() -> str:
        return kubectl("exec", "notebook", "--", "sh", "-c", "cat ~/.post-start.log")

    until(lambda: "failed: it took too long" in log(), "the log never said what failed")
    until(lambda: "Markdown Preview" in kubectl("exec", "notebook", "--", "python3", "-c", ASK), "no settings")
    state = json.loads(kubectl("get", "pod", "notebook", "--output=json"))["status"]["containerStatuses"][0]
    assert state["restartCount"] == 0 and "running" in state["state"]


def test_a_placeholder_gives_way_to_a_user(kubectl: Kubectl, root: Path) -> None:
    """With the priority that the chart gives it; as large as half of what is free, and a little more."""
    kept = json.loads((root / "tests/kubernetes/manifests/everything.json").read_text())["objects"]
    name = json.loads(kubectl("create", "configmap", "x", "--dry-run=client", "--output=json"))["metadata"]["namespace"]
    (low,) = [one for one in kept if one["metadata"]["name"] == "dask-user-placeholder-priority"]
    (placeholder,) = [
        one for one in kept if one["metadata"]["name"] == "user-placeholder" and one["kind"] == "StatefulSet"
    ]
    low["metadata"] = {"name": name, "labels": {"e2e": name}}
    pod = placeholder["spec"]["template"]["spec"]
    for key in ("affinity", "tolerations", "schedulerName"):
        pod.pop(key)
    room = {"cpu": f"{int(free_cores(kubectl) * 600)}m", "memory": "16Mi"}
    pod.update({"priorityClassName": name, "containers": [{**pod["containers"][0], "resources": {"requests": room}}]})
    placeholder["spec"]["replicas"] = 1
    placeholder["metadata"] = {"name": "user-placeholder"}
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": [low, placeholder]})

    def phase(of: str) -> str:
        return kubectl("get", "pod", of, "--output=jsonpath={.status.phase}")

    until(lambda: phase("user-placeholder-0") == "Running", "the placeholder found no room")
    user = {"containers": [{**pod["containers"][0], "name": "user"}], "terminationGracePeriodSeconds": 0}
    kubectl("apply", "-f", "-", given={"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"}, "spec": user})
    until(lambda: phase("user") == "Running", "the user found no room")
    until(lambda: phase("user-placeholder-0") == "Pending", "the placeholder is still there")


def free_cores(kubectl: Kubectl) -> float:
    """The most that a node has left for pods."""
    pods = json.loads(kubectl("get", "pods", "--all-namespaces", "--output=json"))["items"]
    most = 0.0
    for node in json.loads(kubectl("get", "nodes", "--output=json"))["items"]:
        there = [one for one in pods if one["spec"].get("nodeName") == node["metadata"]["name"]]
        there = [one for one in there if one["status"]["phase"] not in ("Succeeded", "Failed")]
        asked = [c["resources"].get("requests", {}).get("cpu", "0") for one in there for c in one["spec"]["containers"]]
        most = max(most, cores(node["status"]["allocatable"]["cpu"]) - sum(map(cores, asked)))
    return most


def cores(amount: str) -> float:
    return int(amount[:-1]) / 1000 if amount.endswith("m") else float(amount)
