# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A broken file of an inventory is named, with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.planetary.hub.plugins.filter.inventory_problem import FilterModule
from ansible_collections.planetary.hub.plugins.module_utils._inventory import NO_HOSTS, inventory_problem


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\n",
        "token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
        "$ANSIBLE_VAULT;1.1;AES256\n616263\n616263\n",
        "a: !unsafe '{{ x }}'\n---\nb: 2\n",
    ],
)
def test_sound_files(tmp_path: Path, text: str) -> None:
    write(tmp_path / "group_vars" / "all" / "daskhub.yml", text)
    assert inventory_problem(["hub"], [str(tmp_path)]) == ""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1\nb: 2\n", "line 2, column 2"),
        ('a: "x\n', "line 2, column 1"),
        ("a: 1\n\tb: 2\n", "line 2, column 1"),
        ("a: b: c\n", "line 1, column 5"),
    ],
)
@pytest.mark.parametrize("where", ["group_vars/all/daskhub.yml", "group_vars/all.yaml", "host_vars/hub/ui.yml"])
@pytest.mark.parametrize("as_directory", [True, False])
def test_broken_files(tmp_path: Path, text: str, place: str, where: str, as_directory: bool) -> None:
    hosts = write(tmp_path / "hosts.yml", "all: {hosts: {hub: {}}}\n")
    broken = write(tmp_path / where, text)
    problem = inventory_problem(["hub"], [str(tmp_path if as_directory else hosts)])
    assert problem.startswith(f"Inventory file {broken} is broken at {place} (")
    assert problem.endswith("): correct the YAML there.")
    assert "\n" not in problem


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "group_vars" / "all.yml", "")
    path.write_bytes(b"\xff\xfe\x00")
    assert inventory_problem(["hub"], [str(tmp_path)]).startswith(f"Inventory file {path} cannot be read (")


@pytest.mark.parametrize(
    ("hosts", "limit", "expected"),
    [(["hub"], "", ""), (["hub"], "hub", ""), ([], "hub", NO_HOSTS), ([], "", "")],
)
def test_hosts(hosts: list[str], limit: str, expected: str) -> None:
    assert inventory_problem(hosts, ["hub,"], limit) == expected


def test_the_filter_refuses_what_is_no_list() -> None:
    with pytest.raises(AnsibleFilterError, match="the hosts must be a list, found str"):
        FilterModule().filters()["inventory_problem"]("hub", [])
