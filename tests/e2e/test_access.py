# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Access to a real cluster through Azure's ways: unmodified clients, by the kubeconfigs that aks_kubeconfig writes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from real_aks import MEMORY, Aks

#: Holds a shell; one of the images of the jupyterhub chart, which a cluster for a hub must be able to get anyway.
IMAGE = "quay.io/jupyterhub/k8s-network-tools:4.4.0"
#: Seconds of a token's life, and of a pod that takes its time.
LIFE = 60
SLOW = 90
PYTHON = """
import sys
from kubernetes import client, config
config.load_kube_config(sys.argv[1])
print(len(client.CoreV1Api().list_node().items))
"""


@pytest.fixture(params=["exec", "token"])
def kubeconfig(aks: Aks, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """As the module writes it, of each kind."""
    path = tmp_path / "config"
    aks.access(path, auth=request.param)
    return path


@pytest.fixture
def short(aks: Aks) -> Iterator[None]:
    """Tokens that live for a minute."""
    aks.cloud.dial("PATCH", "/tokens", {"lifetime": LIFE})
    yield
    aks.cloud.dial("PATCH", "/tokens", {"lifetime": 3600})


def chart(directory: Path, seconds: int) -> Path:
    """A chart of one pod that is ready after so many seconds."""
    container = {"name": "main", "image": IMAGE, "command": ["sleep", "3600"]}
    pod = {
        "terminationGracePeriodSeconds": 0,
        "initContainers": [{**container, "name": "slow", "command": ["sleep", str(seconds)]}],
        "containers": [container],
    }
    labels = {"app": "slow"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "slow"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    (directory / "templates").mkdir(parents=True)
    (directory / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "slow", "version": "1.0.0"}))
    (directory / "templates" / "deployment.yaml").write_text(yaml.safe_dump(deployment))
    return directory


def release(aks: Aks, kubeconfig: Path, namespace: str, directory: Path) -> Any:
    """Install it, and wait until its pod is ready."""
    words = ("upgrade", "--install", "slow", str(directory), "--namespace", namespace, "--wait", "--timeout", "5m")
    return aks.run("helm", f"--kubeconfig={kubeconfig}", *words, limit=330)


def test_the_server_is_the_real_one(aks: Aks, tmp_path: Path) -> None:
    result = aks.access(tmp_path / "config")
    given = yaml.safe_load(aks.owner.read_text())["clusters"][0]["cluster"]["server"]
    assert (result["server"], result["auth"]) == (given, "exec")


def test_kubectl(aks: Aks, kubeconfig: Path) -> None:
    done = aks.run("kubectl", f"--kubeconfig={kubeconfig}", "auth", "whoami", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"]["userInfo"]["username"].startswith("system:serviceaccount:azure-stand-in:")
    assert aks.run("kubectl", f"--kubeconfig={kubeconfig}", "get", "nodes").returncode == 0


def test_python(aks: Aks, kubeconfig: Path) -> None:
    done = aks.run(sys.executable, "-c", PYTHON, str(kubeconfig))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(aks.objects("nodes"))


def test_kubernetes_core(aks: Aks, kubeconfig: Path, namespace: str) -> None:
    definition = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "seen", "namespace": namespace},
        "data": {"a": "b"},
    }
    arguments = json.dumps({"kubeconfig": str(kubeconfig), "definition": definition, "apply": True})
    ansible = str(Path(sys.executable).with_name("ansible"))
    python = f"ansible_python_interpreter={sys.executable}"
    words = (ansible, "localhost", "-m", "kubernetes.core.k8s", "-a", arguments, "-e", python)
    # "localhost | CHANGED => {"
    assert [aks.run(*words).stdout.split()[2] for _ in range(2)] == ["CHANGED", "SUCCESS"]


def test_helm(aks: Aks, kubeconfig: Path, namespace: str, tmp_path: Path) -> None:
    done = release(aks, kubeconfig, namespace, chart(tmp_path / "slow", seconds=0))
    assert done.returncode == 0, done.stderr
    assert "STATUS: deployed" in done.stdout


@pytest.mark.usefixtures("short")
def test_a_release_outlasts_the_life_of_its_token(aks: Aks, namespace: str, tmp_path: Path) -> None:
    path, once = tmp_path / "config", tmp_path / "once"
    aks.access(path)
    aks.access(once, auth="token")
    start = time.monotonic()
    done = release(aks, path, namespace, chart(tmp_path / "slow", SLOW))
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start > SLOW > LIFE + MEMORY
    # What was given at the beginning lets nobody in any more: without a new one the release had failed.
    refused = aks.run("kubectl", f"--kubeconfig={once}", "get", "nodes")
    assert refused.returncode != 0 and "Unauthorized" in refused.stderr + refused.stdout, refused
