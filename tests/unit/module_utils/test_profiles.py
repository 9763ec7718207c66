# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

GIB = 2**30


def profile(**changes: Any) -> dict[str, Any]:
    return {"name": "python", "image": "hub/python:1", **changes}


def override(**changes: Any) -> dict[str, Any]:
    (result,) = profile_list([profile(**changes)])
    found: dict[str, Any] = result["kubespawner_override"]
    return found


def test_the_least_that_can_be_said() -> None:
    (result,) = profile_list([profile()])
    assert {key: result[key] for key in ("slug", "display_name", "description", "default", "visible_to")} == {
        "slug": "python",
        "display_name": "python",
        "description": "",
        "default": True,
        "visible_to": {"users": [], "groups": []},
    }
    assert result["kubespawner_override"]["extra_resource_limits"] == {"nvidia.com/gpu": "0"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cores": {"limit": 4, "guarantee": 3}}, {"cpu_limit": 4, "cpu_guarantee": 3}),
        ({"cores": {"limit": 4}}, {"cpu_limit": 4, "cpu_guarantee": 4}),
        ({"cores": {"guarantee": 0.5}}, {"cpu_limit": None, "cpu_guarantee": 0.5}),
        ({"cores": {}}, {"cpu_limit": None, "cpu_guarantee": None}),
        ({"cores": {"limit": 2, "guarantee": 2}}, {"cpu_limit": 2, "cpu_guarantee": 2}),
        ({"memory": {"limit": "32G", "guarantee": "25G"}}, {"mem_limit": "32G", "mem_guarantee": "25G"}),
        ({"memory": {"limit": "1G", "guarantee": "1024M"}}, {"mem_limit": "1G", "mem_guarantee": "1024M"}),
        ({"memory": {"limit": "1.5G"}}, {"mem_limit": "1.5G", "mem_guarantee": "1.5G"}),
        ({}, {"cpu_limit": None, "cpu_guarantee": None, "mem_limit": None, "mem_guarantee": None}),
        ({"gpu": 1}, {"extra_resource_limits": {"nvidia.com/gpu": "1"}}),
        ({"gpu": 2, "purpose": "gpu_user"}, {"extra_resource_limits": {"nvidia.com/gpu": "2"}}),
        ({"gpu": 0, "purpose": "user"}, {"extra_resource_limits": {"nvidia.com/gpu": "0"}}),
        ({"default_url": "/lab/tree/a.md"}, {"default_url": "/lab/tree/a.md"}),
        ({"environment": {"A": "{x}", "B": ""}}, {"environment": {"A": "{{x}}", "B": ""}}),
    ],
)
def test_override(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = override(**changes)
    assert {key: found[key] for key in expected} == expected


def test_every_profile_sets_everything() -> None:
    # Else the chart's defaults, or the profile chosen before, would shine through.
    plain, gpu = profile_list([profile(), profile(name="gpu", gpu=1, environment={"A": "1"})])
    assert set(plain["kubespawner_override"]) == set(gpu["kubespawner_override"])
    assert "default_url" not in plain["kubespawner_override"]


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"description": "mine"}, "mine"),
        ({"cores": {"limit": 1}, "memory": {"limit": "2G"}}, "1 core, 2 GiB of memory"),
        ({"cores": {"limit": 4}, "memory": {"limit": "512M"}, "gpu": 1}, "4 cores, 512 MiB of memory, 1 GPU"),
        ({"gpu": 2}, "2 GPUs"),
        ({"cores": {"guarantee": 1}}, ""),
    ],
)
def test_description(changes: dict[str, Any], description: str) -> None:
    assert profile_list([profile(**changes)])[0]["description"] == description


@pytest.mark.parametrize(
    ("profiles", "slugs", "default"),
    [
        ([profile(name="a"), profile(name="b")], ["a", "b"], "a"),
        ([profile(name="a"), profile(name="b", default=True)], ["a", "b"], "b"),
        ([profile(name="a", enabled=False), profile(name="b"), profile(name="c")], ["b", "c"], "b"),
        ([profile(name="a", default=False), profile(name="b", enabled=True)], ["a", "b"], "a"),
    ],
)
def test_order_and_default(profiles: list[dict[str, Any]], slugs: list[str], default: str) -> None:
    result = profile_list(profiles)
    assert [item["slug"] for item in result] == slugs
    assert [item["slug"] for item in result if item["default"]] == [default]


def test_visible_to_is_kept() -> None:
    (result,) = profile_list([profile(visible_to={"users": ["ada"], "groups": ["gpu-users"]})])
    assert result["visible_to"] == {"users": ["ada"], "groups": ["gpu-users"]}


@pytest.mark.parametrize("match", ["ignore", "prefer", "require"])
def test_gpu_nodes(match: str) -> None:
    cpu, gpu = profile_list([profile(), profile(name="gpu", gpu=1)], match_node_purpose=match)
    (cpu_term,) = cpu["kubespawner_override"]["node_affinity_required"]
    (gpu_term,) = gpu["kubespawner_override"]["node_affinity_required"]
    userkind = "pc.microsoft.com/userkind"
    assert {"key": userkind, "operator": "NotIn", "values": ["gpu"]} in cpu_term["matchExpressions"]
    assert {"key": userkind, "operator": "In", "values": ["gpu"]} in gpu_term["matchExpressions"]
    assert "nvidia.com/gpu" not in [item["key"] for item in cpu["kubespawner_override"]["tolerations"]]
    assert "nvidia.com/gpu" in [item["key"] for item in gpu["kubespawner_override"]["tolerations"]]


REFUSED: list[tuple[Any, str]] = [
    (None, "daskhub_profiles is empty; write a list of profiles, each with name and image."),
    ({}, "daskhub_profiles is a mapping of nothing; write a list of profiles, each with name and image."),
    ([], "daskhub_profiles has no enabled profile; describe at least one, or enable one."),
    ([profile(enabled=False)], "daskhub_profiles has no enabled profile; describe at least one, or enable one."),
    (
        ["python"],
        'daskhub_profiles[0] is the text "python"; write a mapping with keys such as name, display_name, description.',
    ),
    (
        [profile(), {"image": "a:1"}],
        "daskhub_profiles[1]: name is empty; "
        'write at most 63 lowercase letters, digits and single hyphens, such as "gpu-1".',
    ),
    *(
        (
            [profile(name=name)],
            f'daskhub_profiles[0] "{name}": name is the text "{name}"; '
            'write at most 63 lowercase letters, digits and single hyphens, such as "gpu-1".',
        )
        for name in ("Python", "my profile", "-a", "a-", "a--b", "a_b", "ä")
    ),
    (
        [profile(), profile()],
        'daskhub_profiles[1] "python" has the name of daskhub_profiles[0]; give each a name of its own.',
    ),
    (
        [profile(), profile(enabled=False)],
        'daskhub_profiles[1] "python" has the name of daskhub_profiles[0]; give each a name of its own.',
    ),
    (
        [profile(default=True), profile(name="r", default=True)],
        'daskhub_profiles[1] "r" is marked as default, and so is daskhub_profiles[0] "python"; mark one of them.',
    ),
    (
        [profile(), profile(name="r", default=True, enabled=False)],
        'daskhub_profiles[1] "r" is the default but not enabled; enable it or mark another one.',
    ),
    ([profile(default="yes")], 'daskhub_profiles[0] "python": default is the text "yes"; write true or false.'),
    ([profile(enabled=1)], 'daskhub_profiles[0] "python": enabled is the number 1; write true or false.'),
    (
        [profile(mem_limit="1G")],
        'daskhub_profiles[0] "python" has the unknown key "mem_limit"; known are '
        "name, display_name, description, image, cores, memory, gpu, default_url, environment, purpose, visible_to, "
        "default, enabled.",
    ),
    (
        [profile(enviroment={})],
        'daskhub_profiles[0] "python" has the unknown key "enviroment"; did you mean "environment"?',
    ),
    (
        [profile(cores={"limits": 1})],
        'daskhub_profiles[0] "python": cores has the unknown key "limits"; did you mean "limit"?',
    ),
    (
        [profile(cores=4)],
        'daskhub_profiles[0] "python": cores is the number 4; write a mapping with keys such as limit, guarantee.',
    ),
    (
        [profile(cores={"limit": "4"})],
        'daskhub_profiles[0] "python": cores.limit is the text "4"; write a number of cores such as 4 or 0.5.',
    ),
    (
        [profile(cores={"guarantee": 0})],
        'daskhub_profiles[0] "python": cores.guarantee is the number 0; write a number of cores such as 4 or 0.5.',
    ),
    (
        [profile(cores={"limit": 2, "guarantee": 3})],
        'daskhub_profiles[0] "python": cores.limit 2 is below cores.guarantee 3; '
        "raise the limit or lower the guarantee.",
    ),
    (
        [profile(memory={"limit": "2G", "guarantee": "2049M"})],
        'daskhub_profiles[0] "python": memory.limit 2G is below memory.guarantee 2049M; '
        "raise the limit or lower the guarantee.",
    ),
    (
        [profile(memory={"limit": "32Gi"})],
        'daskhub_profiles[0] "python": memory.limit is the text "32Gi"; '
        'write an amount with the unit K, M, G or T, such as "32G".',
    ),
    (
        [profile(memory={"limit": 32})],
        'daskhub_profiles[0] "python": memory.limit is the number 32; '
        'write an amount with the unit K, M, G or T, such as "32G".',
    ),
    (
        [{"name": "python"}],
        'daskhub_profiles[0] "python": image is empty; '
        'write an image with a tag, such as "registry.example.org/hub/python:2026.1".',
    ),
    (
        [profile(image="localhost:5000/python")],
        'daskhub_profiles[0] "python": image is "localhost:5000/python", which has no tag; '
        'add one, as in "localhost:5000/python:2026.1".',
    ),
    (
        [profile(gpu=-1)],
        'daskhub_profiles[0] "python": gpu is the number -1; write a whole number of GPUs, 0 for none.',
    ),
    (
        [profile(gpu=0.5)],
        'daskhub_profiles[0] "python": gpu is the number 0.5; write a whole number of GPUs, 0 for none.',
    ),
    (
        [profile(gpu=True)],
        'daskhub_profiles[0] "python": gpu is the boolean true; write a whole number of GPUs, 0 for none.',
    ),
    (
        [profile(gpu=1, purpose="user")],
        'daskhub_profiles[0] "python": purpose "user" does not go with gpu 1; write "gpu_user" or change gpu.',
    ),
    (
        [profile(purpose="gpu_user")],
        'daskhub_profiles[0] "python": purpose "gpu_user" does not go with gpu 0; write "user" or change gpu.',
    ),
    (
        [profile(purpose="worker")],
        'daskhub_profiles[0] "python": purpose is the text "worker"; known are user, gpu_user.',
    ),
    (
        [profile(default_url="lab")],
        'daskhub_profiles[0] "python": default_url is the text "lab"; '
        'write a path that begins with a slash, such as "/lab".',
    ),
    (
        [profile(environment=["A=1"])],
        'daskhub_profiles[0] "python": environment is a list; write a mapping of names and values.',
    ),
    (
        [profile(environment={"A": True})],
        'daskhub_profiles[0] "python": environment.A is the boolean true; write a text, in quotes.',
    ),
    (
        [profile(environment={"A B": "1"})],
        'daskhub_profiles[0] "python": environment is the text "A B"; '
        "write a name of letters, digits and underscores, such as STAC_URL.",
    ),
    (
        [profile(visible_to=["ada"])],
        'daskhub_profiles[0] "python": visible_to is a list; write a mapping with keys such as users, groups.',
    ),
    (
        [profile(visible_to={"users": "ada"})],
        'daskhub_profiles[0] "python": visible_to.users is the text "ada"; write a list of names of users.',
    ),
    (
        [profile(visible_to={"group": []})],
        'daskhub_profiles[0] "python": visible_to has the unknown key "group"; did you mean "groups"?',
    ),
    ([profile(display_name=1)], 'daskhub_profiles[0] "python": display_name is the number 1; write a text.'),
    # What is not offered is checked all the same: it will be offered one day.
    (
        [profile(), profile(name="r", enabled=False, image="r")],
        'daskhub_profiles[1] "r": image is "r", which has no tag; add one, as in "r:2026.1".',
    ),
]


@pytest.mark.parametrize(("profiles", "sentence"), REFUSED)
def test_refused(profiles: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        profile_list(profiles)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("changes", "capacity", "sentence"),
    [
        ({"cores": {"limit": 4, "guarantee": 2}}, {"cores": 2}, None),
        (
            {"cores": {"limit": 4, "guarantee": 3}},
            {"cores": 2},
            "it needs 3 cores, but 2 is the most there is; lower cores.guarantee.",
        ),
        ({"cores": {"limit": 4}}, {"cores": 2}, "it needs 4 cores, but 2 is the most there is; lower cores.guarantee."),
        ({"memory": {"limit": "8G", "guarantee": "2G"}}, {"memory": 2 * GIB}, None),
        (
            {"memory": {"limit": "8G", "guarantee": "2G"}},
            {"memory": 2 * GIB - 1},
            "it needs 2G of memory, but 1.9G is the most there is; lower memory.guarantee.",
        ),
        (
            {"memory": {"limit": "32G"}},
            {"cores": 2, "memory": 4 * GIB - 200 * 2**20},
            "it needs 32G of memory, but 3.8G is the most there is; lower memory.guarantee.",
        ),
        ({"gpu": 1}, {"cores": 2}, None),
        ({"gpu": 1}, {"gpu": 0}, "it needs 1 GPU, but 0 is the most there is; lower gpu or disable the profile."),
        ({}, {"cores": 1, "memory": 1, "gpu": 0}, None),
        ({"cores": {"limit": 64}}, {}, None),
        ({"cores": {"limit": 64}}, None, None),
    ],
)
def test_capacity(changes: dict[str, Any], capacity: Any, sentence: str | None) -> None:
    if sentence is None:
        assert profile_list([profile(**changes)], capacity)
        return
    with pytest.raises(InputError) as error:
        profile_list([profile(**changes)], capacity)
    assert str(error.value) == f'daskhub_profiles[0] "python" cannot be met: {sentence}'


def test_what_is_not_offered_need_not_be_met() -> None:
    profiles = [profile(), profile(name="large", enabled=False, cores={"limit": 64})]
    assert [item["slug"] for item in profile_list(profiles, {"cores": 2})] == ["python"]


def test_long_name() -> None:
    assert profile_list([profile(name="x" * 63)])
    with pytest.raises(InputError, match=r"; write at most 63 lowercase letters"):
        profile_list([profile(name="x" * 64)])


def test_unknown_match() -> None:
    with pytest.raises(InputError) as error:
        profile_list([profile()], match_node_purpose="required")
    assert str(error.value) == 'match_node_purpose is "required"; did you mean "require"?'


def test_the_result_is_json() -> None:
    result = profile_list([profile(gpu=1, environment={"A": "1"}, cores={"limit": 1})])
    assert json.loads(json.dumps(result)) == result
