# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The filters as Ansible runs them: on its own tagged and templated data, in one run of ansible-playbook."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils import _dask_options, _profiles, _user_environment

from rendering import run_play

FILTERS = ("profile_list", "dask_options", "user_environment", "merge_values", "daskhub_problem")

PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    tag: 2231e05
    profiles:
      - name: python
        image: "hub/python:{{ tag }}"
        cores: {limit: "{{ 1 + 1 }}"}
        environment: {A: "{{ '{x}' }}"}
    variables:
      - {name: A, value: "{{ tag }}", targets: [notebook, worker]}
    list: "{{ profiles | planetary.hub.profile_list }}"
    broken: [{name: python, immage: a}]
  tasks:
    - ansible.builtin.copy:
        dest: "{{ output }}"
        mode: "0600"
        content: >-
          {{ {
            'profile_list': list,
            'dask_options': {} | planetary.hub.dask_options(list),
            'user_environment': variables | planetary.hub.user_environment,
            'merge_values': [{'origin': 'a', 'values': {'x': profiles}}, {'origin': 'b', 'values': {'x': profiles}}]
                            | planetary.hub.merge_values,
            'yaml': list | to_yaml,
            'no_problem': profiles | planetary.hub.daskhub_problem({}, variables),
            'problem': broken | planetary.hub.daskhub_problem({}, variables),
            'problem_of_dask': profiles | planetary.hub.daskhub_problem({'image': 1}, variables),
            'problem_of_environment': profiles | planetary.hub.daskhub_problem({}, {}),
            'problem_of_capacity': profiles | planetary.hub.daskhub_problem({}, variables, capacity={'cores': 1}),
            'problem_of_nodes': profiles
                                | planetary.hub.daskhub_problem({}, variables, dask_capacity={'worker': {'cores': 1}}),
          } | to_json }}
    - ansible.builtin.debug:
        msg: "{{ broken | planetary.hub.profile_list }}"
      ignore_errors: true
"""


def playbook(folder: Path) -> tuple[dict[str, Any], str]:
    root, here = Path(__file__).resolve().parents[3], ("-i", "localhost,", "-c", "local")
    output, said = run_play(PLAY, root, folder, *here, ansible_python_interpreter=sys.executable)
    return json.loads(output), said


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    return playbook(tmp_path_factory.mktemp("play"))


def test_filters(ran: tuple[dict[str, Any], str]) -> None:
    output, _ = ran
    (profile,) = output["profile_list"]
    assert profile["kubespawner_override"]["image"] == "hub/python:2231e05"
    assert profile["kubespawner_override"]["cpu_limit"] == 2
    assert profile["kubespawner_override"]["environment"] == {"A": "{{x}}"}
    assert output["dask_options"]["image"] == "hub/python:2231e05"
    assert output["user_environment"] == {"notebook": {"A": "2231e05"}, "scheduler": {}, "worker": {"A": "2231e05"}}
    assert output["merge_values"]["x"][0]["name"] == "python"


def test_what_comes_out_can_be_dumped_as_yaml(ran: tuple[dict[str, Any], str]) -> None:
    output, _ = ran
    assert yaml.safe_load(output["yaml"]) == output["profile_list"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_problem", ""),
        ("problem", 'daskhub_profiles[0] "python" has the unknown key "immage"; did you mean "image"?'),
        (
            "problem_of_dask",
            "daskhub_dask_options: image is the number 1; "
            'write an image with a tag, such as "registry.example.org/hub/python:2026.1".',
        ),
        (
            "problem_of_environment",
            "daskhub_user_environment is a mapping of nothing; write a list of variables with name, value and targets.",
        ),
        (
            "problem_of_capacity",
            'daskhub_profiles[0] "python" cannot be met: it needs 2 cores, but 1 is the most there is; '
            "lower cores.guarantee.",
        ),
        (
            "problem_of_nodes",
            "daskhub_dask_options: worker.cores.max cannot be met: "
            "it asks for 1.8 of cores and a node has 1; lower it.",
        ),
    ],
)
def test_problem(ran: tuple[dict[str, Any], str], name: str, sentence: str) -> None:
    output, _ = ran
    assert output[name] == sentence


def test_an_error_is_a_sentence_without_traceback(ran: tuple[dict[str, Any], str]) -> None:
    _, said = ran
    assert 'daskhub_profiles[0] "python" has the unknown key "immage"; did you mean "image"?' in said
    assert "Traceback" not in said


def documentation(name: str) -> dict[str, Any]:
    module = importlib.import_module(f"ansible_collections.planetary.hub.plugins.filter.{name}")
    loaded: dict[str, Any] = yaml.safe_load(module.DOCUMENTATION)
    return loaded


@pytest.mark.parametrize("name", FILTERS)
def test_each_file_has_its_filter(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.planetary.hub.plugins.filter.{name}")
    assert list(module.FilterModule().filters()) == [name] == [documentation(name)["name"]]


def defaults(suboptions: dict[str, Any]) -> dict[str, Any]:
    """The defaults that the documentation of nested options says, in their own shape."""
    return {
        name: defaults(option["suboptions"]) if "suboptions" in option else option.get("default")
        for name, option in suboptions.items()
    }


def test_documented_defaults_of_dask_options() -> None:
    assert defaults(documentation("dask_options")["options"]["_input"]["suboptions"]) == _dask_options.DEFAULTS


def test_documented_keys() -> None:
    profile = documentation("profile_list")["options"]["_input"]["suboptions"]
    assert tuple(profile) == _profiles._KEYS
    variable = documentation("user_environment")["options"]["_input"]["suboptions"]
    assert tuple(variable) == _user_environment._KEYS
    assert tuple(variable["targets"]["choices"]) == _user_environment.TARGETS
