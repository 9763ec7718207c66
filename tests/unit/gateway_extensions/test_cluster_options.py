# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What users choose for a Dask cluster, through the real options and the real pods of dask-gateway."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("dask_gateway_server", reason="dask-gateway-server is not installed here")
pytest.importorskip("kubernetes_asyncio", reason="kubernetes_asyncio is not installed here")

from dask_gateway_server.backends.kubernetes.backend import KubeBackend
from dask_gateway_server.backends.kubernetes.controller import KubeController
from dask_gateway_server.models import User
from gateway_extensions import cluster_options as gateway
from hub_extensions.user_secrets import store_name

Deploy = Callable[..., None]

GIB = 2**30
ADA = User("ada@example.org")
DEFAULTS = {"image": "hub/python:1"}


@pytest.fixture(autouse=True)
def _deployed(deploy: Deploy) -> None:
    deploy()


def process(request: dict[str, Any], user: Any = ADA) -> tuple[dict[str, Any], Any]:
    """What the gateway makes of a request: the options as they are understood, and the cluster's settings."""
    backend = KubeBackend(gateway_instance="test")
    backend.cluster_options = gateway.cluster_options
    found: tuple[dict[str, Any], Any] = asyncio.run(backend.process_cluster_options(user, request))
    return found


def refusal(request: dict[str, Any]) -> str:
    """What the user reads; the gateway turns any exception of ours into this."""
    with pytest.raises(Exception) as error:  # noqa: PT011
        process(request)
    assert type(error.value).__name__ == "PublicException"
    return str(error.value)


def pods(request: dict[str, Any], user: Any = ADA) -> dict[str, Any]:
    """The pods of the scheduler and of a worker, as the gateway's controller makes them."""
    _, config = process(request, user)
    controller = KubeController(gateway_instance="test", api_url="http://api")
    return {
        part: controller.make_pod("hub", "cluster", config, is_worker=part == "worker")
        for part in ("scheduler", "worker")
    }


def environment(pod: dict[str, Any]) -> dict[str, str]:
    names = [item["name"] for item in pod["spec"]["containers"][0]["env"]]
    assert len(names) == len(set(names)), "Kubernetes warns of doubles"
    return {item["name"]: item.get("value", "") for item in pod["spec"]["containers"][0]["env"]}


def expressions(pod: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    return [(item["key"], item["operator"], item["values"]) for item in term["matchExpressions"]]


def test_what_users_are_offered() -> None:
    options = gateway.cluster_options(ADA)
    assert [(field["field"], field["label"], field["default"]) for field in options.get_specification()] == [
        ("worker_cores", "Worker Cores", 1),
        ("worker_memory", "Worker Memory (GiB)", 8),
        ("image", "Image", "hub/python:1"),
        ("gpu", "GPU", False),
        ("environment", "Environment Variables", {}),
    ]
    specs = [field["spec"] for field in options.get_specification()[:2]]
    assert [(spec["min"], spec["max"]) for spec in specs] == [(0.1, 8), (1, 64)]


def test_gpu_is_offered_only_where_there_are_gpus(deploy: Deploy) -> None:
    deploy(gpu={"enabled": False})
    fields = [field["field"] for field in gateway.cluster_options(ADA).get_specification()]
    assert fields == ["worker_cores", "worker_memory", "image", "environment"]
    process({"gpu": False})
    assert refusal({"gpu": True}) == "gpu is true, but this hub has no GPU workers; leave it out."


def test_changes_are_seen(deploy: Deploy) -> None:
    process({"worker_cores": 8})
    deploy(worker={"cores": {"max": 2}})
    assert "worker_cores must be <= 2" in refusal({"worker_cores": 8})


@pytest.mark.parametrize(
    ("cores", "threads"), [(0.1, 1), (0.5, 1), (1, 1), (1.5, 1), (2, 2), (2.0, 2), (3.9, 3), (4, 4), (8, 8)]
)
def test_threads_equal_the_cores_asked_for(cores: float, threads: int) -> None:
    _, config = process({"worker_cores": cores})
    assert config.worker_threads == threads
    worker = pods({"worker_cores": cores})["worker"]["spec"]["containers"][0]
    assert worker["args"][worker["args"].index("--nthreads") + 1] == str(threads)


def test_sizes_of_pods() -> None:
    found = {part: pod["spec"]["containers"][0] for part, pod in pods({"worker_cores": 2, "worker_memory": 10}).items()}
    assert found["scheduler"]["resources"] == {
        "requests": {"cpu": "1.000", "memory": str(8 * GIB)},
        "limits": {"cpu": "2.000", "memory": str(10 * GIB)},
    }
    assert found["worker"]["resources"] == {
        "requests": {"cpu": "1.800", "memory": str(int(8.8 * GIB))},
        "limits": {"cpu": "2.000", "memory": str(10 * GIB)},
    }
    arguments = found["worker"]["args"]
    assert arguments[arguments.index("--memory-limit") + 1] == str(10 * GIB)
    assert found["scheduler"]["image"] == found["worker"]["image"] == "hub/python:1"


@pytest.mark.parametrize(
    ("request_", "workers"),
    [
        ({}, 99),  # 800 GiB less 8 for the scheduler, by 8
        ({"worker_memory": 1}, 99),  # 100 cores less 1 for the scheduler
        ({"worker_memory": 1, "worker_cores": 0.5}, 100),  # 198 by cores, but 100 by number
        ({"worker_cores": 8, "worker_memory": 8}, 12),
        ({"worker_memory": 64}, 12),
        ({"worker_cores": 0.1, "worker_memory": 1}, 100),
    ],
)
def test_limits_of_a_cluster(request_: dict[str, Any], workers: int) -> None:
    _, config = process(request_)
    assert config.cluster_max_workers == workers
    assert (config.cluster_max_cores, config.cluster_max_memory) == (100, 800 * GIB)
    assert config.idle_timeout == 600


def test_an_exact_multiple_is_not_lost_to_rounding() -> None:
    data = {"limits": {"cores": 1.7, "memory": 100 * GIB, "workers": 100}, "scheduler": {"cores": 1, "memory": GIB}}
    assert gateway.most_workers(0.1, 1, data) == 7


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_the_user_is_named_on_every_pod(part: str) -> None:
    pod = pods({})[part]
    assert pod["metadata"]["labels"]["hub.jupyter.org/username"] == "ada-example-org---cfe00dde"
    assert pod["metadata"]["annotations"]["hub.jupyter.org/username"] == "ada@example.org"
    assert environment(pod)["JUPYTERHUB_USER"] == "ada@example.org"


def test_nobody_elses_name_can_be_put_on_a_cluster() -> None:
    for pod in pods({"environment": {"JUPYTERHUB_USER": "root"}}).values():
        assert environment(pod)["JUPYTERHUB_USER"] == "ada@example.org"


def test_environment() -> None:
    found = {part: environment(pod) for part, pod in pods({"environment": {"MINE": "1", "NUMBER": 2}}).items()}
    assert "NOTEBOOK" not in found["scheduler"]
    assert "NOTEBOOK" not in found["worker"]
    # Kubernetes turns $$ into $ and leaves what follows alone.
    assert found["scheduler"]["BOTH"] == found["worker"]["BOTH"] == "{b} $$(X) $$$$"
    assert (found["scheduler"].get("SCHEDULER"), found["worker"].get("SCHEDULER")) == ("$$s", None)
    assert (found["scheduler"].get("WORKER"), found["worker"].get("WORKER")) == (None, "w")
    assert (found["scheduler"]["DIFFERENT"], found["worker"]["DIFFERENT"]) == ("s", "w")
    assert found["scheduler"]["MINE"] == found["worker"]["MINE"] == "1"
    assert found["scheduler"]["NUMBER"] == found["worker"]["NUMBER"] == "2"


@pytest.mark.parametrize("name", ["BOTH", "SCHEDULER", "WORKER", "DIFFERENT"])
def test_the_users_variables_win_over_ours(name: str) -> None:
    for pod in pods({"environment": {name: "mine"}}).values():
        assert environment(pod)[name] == "mine"


def test_workers_without_gpu() -> None:
    worker = pods({})["worker"]
    assert "nvidia.com/gpu" not in worker["spec"]["containers"][0]["resources"]["limits"]
    assert ("k8s.dask.org/dedicated", "In", ["worker"]) in expressions(worker)
    assert ("pc.microsoft.com/workerkind", "In", ["cpu"]) in expressions(worker)
    tolerated = [item["key"] for item in worker["spec"]["tolerations"]]
    assert "kubernetes.azure.com/scalesetpriority" in tolerated
    assert "k8s.dask.org_dedicated" in tolerated
    assert "nvidia.com/gpu" not in tolerated


def test_workers_with_gpu() -> None:
    made = pods({"gpu": True, "worker_cores": 4, "worker_memory": 24})
    resources = made["worker"]["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "4.000", "memory": str(24 * GIB), "nvidia.com/gpu": 1}
    assert ("pc.microsoft.com/workerkind", "In", ["gpu"]) in expressions(made["worker"])
    assert "nvidia.com/gpu" in [item["key"] for item in made["worker"]["spec"]["tolerations"]]
    assert "nvidia.com/gpu" not in made["scheduler"]["spec"]["containers"][0]["resources"]["limits"]


@pytest.mark.parametrize("match", ["ignore", "prefer", "require"])
@pytest.mark.parametrize("gpu", [False, True])
def test_schedulers_never_run_on_gpu_or_spot_nodes(deploy: Deploy, match: str, gpu: bool) -> None:
    deploy(match_node_purpose=match)
    scheduler = pods({"gpu": gpu})["scheduler"]
    assert ("pc.microsoft.com/userkind", "NotIn", ["gpu"]) in expressions(scheduler)
    assert ("pc.microsoft.com/workerkind", "NotIn", ["gpu"]) in expressions(scheduler)
    purpose = ("hub.jupyter.org/node-purpose", "In", ["core", "user"])
    assert (purpose in expressions(scheduler)) == (match == "require")
    assert {item["key"] for item in scheduler["spec"]["tolerations"]} == {
        "hub.jupyter.org_dedicated",
        "hub.jupyter.org/dedicated",
    }


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"worker_cores": 9}, "worker_cores must be <= 8.000000, got 9.0"),
        ({"worker_cores": 0}, "worker_cores must be >= 0.100000, got 0.0"),
        ({"worker_cores": "4"}, "worker_cores must be a float, got '4'"),
        ({"worker_memory": 65}, "worker_memory must be <= 64.000000, got 65.0"),
        ({"worker_cores": math.nan}, "worker_cores is nan; write a number."),
        ({"worker_memory": math.nan}, "worker_memory is nan; write a number."),
        ({"workers": 3}, "Unknown fields ['workers']"),
        ({"image": "hub/python"}, 'image "hub/python" has no tag; add one, as in image="hub/python:2026.1".'),
        (
            {"image": "localhost:5000/hub/gpu"},
            'image "localhost:5000/hub/gpu" has no tag; add one, as in image="localhost:5000/hub/gpu:2026.1".',
        ),
        ({"image": "hub/python:"}, 'image "hub/python:" has no tag; add one, as in image="hub/python:2026.1".'),
        (
            {"image": ""},
            'image is empty; write the image of the workers with its tag, such as image="registry/path:tag".',
        ),
        (
            {"image": "evil/miner:1"},
            'image "evil/miner:1" is not allowed on this hub; choose one that matches '
            "hub/python:* or hub/python@* or localhost:5000/hub/gpu:* or localhost:5000/hub/gpu@*.",
        ),
        (
            {"image": "example.org/hub/python:1"},
            'image "example.org/hub/python:1" is not allowed on this hub; '
            "choose one that matches "
            "hub/python:* or hub/python@* or localhost:5000/hub/gpu:* or localhost:5000/hub/gpu@*.",
        ),
        (
            {"gpu": True, "worker_cores": 8},
            "worker_cores 8 is more than a GPU worker can have; choose at most 4, or gpu=False.",
        ),
        (
            {"gpu": True, "worker_memory": 64},
            "worker_memory 64 is more than a GPU worker can have; choose at most 24, or gpu=False.",
        ),
        (
            {"environment": {"A B": "1"}},
            'environment: "A B" is no name of a variable; use letters, digits and underscores.',
        ),
        ({"environment": {"A": True}}, "environment: the value of A is no text; write it in quotes."),
        ({"environment": {"A": None}}, "environment: the value of A is no text; write it in quotes."),
        ({"environment": {"A": "\0"}}, "environment: the value of A is no text; write it in quotes."),
        ({"environment": ["A=1"]}, "environment must be a mapping, got ['A=1']"),
    ],
)
def test_refused(request_: dict[str, Any], sentence: str) -> None:
    assert refusal(request_) == sentence


@pytest.mark.parametrize(
    "image",
    [
        "hub/python:1",
        "hub/python:2231e05",
        "localhost:5000/hub/gpu:3",
        "hub/python@sha256:" + "0123456789abcdef" * 4,
        "hub/python:1@sha256:" + "0123456789abcdef" * 4,
    ],
)
def test_any_version_of_a_profiles_image_is_accepted(image: str) -> None:
    _, config = process({"image": image})
    assert config.image == image


def test_patterns_allow_more_images(deploy: Deploy) -> None:
    deploy(images=["pangeo/*"])
    process({"image": "pangeo/pangeo-notebook:2026.01.30"})
    assert "has no tag" in refusal({"image": "pangeo/pangeo-notebook"})


NAMES = [
    "ada",
    "Ada",
    "ada@example.org",
    "ada.lovelace_1-x",
    "a--b",
    "a---b",
    "-ada",
    "ada-",
    ".",
    "",
    "1",
    "123@456",
    "ädä",
    "名前",
    "x" * 63,
    "x" * 64,
    "very.long.name.of.somebody@a.very.long.name.of.an.organization.example.org",
    "1-very-long-name@with.a.digit.first.example.org",
    "UPPER CASE",
    "a b",
]


@pytest.mark.parametrize("name", NAMES)
def test_label_is_that_of_the_users_server(name: str) -> None:
    slugs = pytest.importorskip("kubespawner.slugs", reason="KubeSpawner is not installed here")
    assert gateway.label_value(name) == slugs.safe_slug(name, is_valid=slugs.is_valid_label)


def test_labels_differ() -> None:
    assert len({gateway.label_value(name) for name in NAMES}) == len(NAMES)


def test_a_users_own_variables_are_referred_to_by_who_asks(deploy: Deploy) -> None:
    deploy(sources=[{"source": "static"}])
    bob = User("bob@example.org")
    for user in (ADA, bob):
        # Whatever is asked for, the reference follows from the name that the hub gave.
        found = pods({"environment": {"JUPYTERHUB_USER": "ada@example.org", "USER": "ada@example.org"}}, user)
        for pod in found.values():
            wanted = [{"secretRef": {"name": store_name(user.name), "optional": True}}]
            assert pod["spec"]["containers"][0]["envFrom"] == wanted
    assert store_name(ADA.name) != store_name(bob.name)


def test_where_nothing_is_fetched_pods_refer_to_nothing() -> None:
    assert not [pod for pod in pods({}).values() if "envFrom" in pod["spec"]["containers"][0]]
