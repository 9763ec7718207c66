# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Faults planted in a real cluster, as the kubelet, the scheduler and the controllers tell of them.

E2E_IMAGE names an image that the cluster's nodes have or can pull, with a shell.
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

from azure_modules import SERVER, Running

IMAGE = os.environ.get("E2E_IMAGE", "quay.io/jupyterhub/k8s-hub:4.4.0")
RELEASE = "dask"
TOKEN = "0123456789abcdef0123456789abcdef"
PATIENCE = 150.0
Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def kubectl(owner: Path) -> Kubectl:
    """kubectl with the cluster's administrator; objects as JSON on its input."""

    def run(*words: str, given: Any = None) -> str:
        return subprocess.run(
            ["kubectl", "--kubeconfig", str(owner), *words],
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return run


@pytest.fixture(scope="module")
def space(kubectl: Kubectl) -> Iterator[str]:
    """A namespace with a fault in each of its workloads."""
    name = f"e2e-{os.urandom(4).hex()}"
    kubectl("create", "namespace", name)
    kubectl("-n", name, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": planted()})
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def look(owner: Path, space: str) -> Callable[..., dict[str, Any]]:
    """Run the module."""

    def run(**arguments: Any) -> dict[str, Any]:
        given = {"kubeconfig": str(owner), "namespace": space, **arguments}
        return Running(SERVER.run("hub_diagnosis_info", dict(os.environ)), given).result()

    return run


def pod(command: str = "sleep 3600", image: str = IMAGE, **more: Any) -> dict[str, Any]:
    """A pod's spec; what is more goes to its container, or to the pod where that has it."""
    container = {"name": "main", "image": image, "command": ["sh", "-c", command], "imagePullPolicy": "IfNotPresent"}
    spec: dict[str, Any] = {"terminationGracePeriodSeconds": 0}
    for key, value in more.items():
        (spec if key in ("nodeSelector", "volumes", "restartPolicy", "tolerations") else container)[key] = value
    return {**spec, "containers": [container]}


def deployment(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": name, "release": RELEASE}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def person(name: str, labels: dict[str, str], spec: dict[str, Any], user: str = "") -> dict[str, Any]:
    """A pod of a user's."""
    annotations = {"hub.jupyter.org/username": user} if user else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": spec,
    }


def planted() -> list[dict[str, Any]]:
    """The faults."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "hub-db-dir", "labels": {"release": RELEASE}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "no-such-class",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "hook-image-awaiter",
            "labels": {"release": RELEASE},
            "annotations": {"helm.sh/hook": "pre-install,pre-upgrade"},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": pod("echo images are missing; exit 1", restartPolicy="Never")},
        },
    }
    huge = {"requests": {"cpu": "900"}}
    tolerant = [{"operator": "Exists"}]
    return [
        claim,
        job,
        deployment("placed-nowhere", pod(nodeSelector={"hub.jupyter.org/node-purpose": "nowhere"})),
        deployment("too-large", pod(resources=huge, tolerations=tolerant)),
        deployment("not-pulled", pod(image="registry.invalid/hub:1")),
        deployment("without-secret", pod(envFrom=[{"secretRef": {"name": "hub-secrets"}}])),
        deployment("crashing", pod(f"echo starting; echo token={TOKEN}; echo KeyError: profiles; exit 3")),
        deployment(
            "without-volume", pod(volumes=[{"name": "db", "persistentVolumeClaim": {"claimName": "hub-db-dir"}}])
        ),
        person(
            "jupyter-ada",
            {"app.kubernetes.io/component": "singleuser-server"},
            pod(nodeSelector={"userkind": "gpu"}),
            "ada",
        ),
        person(
            "dask-scheduler-0a1b",
            {"app.kubernetes.io/component": "dask-scheduler", "gateway.dask.org/cluster": "0a1b"},
            pod(image="registry.invalid/notebook:1"),
        ),
    ]


# Cause, beginning of the object's name, and what the evidence tells.
RELEASES = [
    ("missing", "Pod/without-secret-", 'secret "hub-secrets" not found'),
    ("image", "Pod/not-pulled-", "registry.invalid/hub:1"),
    ("volume", "PersistentVolumeClaim/hub-db-dir", "no storage class no-such-class"),
    ("unschedulable-selector", "Pod/placed-nowhere-", "hub.jupyter.org/node-purpose=nowhere"),
    ("unschedulable-cpu", "Pod/too-large-", "asks for 900 cores"),
    ("crash", "Pod/crashing-", "KeyError: profiles"),
    ("job", "Job/hook-image-awaiter", "images are missing"),
]


def test_planted_faults_are_told(look: Callable[..., dict[str, Any]]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        result = look(release=RELEASE)
        untold = [
            (cause, where)
            for cause, where, evidence in RELEASES
            if not any(
                one["cause"] == cause and one["object"].startswith(where) and evidence in one["evidence"]
                for one in result["findings"]
            )
        ]
        if not untold:
            break
        assert time.monotonic() < end, (untold, result["message"])
        time.sleep(2)
    assert TOKEN not in json.dumps(result) and "token=***" in result["message"]
    # What explains others comes before, and what is a user's is not the release's.
    causes = [one["cause"] for one in result["findings"]]
    assert causes.index("missing") < causes.index("crash") < causes.index("job")
    assert "jupyter-ada" not in result["message"] and "0a1b" not in result["message"]


def test_one_users_server_and_one_dask_cluster(look: Callable[..., dict[str, Any]], space: str) -> None:
    (server,) = look(user="ada")["findings"]
    assert server["cause"] == "unschedulable-selector" and "userkind=gpu" in server["evidence"]
    end = time.monotonic() + PATIENCE
    while not (found := look(dask_cluster=f"{space}.0a1b")["findings"]):
        assert time.monotonic() < end
        time.sleep(2)
    assert (found[0]["cause"], found[0]["object"]) == ("image", "Pod/dask-scheduler-0a1b")


def test_a_namespace_in_deletion_says_what_holds_it(owner: Path, kubectl: Kubectl) -> None:
    name = f"e2e-{os.urandom(4).hex()}"
    kubectl("create", "namespace", name)
    held = {"name": "held", "finalizers": ["example.org/held"]}
    kubectl("-n", name, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    kubectl("delete", "namespace", name, "--wait=false")
    try:
        given = {"kubeconfig": str(owner), "namespace": name}
        end = time.monotonic() + PATIENCE
        while True:
            (first, *_others) = Running(SERVER.run("hub_diagnosis_info", dict(os.environ)), given).result()["findings"]
            if "example.org/held" in first["evidence"]:
                break
            assert time.monotonic() < end, first
            time.sleep(1)
        assert first["cause"] == "namespace" and "being deleted" in first["evidence"]
    finally:
        patch = json.dumps({"metadata": {"finalizers": None}})
        kubectl("-n", name, "patch", "configmap", "held", "--type=merge", "-p", patch)
