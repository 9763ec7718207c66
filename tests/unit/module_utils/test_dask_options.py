# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._dask_options import DEFAULTS, dask_options
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

GIB = 2**30
PROFILES = profile_list(
    [{"name": "python", "image": "hub/python:1"}, {"name": "r", "image": "localhost:5000/hub/r:2", "default": True}]
)


def test_nothing_said_is_the_defaults() -> None:
    before = copy.deepcopy(DEFAULTS)
    result = dask_options({}, PROFILES)
    assert {key: result[key] for key in ("scheduler", "worker", "gpu", "idle_timeout", "limits")} == {
        "scheduler": {"cores": 0.5, "cores_limit": 1, "memory": GIB, "memory_limit": 2 * GIB},
        "worker": {
            "cores": {"default": 1, "min": 0.1, "max": 2, "request": 0.9},
            "memory": {"default": 2, "min": 0.5, "max": 6, "request": 0.88},
        },
        "gpu": {"enabled": False, "cores_max": 4, "memory_max": 24},
        "idle_timeout": 600,
        "limits": {"cores": 100, "memory": 800 * GIB, "workers": 100},
    }
    assert before == DEFAULTS


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        ({"worker": {"cores": {"max": 8}}}, ("worker", "cores", "max"), 8),
        ({"worker": {"cores": {"max": 8}}}, ("worker", "cores", "min"), 0.1),
        ({"worker": {"memory": {"min": "512M"}}}, ("worker", "memory", "min"), 0.5),
        ({"scheduler": {"memory": {"limit": "10G", "guarantee": 8}}}, ("scheduler", "memory_limit"), 10 * GIB),
        ({"scheduler": {"memory": {"limit": "10G", "guarantee": 8}}}, ("scheduler", "memory"), 8 * GIB),
        ({"gpu": {"enabled": True}}, ("gpu", "enabled"), True),
        ({"idle_timeout": 0}, ("idle_timeout",), 0),
        ({"limits": {"memory": 800}}, ("limits", "memory"), 800 * GIB),
        ({"limits": {"workers": 1}}, ("limits", "workers"), 1),
        ({}, ("image",), "localhost:5000/hub/r:2"),
        ({"image": "hub/other:3"}, ("image",), "hub/other:3"),
        ({}, ("images",), ["hub/python:*", "hub/python@*", "localhost:5000/hub/r:*", "localhost:5000/hub/r@*"]),
        (
            {"images": ["pangeo/*"]},
            ("images",),
            ["pangeo/*", "hub/python:*", "hub/python@*", "localhost:5000/hub/r:*", "localhost:5000/hub/r@*"],
        ),
    ],
)
def test_said(options: dict[str, Any], path: tuple[str, ...], expected: Any) -> None:
    found = dask_options(options, PROFILES)
    for key in path:
        found = found[key]
    assert found == expected


def test_images_without_profiles() -> None:
    assert dask_options({"images": ["pangeo/*"]})["images"] == ["pangeo/*"]
    assert dask_options({"images": ["pangeo/*"]})["image"] is None
    assert dask_options({"image": "hub/a:1"})["images"] == ["hub/a:*", "hub/a@*"]


@pytest.mark.parametrize("match", ["ignore", "prefer", "require"])
def test_placement(match: str) -> None:
    placement = dask_options({}, PROFILES, match_node_purpose=match)["placement"]
    for part, kind in (("scheduler", "user"), ("scheduler", "worker"), ("worker", "worker")):
        (term,) = placement[part]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
            "nodeSelectorTerms"
        ]
        expression = {"key": f"pc.microsoft.com/{kind}kind", "operator": "NotIn", "values": ["gpu"]}
        assert expression in term["matchExpressions"]
    spot = {
        "key": "kubernetes.azure.com/scalesetpriority",
        "operator": "Equal",
        "value": "spot",
        "effect": "NoSchedule",
    }
    assert [spot in placement[part]["tolerations"] for part in ("scheduler", "worker", "gpu_worker")] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (None, " is empty; write a mapping with keys such as scheduler, worker, gpu."),
        ([], " is a list of nothing; write a mapping with keys such as scheduler, worker, gpu."),
        ({"workers": {}}, ' has the unknown key "workers"; did you mean "worker"?'),
        ({"worker": {"core": {}}}, ': worker has the unknown key "core"; did you mean "cores"?'),
        ({"worker": {"cores": {"maximum": 2}}}, ': worker.cores has the unknown key "maximum"; did you mean "max"?'),
        (
            {"worker": {"cores": 2}},
            ": worker.cores is the number 2; write a mapping with keys such as default, min, max.",
        ),
        (
            {"worker": {"cores": {"max": "8"}}},
            ': worker.cores.max is the text "8"; write a number of cores such as 4 or 0.5.',
        ),
        (
            {"worker": {"memory": {"max": "8Gi"}}},
            ': worker.memory.max is the text "8Gi"; write an amount with the unit K, M, G or T, such as "32G".',
        ),
        (
            {"worker": {"cores": {"default": 3}}},
            ": worker.cores: the default 3 is not between min 0.1 and max 2; change one of them.",
        ),
        (
            {"worker": {"memory": {"min": 4}}},
            ": worker.memory: the default 2 is not between min 4 and max 6; change one of them.",
        ),
        (
            {"worker": {"cores": {"request": 1.1}}},
            ": worker.cores.request is the number 1.1; write a share more than 0 and at most 1, such as 0.9.",
        ),
        (
            {"worker": {"cores": {"request": 0}}},
            ": worker.cores.request is the number 0; write a share more than 0 and at most 1, such as 0.9.",
        ),
        (
            {"scheduler": {"cores": {"limit": 1, "guarantee": 2}}},
            ": scheduler.cores.limit 1 is below scheduler.cores.guarantee 2; raise the limit or lower the guarantee.",
        ),
        (
            {"scheduler": {"memory": {"guarantee": "8G"}}},
            ": scheduler.memory.limit 2 is below scheduler.memory.guarantee 8G; "
            "raise the limit or lower the guarantee.",
        ),
        ({"gpu": {"enabled": "yes"}}, ': gpu.enabled is the text "yes"; write true or false.'),
        (
            {"gpu": {"enabled": True, "cores_max": 0.5}},
            ": gpu.cores_max 0.5 is below worker.cores.default 1; raise it or lower the default.",
        ),
        ({"idle_timeout": -1}, ": idle_timeout is the number -1; write seconds such as 600, 0 for never."),
        ({"idle_timeout": "10m"}, ': idle_timeout is the text "10m"; write seconds such as 600, 0 for never.'),
        ({"limits": {"workers": 0}}, ": limits.workers is the number 0; write a whole number, 1 or more."),
        ({"limits": {"workers": 1.5}}, ": limits.workers is the number 1.5; write a whole number, 1 or more."),
        (
            {"limits": {"cores": 2}},
            ": limits.cores 2 leaves no room for a scheduler and one worker of worker.cores.max; "
            "write at least 2.5 or lower worker.cores.max.",
        ),
        (
            {"limits": {"memory": 4}},
            ": limits.memory 4G leaves no room for a scheduler and one worker of worker.memory.max; "
            "write at least 7G or lower worker.memory.max.",
        ),
        ({"image": "hub/python"}, ': image is "hub/python", which has no tag; add one, as in "hub/python:2026.1".'),
        (
            {"images": "hub/*"},
            ': images is the text "hub/*"; write a list of patterns such as "registry.example.org/hub/*".',
        ),
        (
            {"images": [""]},
            ': images[0] is the empty text; write patterns such as "registry.example.org/hub/*".',
        ),
    ],
)
def test_refused(options: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        dask_options(options, PROFILES)
    assert str(error.value) == f"daskhub_dask_options{sentence}"


def test_no_image_at_all() -> None:
    with pytest.raises(InputError) as error:
        dask_options({})
    assert str(error.value) == (
        "daskhub_dask_options: images is empty and there are no profiles; "
        'name what clusters may use, such as "example/*".'
    )


@pytest.mark.parametrize(
    ("options", "capacity", "sentence"),
    [
        ({}, {"worker": {"cores": 2, "memory": 6 * GIB}}, None),
        ({}, {"worker": {"cores": 1.9}}, None),  # 0.9 of two cores
        ({}, {"gpu_worker": {"cores": 1}}, None),  # there are none
        (
            {},
            {"worker": {"cores": 1}},
            "worker.cores.max cannot be met: it asks for 1.8 of cores and a node has 1; lower it.",
        ),
        (
            {},
            {"worker": {"memory": 5 * GIB}},
            "worker.memory.max cannot be met: it asks for 5.2G of memory and a node has 5G; lower it.",
        ),
        (
            {},
            {"scheduler": {"cores": 0.4}},
            "scheduler.cores.guarantee cannot be met: it asks for 0.5 of cores and a node has 0.4; lower it.",
        ),
        (
            {"gpu": {"enabled": True, "cores_max": 8}},
            {"gpu_worker": {"cores": 3.86}},
            "gpu.cores_max cannot be met: it asks for 7.2 of cores and a node has 3.86; lower it.",
        ),
        (
            {"gpu": {"enabled": True, "memory_max": 64}},
            {"gpu_worker": {"memory": 27 * GIB}},
            "gpu.memory_max cannot be met: it asks for 56.3G of memory and a node has 27G; lower it.",
        ),
    ],
)
def test_capacity(options: Any, capacity: Any, sentence: str | None) -> None:
    if sentence is None:
        assert dask_options(options, PROFILES, capacity)
        return
    with pytest.raises(InputError) as error:
        dask_options(options, PROFILES, capacity)
    assert str(error.value) == f"daskhub_dask_options: {sentence}"


def test_the_result_is_json() -> None:
    result = dask_options({"gpu": {"enabled": True}}, PROFILES)
    assert json.loads(json.dumps(result)) == result
