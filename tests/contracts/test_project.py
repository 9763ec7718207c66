# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The project as a whole: said once, kept together, nobody's machine in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _requirements

from contracts import rules

ROOT = Path(__file__).resolve().parents[2]
GALAXY = rules.load(ROOT / "galaxy.yml")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("roles/*/README.md"))]


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Name to text of each file that git knows (or would add); empty text for links and files that are no text."""
    result = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    texts: dict[str, str] = {}
    for name in filter(None, result.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                texts[name] = ""
    return texts


def test_the_version_is_said_once(tracked: dict[str, str]) -> None:
    """In galaxy.yml; the changelog and version_added tell of the past."""
    pattern = re.compile(r"^\s*(?:version|__version__)\s*[:=]\s*[\"']?" + re.escape(GALAXY["version"]), re.MULTILINE)
    said = [
        name
        for name, text in tracked.items()
        if not name.startswith(("changelogs/", "CHANGELOG")) and pattern.search(text)
    ]
    named = [name for name, text in tracked.items() if f"planetary-hub-{GALAXY['version']}" in text]
    assert (said, named) == (["galaxy.yml"], [])


def test_nothing_of_one_machine(tracked: dict[str, str]) -> None:
    found = {
        name: rules.of_a_machine(text)
        for name, text in tracked.items()
        # The test of the rule, and the rule itself.
        if name not in ("tests/contracts/test_rules.py", "tests/contracts/rules.py") and rules.of_a_machine(text)
    }
    assert found == {}


def test_lock_files_name_no_host(tracked: dict[str, str]) -> None:
    locks = {
        name: text for name, text in tracked.items() if "/requirements/" in name or name.endswith("package-lock.json")
    }
    # Where npm's lock says who is to be thanked or which licence holds, it may name a host.
    hosts = {
        name: re.findall(r"^(?!.*\"(?:url|funding|homepage)\").*(https?://[^/\s\"]+)", text, flags=re.MULTILINE)
        for name, text in locks.items()
    }
    assert {name: found for name, found in hosts.items() if found} == {}


@pytest.mark.parametrize(
    "path",
    [ROOT / "requirements.txt", ROOT / "meta/requirements.txt", *sorted((ROOT / "tests/requirements").glob("*.txt"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_requirements_are_ranges(path: Path) -> None:
    assert rules.unbounded(path.read_text(encoding="utf-8")) == []


def test_the_execution_environment_holds_what_the_control_node_needs() -> None:
    environment = rules.load(ROOT / "execution-environment.yml")["dependencies"]
    collections = {item["name"]: item["version"] for item in environment["galaxy"]["collections"]}
    assert collections == _requirements.required_collections(GALAXY["dependencies"], _requirements.PLATFORMS)
    runtime = rules.load(ROOT / "meta" / "runtime.yml")
    assert environment["ansible_core"]["package_pip"].startswith(f"ansible-core{runtime['requires_ansible']},")
    assert environment["python"] == "meta/requirements.txt"
    assert environment["system"] == "meta/bindep.txt"
    system = (ROOT / "meta" / "bindep.txt").read_text(encoding="utf-8")
    for commands in _requirements.COMMANDS.values():
        for name, specifier in commands.items():
            assert re.search(rf"^{name} ", system, flags=re.MULTILINE)
            assert f"{name}: " in system
            assert specifier in system


def test_the_collection_brings_what_its_execution_environment_file_names() -> None:
    files = rules.load(ROOT / "meta" / "execution-environment.yml")["dependencies"]
    assert all((ROOT / "meta" / name).is_file() for name in files.values())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_the_documents_exist(path: Path) -> None:
    targets = rules.make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert rules.unknown_commands(rules.commands_of(path.read_text(encoding="utf-8")), targets, ROOT) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_the_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"\w+:", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_every_target_says_what_it_does() -> None:
    targets = rules.make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {"hub", "status", "down", "clean", "test", "lint", "docs"} <= targets.keys()
    assert [name for name, text in targets.items() if not text] == []


def test_ci_runs_both_ends() -> None:
    job = rules.load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
