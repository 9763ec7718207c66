# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from pathlib import Path

from unit.local.modules import run


def test_missing_ones_are_generated_once_and_never_shown(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    names = ["a", "b"]
    assert run("secret_files", check=True, directory=str(directory), names=names)["generated"] == names
    assert not directory.exists()
    result = run("secret_files", directory=str(directory), names=names)
    values = [(directory / name).read_text().strip() for name in names]
    assert result["changed"] and values[0] != values[1]
    assert all(len(bytes.fromhex(value)) == 32 for value in values)
    assert not any(value in str(result) for value in values)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {(directory / name).stat().st_mode & 0o777 for name in names} == {0o600}
    again = run("secret_files", directory=str(directory), names=[*names, "c"])
    assert again["generated"] == ["c"]
    assert [(directory / name).read_text().strip() for name in names] == values


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    result = run("secret_files", directory=str(blocker / "secrets"), names=["a"])
    assert result["failed"] and "The secrets cannot be written (" in result["msg"]
