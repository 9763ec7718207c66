# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Copies of a database that is written meanwhile, and their way back."""

from __future__ import annotations

import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "roles/daskhub/files/chart/files/database_copy.py"
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def code() -> ModuleType:
    """The script that the CronJob runs."""
    spec = importlib.util.spec_from_file_location("database_copy", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "jupyterhub.sqlite"
    write(path, "ada")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "copies"
    path.mkdir()
    return path


def write(path: Path, user: str) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("CREATE TABLE IF NOT EXISTS users (name TEXT)")
        opened.execute("INSERT INTO users VALUES (?)", (user,))


def users(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return [name for (name,) in opened.execute("SELECT name FROM users")]


def damage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)


def test_a_copy_holds_what_is_committed_while_the_hub_writes(code: ModuleType, database: Path, folder: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as hub:
        hub.execute("BEGIN")
        hub.execute("INSERT INTO users VALUES ('not yet')")
        made = code.copy(database, folder, 3, NOW)
        hub.execute("ROLLBACK")
    assert users(made) == ["ada"] and code.is_well(made)
    assert made.name == "jupyterhub-20270115T080000Z.sqlite"
    assert [one.name for one in folder.iterdir()] == [made.name]


def test_only_the_newest_are_kept(code: ModuleType, database: Path, folder: Path) -> None:
    (folder / "of-somebody-else").touch()
    made = [code.copy(database, folder, 3, NOW + hour * 3600).name for hour in range(5)]
    assert [one.name for one in code.copies(folder)] == made[-3:]
    assert (folder / "of-somebody-else").exists()


@pytest.mark.parametrize("what", ["damaged", "absent"])
def test_what_cannot_be_copied_costs_no_copy(
    code: ModuleType, database: Path, folder: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = code.copy(database, folder, 1, NOW)
    damage(database) if what == "damaged" else database.unlink()
    assert code.main(["copy", str(database), str(folder), "1"]) == 1
    assert code.copies(folder) == [before]
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(database) in said


def test_the_newest_copy_that_is_well_comes_back(code: ModuleType, database: Path, folder: Path) -> None:
    code.copy(database, folder, 3, NOW)
    write(database, "grace")
    good = code.copy(database, folder, 3, NOW + 3600)
    damage(code.copy(database, folder, 3, NOW + 7200))
    damage(database)
    Path(f"{database}-journal").write_bytes(b"stale")
    assert code.restore(database, folder, "", NOW + 9000) == good
    assert users(database) == ["ada", "grace"] and not Path(f"{database}-journal").exists()
    # What was there is kept for whoever wants to look.
    (kept,) = database.parent.glob("jupyterhub.sqlite.2*")
    assert not code.is_well(kept)


def test_a_named_copy_comes_back(code: ModuleType, database: Path, folder: Path) -> None:
    first = code.copy(database, folder, 3, NOW)
    write(database, "grace")
    code.copy(database, folder, 3, NOW + 3600)
    assert code.main(["restore", str(database), str(folder), first.name]) == 0
    assert users(database) == ["ada"]


@pytest.mark.parametrize("name", ["", "jupyterhub-19700101T000000Z.sqlite"])
def test_without_a_copy_nothing_is_touched(
    code: ModuleType, database: Path, folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name:
        damage(code.copy(database, folder, 3, NOW))
    assert code.main(["restore", str(database), str(folder), name]) == 1
    assert users(database) == ["ada"] and "There is no copy" in capsys.readouterr().err


def test_copies_that_are_all_damaged_touch_nothing(code: ModuleType, database: Path, folder: Path) -> None:
    damage(code.copy(database, folder, 3, NOW))
    with pytest.raises(code.CopyError, match="is well; name another one"):
        code.restore(database, folder, "", NOW)
    assert users(database) == ["ada"]
