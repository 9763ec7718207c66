# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Modules and filters are documented, and the action group lists every module."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contracts import rules

ROOT = Path(__file__).resolve().parents[2]


def names(kind: str) -> list[str]:
    """The plugins of a kind, by their files."""
    return sorted(path.stem for path in (ROOT / "plugins" / kind).glob("*.py") if not path.stem.startswith("_"))


@pytest.fixture(scope="module", params=["module", "filter"])
def documented(request: pytest.FixtureRequest) -> tuple[str, list[str], dict[str, Any]]:
    """What ansible-doc says of all plugins of a kind."""
    kind: str = request.param
    known = names({"module": "modules"}.get(kind, kind))
    result = subprocess.run(
        ["ansible-doc", "--type", kind, "--json", *(f"planetary.hub.{name}" for name in known)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return kind, known, json.loads(result.stdout)


def test_documentation(documented: tuple[str, list[str], dict[str, Any]]) -> None:
    kind, known, found = documented
    assert sorted(found) == [f"planetary.hub.{name}" for name in known]
    for name, plugin in found.items():
        document = plugin["doc"]
        assert document["author"], name
        assert document["version_added"], name
        assert document["short_description"], name
        assert plugin["examples"], name
        assert plugin["return"], name
        if kind == "module":
            assert {"check_mode", "diff_mode"} <= set(document["attributes"]), name


@pytest.mark.parametrize("name", names("filter"))
def test_a_filter_has_the_name_of_its_file(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.planetary.hub.plugins.filter.{name}")
    assert list(module.FilterModule().filters()) == [name]


def test_the_action_group_lists_every_module() -> None:
    runtime = rules.load(ROOT / "meta" / "runtime.yml")
    assert runtime["action_groups"]["hub"] == names("modules")


def test_every_action_plugin_has_a_module_that_documents_it() -> None:
    assert set(names("action")) <= set(names("modules"))


def test_every_python_file_names_its_licence() -> None:
    folders = ("plugins", "roles", "tests", "benchmarks")
    files = [ROOT / "noxfile.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    missing = [
        str(path.relative_to(ROOT))
        for path in files
        if path.stat().st_size and "# SPDX-License-Identifier: " not in path.read_text(encoding="utf-8")[:400]
    ]
    assert missing == []
