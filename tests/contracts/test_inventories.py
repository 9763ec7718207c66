# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Inventories and playbooks, read by Ansible itself; nothing is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _requirements

from contracts import readme_tables, rules

ROOT = Path(__file__).resolve().parents[2]
INVENTORIES = sorted(path for path in (ROOT / "inventories").glob("*") if path.is_dir())
PLAYBOOKS = [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*.yml"))]


def ansible(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's commands in the checkout."""
    return subprocess.run(
        arguments,
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module", params=INVENTORIES, ids=lambda path: path.name)
def inventory(request: pytest.FixtureRequest) -> tuple[Path, dict[str, Any]]:
    """An inventory and what Ansible makes of it."""
    path: Path = request.param
    result = ansible("ansible-inventory", "-i", str(path), "--list")
    assert result.returncode == 0, result.stderr
    return path, json.loads(result.stdout)


def test_there_are_inventories() -> None:
    assert INVENTORIES


def switches() -> set[str]:
    """The hub_* variables that roles and playbooks read."""
    files = [*ROOT.glob("roles/*/defaults/**/*.yml"), *ROOT.glob("playbooks/*.yml")]
    return {name for path in files for name in re.findall(r"\bhub_\w+", path.read_text(encoding="utf-8"))}


def test_an_inventory_has_hosts_and_sets_known_variables(inventory: tuple[Path, dict[str, Any]]) -> None:
    path, content = inventory
    hosts = content["_meta"]["hostvars"]
    assert hosts
    roles = {path.name: set(readme_tables.options_of(path)) for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert (
        _requirements.check_variables({host: list(values) for host, values in hosts.items()}, roles, switches()) == []
    )
    # In our own inventories every hub_* variable is read, by a role or by another variable of the inventory.
    text = "\n".join(file.read_text(encoding="utf-8") for file in path.rglob("*.yml"))
    read = switches() | {name for line in re.findall(r"{{.*?}}", text) for name in re.findall(r"\bhub_\w+", line)}
    unread = {name for values in hosts.values() for name in values if name.startswith("hub_")} - read
    assert unread == set()


def test_hosts_are_reached_with_the_python_that_runs_ansible(inventory: tuple[Path, dict[str, Any]]) -> None:
    _path, content = inventory
    for host, values in content["_meta"]["hostvars"].items():
        if values.get("ansible_connection") == "local":
            assert values.get("ansible_python_interpreter") == "{{ ansible_playbook_python }}", host


def test_a_file_of_variables_is_named_after_the_role_it_steers(inventory: tuple[Path, dict[str, Any]]) -> None:
    path, _content = inventory
    prefixes = [role.name for role in (ROOT / "roles").iterdir()]
    for file in [*path.glob("group_vars/*/*.yml"), *path.glob("host_vars/*/*.yml")]:
        for name in rules.load(file) or {}:
            owner = (
                "hub"
                if name in switches()
                else next((prefix for prefix in prefixes if name.startswith(f"{prefix}_")), None)
            )
            # What no role and no playbook reads is the inventory's own and may stand where it is used.
            assert owner in (None, file.stem), f"{file.relative_to(ROOT)}: {name} belongs to {owner}.yml"


def test_the_syntax_of_all_playbooks() -> None:
    result = ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", *map(str, PLAYBOOKS))
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("playbook: ") == len(PLAYBOOKS)


def test_the_syntax_needs_no_inventory() -> None:
    assert ansible("ansible-playbook", "--syntax-check", "site.yml").returncode == 0


PREFLIGHT = ("ansible-playbook", "playbooks/preflight.yml")


def write(folder: Path, files: dict[str, str]) -> str:
    """Write an inventory; its path."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


HUB = {"hosts.yml": "all: {hosts: {hub: {ansible_connection: local}}}\n"}


def test_the_preflight_accepts_this_control_node(tmp_path: Path) -> None:
    # What no hub can do without: who may enter.
    sign_in = {"group_vars/all/hub.yml": "hub_authentication: {type: shared-password, allow_all: true}\n"}
    result = ansible(*PREFLIGHT, "-i", write(tmp_path, HUB | sign_in))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "changed=0" in result.stdout


@pytest.mark.parametrize(
    ("files", "arguments", "sentence"),
    [
        (
            HUB | {"group_vars/all/daskhub.yml": "daskhub_profile: []\n"},
            (),
            "Variable daskhub_profile of host hub is unknown to role daskhub: rename it to daskhub_profiles, or remove",
        ),
        (
            HUB | {"group_vars/all/hub.yml": "hub_platfrom: local\n"},
            (),
            "Variable hub_platfrom of host hub is read by nothing: rename it to hub_platform, or give it a name that",
        ),
        (HUB, ("-e", "hub_platform=docker"), "hub_platform of host hub is 'docker': it must be local or kubernetes."),
        (
            HUB | {"group_vars/all/daskhub.yml": "daskhub_profiles: [1\nx: 1\n"},
            (),
            "group_vars/all/daskhub.yml is broken at line 2, column 2 (expected ',' or ']', but got ':'): correct",
        ),
        (
            {"hosts.yml": "all: {hosts: {}}\n"},
            (),
            "The inventory has no hosts: add one host for each hub, or name another",
        ),
        (
            {"hosts.yml": "all: {hosts: {}}\n"},
            ("--limit", "hub"),
            "The inventory has no hosts: add one host for each hub",
        ),
    ],
)
def test_the_preflight_refuses(
    tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    result = ansible(*PREFLIGHT, "-i", write(tmp_path, files), *arguments)
    assert result.returncode != 0
    assert sentence in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_a_broken_list_of_hosts_is_an_error(tmp_path: Path) -> None:
    source = write(tmp_path, {"hosts.yml": "all: {hosts: [\n"})
    result = ansible(*PREFLIGHT, "-i", source)
    assert result.returncode != 0
    assert "hosts.yml" in result.stderr
