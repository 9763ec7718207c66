# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Snapshots of homes: which are removed, and the job as its pod runs it, with the rights that the chart gives it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from kubernetes_api_server import ApiServer

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "roles/daskhub/files/chart/files/home_snapshots.py"
SPACE = "homes"
ACCOUNT = f"/api/v1/namespaces/{SPACE}/serviceaccounts"
SNAPSHOTS = f"/apis/snapshot.storage.k8s.io/v1/namespaces/{SPACE}/volumesnapshots"
CLAIMS = f"/api/v1/namespaces/{SPACE}/persistentvolumeclaims"
# As external-snapshotter's, without its checks.
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "volumesnapshots.snapshot.storage.k8s.io",
        "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"
        },
    },
    "spec": {
        "group": "snapshot.storage.k8s.io",
        "names": {"kind": "VolumeSnapshot", "plural": "volumesnapshots", "singular": "volumesnapshot"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


def loaded(account: Path) -> ModuleType:
    """The script as a module, for an account."""
    os.environ["SERVICE_ACCOUNT_DIRECTORY"] = str(account)
    spec = importlib.util.spec_from_file_location("home_snapshots", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one(name: str, home: str, day: int, ready: bool) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-11-{day:02}T01:30:00Z"},
        "spec": {"source": {"persistentVolumeClaimName": home}},
        "status": {"readyToUse": ready},
    }


@pytest.mark.parametrize(
    ("snapshots", "removed"),
    [
        ([], []),
        ([("a", "x", 1, True), ("b", "x", 2, True)], []),
        ([("a", "x", 1, True), ("b", "x", 2, True), ("c", "x", 3, True)], ["a"]),
        ([("a", "x", 1, True), ("b", "y", 2, True), ("c", "x", 3, True)], []),
        # One that is being made counts for nothing yet.
        ([("a", "x", 1, True), ("b", "x", 2, True), ("c", "x", 3, False)], []),
        # One that failed goes when a newer one is ready.
        ([("a", "x", 1, True), ("b", "x", 2, False), ("c", "x", 3, True)], ["b"]),
        ([("a", "x", 1, False), ("b", "x", 2, False)], []),
        # Made within a second.
        ([("a", "x", 1, True), ("b", "x", 1, True), ("c", "x", 1, False)], []),
    ],
)
def test_the_newest_that_are_ready_stay(
    tmp_path: Path, snapshots: list[tuple[str, str, int, bool]], removed: list[str]
) -> None:
    assert loaded(tmp_path).outdated([one(*row) for row in snapshots], 2) == removed


class Cluster:
    """A namespace with homes, and the job's account in it."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        host, port = server.url.removeprefix("https://").split(":")
        self.environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        os.environ.update(self.environment)
        self.server, self.folder = server, folder
        kubeconfig = yaml.safe_load(server.kubeconfig().read_text())
        self.authority = Path(kubeconfig["clusters"][0]["cluster"]["certificate-authority"]).read_text()
        self.admin = loaded(self.account("admin", kubeconfig["users"][0]["user"]["token"])).server()

    def account(self, name: str, token: str) -> Path:
        """What a pod finds of its account."""
        place = self.folder / name
        place.mkdir()
        for file, text in {"token": token, "ca.crt": self.authority, "namespace": SPACE}.items():
            (place / file).write_text(text)
        return place

    def make(self, path: str, **body: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("POST", path, body)
        return found

    def home(self, name: str, phase: str, **labels: str) -> None:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = self.make(CLAIMS, metadata={"name": name, "labels": labels}, spec=spec)
        self.admin("PUT", f"{CLAIMS}/{name}/status", {**claim, "status": {"phase": phase}})

    def run(self, account: Path, keep: int) -> subprocess.CompletedProcess[str]:
        """The job, with nothing of this test's environment."""
        return subprocess.run(
            [sys.executable, str(SCRIPT), "--class", "azure", "--keep", str(keep)],
            env={**self.environment, "SERVICE_ACCOUNT_DIRECTORY": str(account), "HTTPS_PROXY": "http://127.0.0.1:1"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def snapshots(self) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.admin("GET", SNAPSHOTS)["items"]}


@pytest.fixture
def cluster(api_server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    for name in ("SERVICE_ACCOUNT_DIRECTORY", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.setenv(name, "")
    found = Cluster(api_server, tmp_path)
    found.make("/api/v1/namespaces", metadata={"name": SPACE})
    found.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", **DEFINITION)
    for _look in range(100):
        with contextlib.suppress(Exception):
            found.snapshots()
            return found
        time.sleep(0.1)
    raise AssertionError("the API of snapshots never came")


def test_the_job(cluster: Cluster) -> None:
    objects = json.loads((Path(__file__).parent / "manifests/everything.json").read_text())["objects"]
    (role,) = [each for each in objects if each["kind"] == "Role" and each["metadata"]["name"] == "dask-home-snapshots"]
    cluster.make(ACCOUNT, metadata={"name": "job"})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    job = cluster.account("job", cluster.make(f"{ACCOUNT}/job/token", **request)["status"]["token"])
    refused = cluster.run(job, 1)
    assert refused.returncode == 1 and "403: persistentvolumeclaims is forbidden" in refused.stderr
    rights = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{SPACE}"
    cluster.make(f"{rights}/roles", metadata={"name": "job"}, rules=role["rules"])
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "job"}
    subject = {"kind": "ServiceAccount", "name": "job", "namespace": SPACE}
    cluster.make(f"{rights}/rolebindings", metadata={"name": "job"}, roleRef=reference, subjects=[subject])

    cluster.home("claim-ada", "Bound", component="singleuser-storage")
    cluster.home("claim-new", "Pending", component="singleuser-storage")
    cluster.home("hub-db-dir", "Bound", component="hub")
    old = loaded(job).snapshot("claim-ada", "azure", "20200101-0000")
    by_hand = {**old, "metadata": {"name": "by-hand"}}
    for each in (old, by_hand):
        made = cluster.make(SNAPSHOTS, **each)
        cluster.admin("PUT", f"{SNAPSHOTS}/{made['metadata']['name']}/status", {**made, "status": {"readyToUse": True}})

    first = cluster.run(job, 1)
    assert first.returncode == 0, first.stderr
    found = cluster.snapshots()
    (new,) = set(found) - {"by-hand", "claim-ada-20200101-0000"}
    assert found[new]["spec"] == {
        "volumeSnapshotClassName": "azure",
        "source": {"persistentVolumeClaimName": "claim-ada"},
    }
    # It is not ready yet: the old one stays. When it is, the old one goes, and what others made stays.
    assert "claim-ada-20200101-0000" in found
    cluster.admin("PUT", f"{SNAPSHOTS}/{new}/status", {**found[new], "status": {"readyToUse": True}})
    second = cluster.run(job, 1)
    assert second.returncode == 0, second.stderr
    assert set(cluster.snapshots()) >= {"by-hand", new}
    assert "claim-ada-20200101-0000" not in cluster.snapshots()
