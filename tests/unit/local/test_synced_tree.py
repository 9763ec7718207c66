# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from unit.local.modules import run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "package" / "__pycache__").mkdir(parents=True)
    (folder / "package" / "module.py").write_text("x = 1\n")
    (folder / "package" / "__pycache__" / "module.pyc").write_bytes(b"\0")
    (folder / "program").write_text("#!/bin/sh\n")
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_check_real_check_real(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    arguments: dict[str, Any] = {
        "path": str(target),
        "sources": [{"src": str(source)}],
        "contents": {"data/a.json": "{}\n"},
    }
    planned = run("synced_tree", check=True, diff=True, **arguments)
    assert planned["changed"] and not target.exists()
    assert planned["written"] == ["data/a.json", "package/module.py", "program"]
    assert {entry["after_header"] for entry in planned["diff"]} == set(planned["written"])
    done = run("synced_tree", **arguments)
    assert done["written"] == planned["written"]
    assert tree(target) == ["data/a.json", "package/module.py", "program"]
    assert run("synced_tree", check=True, **arguments)["changed"] is False
    assert run("synced_tree", **arguments)["changed"] is False


def test_what_is_not_wanted_goes_and_what_the_interpreter_made_stays(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (target / "old" / "deep").mkdir(parents=True)
    (target / "old" / "deep" / "file").write_text("old")
    (target / "package" / "__pycache__").mkdir(parents=True)
    (target / "package" / "__pycache__" / "module.pyc").write_bytes(b"1")
    result = run("synced_tree", path=str(target), sources=[{"src": str(source)}])
    assert result["removed"] == ["old/deep/file"]
    assert not (target / "old").exists()
    assert (target / "package" / "__pycache__" / "module.pyc").read_bytes() == b"1"


def test_files_are_private_and_scripts_can_be_run(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    run("synced_tree", path=str(target), sources=[{"src": str(source)}])
    assert (target / "package" / "module.py").stat().st_mode & 0o777 == 0o600
    assert os.access(target / "program", os.X_OK)


def test_a_groups_digest_changes_with_its_files_only(tmp_path: Path) -> None:
    def digests(**contents: str) -> dict[str, str]:
        found: dict[str, str] = run(
            "synced_tree", path=str(tmp_path / "target"), contents=contents, groups={"a": "^a", "b": "^b"}
        )["groups"]
        return found

    first, second = digests(a1="1", b1="1"), digests(a1="2", b1="1")
    assert first["a"] != second["a"]
    assert first["b"] == second["b"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"sources": [{"src": "/no/such/folder"}]}, "The source /no/such/folder does not exist"),
        ({"contents": {"../outside": ""}}, "The path ../outside from contents leaves the directory"),
        ({"contents": {"/outside": ""}}, "The path /outside from contents leaves the directory"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(arguments: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    result = run("synced_tree", path=str(target), **arguments)
    assert result["failed"] and sentence in result["msg"]
    assert not target.exists()


def test_one_file_of_two_origins_is_refused(source: Path, tmp_path: Path) -> None:
    result = run(
        "synced_tree", path=str(tmp_path / "target"), sources=[{"src": str(source)}], contents={"program": "other"}
    )
    assert "The file program comes from contents and from another source" in result["msg"]
