# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A Helm chart out of parts: a chart, the charts it depends on, files of ours; packaged the same way each time.

A package's version ends in a digest of its content (`0.1.0+3f2a…`), so that whoever compares versions sees every
change. Two packages of one content are the same, byte for byte.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_dump, yaml_load

#: A chart as its files: path below the chart's root -> content.
Files = dict[str, bytes]

#: Left by editors, interpreters and version control.
_IGNORED = re.compile(r"(^|/)(\.git|__pycache__|\.DS_Store)(/|$)|\.(pyc|swp|orig)$")


class ChartError(Exception):
    """Why there is no chart; one sentence."""


@dataclass(frozen=True)
class Insertion:
    """Lines that a chart's template lacks, put after the one place that is named.

    :ivar path: of the template, below the chart's root
    :ivar after: text that is there exactly once
    :ivar text: what follows it
    """

    path: str
    after: str
    text: str


def digest_of(data: bytes) -> str:
    """
    >>> digest_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def check_digest(name: str, data: bytes, wanted: str) -> None:
    """Compare a package with its digest, written with or without `sha256:`; nothing to compare with is fine."""
    found, wanted = digest_of(data), wanted.removeprefix("sha256:").lower()
    if wanted and found != wanted:
        raise ChartError(
            f"The chart {name} has the digest {found}, but {wanted} is wanted: it is another one than it was; "
            "find out why, or say the new digest."
        )


def read_folder(folder: Path) -> Files:
    """A chart that lies unpacked."""
    if not (folder / "Chart.yaml").is_file():
        raise ChartError(f"The folder {folder} has no Chart.yaml, so it is no chart.")
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not _IGNORED.search(name)}


def read_package(name: str, data: bytes) -> Files:
    """A chart as `helm package` wrote it: all files are below one folder."""
    files: Files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            for member in tar.getmembers():
                path = member.name.partition("/")[2]
                content = tar.extractfile(member) if member.isfile() else None
                if content and path and ".." not in path.split("/"):
                    files[path] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ChartError(f"{name} is no packaged chart ({error}); name a .tgz that helm package made.") from error
    if "Chart.yaml" not in files:
        raise ChartError(f"{name} has no Chart.yaml, so it is no chart.")
    return files


def about(files: Files) -> dict[str, t.Any]:
    """What Chart.yaml says."""
    found = yaml_load(files["Chart.yaml"])
    if not isinstance(found, dict) or not found.get("name") or not found.get("version"):
        raise ChartError("A Chart.yaml says no name or no version; it is no chart.")
    return t.cast("dict[str, t.Any]", found)


def with_dependency(files: Files, name: str, dependency: Files) -> Files:
    """A chart that carries another one; the one it carried under this name is replaced."""
    kept = {path: data for path, data in files.items() if not path.startswith(f"charts/{name}/")}
    kept = {
        path: data for path, data in kept.items() if not re.fullmatch(rf"charts/{re.escape(name)}-\d[^/]*\.tgz", path)
    }
    return {**kept, **{f"charts/{name}/{path}": data for path, data in dependency.items()}}


def unpacked(files: Files) -> Files:
    """A chart whose charts are folders, as all of them are treated alike."""
    result = dict(files)
    for path in files:
        if re.fullmatch(r"charts/[^/]+\.tgz", path):
            inner = read_package(path, result.pop(path))
            result = with_dependency(result, str(about(inner)["name"]), inner)
    return result


def with_insertions(files: Files, insertions: t.Iterable[Insertion]) -> Files:
    """A chart with lines put into its templates.

    :raises ChartError: the place is not there exactly once, as in a version that nobody has looked at
    """
    result = dict(files)
    for insertion in insertions:
        if insertion.path not in result:
            raise ChartError(
                f"The chart has no {insertion.path}, in which lines are to be put; take the version that is pinned."
            )
        text = result[insertion.path].decode("utf-8")
        if text.count(insertion.after) != 1:
            place = insertion.after.strip().splitlines()[-1].strip()
            raise ChartError(
                f"{insertion.path} has {place!r} {text.count(insertion.after)} times where one is looked for; "
                "take the version of the chart that is pinned."
            )
        result[insertion.path] = text.replace(insertion.after, insertion.after + insertion.text).encode("utf-8")
    return result


def content_digest(files: Files) -> str:
    """Sixteen hexadecimal digits that stand for names and content of all files."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path}\0{digest_of(files[path])}\n".encode())
    return whole.hexdigest()[:16]


def versioned(files: Files) -> tuple[Files, str]:
    """The chart whose version says its content, and that version."""
    chart = about(files)
    version = f"{str(chart['version']).partition('+')[0]}+{content_digest(files)}"
    text = yaml_dump({**chart, "version": version}, sort_keys=True)
    # What a lock file says of dependencies is not so any more.
    kept = {path: data for path, data in files.items() if path not in ("Chart.lock", "requirements.lock")}
    return {**kept, "Chart.yaml": text.encode("utf-8")}, version


def package(files: Files) -> bytes:
    """The chart as one file, the same bytes for the same content."""
    name = about(files)["name"]
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.PAX_FORMAT) as tar:
        # Helm wants to know first what it reads.
        for path in sorted(files, key=lambda each: (each != "Chart.yaml", each)):
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size, member.mode = len(files[path]), 0o644
            tar.addfile(member, io.BytesIO(files[path]))
    # No time in it: the same content is the same file.
    return gzip.compress(tarred.getvalue(), compresslevel=6, mtime=0)


def group_digests(files: Files, groups: t.Mapping[str, str]) -> dict[str, str]:
    """For each group, the digest of the files whose path matches its regular expression."""
    found = {}
    for name, pattern in groups.items():
        wanted = re.compile(pattern)
        found[name] = content_digest({path: data for path, data in files.items() if wanted.search(path)})
    return found
