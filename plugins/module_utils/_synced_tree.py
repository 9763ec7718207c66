# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a directory holds, what it shall hold, and the difference. Pure but for reading."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

#: Made by interpreters and package managers beside the files they read: neither wanted nor in the way.
IGNORED_DIRECTORIES = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True)
class Change:
    """What has to happen to make a directory hold exactly the wanted files (paths relative to it)."""

    write: dict[str, bytes] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.write or self.remove)


def read_tree(directory: Path) -> dict[str, bytes]:
    """Return the content of every regular file below ``directory`` by its relative path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not IGNORED_DIRECTORIES.intersection(path.relative_to(directory).parts)
    }


def wanted_files(sources: t.Sequence[t.Mapping[str, str]], contents: t.Mapping[str, str]) -> dict[str, bytes]:
    """Collect the wanted files.

    Args:
        sources: ``{"src": file or directory, "dest": relative path, empty for the directory itself}``.
        contents: relative path -> text.

    Raises:
        ValueError: two origins want the same file, or a source does not exist. One sentence.
    """
    files: dict[str, bytes] = {}
    for source in sources:
        src, dest = Path(source["src"]), source.get("dest") or ""
        if src.is_dir():
            found = {f"{dest}/{name}".lstrip("/"): data for name, data in read_tree(src).items()}
        elif src.is_file():
            found = {dest or src.name: src.read_bytes()}
        else:
            raise ValueError(f"The source {src} does not exist; name a file or a directory.")
        _add(files, found, str(src))
    _add(files, {name: text.encode() for name, text in contents.items()}, "contents")
    return files


def _add(files: dict[str, bytes], found: t.Mapping[str, bytes], origin: str) -> None:
    for name, data in found.items():
        if name.startswith("/") or ".." in Path(name).parts:
            raise ValueError(f"The path {name} from {origin} leaves the directory; use a path relative to it.")
        if name in files:
            raise ValueError(f"The file {name} comes from {origin} and from another source; name it once.")
        files[name] = data


def difference(present: t.Mapping[str, bytes], wanted: t.Mapping[str, bytes]) -> Change:
    """Compare by content."""
    return Change(
        write={name: data for name, data in wanted.items() if present.get(name) != data},
        remove=sorted(set(present) - set(wanted)),
    )


def digest(files: t.Mapping[str, bytes], pattern: str) -> str:
    """Return the SHA-256 over paths and contents of the files whose path matches the regular expression."""
    total = hashlib.sha256()
    for name in sorted(files):
        if re.match(pattern, name):
            total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()


def diffs(present: t.Mapping[str, bytes], change: Change) -> list[dict[str, str]]:
    """Return the change in the shape of Ansible's ``diff``: one entry a file."""
    entries = [
        {
            "before_header": name,
            "after_header": name,
            "before": _text(present.get(name, b"")),
            "after": _text(data),
        }
        for name, data in sorted(change.write.items())
    ]
    entries += [
        {"before_header": name, "after_header": "absent", "before": _text(present[name]), "after": ""}
        for name in change.remove
    ]
    return entries


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"(binary, {len(data)} bytes)\n"
