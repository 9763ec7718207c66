# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the parts promise each other, as functions that answer one sentence for each promise that is broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts import readme_tables as readme

# main.yml is a table of contents: it fits on a page.
LONGEST_MAIN = 80
# Keys of tasks whose values are sentences.
FOR_PEOPLE = ("name", "msg", "fail_msg", "success_msg")


class Loader(yaml.SafeLoader):
    """Reads Ansible's YAML; a tagged value such as !unsafe is read as text."""


def _tagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


Loader.add_multi_constructor("!", _tagged)


def load(path: Path) -> Any:
    """The content of a YAML file."""
    # The loader is a SafeLoader that also reads tags.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


def tasks_in(items: Any) -> Iterator[dict[str, Any]]:
    """All tasks of a list of tasks, those in blocks too."""
    for item in items or []:
        yield item
        for part in ("block", "rescue", "always"):
            yield from tasks_in(item.get(part))


def role_tasks(role: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All tasks and handlers of a role, with their file."""
    for folder in ("tasks", "handlers"):
        for path in sorted((role / folder).rglob("*.yml")):
            for task in tasks_in(load(path)):
                yield path, task


def defaults(role: Path) -> list[str]:
    """Every option has a default or is required; every default is an option; where both say a value, it is the same."""
    options, values = readme.options_of(role), readme.defaults_of(role)
    problems = [f"{name} is in defaults, but not in argument_specs.yml" for name in values if name not in options]
    for name, spec in options.items():
        if not name.startswith(f"{role.name}_"):
            problems.append(f"{name} does not start with {role.name}_")
        if spec.get("required"):
            if name in values:
                problems.append(f"{name} is required, but has a default")
        elif name not in values:
            problems.append(f"{name} is not required, but has no default")
        elif "default" in spec and spec["default"] != values[name][0]:
            problems.append(f"{name} is {spec['default']!r} in argument_specs.yml, but {values[name][0]!r} in defaults")
    return problems


def typed_and_described(role: Path) -> list[str]:
    """Every option, nested ones too, has a type and a description; every entry point says what it is."""
    problems = []
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    for entry_point, content in specs.items():
        if not content.get("short_description"):
            problems.append(f"entry point {entry_point} has no short_description")
        if not (role / "tasks" / f"{entry_point}.yml").is_file():
            problems.append(f"entry point {entry_point} has no tasks/{entry_point}.yml")
        for name, spec in readme.rows(content.get("options") or {}):
            problems += [f"{name} ({entry_point}) has no {key}" for key in ("type", "description") if not spec.get(key)]
            if spec.get("type") == "list" and not spec.get("elements"):
                problems.append(f"{name} ({entry_point}) is a list, but does not say of what")
    return problems


def outputs_of(role: Path) -> set[str]:
    """The keys of ``<role>_outputs``, as far as tasks write them down."""
    keys: set[str] = set()
    for _path, task in role_tasks(role):
        value = (task.get("ansible.builtin.set_fact") or {}).get(f"{role.name}_outputs")
        if isinstance(value, dict):
            keys |= set(value)
    return keys


def facts(role: Path) -> list[str]:
    """A role sets one fact, <role>_outputs, and does so in its entry point outputs; what it registers is its own."""
    problems = []
    if not (role / "tasks" / "outputs.yml").is_file():
        problems.append("tasks/outputs.yml is missing")
    own = f"__{role.name}_"
    seen = False
    for path, task in role_tasks(role):
        where = f"{path.relative_to(role)}: task {task.get('name', 'without a name')!r}"
        arguments = task.get("ansible.builtin.set_fact", task.get("set_fact")) or {}
        for name in arguments:
            seen = seen or name == f"{role.name}_outputs"
            if name not in {"cacheable", f"{role.name}_outputs"} and not name.startswith(own):
                problems.append(f"{where} sets the fact {name}")
        if "register" in task and not task["register"].startswith(own):
            problems.append(f"{where} registers {task['register']}, which does not start with {own}")
    if not seen:
        problems.append(f"no task sets the fact {role.name}_outputs")
    return problems


def documented(role: Path) -> list[str]:
    """The README is there, its table is current, and it names the outputs."""
    path = role / "README.md"
    if not path.is_file():
        return ["README.md is missing"]
    text = path.read_text(encoding="utf-8")
    problems = []
    try:
        if readme.with_table(text, readme.table(role)) != text:
            problems.append("README.md: the table of variables is not current: run make docs")
    except ValueError as error:
        problems.append(f"README.md: {error}")
    names = {f"{role.name}_outputs", *outputs_of(role)}
    problems += [f"README.md: the output `{name}` is not described" for name in sorted(names) if f"`{name}" not in text]
    return problems


def readable(role: Path) -> list[str]:
    """tasks/main.yml is short; every task has a name, and no two in a file the same."""
    problems = []
    main = role / "tasks" / "main.yml"
    lines = len(main.read_text(encoding="utf-8").splitlines()) if main.is_file() else 0
    if not 0 < lines <= LONGEST_MAIN:
        problems.append(f"tasks/main.yml has {lines} lines; it is a table of contents of 1 to {LONGEST_MAIN}")
    names: set[tuple[Path, str]] = set()
    for path, task in role_tasks(role):
        name = task.get("name", "")
        if not name:
            problems.append(f"{path.relative_to(role)}: a task has no name")
        elif (path, name) in names:
            problems.append(f"{path.relative_to(role)}: two tasks are named {name!r}")
        names.add((path, name))
    return problems


def expressions(value: Any, *, text: bool = False) -> Iterator[str]:
    """The strings below a value that Ansible evaluates: of what people read (``text``) only what stands in braces."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from expressions(below, text=key in FOR_PEOPLE)
    elif isinstance(value, list):
        for below in value:
            yield from expressions(below, text=text)
    elif isinstance(value, str):
        yield from re.findall(r"{{.*?}}", value, flags=re.DOTALL) if text else [value]


def keeps_to_itself(role: Path, options: Mapping[str, Iterable[str]], switches: Iterable[str]) -> list[str]:
    """A role reads its own variables, other roles' outputs, and hub_* switches in its defaults alone.

    ``options``: role to the names of its options.
    """
    foreign = {name: other for other, names in options.items() if other != role.name for name in names}
    problems = []
    for folder in ("defaults", "vars", "tasks", "handlers", "templates"):
        for path in sorted((role / folder).rglob("*")):
            if not path.is_file():
                continue
            read = expressions(load(path)) if path.suffix == ".yml" else [path.read_text(encoding="utf-8")]
            words = set(re.findall(r"\w+", "\n".join(read)))
            where = path.relative_to(role)
            problems += [f"{where} reads {name} of role {foreign[name]}" for name in sorted(words & foreign.keys())]
            if folder != "defaults":
                problems += [f"{where} reads the switch {name}" for name in sorted(words & set(switches))]
    return problems


def commands_of(markdown: str) -> list[str]:
    """The commands in a document's console, sh and bash blocks; in console blocks those after a prompt."""
    commands = []
    for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```", markdown, flags=re.MULTILINE | re.DOTALL):
        lines = [line.strip() for line in block.splitlines()]
        if language == "console":
            commands += [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif language in ("bash", "sh", "shell"):
            commands += [line.removeprefix("$ ") for line in lines if line and not line.startswith("#")]
    return commands


def unknown_commands(commands: Iterable[str], targets: Iterable[str], root: Path) -> list[str]:
    """Make targets, playbooks and inventories that a document names, but that are not there."""
    known = set(targets)
    problems = []
    for command in commands:
        words = command.split("#")[0].split()
        if words and words[0] == "make":
            goals = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
            problems += [f"{command!r}: make has no target {goal}" for goal in goals if goal not in known]
        for word in words:
            if re.match(r"(playbooks|inventories|roles|docs|molecule)/", word) and not (root / word).exists():
                problems.append(f"{command!r}: there is no {word}")
    return problems


def make_targets(makefile: str) -> dict[str, str]:
    """Target to its help text."""
    return dict(re.findall(r"^([a-z][a-z-]*):.*?(?:## *(.*))?$", makefile, flags=re.MULTILINE))


def unbounded(requirements: str) -> list[str]:
    """Requirements without both ends of a range (or an exact version)."""
    problems = []
    for line in requirements.splitlines():
        text = line.split("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        if "==" not in text and not ("<" in text and ">" in text):
            problems.append(f"{text} has no range with two ends")
    return problems


# Paths of somebody's machine, and options or fields that carry the address of an index.
OF_A_MACHINE = re.compile(
    r"(?<![\w.$}])(?:/root/|/work/|/Users/\w+/|/home/(?!jovyan\b)\w+/)\S*"
    r"|--(?:extra-)?index-url[= ]\S+|--find-links[= ]\S+|\"resolved\": *\"\S+"
)


def of_a_machine(text: str) -> list[str]:
    """What only one machine or network has."""
    return OF_A_MACHINE.findall(text)
