# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub survives its surroundings, and what people run survives the hub: a server and a Dask cluster that compute.
Nobody reaches what is not theirs meanwhile.

HUB_CHARTS names a folder with the packaged charts where the public ones cannot be had, E2E_USER_IMAGE an image with
what a user of Dask needs. Commands of the shell take parts of the cluster away and bring them back:
E2E_API_SERVER_STOP and E2E_API_SERVER_START, E2E_KUBELET_STOP and E2E_KUBELET_START, E2E_NODE_RESTART.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cluster_hub import PARTS, PROFILE, ClusterHub, Life, until

ADA = "ada"
AWAY = 180.0  # seconds
BACK = 60.0  # seconds until the hub is whole
BOOT = 600.0  # seconds for a machine to start again, with all that runs on it
DAMAGE = "import os; f = open('/srv/jupyterhub/jupyterhub.sqlite', 'r+b'); f.write(os.urandom(8192)); f.flush()"
WELL = (
    "import sqlite3; print(sqlite3.connect('file:/srv/jupyterhub/jupyterhub.sqlite?mode=ro', uri=True)"
    ".execute('PRAGMA integrity_check').fetchone())"
)
API_SERVER = "kubernetes.default.svc:443"
# Of the places that are its words, those that answer.
REACHED = """
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def reached(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close()
    except OSError:
        return False
    return True

with ThreadPoolExecutor() as pool:
    print(*(place for place, yes in zip(sys.argv[1:], pool.map(reached, sys.argv[1:])) if yes))
"""


@pytest.fixture(scope="module")
def hub(owner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHub]:
    """A hub on which Ada computes."""
    found = ClusterHub(owner, tmp_path_factory.mktemp("survival"))
    try:
        found.play("secrets")
        found.play("daskhub")
        found.start(ADA)
        found.compute(ADA)
        yield found
    finally:
        found.remove()


@pytest.fixture
def before(hub: ClusterHub) -> Life:
    """What Ada has before it happens."""
    return hub.life(ADA)


def command(name: str) -> str:
    """A command of the environment; without it the test is passed over."""
    found = os.environ.get(name, "")
    if not found:
        pytest.skip(f"{name} says no command: only a cluster of one's own can be taken apart")
    return found


def do(shell: str, limit: float = 120) -> None:
    """Run a command of the environment."""
    done = subprocess.run(["sh", "-c", shell], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit)
    assert done.returncode == 0, done.stdout + done.stderr


def all_ready(hub: ClusterHub) -> None:
    """Every Deployment of the release has its pods."""
    for name in hub.deployments.values():
        hub.kubectl("rollout", "status", "deployment", name, "--timeout=150s")


def reached(hub: ClusterHub, pod: str, *places: str) -> set[str]:
    """Those of the places (host:port) that a pod reaches."""
    return {*hub.kubectl("exec", pod, "--", "python3", "-c", REACHED, *places).split()}


def test_network_policies_are_enforced(hub: ClusterHub) -> None:
    kinds = {"server": "component=singleuser-server", "scheduler": "dask-scheduler", "worker": "dask-worker"}
    label = "app.kubernetes.io/component="
    pods = {
        kind: one
        for kind, value in kinds.items()
        for one in hub.objects("pods", "--selector", value if "=" in value else label + value)
    }
    server, scheduler = (pods[kind]["status"]["podIP"] for kind in ("server", "scheduler"))
    gateway = hub.deployments["traefik"]
    open_for = {"server": {"hub:8081", f"{gateway}:80"}, "worker": {f"{scheduler}:8786"}}
    closed_for = {
        "server": {"proxy-api:8001", f"{scheduler}:8786", f"{scheduler}:8787", API_SERVER},
        "worker": {"proxy-api:8001", "hub:8081", f"{server}:8888", f"{scheduler}:8787", API_SERVER},
    }
    for kind, others in closed_for.items():
        found = reached(hub, pods[kind]["metadata"]["name"], *open_for[kind], *others)
        if others <= found:
            pytest.skip("nothing enforces network policies in this cluster")
        assert found == open_for[kind], kind


def test_changed_files_restart_nothing(hub: ClusterHub, before: Life) -> None:
    core = hub.core()
    second = {**PROFILE, "name": "second", "display_name": "The second profile", "default": False}
    hub.variables |= {"ui_announcement": "Down on Sunday", "daskhub_profiles": [PROFILE, second]}
    hub.play("daskhub")
    # At once, not when the kubelet has got round to it.
    assert "Down on Sunday" in requests.get(f"{hub.url}/hub/login", timeout=10).text
    assert "The second profile" in hub.offered("grace")
    assert hub.core() == core
    hub.goes_on(ADA, before)


def test_an_upgrade_of_hub_and_gateway_stops_nobody(hub: ClusterHub, before: Life) -> None:
    core = hub.core()
    hub.variables["daskhub_values"]["jupyterhub"]["hub"]["extraEnv"] = {"UPGRADED": "1"}
    hub.variables["daskhub_values"]["dask-gateway"] = {
        "gateway": {"annotations": {"upgraded": "1"}},
        "controller": {"annotations": {"upgraded": "1"}},
    }
    said = " ".join(hub.play("daskhub").stdout.split())
    assert "1 servers and 1 Dask clusters of people are running and go on." in said
    replaced = {name.rpartition("-")[0].rpartition("-")[0] for name in {*core} - {*hub.core()}}
    assert replaced == {hub.deployments[part] for part in ("hub", "api", "controller")}
    hub.goes_on(ADA, before)
    # The way to the scheduler was not interrupted.
    assert hub.beat(ADA)["connects"] == before.beat["connects"]
    hub.is_whole()


@pytest.mark.parametrize("part", PARTS)
def test_a_pod_that_is_killed_comes_back(hub: ClusterHub, before: Life, part: str) -> None:
    name = hub.deployments[part]
    (pod,) = (one for one in hub.core() if one.startswith(f"{name}-"))
    hub.kubectl("delete", "pod", pod, "--force", "--grace-period=0")
    hub.kubectl("rollout", "status", "deployment", name, "--timeout=150s")
    hub.goes_on(ADA, before)
    hub.is_whole()


def test_the_api_server_is_away_for_three_minutes(hub: ClusterHub, before: Life) -> None:
    stop, start = command("E2E_API_SERVER_STOP"), command("E2E_API_SERVER_START")
    do(stop)
    try:
        end = time.monotonic() + AWAY
        beats = 0
        while time.monotonic() < end:
            # People go on meanwhile, on their servers and on Dask.
            now = until(lambda: hub.beat(ADA)["beats"], "the computation goes on", 60)
            assert now > beats
            beats = now
            time.sleep(10)
    finally:
        do(start)
    seconds = hub.start("grace", BACK)
    print(f"a server was ready {seconds:.0f} s after the return of the API server")
    hub.stop("grace", BACK)
    all_ready(hub)
    hub.goes_on(ADA, before)


def test_the_node_is_lost_and_comes_back(hub: ClusterHub, before: Life) -> None:
    stop, start = command("E2E_KUBELET_STOP"), command("E2E_KUBELET_START")
    core = hub.core()
    do(stop)
    try:
        until(lambda: not node_is_ready(hub), "the node is lost")
        assert hub.beat(ADA)
    finally:
        do(start)
    until(lambda: node_is_ready(hub), "the node is back")
    all_ready(hub)
    seconds = hub.start("grace", BACK)
    print(f"a server was ready {seconds:.0f} s after the return of the node")
    hub.stop("grace")
    assert {*hub.core()} == {*core}
    hub.goes_on(ADA, before)


def node_is_ready(hub: ClusterHub) -> bool:
    """Whether all nodes are."""
    conditions = [one for node in hub.objects("nodes") for one in node["status"]["conditions"]]
    return all(one["status"] == "True" for one in conditions if one["type"] == "Ready")


def test_the_node_restarts(hub: ClusterHub, before: Life) -> None:
    """All containers end at once, the hub's and people's; what is on volumes is not lost."""
    restart = command("E2E_NODE_RESTART")
    hub.write(ADA, "kept.txt", "what Ada wrote")
    known = hub.ask("GET", f"/hub/api/users/{ADA}")["created"]
    gone = hub.containers()
    do(restart, BOOT)
    begin = time.monotonic()
    until(lambda: hub.core() and not gone & hub.containers(), "everything was started anew", BOOT)
    all_ready(hub)
    print(f"the hub was ready {time.monotonic() - begin:.0f} s after the return of the node")
    assert str(PROFILE["display_name"]) in hub.offered("grace")
    seconds = hub.start("grace", BACK)
    print(f"a server was ready {seconds:.0f} s later")
    hub.stop("grace")
    # Nobody is left with a server that the hub believes in and that does not answer, nor with half a Dask cluster.
    until(lambda: not hub.server(ADA) or hub.ask("GET", f"/user/{ADA}/api/status"), "Ada's server settles", BACK)
    cluster = before.beat["cluster"].rpartition(".")[2]
    until(lambda: not hub.pods(f"gateway.dask.org/cluster={cluster}"), "the Dask cluster is gone", BACK)
    hub.start(ADA)
    assert hub.ask("GET", f"/hub/api/users/{ADA}")["created"] == known
    assert hub.read(ADA, "kept.txt") == "what Ada wrote"
    hub.compute(ADA)


def test_a_damaged_database_is_restored_from_its_copy(hub: ClusterHub, before: Life) -> None:
    hub.kubectl("create", "job", "copy-now", f"--from=cronjob/{hub.release}-database-copy")
    hub.kubectl("wait", "job/copy-now", "--for=condition=complete", "--timeout=120s")
    hub.kubectl("exec", "deployment/hub", "--", "python3", "-c", DAMAGE)
    hub.kubectl("delete", "pod", "--selector=component=hub", "--force", "--grace-period=0")
    # Without its database the hub cannot start.
    until(lambda: crashes(hub), "the hub crashes")
    hub.play("restore")
    all_ready(hub)
    assert "ok" in hub.kubectl("exec", "deployment/hub", "--", "python3", "-c", WELL)
    # It knows whom it knew.
    assert until(lambda: hub.server(ADA), "the hub answers")["ready"]
    hub.goes_on(ADA, before)
    hub.is_whole()


def crashes(hub: ClusterHub) -> bool:
    """Whether the hub's container has ended at least once."""
    pods = hub.objects("pods", "--selector=component=hub")
    return any(status["restartCount"] for pod in pods for status in pod["status"].get("containerStatuses") or [])
