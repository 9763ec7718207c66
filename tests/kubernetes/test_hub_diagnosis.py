# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""hub_diagnosis_info against a real API server: what is stored there is found, and what may not be read is said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from azure_modules import SERVER, Running
from kubernetes import client, config
from kubernetes_api_server import ApiServer

SPACE = "diagnosed"
WAITING = {"reason": "CreateContainerConfigError", "message": 'secret "hub-secrets" not found'}


def look(kubeconfig: Any, **arguments: Any) -> dict[str, Any]:
    """Run the module."""
    arguments = {"kubeconfig": str(kubeconfig), "namespace": SPACE, **arguments}
    return Running(SERVER.run("hub_diagnosis_info", dict(os.environ)), arguments).result()


def pod(name: str, component: str, **annotated: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/component": component, "release": "dask"},
            "annotations": {f"hub.jupyter.org/{key}": value for key, value in annotated.items()},
        },
        "spec": {"containers": [{"name": "hub", "image": "registry.example.org/hub:1"}]},
    }


@pytest.fixture(scope="module")
def planted(api_server: ApiServer) -> Iterator[ApiServer]:
    """A namespace with a missing Secret, as the kubelet tells it, a user without a node and a claim without a class."""
    loader: Any = config.new_client_from_config
    core: Any = client.CoreV1Api(loader(str(api_server.kubeconfig())))
    core.create_namespace({"metadata": {"name": SPACE}})
    for body, status in (
        (pod("hub-1", "hub"), {"containerStatuses": [_waiting()]}),
        (
            pod("jupyter-ada", "singleuser-server", username="ada"),
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "no nodes available to schedule pods",
                    }
                ]
            },
        ),
    ):
        core.create_namespaced_pod(SPACE, body)
        core.patch_namespaced_pod_status(body["metadata"]["name"], SPACE, {"status": {"phase": "Pending", **status}})
    claim = {
        "metadata": {"name": "hub-db-dir", "labels": {"release": "dask"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    core.create_namespaced_persistent_volume_claim(SPACE, claim)
    event = {
        "metadata": {"name": "hub-db-dir.1"},
        "involvedObject": {"kind": "PersistentVolumeClaim", "name": "hub-db-dir", "namespace": SPACE},
        "type": "Warning",
        "reason": "FailedBinding",
        "message": "no persistent volumes available for this claim and no storage class is set",
    }
    core.create_namespaced_event(SPACE, event)
    yield api_server
    core.delete_namespace(SPACE)


def _waiting() -> dict[str, Any]:
    return {
        "name": "hub",
        "image": "registry.example.org/hub:1",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": WAITING},
    }


def test_the_release_without_its_users(planted: ApiServer) -> None:
    result = look(planted.kubeconfig(), release="dask")
    assert [(one["cause"], one["object"]) for one in result["findings"]] == [
        ("missing", "Pod/hub-1"),
        ("volume", "PersistentVolumeClaim/hub-db-dir"),
    ]
    assert not result["changed"] and "hub-secrets" in result["message"]


def test_one_users_server(planted: ApiServer) -> None:
    (finding,) = look(planted.kubeconfig(), user="ada")["findings"]
    assert (finding["cause"], finding["object"]) == ("unschedulable-no-node", "Pod/jupyter-ada")
    (absent,) = look(planted.kubeconfig(), user="grace")["findings"]
    assert absent["cause"] == "absent"


def test_a_namespace_that_is_not_there(planted: ApiServer) -> None:
    (finding,) = look(planted.kubeconfig(), namespace="nowhere")["findings"]
    assert (finding["cause"], finding["object"]) == ("namespace", "Namespace/nowhere")


def test_what_may_not_be_read_is_said(planted: ApiServer) -> None:
    (finding,) = look(planted.kubeconfig("guest"))["findings"]
    assert finding["cause"] == "rights" and "Pod, Event" in finding["evidence"]


def test_a_cluster_out_of_reach_and_two_subjects_are_one_sentence(planted: ApiServer, tmp_path: Any) -> None:
    away = tmp_path / "kubeconfig"
    away.write_text(planted.kubeconfig().read_text().replace(planted.url, "https://127.0.0.1:1"))
    assert look(away)["msg"] == (
        "The hub cannot be looked at: the cluster at https://127.0.0.1:1 cannot be reached: connection refused."
    )
    assert look(away, user="ada", dask_cluster="0a1b")["msg"] == (
        "Both user (ada) and dask_cluster (0a1b) are given; give one."
    )
