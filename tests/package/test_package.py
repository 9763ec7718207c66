# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The tarball, installed by the session `package` into a folder of its own: what ships, and that it works alone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

# The parts that work, and the documents that come with them.
SHIPPED = {"meta", "playbooks", "plugins", "roles"}
DOCUMENTS = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "LICENSES", "README.md", "SECURITY.md", "changelogs", "docs"}
BUILT = {"FILES.json", "MANIFEST.json"}


@pytest.fixture(scope="module")
def collections() -> Path:
    """The folder into which the tarball was installed."""
    return Path(os.environ["HUB_TEST_COLLECTIONS"])


@pytest.fixture(scope="module")
def collection(collections: Path) -> Path:
    return collections / "ansible_collections" / "planetary" / "hub"


@pytest.fixture
def ansible(collections: Path, tmp_path: Path) -> list[str]:
    """What starts a command of Ansible far from the checkout, without its settings."""
    (tmp_path / "ansible.cfg").write_text("", encoding="utf-8")
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
    }
    return ["env", f"--chdir={tmp_path}", *(f"{name}={value}" for name, value in variables.items())]


def run(*command: str) -> str:
    """Run a command that has to succeed; what it printed."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_what_ships(collection: Path) -> None:
    top = {path.name for path in collection.iterdir()}
    assert top >= SHIPPED | BUILT | {"LICENSE", "README.md"}
    assert top <= SHIPPED | BUILT | DOCUMENTS


def test_nothing_unwanted_ships(collection: Path) -> None:
    files = json.loads((collection / "FILES.json").read_text(encoding="utf-8"))["files"]
    names = [Path(entry["name"]) for entry in files]
    unwanted = [
        str(name)
        for name in names
        if name.suffix in {".pyc", ".pyo", ".log", ".gz", ".swp"}
        or {"__pycache__", "node_modules", ".sandbox", "tests", "molecule", "inventories"} & set(name.parts)
        or any(part.startswith(".") and part != "." for part in name.parts)
    ]
    assert unwanted == []


def test_the_site_runs_by_its_name(ansible: list[str]) -> None:
    listed = run(*ansible, "ansible-playbook", "planetary.hub.site", "--list-tasks", "-i", "hub,")
    plays = [line for line in listed.splitlines() if line.strip().startswith("play #")]
    assert "Check the control node and the inventory" in plays[0]
    assert len(plays) > 1


def test_the_syntax_of_every_playbook(ansible: list[str], collection: Path) -> None:
    names = [f"planetary.hub.{path.stem}" for path in sorted((collection / "playbooks").glob("*.yml"))]
    run(*ansible, "ansible-playbook", "--syntax-check", "-i", "hub,", *names)


def test_the_preflight_finds_what_it_reads(ansible: list[str]) -> None:
    sign_in = json.dumps({"hub_authentication": {"type": "shared-password", "allow_all": True}})
    said = run(*ansible, "ansible-playbook", "planetary.hub.preflight", "-i", "hub,", "-e", sign_in)
    assert "changed=0" in said
    assert "failed=0" in said


def test_the_preflight_knows_the_roles(ansible: list[str]) -> None:
    command = [*ansible, "ansible-playbook", "planetary.hub.preflight", "-i", "hub,", "-e", "daskhub_profile=x"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode != 0
    assert "rename it to daskhub_profiles" in result.stdout


def test_the_documentation_is_found(ansible: list[str]) -> None:
    said = run(*ansible, "ansible-doc", "--type", "module", "--list", "--json", "planetary.hub")
    assert "planetary.hub.control_node_info" in json.loads(said)
