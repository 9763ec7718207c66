# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The inventory's files, read before Ansible reads them: a broken one is named, with line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

try:
    import yaml
except ImportError:
    HAS_YAML = False
else:
    HAS_YAML = True

SUFFIXES = (".yml", ".yaml", ".json")
NO_HOSTS = "The inventory has no hosts: add one host for each hub, or name another inventory with -i."


def variable_files(source: Path) -> Iterator[Path]:
    """The YAML files in group_vars and host_vars of an inventory source (a file or a directory), in name order."""
    base = source if source.is_dir() else source.parent
    for folder in ("group_vars", "host_vars"):
        for path in sorted((base / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path


def yaml_problem(path: Path) -> str | None:
    """One sentence when ``path`` is not YAML; tags such as !vault are left to Ansible."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"Inventory file {path} cannot be read ({error}): correct it."
    try:
        for _event in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        return f"Inventory file {path} is broken at {where} ({error.problem or error.context}): correct the YAML there."
    except yaml.YAMLError as error:
        return f"Inventory file {path} is broken ({error}): correct the YAML there."
    return None


def inventory_problem(hosts: Iterable[str], sources: Iterable[str], limit: str = "") -> str:
    """One sentence for the first thing that keeps a play from starting, or an empty string.

    ``hosts``: the names in group ``all``. ``sources``: the inventory's sources; a list of hosts ("localhost,") is none.
    ``limit``: what ``--limit`` says. Under a limit an inventory without hosts runs nothing at all, silently; without
    one a play can still fall back to localhost and fail there, and ``--syntax-check`` needs no inventory.
    """
    for source in sources:
        if "," in source:
            continue
        for path in variable_files(Path(source)):
            problem = yaml_problem(path)
            if problem:
                return problem
    return NO_HOSTS if limit and not list(hosts) else ""
