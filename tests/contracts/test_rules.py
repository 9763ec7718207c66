# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The rules find planted faults: each row changes one thing in a role that keeps all promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from contracts import readme_tables, rules

FILES = {
    "defaults/main.yml": "toy_size: 2\n",
    "meta/argument_specs.yml": """
argument_specs:
  main:
    short_description: A toy
    options:
      toy_size:
        type: int
        default: 2
        description: How large.
      toy_owner:
        type: dict
        required: true
        description: Whose it is.
        options:
          name:
            type: str
            description: A name, such as V(Ann).
  outputs:
    short_description: What is there
""",
    "tasks/main.yml": "- name: Build the toy\n  ansible.builtin.include_tasks: outputs.yml\n",
    "tasks/outputs.yml": "- name: Set the outputs\n  ansible.builtin.set_fact:\n    toy_outputs:\n      size: 2\n",
    "README.md": f"# toy\n\n{readme_tables.START}\n{readme_tables.END}\n\n`toy_outputs`: `size`\n",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    role = tmp_path / "toy"
    for name, content in FILES.items():
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(content, encoding="utf-8")
    text = readme_tables.with_table(FILES["README.md"], readme_tables.table(role))
    (role / "README.md").write_text(text, encoding="utf-8")
    return role


def problems_of(role: Path) -> list[str]:
    return [
        *rules.defaults(role),
        *rules.typed_and_described(role),
        *rules.facts(role),
        *rules.documented(role),
        *rules.readable(role),
        *rules.keeps_to_itself(role, {"other": ["other_port"]}, ["hub_platform"]),
    ]


def test_a_role_that_keeps_all_promises(toy: Path) -> None:
    assert problems_of(toy) == []


def test_the_table(toy: Path) -> None:
    assert readme_tables.table(toy).splitlines() == [
        "| variable | type | default | meaning |",
        "|---|---|---|---|",
        "| `toy_size` | int | `2` | How large. |",
        "| `toy_owner` | dict | **required** | Whose it is. |",
        "| `toy_owner.name` | str |  | A name, such as `Ann`. |",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("defaults/main.yml", "2", "3", "toy_size is 2 in argument_specs.yml, but 3 in defaults"),
        ("defaults/main.yml", "toy_size: 2", "{}", "toy_size is not required, but has no default"),
        ("defaults/main.yml", "2\n", "2\ntoy_more: 1\n", "toy_more is in defaults, but not in argument_specs.yml"),
        ("defaults/main.yml", "2\n", "2\ntoy_owner: {}\n", "toy_owner is required, but has a default"),
        ("meta/argument_specs.yml", "type: str", "x: 1", "toy_owner.name (main) has no type"),
        ("meta/argument_specs.yml", "description: How large.", "x: 1", "toy_size (main) has no description"),
        ("meta/argument_specs.yml", "type: dict", "type: list", "toy_owner (main) is a list, but does not say of what"),
        ("meta/argument_specs.yml", "  outputs:", "  stop:", "entry point stop has no tasks/stop.yml"),
        ("README.md", "How large.", "How small.", "README.md: the table of variables is not current: run make docs"),
        ("README.md", "`size`", "size", "README.md: the output `size` is not described"),
        (
            "README.md",
            readme_tables.END,
            "",
            f"README.md: the marks {readme_tables.START} and {readme_tables.END} are missing",
        ),
        (
            "tasks/outputs.yml",
            "toy_outputs",
            "toy_size",
            "tasks/outputs.yml: task 'Set the outputs' sets the fact toy_size",
        ),
        ("tasks/outputs.yml", "toy_outputs", "__toy_x", "no task sets the fact toy_outputs"),
        (
            "tasks/main.yml",
            "outputs.yml\n",
            "outputs.yml\n  register: result\n",
            "tasks/main.yml: task 'Build the toy' registers result, which does not start with __toy_",
        ),
        ("tasks/main.yml", "name: Build the toy\n  ", "", "tasks/main.yml: a task has no name"),
        ("tasks/main.yml", "outputs.yml", "'{{ other_port }}.yml'", "tasks/main.yml reads other_port of role other"),
        ("tasks/main.yml", "outputs.yml", "'{{ hub_platform }}.yml'", "tasks/main.yml reads the switch hub_platform"),
        ("tasks/main.yml", "Build", "'{{ hub_platform }}' #", "tasks/main.yml reads the switch hub_platform"),
    ],
)
def test_a_planted_fault(toy: Path, file: str, old: str, new: str, problem: str) -> None:
    text = (toy / file).read_text(encoding="utf-8")
    assert old in text
    (toy / file).write_text(text.replace(old, new), encoding="utf-8")
    assert problem in problems_of(toy)


@pytest.mark.parametrize(
    ("file", "problem"),
    [("README.md", "README.md is missing"), ("tasks/outputs.yml", "tasks/outputs.yml is missing")],
)
def test_a_missing_file(toy: Path, file: str, problem: str) -> None:
    (toy / file).unlink()
    assert problem in problems_of(toy)


def test_a_main_that_is_no_table_of_contents(toy: Path) -> None:
    task = FILES["tasks/main.yml"]
    text = "".join(task.replace("the toy", f"part {number}") for number in range(41))
    (toy / "tasks/main.yml").write_text(text, encoding="utf-8")
    assert rules.readable(toy) == ["tasks/main.yml has 82 lines; it is a table of contents of 1 to 80"]


MARKDOWN = """
```console
$ make hub
a line of output
$ ansible-playbook playbooks/nowhere.yml -i inventories/sandbox
```
```sh
# remark
make -s status FORMAT=json
make fly
```
```yaml
make: no
```
"""


def test_the_commands_of_a_document(tmp_path: Path) -> None:
    commands = rules.commands_of(MARKDOWN)
    assert commands == [
        "make hub",
        "ansible-playbook playbooks/nowhere.yml -i inventories/sandbox",
        "make -s status FORMAT=json",
        "make fly",
    ]
    (tmp_path / "inventories" / "sandbox").mkdir(parents=True)
    assert rules.unknown_commands(commands, ["hub", "status"], tmp_path) == [
        "'ansible-playbook playbooks/nowhere.yml -i inventories/sandbox': there is no playbooks/nowhere.yml",
        "'make fly': make has no target fly",
    ]


def test_the_targets_of_a_makefile() -> None:
    assert rules.make_targets("A := b\nhub: x ## Build it\n\techo\nup:\n") == {"hub": "Build it", "up": ""}


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("pytest>=8,<9", []),
        ("pytest==8.1", []),
        ("-r core.txt", []),
        ("# pytest", []),
        ("pytest", ["pytest has no range with two ends"]),
        ("pytest>=8  # new", ["pytest>=8 has no range with two ends"]),
    ],
)
def test_ranges(line: str, problems: list[str]) -> None:
    assert rules.unbounded(line) == problems


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/usr/bin/python and /home/jovyan/work/ and https://example.org/root/x", []),
        ("see /" + "root/x.txt", ["/" + "root/x.txt"]),
        ("/" + "home/ann/x", ["/" + "home/ann/x"]),
        ("--index" + "-url https://example.org/simple", ["--index" + "-url https://example.org/simple"]),
    ],
)
def test_what_only_one_machine_has(text: str, found: list[str]) -> None:
    assert rules.of_a_machine(text) == found


def test_a_sentence_may_name_a_switch(toy: Path) -> None:
    text = FILES["tasks/main.yml"].replace("Build the toy", "Build the toy that hub_platform asks for")
    (toy / "tasks/main.yml").write_text(text, encoding="utf-8")
    assert problems_of(toy) == []


def test_a_stale_copy_is_found(toy: Path, tmp_path: Path) -> None:
    """The table follows the defaults too, not only the specs."""
    shutil.copytree(toy, tmp_path / "copy" / "toy")
    (toy / "defaults/main.yml").write_text("toy_size: 3\n", encoding="utf-8")
    assert readme_tables.table(toy) != readme_tables.table(tmp_path / "copy" / "toy")
