# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What users choose for a Dask cluster, and what comes of it.

In the gateway's configuration::

    c.Backend.cluster_options = cluster_options.cluster_options

The data comes from dask_options.json, user_environment.json and user_environment_sources.json, read anew for each
request. What the handler returns is for dask-gateway's KubeClusterConfig, and for local_backend's class of the same
shape. A user's own variables, such as an API key, are only referred to.
"""

from __future__ import annotations

import hashlib
import math
import re
from fnmatch import fnmatchcase
from typing import Any

from dask_gateway_server.options import Bool, Float, Mapping, Options, String
from hub_extensions.data_files import DataFile
from hub_extensions.user_secrets import references

DASK_OPTIONS = DataFile("dask_options.json", dict)
USER_ENVIRONMENT = DataFile("user_environment.json", dict)

USERNAME = "hub.jupyter.org/username"
GPU_RESOURCE = "nvidia.com/gpu"
GIB = 2**30

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TAG = re.compile(r"[^/]+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"@[a-z0-9]+:[0-9a-fA-F]{32,}$")


class ClusterOptions(Options):
    """Options of which some are understood but not offered.

    Where there are no GPU workers no form shows the choice, and programs that say gpu=False everywhere still run.
    """

    def __init__(self, *fields: Any, handler: Any = None, hidden: tuple[str, ...] = ()) -> None:
        super().__init__(*fields, handler=handler)
        self.hidden = hidden

    def get_specification(self) -> list[dict[str, Any]]:
        return [field for field in super().get_specification() if field["field"] not in self.hidden]


def cluster_options(_user: Any) -> Options:
    """The options, the same for every user: dask-gateway asks for them at each list and for each new cluster."""
    data = DASK_OPTIONS.read()
    environment = USER_ENVIRONMENT.read()
    cores, memory = data["worker"]["cores"], data["worker"]["memory"]

    def handler(options: Any, user: Any) -> dict[str, Any]:
        return cluster_config(options, user.name, data, environment)

    return ClusterOptions(
        Float("worker_cores", default=cores["default"], min=cores["min"], max=cores["max"], label="Worker Cores"),
        Float(
            "worker_memory",
            default=memory["default"],
            min=memory["min"],
            max=memory["max"],
            label="Worker Memory (GiB)",
        ),
        String("image", default=data["image"] or "", label="Image"),
        Bool("gpu", default=False, label="GPU"),
        Mapping("environment", label="Environment Variables"),
        handler=handler,
        hidden=() if data["gpu"]["enabled"] else ("gpu",),
    )


def cluster_config(options: Any, username: str, data: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """Turn a user's choices into the settings of one cluster.

    Args:
        options: worker_cores, worker_memory (GiB), image, gpu, environment, as attributes.
        username: who asks, as the hub knows them.
        data: content of dask_options.json.
        environment: content of user_environment.json.

    Returns:
        Traits of KubeClusterConfig; memory in bytes.

    Raises:
        ValueError: one sentence, which dask-gateway shows to the user.
    """
    cores, memory, gpu = options.worker_cores, options.worker_memory, options.gpu
    _check_size(cores, memory, gpu, data)
    scheduler, limits, placement = data["scheduler"], data["limits"], data["placement"]
    # Reserved is a little less than asked for: nodes keep some of their size, and n workers of an n-th shall fit. The
    # number of threads is said explicitly, because dask-gateway would round the smaller number of cores down.
    reserved_cores = cores * data["worker"]["cores"]["request"]
    reserved_memory = memory * data["worker"]["memory"]["request"]
    common, extra = _environments(_checked_environment(options.environment), username, environment)
    # By the name of who asks, as the hub says it; nothing that a user chooses leads to another's.
    secrets = references(username)
    from_secrets = {"envFrom": secrets} if secrets else {}
    worker_container: dict[str, Any] = {"env": extra["worker"], **from_secrets}
    if gpu:
        worker_container["resources"] = {"limits": {GPU_RESOURCE: 1}}
    labels = {USERNAME: label_value(username)}
    annotations = {USERNAME: username}
    return {
        "image": checked_image(options.image, data["images"]),
        "environment": common,
        "scheduler_cores": scheduler["cores"],
        "scheduler_cores_limit": scheduler["cores_limit"],
        "scheduler_memory": scheduler["memory"],
        "scheduler_memory_limit": scheduler["memory_limit"],
        "scheduler_extra_container_config": {"env": extra["scheduler"], **from_secrets},
        "scheduler_extra_pod_config": placement["scheduler"],
        "scheduler_extra_pod_labels": labels,
        "scheduler_extra_pod_annotations": annotations,
        "worker_cores": reserved_cores,
        "worker_cores_limit": cores,
        "worker_memory": int(reserved_memory * GIB),
        "worker_memory_limit": int(memory * GIB),
        "worker_threads": max(int(cores), 1),
        "worker_extra_container_config": worker_container,
        "worker_extra_pod_config": placement["gpu_worker" if gpu else "worker"],
        "worker_extra_pod_labels": labels,
        "worker_extra_pod_annotations": annotations,
        "idle_timeout": data["idle_timeout"],
        "cluster_max_cores": limits["cores"],
        "cluster_max_memory": limits["memory"],
        "cluster_max_workers": most_workers(cores, memory, data),
    }


def most_workers(cores: float, memory: float, data: dict[str, Any]) -> int:
    """How many workers of a size (GiB) the limits allow, counting what is asked for, not what is reserved."""
    limits, scheduler = data["limits"], data["scheduler"]
    return min(
        limits["workers"],
        # Rounded first: 0.7 // 0.1 is 6.
        math.floor(round((limits["cores"] - scheduler["cores"]) / cores, 6)),
        math.floor(round((limits["memory"] - scheduler["memory"]) / (memory * GIB), 6)),
    )


def checked_image(image: str, patterns: list[str]) -> str:
    """Check that an image has a tag or a digest and is one of those allowed."""
    if not image:
        raise ValueError(
            'image is empty; write the image of the workers with its tag, such as image="registry/path:tag".'
        )
    name = image.rsplit("/", 1)[-1]
    if not _DIGEST.search(image) and not _TAG.fullmatch(name):
        raise ValueError(f'image "{image}" has no tag; add one, as in image="{image.rstrip(":")}:2026.1".')
    if not any(fnmatchcase(image, pattern) for pattern in patterns):
        raise ValueError(
            f'image "{image}" is not allowed on this hub; choose one that matches {" or ".join(patterns)}.'
        )
    return image


def label_value(name: str) -> str:
    """Write a user's name as the value of a Kubernetes label, just as KubeSpawner does for the user's server.

    Valid names stay as they are; others become <what is left of the name>---<8 digits of its SHA-256>.
    """
    if "--" not in name and (not name or _LABEL.fullmatch(name)):
        return name
    safe = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-")[:21].rstrip("-")
    if safe and not safe[0].isalpha():
        safe = f"x-{safe[:19]}"
    digest = hashlib.sha256(name.encode("utf-8")).hexdigest()[:8]
    return f"{safe or 'x'}---{digest}"


def _check_size(cores: float, memory: float, gpu: bool, data: dict[str, Any]) -> None:
    # Options compares with its bounds, and NaN passes every comparison.
    for name, value in (("worker_cores", cores), ("worker_memory", memory)):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}; write a number.")
    if not gpu:
        return
    if not data["gpu"]["enabled"]:
        raise ValueError("gpu is true, but this hub has no GPU workers; leave it out.")
    for name, value, most in (
        ("worker_cores", cores, data["gpu"]["cores_max"]),
        ("worker_memory", memory, data["gpu"]["memory_max"]),
    ):
        if value > most:
            raise ValueError(
                f"{name} {value:g} is more than a GPU worker can have; choose at most {most:g}, or gpu=False."
            )


def _checked_environment(environment: dict[Any, Any]) -> dict[str, str]:
    """The variables that the user gave: names and texts; numbers become texts."""
    checked = {}
    for name, value in environment.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise ValueError(f'environment: "{name}" is no name of a variable; use letters, digits and underscores.')
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(f"environment: the value of {name} is no text; write it in quotes.")
        checked[name] = value
    return checked


def _environments(
    chosen: dict[str, str], username: str, environment: dict[str, Any]
) -> tuple[dict[str, str], dict[str, list[dict[str, str]]]]:
    """Sort variables into those of the whole cluster and those of the scheduler or the workers only.

    dask-gateway has one environment for both; a variable of one of them goes into the container's own list. No name is
    in two places, because Kubernetes warns of doubles. The user's variables win over ours; nobody else's name can be
    put on a cluster.
    """
    ours = {part: environment.get(part, {}) for part in ("scheduler", "worker")}
    common = {name: value for name, value in ours["scheduler"].items() if ours["worker"].get(name) == value}
    common.update(chosen)
    common["JUPYTERHUB_USER"] = username
    extra = {
        part: [{"name": name, "value": _escaped(value)} for name, value in variables.items() if name not in common]
        for part, variables in ours.items()
    }
    return {name: _escaped(value) for name, value in common.items()}, extra


def _escaped(value: str) -> str:
    """Keep Kubernetes from expanding $(NAME) and from halving $$: values arrive as written."""
    return value.replace("$", "$$")
