# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A release from its installation to its removal: Helm and kubernetes.core against a real API server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helm_release import Played, Release
from kubernetes_api_server import ApiServer
from pod_controller import PodController

# What YAML 1.1 reads as numbers or as a boolean.
TAGS = ["2231e05", "1e3", "0123", "on"]
KIND = "middlewares.traefik.io"
BROKEN: dict[str, Any] = {"jupyterhub": {"hub": {"image": {"tag": "broken"}}}}


@pytest.fixture(scope="module", autouse=True)
def pods(api_server: ApiServer) -> Iterator[None]:
    """Pods become ready."""
    controller = PodController(api_server.kubeconfig()).start()
    yield
    controller.stop()


@pytest.fixture
def release(api_server: ApiServer, tmp_path: Path) -> Release:
    if shutil.which("helm") is None:
        pytest.skip("helm is not on PATH: python tests/tools.py builds it")
    return Release(api_server, tmp_path)


def names(result: dict[str, Any]) -> list[str]:
    """The headers of a diff."""
    assert "diff" in result, result
    return [one["after_header"] for one in result["diff"]]


def killed(release: Release) -> None:
    """Helm, killed while it waits for what never becomes ready."""
    values = release.values
    release.values = BROKEN
    command = ["helm", "upgrade", "--install", "dask", release.chart()["path"], "--namespace", release.namespace]
    command += ["--create-namespace", "--values", str(release.values_file), "--wait"]
    release.values = values
    process = subprocess.Popen(
        command, env={**release.environment, "HELM_NAMESPACE": release.namespace}, stdout=subprocess.DEVNULL
    )
    try:
        until(release, "pending")
    finally:
        process.kill()
        process.wait()


def until(release: Release, status: str) -> None:
    """Wait until the last revision has a status."""
    for _look in range(100):
        with_helm = subprocess.run(
            ["helm", "list", "--all", "--output=json", "--namespace", release.namespace],
            env=release.environment,
            capture_output=True,
            text=True,
        )
        found = json.loads(with_helm.stdout or "[]")
        if found and found[0]["status"].startswith(status):
            return
    raise AssertionError(f"the release never was {status}")


def test_from_the_installation_to_a_changed_file(release: Release) -> None:
    forget_kinds(release)
    tags = iter(TAGS)
    environment = {"A": next(tags), "B": "off", "API_TOKEN": "first-hidden-value"}
    release.values = {
        "jupyterhub": {"singleuser": {"image": {"tag": next(tags)}}, "hub": {"extraEnv": environment}},
        "dask-gateway": {"gateway": {"image": {"tag": next(tags)}, "prefix": next(tags)}},
    }
    # Kinds of objects that only the installation itself brings.
    assert release.compared()["action"] == "install"
    done = release.play()
    assert not done.failed, done.said
    assert done.result["action"] == "install" and (done.result["revision"], done.result["status"]) == (1, "deployed")
    assert "release: hub: 0 of 1 ready" in done.said or "release: hub: ready" in done.said
    # As `release_values` they would travel as YAML, where 2231e05 is a number.
    assert release.stored_values() == release.values
    manifest = release.helm("get", "manifest", "dask")
    assert all(f'"{tag}"' in manifest or f':{tag}"' in manifest for tag in TAGS)
    again = release.play()
    assert (again.changed, again.result["changed"], again.result["action"]) == (0, False, "none"), again.said
    # One line of a shipped file: seen in check mode, deployed, seen no more.
    release.data = '{"announcement": "down on Sunday"}'
    planned = release.play("--check", "--diff")
    assert planned.result["changed"] and '+  ui.json: \'{"announcement": "down on Sunday"}\'' in planned.said
    assert release.history() == ["deployed"]
    environment["API_TOKEN"] = "other-hidden-value"
    upgraded = release.play("--diff", "-vvv")
    assert upgraded.result["revision"] == 2 and not release.compared()["changed"]
    no_secret_is_shown_or_left(release, upgraded)


def forget_kinds(release: Release) -> None:
    """Take away the kinds of objects that the charts bring, if another release brought them."""
    from kubernetes.client import ApiException

    from kubernetes import client, config

    loader: Any = config.new_client_from_config
    api: Any = client.ApiextensionsV1Api(loader(release.kubeconfig))
    with contextlib.suppress(ApiException):
        api.delete_custom_resource_definition(KIND)


def no_secret_is_shown_or_left(release: Release, done: Played) -> None:
    """Neither in what Ansible says at its most talkative nor in the folder of Helm's job."""
    assert "hidden-value" not in done.said and "hub.extraEnv.API_TOKEN" in done.said
    assert "auth_token: '********'" in done.said and "values.yaml: '******** (another value)'" in done.said
    assert not (release.folder / "work" / "async").exists()


def test_a_first_installation_that_fails_leaves_nothing(release: Release) -> None:
    killed(release)
    release.module("helm_release_recovery")
    release.values = BROKEN
    with pytest.raises(AssertionError, match="context deadline exceeded"):
        release.by_hand("--wait", "--timeout=2s")
    assert release.module("helm_release_recovery")["action"] == "none"
    assert release.module("helm_release_recovery", undo=True)["done"].endswith("never deployed; it went away.")
    assert json.loads(release.helm("list", "--all", "--output=json")) == []


def test_a_failure_is_told_from_the_cluster_and_taken_back(release: Release) -> None:
    release.by_hand()
    release.values = {**BROKEN, "jupyterhub": {"hub": {"image": {"tag": "broken"}, "extraEnv": {"X": "new"}}}}
    done = release.play(daskhub_deploy_timeout=4)
    assert done.failed and "The release dask failed: not everything became ready in time" in done.text
    assert "hub: 0 of 1 ready (ImagePullBackOff)" in done.text
    jobs = release.folder / "work" / "async"
    assert stat.S_IMODE(jobs.stat().st_mode) == 0o700 and os.listdir(jobs) == []
    # Looked at before it was taken back: afterwards the pod that failed is gone.
    assert "What keeps the release dask from running" in done.text and "broken" in done.text
    assert "it went back to revision 1, the last that was deployed." in done.text
    assert release.history() == ["superseded", "failed", "deployed"]
    # What is there is what was there before.
    release.values = {}
    assert not release.compared()["changed"]


def test_a_service_without_an_address_is_named(release: Release) -> None:
    release.by_hand()
    release.values = {"jupyterhub": {"proxy": {"service": {"type": "LoadBalancer"}}}}
    done = release.play(daskhub_deploy_timeout=4)
    assert done.failed and "release: proxy-public: no address yet" in done.text
    assert "not everything became ready in time; proxy-public: no address yet" in done.text


def test_what_a_killed_run_left_is_cleaned_up_first(release: Release) -> None:
    release.by_hand()
    killed(release)
    assert release.history() == ["deployed", "pending-upgrade"]
    planned = release.compared()
    assert planned["action"] == "recover" and "first it goes back to revision 1" in planned["plan"][0]
    release.values = {"jupyterhub": {"singleuser": {"image": {"tag": "new"}}}}
    done = release.play()
    assert not done.failed and done.result["action"] == "upgrade", done.said
    assert release.history() == ["superseded", "pending-upgrade", "superseded", "deployed"]


def test_a_killed_installation_begins_anew(release: Release) -> None:
    killed(release)
    recovered = release.module("helm_release_recovery", check=True)
    assert (recovered["changed"], recovered["action"]) == (True, "uninstall")
    assert release.module("helm_release_recovery")["done"].endswith("never deployed; it went away.")
    assert not release.module("helm_release_recovery")["changed"]
    assert release.compared()["action"] == "install"


def test_helm_that_is_still_at_work_is_waited_for(release: Release) -> None:
    release.by_hand()
    release.values = BROKEN
    command = ["helm", "upgrade", "dask", release.chart()["path"], "--wait", "--timeout=4s"]
    command += ["--values", str(release.values_file)]
    environment = {**release.environment, "HELM_NAMESPACE": release.namespace}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(release, "pending")
    recovered = release.module("helm_release_recovery")
    assert process.wait() == 1 and recovered["action"] == "none"
    # Helm's own end: a revision that failed, on which the next run goes on.
    assert release.history() == ["deployed", "failed"]


def test_the_same_again_after_a_failure_is_deployed(release: Release) -> None:
    """kubernetes.core.helm compares with the revision that failed, and would see no change."""
    release.by_hand()
    values = {"jupyterhub": {"hub": {"image": {"tag": "next"}}}}
    release.values = values
    command = ["helm", "upgrade", "dask", release.chart()["path"], "--namespace", release.namespace, "--wait"]
    process = subprocess.Popen(
        [*command, "--values", str(release.values_file), "--set", "jupyterhub.proxy.chp.image.tag=broken"],
        env=release.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(release, "pending")
    process.send_signal(signal.SIGTERM)
    process.wait()
    assert release.history() == ["deployed", "failed"]
    release.values = {"jupyterhub": {**values["jupyterhub"], "proxy": {"chp": {"image": {"tag": "broken"}}}}}
    assert release.compared()["unseen"]
    done = release.play(daskhub_deploy_timeout=3)
    assert done.failed and "proxy: 0 of 1 ready (ImagePullBackOff)" in done.text, done.said


def test_a_release_made_by_hand_is_taken_over(release: Release) -> None:
    chart = release.folder / "dhub"
    command = ["package", "tests/kubernetes/charts/jupyterhub", "--destination", str(release.folder)]
    release.helm(*command, namespace=False)
    assert not chart.exists()
    release.helm("install", "dask", str(release.folder / "jupyterhub-4.4.0.tgz"), "--create-namespace")
    token = release.helm("get", "manifest", "dask").partition("auth_token: ")[2].splitlines()[0]
    done = release.play()
    assert not done.failed, done.said
    assert "The release was made from jupyterhub-4.4.0 (app 5.5.0); it is taken over." in done.text
    assert release.history() == ["superseded", "deployed"]
    # What people are signed in with is kept.
    assert f"auth_token: {token}" in release.helm("get", "manifest", "dask")


def test_the_plan_names_those_who_have_to_stop(release: Release) -> None:
    release.by_hand()
    people(release, "server", {"component": "singleuser-server"})
    for name in ("scheduler", "worker"):
        people(release, name, {"gateway.dask.org/cluster": "a"})
    release.values = {"jupyterhub": {"hub": {"image": {"tag": "next"}}}}
    assert release.compared()["plan"] == [
        "Deployment/hub: its pods are replaced; people's servers go on; signing in and starting servers wait some"
        " seconds.",
        "1 servers and 1 Dask clusters of people are running and go on.",
    ]
    release.values = {"jupyterhub": {"hub": {"baseUrl": "/compute/"}}}
    moved = release.compared()
    assert moved["stops_servers"]
    assert "1 running servers have to be stopped and started again: they answer at the old address." in moved["plan"]


def people(release: Release, name: str, labels: dict[str, str]) -> None:
    """A pod of somebody, running."""
    from kubernetes import client, config

    loader: Any = config.new_client_from_config
    api: Any = client.CoreV1Api(loader(release.kubeconfig))
    spec = {"containers": [{"name": "main", "image": "x"}]}
    api.create_namespaced_pod(release.namespace, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    api.patch_namespaced_pod_status(name, release.namespace, {"status": {"phase": "Running"}})


def test_what_is_done_by_hand_is_taken_back(release: Release) -> None:
    release.by_hand()
    from kubernetes import client, config

    loader: Any = config.new_client_from_config
    api = loader(release.kubeconfig)
    clients: Any = client
    clients.CoreV1Api(api).delete_namespaced_config_map("hub-data", release.namespace)
    body = {"spec": {"replicas": 0}}
    clients.AppsV1Api(api).patch_namespaced_deployment("proxy", release.namespace, body)
    done = release.play("--diff")
    assert "ConfigMap/hub-data was deleted by hand; it is made anew." in done.text
    assert "Deployment/proxy was changed by hand (replicas: 0); it is set back." in done.text
    assert not done.failed and done.result["revision"] == 2, done.said
    assert clients.CoreV1Api(api).read_namespaced_config_map("hub-data", release.namespace).data == {"ui.json": "{}"}
    assert clients.AppsV1Api(api).read_namespaced_deployment("proxy", release.namespace).spec.replicas == 1
    assert release.compared()["action"] == "none"


def test_without_a_cluster_nothing_is_asked(release: Release) -> None:
    done = release.play("--check", __daskhub_kubeconfig="", daskhub_helm="/nowhere/helm")
    assert not done.failed and "the objects of the release dask are (known after apply)" in done.text
    assert done.result["action"] == "unknown" and done.result["changed"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"chart": "/nowhere/daskhub-1.tgz"},
            "the chart /nowhere/daskhub-1.tgz is not found; set daskhub_chart_ref to",
        ),
        ({"binary_path": "/nowhere/helm"}, "The program /nowhere/helm is not found; install Helm 3.17 or later"),
        ({"kubeconfig": "/nowhere/config"}, "The kubeconfig /nowhere/config cannot be used"),
    ],
    ids=["chart", "helm", "kubeconfig"],
)
def test_what_is_missing_is_one_sentence(release: Release, arguments: dict[str, str], sentence: str) -> None:
    result = release.compared(**arguments)
    assert result["failed"] and sentence in result["msg"] and "\n" not in result["msg"]


def test_who_may_not_is_told_which_right_is_missing(release: Release, api_server: ApiServer) -> None:
    result = release.compared(kubeconfig=str(api_server.kubeconfig("guest")))
    assert 'secrets is forbidden: User "guest" cannot list resource "secrets"' in result["msg"]
    assert result["msg"].endswith('or in AKS the role "Azure Kubernetes Service RBAC Cluster Admin".')


def test_a_cluster_that_is_away_is_one_sentence(release: Release) -> None:
    content = json.loads(Path(release.kubeconfig).read_text(encoding="utf-8"))
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    path = release.folder / "away"
    path.write_text(json.dumps(content), encoding="utf-8")
    result = release.compared(kubeconfig=str(path))
    assert result["msg"] == (
        "The release dask cannot be compared: the cluster at https://127.0.0.1:9 cannot be reached: connection refused."
    )


def test_a_namespace_that_goes_away_is_refused(release: Release) -> None:
    release.by_hand()
    from kubernetes import client, config

    loader: Any = config.new_client_from_config
    client.CoreV1Api(loader(release.kubeconfig)).delete_namespace(release.namespace)
    assert release.compared()["msg"] == (
        f"The namespace {release.namespace} is being deleted; wait until it is gone, or name another one in"
        " hub_namespace."
    )


def test_values_that_the_chart_refuses_are_named(release: Release) -> None:
    release.values = {"jupyterhub": {"singleuser": {"image": {"tag": 4}}}}
    message = release.compared()["msg"]
    assert "the values are not what the chart takes" in message and "tag" in message and "\n" not in message


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"binaryData": {"a": 1}}, "cannot unmarshal number"),
    "name": ({"binaryData": {"a b": "eA=="}}, "a valid config key must consist of"),
}


@pytest.mark.parametrize("there", [False, True], ids=["install", "upgrade"])
@pytest.mark.parametrize(("more", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_kubernetes_refuses_is_found_beforehand(
    release: Release, there: bool, more: dict[str, Any], reason: str
) -> None:
    release.by_hand()
    if not there:
        release.helm("uninstall", "dask")
    release.values = {"more": more}
    done = release.play()
    assert done.failed and reason in done.text and "ConfigMap/hub-data (" in done.text
    assert "Correct it in daskhub_values or the variables of the roles" in done.text
    assert not there or release.history() == ["deployed"]


def test_a_field_that_kubernetes_does_not_know_is_named(release: Release) -> None:
    release.by_hand()
    release.values = {"more": {"dota": 1}}
    done = release.play("--check")
    assert not done.failed
    assert "Kubernetes does not know a field and leaves it out; ConfigMap/hub-data: dota." in done.text
    # Helm's own upgrade leaves it out as well.
    assert not release.play().failed


def test_a_workload_that_is_to_be_replaced_otherwise_is_not_refused(release: Release) -> None:
    release.by_hand()
    for strategy in ("Recreate", "RollingUpdate", "Recreate"):
        release.values = {"jupyterhub": {"proxy": {"deploymentStrategy": {"type": strategy}}}}
        assert not release.compared().get("failed")
        release.by_hand()
