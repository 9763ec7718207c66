# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The notebook's environment through the real KubeSpawner."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")

from hub_extensions import user_environment
from hub_extensions.local_spawner import LocalProfileSpawner
from jupyterhub.spawner import SimpleLocalProcessSpawner

Write = Callable[[str, Any], Path]
Make = Callable[..., Any]

VALUES = [
    "plain",
    "",
    "{JUPYTER_IMAGE_SPEC}",
    "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status",
    '{"a": {"b": 1}}',
    "$HOME $(HOME) $$ {{x}} %s",
]


def kubernetes(value: str) -> str:
    """What Kubernetes makes of a value when no variable is defined: $$ is $, unknown references stay."""
    return re.sub(r"\$(\$|)", lambda _: "$", value)


def wait(write_data: Write, value: str) -> None:
    write_data("user_environment.json", {"notebook": {"A": value}, "scheduler": {"A": "no"}, "worker": {}})


@pytest.mark.parametrize("value", VALUES)
def test_in_a_pod_values_arrive_as_written(make_spawner: Make, write_data: Write, value: str) -> None:
    wait(write_data, value)
    spawner = make_spawner()
    user_environment.set_environment(spawner)
    assert kubernetes(spawner.get_env()["A"]) == value


@pytest.mark.parametrize("value", VALUES)
def test_in_a_local_process_values_arrive_as_written(make_spawner: Make, write_data: Write, value: str) -> None:
    wait(write_data, value)
    like = make_spawner()
    spawner = LocalProfileSpawner(user=like.user, hub=like.hub, api_token="token", oauth_client_id="client")
    user_environment.set_environment(spawner)
    assert spawner.get_env()["A"] == value


def test_spawners_of_other_kinds_get_values_untouched(write_data: Write) -> None:
    wait(write_data, "{x} $x")
    spawner = SimpleLocalProcessSpawner()
    user_environment.set_environment(spawner)
    assert spawner.environment["A"] == "{x} $x"


def test_they_win_over_what_everybody_has_and_are_read_anew(make_spawner: Make, write_data: Write) -> None:
    wait(write_data, "1")
    spawner = make_spawner(environment={"A": "0", "B": "0"})
    user_environment.set_environment(spawner)
    assert (spawner.environment["A"], spawner.environment["B"]) == ("1", "0")
    wait(write_data, "2")
    user_environment.set_environment(spawner)
    assert spawner.environment["A"] == "2"
    assert user_environment.notebook_environment() == {"A": "2"}


def test_the_configuration_of_the_class_is_not_touched(make_spawner: Make, write_data: Write) -> None:
    wait(write_data, "1")
    user_environment.set_environment(make_spawner(environment={"B": "0"}))
    assert "A" not in make_spawner(environment={"B": "0"}).environment
