# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Clusters as processes: the settings made for pods, in the real local backend."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("dask_gateway_server", reason="dask-gateway-server is not installed here")

from dask_gateway_server.models import User
from dask_gateway_server.utils import FrozenAttrDict
from gateway_extensions import cluster_options, local_backend
from hub_extensions.user_secrets import local_store

Deploy = Callable[..., None]
Make = Callable[..., SimpleNamespace]

MIB = 2**20


@pytest.fixture
def backend(deploy: Deploy, tmp_path: Path) -> local_backend.HubLocalBackend:
    deploy()
    found = local_backend.HubLocalBackend(clusters_directory=str(tmp_path), db_url="sqlite://")
    found.cluster_options = cluster_options.cluster_options
    found.api_url = "http://127.0.0.1:1"
    return found


@pytest.fixture
def make_cluster(backend: local_backend.HubLocalBackend, tmp_path: Path) -> Make:
    def make(**request: Any) -> SimpleNamespace:
        _, config = asyncio.run(backend.process_cluster_options(User("ada@example.org"), request))
        # As from the gateway's database.
        stored = json.loads(json.dumps(config.to_dict()))
        (tmp_path / "logs").mkdir(exist_ok=True)
        return SimpleNamespace(
            name="cluster",
            username="ada@example.org",
            token="token",
            scheduler_address="tls://127.0.0.1:1",
            state={"workdir": str(tmp_path)},
            config=FrozenAttrDict(stored),
        )

    return make


def test_settings_for_pods_are_accepted_and_recorded(make_cluster: Make) -> None:
    config = make_cluster(worker_cores=2.5, worker_memory=1.5, gpu=True).config
    assert (config.worker_cores_limit, config.worker_threads) == (2.5, 2)
    assert config.worker_memory_limit == 1536 * MIB
    assert config.image == "hub/python:1"
    assert config.worker_extra_container_config["resources"] == {"limits": {"nvidia.com/gpu": 1}}
    assert "affinity" in config.worker_extra_pod_config


def test_worker_gets_threads_and_the_memory_asked_for(backend: Any, make_cluster: Make) -> None:
    command = backend.get_worker_command(make_cluster(worker_cores=3, worker_memory=1), "one")
    assert command[command.index("--nthreads") + 1] == "3"
    assert command[command.index("--memory-limit") + 1] == str(1024 * MIB)


def test_environment(backend: Any, make_cluster: Make) -> None:
    cluster = make_cluster(environment={"MINE": "$$1 {z}"})
    scheduler, worker = backend.get_scheduler_env(cluster), backend.get_worker_env(cluster)
    for found in (scheduler, worker):
        # As written: what is escaped for Kubernetes is undone here.
        assert found["BOTH"] == "{b} $(X) $$"
        assert found["MINE"] == "$$1 {z}"
        assert found["JUPYTERHUB_USER"] == "ada@example.org"
        assert json.loads(found["DASKHUB_LABELS"]) == {"hub.jupyter.org/username": "ada-example-org---cfe00dde"}
        assert json.loads(found["DASKHUB_ANNOTATIONS"]) == {"hub.jupyter.org/username": "ada@example.org"}
        assert "NOTEBOOK" not in found
    assert (scheduler.get("SCHEDULER"), worker.get("SCHEDULER")) == ("$s", None)
    assert (scheduler.get("WORKER"), worker.get("WORKER")) == (None, "w")
    assert (scheduler["DIFFERENT"], worker["DIFFERENT"]) == ("s", "w")


def test_processes_get_the_variables_of_their_clusters_user(
    backend: Any, make_cluster: Make, deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_LOCAL_DIRECTORY", str(tmp_path))
    deploy(sources=[{"source": "static"}])
    asked = {"JUPYTERHUB_USER": "bob@example.org", "USER": "bob@example.org"}
    cluster = make_cluster(environment=asked)
    for name, value in (("bob@example.org", "bobs"), ("ada@example.org", "adas"), ("ada@example.org", "rotated")):
        asyncio.run(local_store().write(name, {"API_KEY": value}))
    for found in (backend.get_scheduler_env(cluster), backend.get_worker_env(cluster)):
        assert found["API_KEY"] == "rotated"
    assert "rotated" not in json.dumps(dict(cluster.config))
    deploy(sources=[])
    assert "API_KEY" not in backend.get_worker_env(cluster)


def test_users_cannot_replace_what_the_gateway_needs(backend: Any, make_cluster: Make) -> None:
    taken = {"DASK_GATEWAY_API_TOKEN": "x", "DASK_GATEWAY_CLUSTER_NAME": "x", "USER": "x"}
    worker = backend.get_worker_env(make_cluster(environment=taken))
    assert not [name for name in taken if worker[name] == "x"]


@pytest.fixture
def started() -> Iterator[list[int]]:
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits a running process")
@pytest.mark.parametrize(("name", "memory"), [("worker-one", 1024 * MIB), ("scheduler", 10 * 1024 * MIB)])
def test_memory_of_processes_is_limited(
    backend: Any, make_cluster: Make, started: list[int], name: str, memory: int
) -> None:
    cluster = make_cluster(worker_memory=1)

    async def start() -> int:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        pid: int = await backend.start_process(cluster, command, dict(os.environ), name)
        return pid

    started.append(asyncio.run(start()))
    limit = memory + local_backend.HEADROOM
    assert resource.prlimit(started[0], resource.RLIMIT_DATA) == (limit, limit)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits a running process")
def test_the_kernel_refuses_what_goes_beyond() -> None:
    script = "import sys; sys.stdin.read(1); bytearray(900 * 2**20)"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        local_backend._limit_memory(process.pid, 256 * MIB)
        _, said = process.communicate(b"x", timeout=60)
    assert b"MemoryError" in said


def test_a_process_that_is_gone_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    local_backend._limit_memory(process.pid, MIB)
