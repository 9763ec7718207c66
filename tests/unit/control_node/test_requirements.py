# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The sentences of the preflight, row by row."""

from __future__ import annotations

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _requirements as needs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# only a remark\n\n-r other.txt\n", []),
        ("requests>=2.32,<3\n", [("requests", "<3,>=2.32")]),
        ("uv>=0.8 # fast\npackaging\n", [("uv", ">=0.8"), ("packaging", "")]),
        ("tomli>=2; python_version < '3'\n", []),
    ],
)
def test_requirements_files(text: str, expected: list[tuple[str, str]]) -> None:
    assert needs.parse_requirements(text) == expected


def test_a_line_that_is_no_requirement_is_named() -> None:
    with pytest.raises(ValueError, match=r"Line 2 of the requirements, 'uv >= = 1'"):
        needs.parse_requirements("requests\nuv >= = 1\n")


@pytest.mark.parametrize(
    ("version", "specifier", "expected"),
    [
        ("1.2", ">=1,<2", True),
        ("v3.20.2", ">=3.16,<5", True),
        ("2.21.0rc1", ">=2.19.0", True),
        ("2", ">=1,<2", False),
        (None, "", False),
        ("unknown", "", False),
        ("1", "", True),
    ],
)
def test_versions_and_ranges(version: str | None, specifier: str, expected: bool) -> None:
    assert needs.fits(version, specifier) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.11.7", []),
        ("3.13.0", []),
        (
            "3.10.13",
            ["Python 3.10.13 (/bin/python) runs Ansible, but the collection needs Python >=3.11,<3.15: use another."],
        ),
    ],
)
def test_python(version: str, expected: list[str]) -> None:
    assert needs.check_python(version, "/bin/python") == expected


def test_core() -> None:
    assert needs.check_core("2.19.14", ">=2.19.0") == []
    assert needs.check_core("2.18.1", ">=2.19.0") == [
        "ansible-core is 2.18.1, but the collection needs ansible-core >=2.19.0: install that version."
    ]


def test_packages() -> None:
    required = [("uv", ">=0.8,<1"), ("requests", ">=2.32"), ("packaging", "")]
    there = {"uv": "0.7.0", "packaging": "25.0"}
    assert needs.check_packages(required, there.get, "/bin/python", "meta/requirements.txt") == [
        "Python package uv is 0.7.0, but the control node needs uv>=0.8,<1: "
        "run /bin/python -m pip install -r meta/requirements.txt",
        "Python package requests is missing, but the control node needs requests>=2.32: "
        "run /bin/python -m pip install -r meta/requirements.txt",
    ]


@pytest.mark.parametrize(
    ("platforms", "names"),
    [
        ([], ["community.general"]),
        (["local"], ["community.general"]),
        (["local", "kubernetes"], ["community.general", "kubernetes.core"]),
    ],
)
def test_collections_of_the_platforms(platforms: list[str], names: list[str]) -> None:
    assert list(needs.required_collections({"community.general": ">=11.0.0"}, platforms)) == names


def test_collections() -> None:
    required = {"community.general": ">=11.0.0,<15.0.0"}
    assert needs.check_collections(required, {"community.general": "11.4.2"}.get) == []
    nothing: dict[str, str] = {}
    assert needs.check_collections(required, nothing.get) == [
        "Collection community.general is missing, but the control node needs community.general >=11.0.0,<15.0.0: "
        "run ansible-galaxy collection install 'community.general:>=11.0.0,<15.0.0'"
    ]


@pytest.mark.parametrize(
    ("helm", "kubernetes_core", "expected"),
    [
        ("3.16.0", "6.2.0", []),
        ("3.20.2+gabc", "6.2.0", []),
        ("4.0.1", "6.5.0", []),
        (
            "4.0.1",
            "6.2.0",
            [
                "Command helm is 4.0.1, which needs kubernetes.core >=6.5.0, but kubernetes.core is 6.2.0: "
                "install that collection or helm 3."
            ],
        ),
        (
            "3.15.4",
            "6.2.0",
            [
                "Command helm is 3.15.4, but hub_platform kubernetes needs helm >=3.16,<5: "
                "install it, or use the execution environment."
            ],
        ),
        (
            None,
            "6.2.0",
            [
                "Command helm is missing, but hub_platform kubernetes needs helm >=3.16,<5: "
                "install it, or use the execution environment."
            ],
        ),
    ],
)
def test_helm(helm: str | None, kubernetes_core: str, expected: list[str]) -> None:
    required = needs.required_commands(["kubernetes"])
    assert needs.check_commands(required, {"helm": helm}.get, {"kubernetes.core": kubernetes_core}.get) == expected


def test_the_local_platform_needs_no_command() -> None:
    assert needs.required_commands(["local"]) == {}


def test_platforms() -> None:
    assert needs.check_platforms({"a": "local", "b": "kubernetes"}) == []
    assert needs.check_platforms({"a": "docker"}) == [
        "hub_platform of host a is 'docker': it must be local or kubernetes."
    ]


ROLES = {
    "daskhub": {"daskhub_profiles", "daskhub_port"},
    "secrets": {"secrets_vault"},
    "secrets_store": {"secrets_store_name"},
}
SWITCHES = {"hub_platform", "hub_task_environment"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("daskhub_profiles", None),
        ("daskhub_outputs", None),
        ("secrets_outputs", None),
        ("daskhub", None),
        ("ansible_connection", None),
        ("team_name", None),
        ("hub_platform", None),
        ("hub_region_of_my_team", None),
        ("daskhub_profile", "is unknown to role daskhub: rename it to daskhub_profiles, or remove it."),
        ("daskhub_zzz", "is unknown to role daskhub: remove it, or see README.md of role daskhub."),
        ("secrets_store_nam", "is unknown to role secrets_store: rename it to secrets_store_name, or remove it."),
        ("hub_platfrom", "is read by nothing: rename it to hub_platform, or give it a name that is less alike."),
    ],
)
def test_variables(name: str, expected: str | None) -> None:
    problems = needs.check_variables({"staging": ["ansible_host", name]}, ROLES, SWITCHES)
    assert problems == ([f"Variable {name} of host staging {expected}"] if expected else [])


def test_one_variable_of_many_hosts_is_said_once() -> None:
    problems = needs.check_variables({"staging": ["daskhub_prot"], "prod": ["daskhub_prot"]}, ROLES, SWITCHES)
    assert problems == [
        "Variable daskhub_prot of hosts staging, prod is unknown to role daskhub: "
        "rename it to daskhub_port, or remove it."
    ]


def test_options_of_all_entry_points() -> None:
    entry_points: dict[str, dict[str, object]] = {
        "main": {"options": {"ui_title": {}}},
        "outputs": {"options": {"ui_logo": {}}},
        "stop": {},
    }
    assert needs.role_options({"argument_specs": entry_points}) == {"ui_title", "ui_logo"}
    assert needs.role_options({}) == set()
