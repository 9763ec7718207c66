# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from pathlib import Path
from typing import Any

from unit.local.modules import run

# "given value" and "another value" in base64.
GIVEN, ANOTHER = "Z2l2ZW4gdmFsdWU=", "YW5vdGhlciB2YWx1ZQ=="


def test_given_values_are_written_and_only_changes_are_said(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    planned = run("secret_files", check=True, directory=str(directory), values={"key": GIVEN}, names=["token"])
    assert planned["changes"] == {"key": "added", "token": "generated"} and planned["missing"] == ["token"]
    assert not directory.exists()
    first = run("secret_files", diff=True, directory=str(directory), values={"key": GIVEN}, names=["token"])
    assert (directory / "key").read_text() == "given value\n" and first["changes"] == planned["changes"]
    again = run("secret_files", directory=str(directory), values={"key": GIVEN}, names=["token"])
    assert not again["changed"] and again["missing"] == []
    second = run("secret_files", diff=True, directory=str(directory), values={"key": ANOTHER})
    assert second["changes"] == {"key": "changed"} and "key: ******** (changed)" in second["diff"]["after"]
    for result in (first, again, second):
        assert not any(word in str(result) for word in (GIVEN, ANOTHER, "given value", "another value"))
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_rotation_changes_what_it_names_and_the_digests_of_that(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "directory": str(tmp_path),
        "names": ["a", "b"],
        "digests": {"hub": ["a"], "proxy": ["b"]},
    }
    before = run("secret_files", **arguments)
    values = {name: (tmp_path / name).read_text() for name in "ab"}
    after = run("secret_files", rotate=["a"], **arguments)
    assert after["changes"] == {"a": "rotated"}
    assert (tmp_path / "a").read_text() != values["a"] and (tmp_path / "b").read_text() == values["b"]
    assert after["digests"]["hub"] != before["digests"]["hub"]
    assert after["digests"]["proxy"] == before["digests"]["proxy"]


def test_all_that_people_have_to_bring_about_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("yes\n")
    result = run(
        "secret_files",
        directory=str(tmp_path),
        names=["token"],
        required={"there": "nothing", "one": "set it here", "two": "set it there"},
    )
    assert result["failed"] and result["msg"].splitlines()[1:] == ["  one: set it here", "  two: set it there"]
    assert result["msg"].startswith("2 secrets are missing that the hub needs")
    assert not (tmp_path / "token").exists()
