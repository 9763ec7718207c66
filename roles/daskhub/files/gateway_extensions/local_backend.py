# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Dask clusters as processes of this machine, from the same settings as in the cluster.

In the gateway's configuration::

    c.DaskGateway.backend_class = "gateway_extensions.local_backend.HubLocalBackend"

Enforced: the number of threads; the workers' memory (Dask spills and pauses near the limit and restarts a worker at
95 % of it, and the kernel refuses what goes far beyond); the scheduler's memory (by the kernel only); the limits of the
cluster. Not enforced: cores beyond the number of threads. Recorded only: image, GPU, placement.

Variables of the user's own come from the user's file when a process starts, never from the settings of the cluster.
"""

from __future__ import annotations

import contextlib
import json
import resource
from typing import Any

from dask_gateway_server.backends.local import LocalClusterConfig, UnsafeLocalBackend
from dask_gateway_server.traitlets import MemoryLimit, Type
from hub_extensions.user_secrets import local_variables
from traitlets import Dict, Float, Unicode, validate

# RLIMIT_DATA counts address space, not use: interpreter, stacks and allocator arenas need this much besides the data.
HEADROOM = 2**29


class HubLocalClusterConfig(LocalClusterConfig):  # type: ignore[misc]
    """All settings that cluster_options makes; those without meaning for processes are only recorded."""

    image = Unicode(help="Image that would run in the cluster.", config=True)
    worker_cores = Float(1, min=0, help="Cores of a worker.", config=True)
    worker_cores_limit = Float(1, min=0, help="Most cores of a worker.", config=True)
    worker_memory_limit = MemoryLimit(help="Most memory of a worker, enforced.", config=True)
    worker_extra_container_config = Dict(help="Its list env: variables of workers only.", config=True)
    worker_extra_pod_config = Dict(help="Placement of workers.", config=True)
    worker_extra_pod_labels = Dict(help="Shown to workers as DASKHUB_LABELS.", config=True)
    worker_extra_pod_annotations = Dict(help="Shown to workers as DASKHUB_ANNOTATIONS.", config=True)
    scheduler_cores = Float(1, min=0, help="Cores of the scheduler.", config=True)
    scheduler_cores_limit = Float(1, min=0, help="Most cores of the scheduler.", config=True)
    scheduler_memory_limit = MemoryLimit(help="Most memory of the scheduler, enforced.", config=True)
    scheduler_extra_container_config = Dict(help="Its list env: variables of the scheduler only.", config=True)
    scheduler_extra_pod_config = Dict(help="Placement of the scheduler.", config=True)
    scheduler_extra_pod_labels = Dict(help="Shown to the scheduler as DASKHUB_LABELS.", config=True)
    scheduler_extra_pod_annotations = Dict(help="Shown to the scheduler as DASKHUB_ANNOTATIONS.", config=True)

    @validate("environment")
    def _validate_environment(self, proposal: Any) -> dict[str, str]:
        """Undo the escaping for Kubernetes, which would halve every $$."""
        return {name: value.replace("$$", "$") for name, value in proposal.value.items()}


class HubLocalBackend(UnsafeLocalBackend):  # type: ignore[misc]
    """Local processes without separation of users; for trying the hub on one machine."""

    cluster_config_class = Type(
        "gateway_extensions.local_backend.HubLocalClusterConfig",
        klass="dask_gateway_server.backends.base.ClusterConfig",
        help="The cluster config class to use",
        config=True,
    )

    def get_scheduler_env(self, cluster: Any) -> dict[str, str]:
        return {
            **local_variables(cluster.username),
            **_part_env(cluster.config, "scheduler"),
            **super().get_scheduler_env(cluster),
        }

    def get_worker_env(self, cluster: Any) -> dict[str, str]:
        return {
            **local_variables(cluster.username),
            **_part_env(cluster.config, "worker"),
            **super().get_worker_env(cluster),
        }

    def worker_nthreads_memory_limit_args(self, cluster: Any) -> tuple[str, str]:
        return str(cluster.config.worker_threads), str(cluster.config.worker_memory_limit)

    async def start_process(self, cluster: Any, cmd: list[str], env: dict[str, str], name: str) -> int:
        pid: int = await super().start_process(cluster, cmd, env, name)
        part = "scheduler" if name == "scheduler" else "worker"
        _limit_memory(pid, cluster.config[f"{part}_memory_limit"])
        return pid


def _part_env(config: Any, part: str) -> dict[str, str]:
    """Variables of one part only, and what Kubernetes would show as the pod's labels and annotations."""
    variables = {
        item["name"]: item["value"].replace("$$", "$")
        for item in config[f"{part}_extra_container_config"].get("env", [])
    }
    return {
        **variables,
        "DASKHUB_LABELS": json.dumps(dict(config[f"{part}_extra_pod_labels"])),
        "DASKHUB_ANNOTATIONS": json.dumps(dict(config[f"{part}_extra_pod_annotations"])),
    }


def _limit_memory(pid: int, memory: int) -> None:
    """Have the kernel refuse a process, and those it starts from now on, what goes far beyond its memory."""
    # Only Linux can do it from outside; elsewhere Dask's own limit stays.
    if not memory or not hasattr(resource, "prlimit"):
        return
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (memory + HEADROOM, memory + HEADROOM))
