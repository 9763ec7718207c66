# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._config_map_sync import digests, mounts, seen
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import at_work, meaning
from ansible_collections.planetary.hub.plugins.module_utils._helm_history import Recovery, Revision, recovery, undo
from ansible_collections.planetary.hub.plugins.module_utils._helm_job import Job
from ansible_collections.planetary.hub.plugins.module_utils._helm_objects import changed_paths, differences, objects
from ansible_collections.planetary.hub.plugins.module_utils._helm_plan import made
from ansible_collections.planetary.hub.plugins.module_utils._helm_rollout import workload

NAMES = {"release": "dask", "namespace": "dhub", "chart": "daskhub.tgz"}


@pytest.mark.parametrize(
    ("statuses", "recovered", "undone"),
    [
        ([], Recovery("none"), Recovery("none")),
        (["deployed"], Recovery("none", 0, "deployed"), Recovery("none", 0, "deployed")),
        (["failed"], Recovery("none", 0, "failed"), Recovery("uninstall", 0, "failed")),
        (["deployed", "failed"], Recovery("none", 0, "failed"), Recovery("rollback", 1, "failed")),
        (["pending-install"], *[Recovery("uninstall", 0, "pending-install")] * 2),
        (["failed", "pending-upgrade"], *[Recovery("uninstall", 0, "pending-upgrade")] * 2),
        (["superseded", "deployed", "pending-upgrade"], *[Recovery("rollback", 2, "pending-upgrade")] * 2),
        (["superseded", "failed", "pending-rollback"], *[Recovery("rollback", 1, "pending-rollback")] * 2),
        (["uninstalling"], Recovery("uninstall", 0, "uninstalling"), Recovery("uninstall", 0, "uninstalling")),
    ],
)
def test_what_is_left_to_be_done(statuses: list[str], recovered: Recovery, undone: Recovery) -> None:
    history = [Revision(number, status, "") for number, status in enumerate(statuses, 1)]
    assert (recovery(history), undo(history)) == (recovered, undone)


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("Error: UPGRADE FAILED: context deadline exceeded", "not everything became ready in time"),
        ('Error: namespaces "x" is forbidden: User "a" cannot get resource "b"', 'namespaces "x" is forbidden: User'),
        ("Error: chart requires kubeVersion: >=1.40 which is incompatible", "the chart needs Kubernetes >=1.40"),
        ("Error: Kubernetes cluster unreachable: Get: no route", "the cluster cannot be reached (Get: no route)"),
        ("WARNING: x\nError: something new", "something new"),
        ("", "it gave no reason"),
    ],
)
def test_what_helm_says_in_one_sentence(said: str, start: str) -> None:
    found = meaning(said, NAMES)
    assert found.startswith(start) and "\n" not in found and not found.endswith(".")


def manifest(*documents: dict[str, Any]) -> dict[str, Any]:
    return {"manifest": "\n---\n".join(map(json.dumps, documents))}


def test_values_of_secrets_are_compared_and_never_shown() -> None:
    old = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b2xk", "b": "c2FtZQ=="}}
    new = {**old, "data": {"a": "bmV3", "b": "c2FtZQ==", "c": "YWRkZWQ="}}
    (found,) = differences(objects(manifest(old)), objects(manifest(new)))
    assert found.before.splitlines()[-2:] == ["  a: '********'", "  b: '********'"]
    assert found.after.splitlines()[-3:] == ["  a: '******** (another value)'", "  b: '********'", "  c: '********'"]
    assert differences(objects(manifest(new)), objects(manifest(new))) == []


def test_hooks_that_have_nothing_to_do_are_no_change() -> None:
    hook = {"hooks": [manifest({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pull"}})]}
    assert differences(objects(hook), objects({})) == []
    assert [one.name for one in differences(objects({}), objects(hook))] == ["hook Job/pull"]


def test_values_differ_by_type_too() -> None:
    assert changed_paths({"a": "1", "b": True, "c": 1}, {"a": 1, "b": 1, "c": 1.0}) == ["a", "b"]


def test_a_changed_version_alone_is_a_change_that_helm_module_sees() -> None:
    live = {"chart": {"metadata": {"name": "daskhub", "version": "1+a"}}, "config": {}}
    wanted = {"chart": {"metadata": {"name": "daskhub", "version": "1+b"}}, "config": {}}
    assert (made(live, wanted, "deployed", {}).action, made(live, wanted, "deployed", {}).unseen) == ("upgrade", False)
    assert made(live, live, "deployed", {}).action == "none"
    assert (made(live, live, "failed", {}).action, made(live, live, "failed", {}).unseen) == ("upgrade", True)


def test_a_deployment_is_settled_when_its_newest_pods_are_ready() -> None:
    one: dict[str, Any] = {
        "metadata": {"name": "hub", "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": "hub"}}},
        "status": {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1},
    }
    assert str(workload("Deployment", one, [])) == "hub: ready"
    one["metadata"]["generation"] = 3
    pod = {"metadata": {"labels": {"app": "hub"}}, "status": {"phase": "Pending"}}
    assert str(workload("Deployment", one, [pod])) == "hub: 1 of 1 ready (pending)"
    # Placeholders wait for room themselves; nobody waits for them.
    one["spec"]["updateStrategy"] = {"type": "OnDelete"}
    one["status"] = {"observedGeneration": 2, "replicas": 1}
    assert workload("StatefulSet", one, [pod]).settled


def test_a_job_has_ended_when_its_result_is_there(tmp_path: Path) -> None:
    path = tmp_path / "job"
    job = Job(str(path), NAMES)
    assert job.ended() == "the task that ran Helm left no result"
    for content, ended in [
        ('{"started": 1, "finished": 0, "ansible_job_id": "j1"}', None),
        ('{"chan', None),
        ('{"changed": true, "stdout": ""}', ""),
        (
            '{"failed": true, "stderr": "Error: timed out waiting for the condition"}',
            "not everything became ready in time",
        ),
    ]:
        path.write_text(content)
        assert job.ended() == ended


def test_helm_at_work_is_found_by_release_and_namespace(tmp_path: Path) -> None:
    for number, command, namespace in [
        (1, ["/usr/bin/helm", "upgrade", "-i", "dask"], "dhub"),
        (2, ["helm", "upgrade", "-i", "dask"], "other"),
        (3, ["helm", "list", "dask"], "dhub"),
        (4, ["vim", "upgrade", "dask"], "dhub"),
    ]:
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_bytes("\0".join(command).encode())
        (tmp_path / str(number) / "environ").write_bytes(f"A=b\0HELM_NAMESPACE={namespace}\0".encode())
    assert list(at_work("dask", "dhub", tmp_path)) == [1]


def test_only_whole_mounts_in_our_running_pods_are_waited_for() -> None:
    def pod(name: str, phase: str = "Running", **labels: str) -> dict[str, Any]:
        mounted = [{"name": "d", "mountPath": "/data/"}, {"name": "d", "mountPath": "/one", "subPath": "ui.json"}]
        spec = {"containers": [{"name": "hub", "volumeMounts": mounted}]}
        volumes = [{"name": "d", "configMap": {"name": "hub-data", "items": [{"key": "ui.json", "path": "x/ui.json"}]}}]
        metadata = {"name": name, "labels": labels}
        return {"metadata": metadata, "spec": {**spec, "volumes": volumes}, "status": {"phase": phase}}

    known = {"hub-data": digests({"data": {"ui.json": "{}", "other": ""}})}
    somebodys = pod("jupyter-ada", **{"hub.jupyter.org/username": "ada"})
    (found,) = mounts([pod("hub"), pod("old", "Pending"), somebodys], known)
    assert (found.pod, found.container, list(found.files)) == ("hub", "hub", ["/data/x/ui.json"])
    assert seen("abc  /data/x/ui.json\n") == {"/data/x/ui.json": "abc"}
