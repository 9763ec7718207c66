# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where charts come from: a repository or a mirror of it, a folder with packages, an OCI registry, a file.

What was got once is kept by its digest, so that the next run asks nobody.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import typing as t
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.urls import open_url
from ansible_collections.planetary.hub.plugins.module_utils._network_error import why
from ansible_collections.planetary.hub.plugins.module_utils._umbrella_chart import (
    ChartError,
    Files,
    check_digest,
    digest_of,
    read_folder,
    read_package,
)

#: Seconds for one answer of a repository.
LIMIT = 60


def dependency(wanted: Mapping[str, str], cache: Path, helm: str) -> tuple[Files, str]:
    """A chart of a repository, and its digest.

    :param wanted: name, version, repository (an address, `oci://…`, or a folder), digest of the package, or empty for
        the one that the repository's index says
    """
    name, version, repository = wanted["name"], wanted["version"], wanted["repository"]
    title, digest = f"{name} {version}", wanted.get("digest") or ""
    kept = cache / f"{digest.removeprefix('sha256:')}.tgz"
    if digest and kept.is_file():
        data = kept.read_bytes()
    elif repository.startswith("oci://"):
        data = _of_registry(f"{repository.rstrip('/')}/{name}", version, helm)
    elif re.match(r"https?://", repository):
        data, said = _of_repository(repository, name, version)
        digest = digest or said
    else:
        data, said = _of_folder(Path(repository).expanduser(), name, version)
        digest = digest or said
    check_digest(title, data, digest)
    _keep(cache, data)
    return read_package(f"The chart {title}", data), digest_of(data)


def base(reference: str, version: str, helm: str) -> Files:
    """A chart by a reference: a folder, a package, `oci://…`, or the address of a package."""
    if reference.startswith("oci://"):
        return read_package(reference, _of_registry(reference, version, helm))
    if re.match(r"https?://", reference):
        return read_package(reference, _get(reference))
    path = Path(reference).expanduser()
    if path.is_dir():
        return read_folder(path)
    if path.is_file():
        return read_package(str(path), path.read_bytes())
    raise ChartError(f"There is no chart {reference}; name a folder, a package, an address or an OCI reference.")


def _of_repository(repository: str, name: str, version: str) -> tuple[bytes, str]:
    root = repository.rstrip("/") + "/"
    entry = _entry(_get(urljoin(root, "index.yaml")), repository, name, version)
    return _get(urljoin(root, str(entry["urls"][0]))), str(entry.get("digest") or "")


def _of_folder(folder: Path, name: str, version: str) -> tuple[bytes, str]:
    index, package = folder / "index.yaml", folder / f"{name}-{version}.tgz"
    if index.is_file():
        entry = _entry(index.read_bytes(), str(folder), name, version)
        package = folder / str(entry["urls"][0]).rsplit("/", 1)[-1]
        said = str(entry.get("digest") or "")
    else:
        said = ""
    if not package.is_file():
        raise ChartError(
            f"There is no chart {package}; put it there, or name another place in daskhub_chart_repositories."
        )
    return package.read_bytes(), said


def _entry(index: bytes, repository: str, name: str, version: str) -> dict[str, t.Any]:
    try:
        entries = (yaml_load(index) or {})["entries"].get(name) or []
    except Exception as error:  # a page of a proxy, or anything else
        raise ChartError(
            f"{repository} has no readable index.yaml of Helm charts; name a repository of charts."
        ) from error
    for entry in entries:
        if str(entry.get("version")) == version and entry.get("urls"):
            return t.cast("dict[str, t.Any]", entry)
    known = ", ".join(str(entry.get("version")) for entry in entries[:5]) or "none"
    raise ChartError(
        f"{repository} has no chart {name} of version {version} (it has {known}); mirror that one, or choose another."
    )


def _get(url: str) -> bytes:
    try:
        with open_url(url, timeout=LIMIT, http_agent="planetary.hub") as answer:
            return t.cast("bytes", answer.read())
    except Exception as error:
        raise ChartError(
            f"{url} cannot be had ({why(error)}); say a mirror in daskhub_chart_repositories where the network ends."
        ) from error


def _of_registry(reference: str, version: str, helm: str) -> bytes:
    program = shutil.which(helm)
    if program is None:
        raise ChartError(
            f"There is no program {helm}, which gets charts from OCI registries; install Helm 3.17 or later."
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "pull", reference, "--destination", folder, *(["--version", version] if version else [])]
        # run_command knows no limit of time.
        try:
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            raise ChartError(f"The chart {reference} cannot be had (no answer in {LIMIT} s).") from None
        packages = sorted(Path(folder).glob("*.tgz"))
        if done.returncode or not packages:
            said = (done.stderr.strip().splitlines() or ["no word of Helm"])[-1]
            raise ChartError(f"The chart {reference} cannot be had ({said}).")
        return packages[0].read_bytes()


def _keep(cache: Path, data: bytes) -> None:
    kept = cache / f"{digest_of(data)}.tgz"
    if kept.is_file():
        return
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=cache)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(part, kept)
