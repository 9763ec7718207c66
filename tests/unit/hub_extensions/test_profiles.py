# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What users may choose, with the filter's own output and the real KubeSpawner and JupyterHub."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list as filter_profiles

pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")

from hub_extensions import profiles
from jupyterhub import orm
from tornado import web

Write = Callable[[str, Any], Path]
Make = Callable[..., Any]
Run = Callable[[Any], Any]

PROFILES: list[dict[str, Any]] = [
    {"name": "python", "image": "hub/python:1", "cores": {"limit": 4, "guarantee": 3}, "memory": {"limit": "32G"}},
    {"name": "r", "image": "hub/r:1", "default": True, "environment": {"WORDS": "{x} $(HOME) $$"}},
    {"name": "gpu", "image": "hub/gpu:1", "gpu": 1, "visible_to": {"groups": ["gpu-users"]}},
    {"name": "ada", "image": "hub/ada:1", "visible_to": {"users": ["Ada@example.org"], "groups": ["friends"]}},
    {"name": "off", "image": "hub/off:1", "enabled": False},
]


@pytest.fixture(autouse=True)
def _data(write_data: Write) -> None:
    write_data("profiles.json", filter_profiles(PROFILES))


def slugs(spawner: Any) -> list[str]:
    return [profile["slug"] for profile in profiles.profile_list(spawner)]


def default(spawner: Any) -> list[str]:
    return [profile["slug"] for profile in profiles.profile_list(spawner) if profile["default"]]


@pytest.mark.parametrize(
    ("name", "groups", "seen"),
    [
        ("bob", (), ["python", "r"]),
        ("bob", ("others",), ["python", "r"]),
        ("bob", ("gpu-users",), ["python", "r", "gpu"]),
        ("bob", ("friends", "gpu-users"), ["python", "r", "gpu", "ada"]),
        ("ada@example.org", (), ["python", "r", "ada"]),
        ("ada", (), ["python", "r"]),
    ],
)
def test_visible(make_spawner: Make, name: str, groups: tuple[str, ...], seen: list[str]) -> None:
    spawner = make_spawner(name, groups)
    assert slugs(spawner) == seen
    assert default(spawner) == ["r"]


def test_default_that_is_not_visible(make_spawner: Make, write_data: Write) -> None:
    hidden = {"name": "hidden", "image": "a:1", "default": True, "visible_to": {"users": ["ada"]}}
    write_data("profiles.json", filter_profiles([hidden, *PROFILES[:1], PROFILES[2]]))
    assert default(make_spawner("bob")) == ["python"]
    assert default(make_spawner("ada")) == ["hidden"]


def test_changes_are_seen_and_what_is_given_out_is_a_copy(make_spawner: Make, write_data: Write) -> None:
    spawner = make_spawner("bob")
    profiles.profile_list(spawner)[0]["kubespawner_override"]["image"] = "changed"
    assert profiles.profile_list(spawner)[0]["kubespawner_override"]["image"] == "hub/python:1"
    write_data("profiles.json", filter_profiles([{"name": "new", "image": "a:1"}]))
    assert slugs(spawner) == ["new"]


async def apply(spawner: Any, user_options: Any) -> None:
    """What JupyterHub does before each start."""
    if isinstance(user_options, dict):
        spawner.user_options = user_options
    await spawner._run_apply_user_options(user_options)


def hooked(make_spawner: Make, name: str = "bob") -> Any:
    spawner = make_spawner(name, profile_list=profiles.profile_list)
    spawner.apply_user_options = profiles.check_user_options
    return spawner


@pytest.mark.parametrize(
    "options", [{}, None, {"profile": None}, {"profile": ""}, {"profile": "r"}, {"profile": "python"}]
)
def test_accepted(make_spawner: Make, run: Run, options: Any) -> None:
    run(apply(hooked(make_spawner), options))


CHOICES = '"python", "r"'


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"profile": "gone"}, f'There is no profile "gone" for you (any more); choose one of {CHOICES}.'),
        ({"profile": "off"}, f'There is no profile "off" for you (any more); choose one of {CHOICES}.'),
        ({"profile": "gpu"}, f'There is no profile "gpu" for you (any more); choose one of {CHOICES}.'),
        ({"profile": "Python"}, f'There is no profile "Python" for you (any more); choose one of {CHOICES}.'),
        ({"profile": ["x"]}, f"The profile is no text but ['x']; choose one of {CHOICES}."),
        ({"profile": []}, f"The profile is no text but []; choose one of {CHOICES}."),
        ({"profile": 0}, f"The profile is no text but 0; choose one of {CHOICES}."),
        ({"profile": False}, f"The profile is no text but False; choose one of {CHOICES}."),
        ({"profile": {"a": 1}}, f"The profile is no text but {{'a': 1}}; choose one of {CHOICES}."),
        ({"image": "evil:1"}, f'The option "image" is unknown; the only option is profile, one of {CHOICES}.'),
        ({"profile": "r", "x": 1}, f'The option "x" is unknown; the only option is profile, one of {CHOICES}.'),
        (["profile"], f"The options are no mapping but ['profile']; choose a profile: {CHOICES}."),
        ("r", f'The options are no mapping but "r"; choose a profile: {CHOICES}.'),
        ({"profile": "%s %(a)s"}, f'There is no profile "%s %(a)s" for you (any more); choose one of {CHOICES}.'),
        ({"profile": "a\nb"}, f'There is no profile "a b" for you (any more); choose one of {CHOICES}.'),
        (
            {"profile": "x" * 100},
            f'There is no profile "{"x" * 58}… for you (any more); choose one of {CHOICES}.',
        ),
    ],
)
def test_refused(make_spawner: Make, run: Run, options: Any, sentence: str) -> None:
    with pytest.raises(web.HTTPError) as error:
        run(apply(hooked(make_spawner), options))
    assert error.value.status_code == 400
    # The page shows the one, the API the other.
    assert error.value.jupyterhub_message == sentence  # type: ignore[attr-defined]
    assert str(error.value.log_message) % error.value.args == sentence


def test_what_is_refused_is_forgotten(make_spawner: Make, run: Run) -> None:
    spawner = hooked(make_spawner)
    spawner.orm_spawner = orm.Spawner(user_options={"profile": "gone"})
    with pytest.raises(web.HTTPError):
        run(apply(spawner, {"profile": "gone"}))
    assert spawner.user_options == spawner.orm_spawner.user_options == {}
    # So the form shows the default as chosen.
    form = run(spawner.get_options_form())
    assert re.search(r'value="r"\s+checked', form)


def test_what_is_accepted_is_remembered(make_spawner: Make, run: Run) -> None:
    spawner = hooked(make_spawner)
    spawner.orm_spawner = orm.Spawner(user_options={"profile": "python"})
    run(apply(spawner, {"profile": "python"}))
    assert spawner.user_options == spawner.orm_spawner.user_options == {"profile": "python"}


def test_nothing_visible(make_spawner: Make, run: Run, write_data: Write) -> None:
    write_data("profiles.json", filter_profiles([{**PROFILES[0], "visible_to": {"users": ["ada"]}}]))
    with pytest.raises(web.HTTPError, match="No profile is open to you; ask the administrators of this hub for one"):
        run(apply(hooked(make_spawner), {}))


async def manifest(spawner: Any, user_options: Any) -> dict[str, Any]:
    """The pod that KubeSpawner would create for a choice, as Kubernetes would be sent it."""
    from kubernetes_asyncio.client import ApiClient

    await apply(spawner, user_options)
    await spawner.load_user_options()
    pod = await spawner.get_pod_manifest()
    async with ApiClient() as client:
        found: dict[str, Any] = client.sanitize_for_serialization(pod)
    return found


def pod_for(make_spawner: Make, run: Run, choice: Any, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    spawner = make_spawner(
        "bob",
        groups,
        profile_list=profiles.profile_list,
        # As the chart's defaults set them for everybody.
        mem_guarantee="1G",
        extra_resource_limits={"nvidia.com/gpu": "3"},
        environment={"COMMON": "1"},
    )
    spawner.apply_user_options = profiles.check_user_options
    return run(manifest(spawner, choice))


def test_pod(make_spawner: Make, run: Run) -> None:
    pod = pod_for(make_spawner, run, {"profile": "python"})
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "hub/python:1"
    assert container["resources"] == {
        "requests": {"cpu": 3, "memory": 32 * 2**30},
        "limits": {"cpu": 4, "memory": 32 * 2**30, "nvidia.com/gpu": "0"},
    }
    environment = {item["name"]: item.get("value") for item in container["env"]}
    assert environment["COMMON"] == "1"
    assert environment["JUPYTER_IMAGE_SPEC"] == "hub/python:1"
    assert float(environment["CPU_LIMIT"]) == 4
    assert int(environment["MEM_LIMIT"]) == 32 * 2**30


def node_affinity(pod: dict[str, Any]) -> list[dict[str, Any]]:
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    found: list[dict[str, Any]] = term["matchExpressions"]
    return found


def test_pod_without_gpu_keeps_off_gpu_nodes(make_spawner: Make, run: Run) -> None:
    pod = pod_for(make_spawner, run, {"profile": "python"})
    assert {"key": "pc.microsoft.com/userkind", "operator": "NotIn", "values": ["gpu"]} in node_affinity(pod)
    assert {"key": "pc.microsoft.com/workerkind", "operator": "NotIn", "values": ["gpu"]} in node_affinity(pod)
    assert [item["key"] for item in pod["spec"]["tolerations"]] == [
        "hub.jupyter.org_dedicated",
        "hub.jupyter.org/dedicated",
    ]


def test_pod_with_gpu(make_spawner: Make, run: Run) -> None:
    pod = pod_for(make_spawner, run, {"profile": "gpu"}, groups=("gpu-users",))
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert node_affinity(pod) == [{"key": "pc.microsoft.com/userkind", "operator": "In", "values": ["gpu"]}]
    gpu = {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}
    assert gpu in pod["spec"]["tolerations"]


@pytest.mark.parametrize("choice", [{}, {"profile": ""}, {"profile": "r"}])
def test_nothing_chosen_is_the_default(make_spawner: Make, run: Run, choice: Any) -> None:
    (container,) = pod_for(make_spawner, run, choice)["spec"]["containers"]
    assert container["image"] == "hub/r:1"
    environment = {item["name"]: item.get("value") for item in container["env"]}
    # Kubernetes turns $$ into $ and leaves what follows alone.
    assert environment["WORDS"] == "{x} $$(HOME) $$$$"


def test_form_lists_what_is_visible(make_spawner: Make, run: Run) -> None:
    spawner = make_spawner("bob", profile_list=profiles.profile_list)
    form = run(spawner.get_options_form())
    assert 'value="python"' in form
    assert 'value="gpu"' not in form
    assert form.count("checked") >= 1


def test_choice_in_the_form_is_accepted(make_spawner: Make, run: Run) -> None:
    spawner = hooked(make_spawner)
    options = spawner.options_from_form({"profile": ["python"]})
    assert options == {"profile": "python"}
    run(apply(spawner, options))
