# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Copies the hub's SQLite database while the hub runs, and puts a copy back while it does not.

usage: database_copy.py copy DATABASE FOLDER KEEP
       database_copy.py restore DATABASE FOLDER [NAME]
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PREFIX, SUFFIX = "jupyterhub-", ".sqlite"
WAIT = 60.0  # seconds for the hub to let go of a lock


class CopyError(Exception):
    """What cannot be done, in one sentence."""


def copies(folder: Path) -> list[Path]:
    """The finished copies, the oldest first."""
    return sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))


def is_well(database: Path) -> bool:
    """Whether a database can be read from end to end."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            return opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except sqlite3.Error:
        return False


def copy(database: Path, folder: Path, keep: int, now: float) -> Path:
    """Make a copy by SQLite's own means, see that it is well, and forget all but the newest.

    The copy is made beside the database's node first: file shares do not keep SQLite's locks.

    Raises:
        CopyError: the database cannot be read or is damaged; the copies that there are stay.
    """
    name = f"{PREFIX}{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}{SUFFIX}"
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch, name)
        try:
            with (
                closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT)) as source,
                closing(sqlite3.connect(made)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise CopyError(
                f"The database {database} cannot be copied ({error}); the copies before are kept."
            ) from None
        if not is_well(made):
            raise CopyError(f"The database {database} is damaged; restore a copy: playbook restore.")
        done = _put(made, folder / name)
    for old in copies(folder)[:-keep]:
        old.unlink()
    return done


def restore(database: Path, folder: Path, name: str, now: float) -> Path:
    """Put the named copy back, or the newest that is well; what was there is kept beside it.

    Raises:
        CopyError: there is no such copy, or none that is well; nothing is touched.
    """
    there = copies(folder)
    wanted = [one for one in there if one.name == name] if name else there
    if not wanted:
        names = ", ".join(one.name for one in there) or "none"
        raise CopyError(f"There is no copy {name or 'at all'} in {folder}; there are: {names}.")
    well: Callable[[Path], bool] = is_well
    found = next((one for one in reversed(wanted) if well(one)), None)
    if found is None:
        raise CopyError(f"No copy of {', '.join(one.name for one in wanted)} is well; name another one.")
    if database.exists():
        kept = database.with_name(f"{database.name}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}")
        database.replace(kept)
    for left in ("-journal", "-wal", "-shm"):
        database.with_name(database.name + left).unlink(missing_ok=True)
    _put(found, database)
    return found


def _put(source: Path, target: Path) -> Path:
    """Copy a file so that there is all of it or none."""
    part = target.with_name(target.name + ".part")
    with source.open("rb") as read, part.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    part.replace(target)
    return target


def main(words: list[str]) -> int:
    """Do what the words say; the exit code."""
    verb, database, folder, *rest = words
    try:
        if verb == "copy":
            print(f"copied to {copy(Path(database), Path(folder), int(rest[0]), time.time()).name}")
        else:
            print(f"restored {restore(Path(database), Path(folder), (rest or [''])[0], time.time()).name}")
    except CopyError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
