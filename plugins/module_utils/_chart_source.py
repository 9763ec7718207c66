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
from urllib.parse import urljoin, urlsplit, urlunsplit

from ansible.module_utils.common.yaml import yaml_load
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
    data = _kept(cache, digest)
    if data is None and repository.startswith("oci://"):
        data = _of_registry(f"{repository.rstrip('/')}/{name}", version, helm)
    elif data is None and _is_address(repository):
        url, said = _of_repository(repository, name, version)
        digest = digest or said
        data = _kept(cache, digest) or _get(url)
    elif data is None:
        data, said = _of_folder(Path(repository).expanduser(), name, version)
        digest = digest or said
    check_digest(title, data, digest)
    files = read_package(f"The chart {title}", data)
    _keep(cache, data)
    return files, digest_of(data)


def base(reference: str, version: str, digest: str, cache: Path, helm: str) -> Files:
    """A chart by a reference: a folder, a package, `oci://…`, or the address of a package.

    :param digest: of the package; empty where nothing is known, and for a folder
    """
    data = None
    if reference.startswith("oci://") or _is_address(reference):
        data = _kept(cache, digest)
    if data is None and reference.startswith("oci://"):
        data = _of_registry(reference, version, helm)
    elif data is None and _is_address(reference):
        data = _get(reference)
    path = Path(reference).expanduser()
    if data is None and path.is_dir():
        return read_folder(path)
    if data is None and path.is_file():
        data = path.read_bytes()
    if data is None:
        raise ChartError(f"There is no chart {reference}; name a folder, a package, an address or an OCI reference.")
    check_digest(_shown(reference), data, digest)
    files = read_package(_shown(reference), data)
    if digest:
        _keep(cache, data)
    return files


def _is_address(text: str) -> bool:
    return re.match(r"https?://", text) is not None


def _shown(address: str) -> str:
    """An address without the name and password in it.

    >>> _shown("https://a:b@example.org/x")
    'https://example.org/x'
    """
    return re.sub(r"(?<=://)[^/@]*@", "", address)


def _of_repository(repository: str, name: str, version: str) -> tuple[str, str]:
    """Where the package is, and the digest that the index says."""
    root = repository.rstrip("/") + "/"
    entry = _entry(_get(urljoin(root, "index.yaml")), _shown(repository), name, version)
    return _with_user(urljoin(root, str(entry["urls"][0])), root), str(entry.get("digest") or "")


def _with_user(url: str, root: str) -> str:
    """A package of the same host is got as the index was: with the name and password of the repository."""
    user = urlsplit(root).netloc.rpartition("@")[0]
    parts = urlsplit(url)
    if not user or "@" in parts.netloc or parts.netloc != urlsplit(root).netloc.rpartition("@")[2]:
        return url
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


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
    # Half of the time that it takes to load this module, and folders and packages that are kept need none of it.
    from ansible.module_utils.urls import open_url

    try:
        with open_url(url, timeout=LIMIT, http_agent="planetary.hub") as answer:
            return t.cast("bytes", answer.read())
    except Exception as error:
        raise ChartError(
            f"{_shown(url)} cannot be had ({why(error)}); "
            "name a mirror in daskhub_chart_repositories where the network ends."
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


def _kept(cache: Path, digest: str) -> bytes | None:
    """What was got before, if it still is what its name says."""
    kept = cache / f"{digest.removeprefix('sha256:').lower()}.tgz"
    data = kept.read_bytes() if digest and kept.is_file() else None
    return data if data and digest_of(data) == kept.stem else None


def _keep(cache: Path, data: bytes) -> None:
    kept = cache / f"{digest_of(data)}.tgz"
    if kept.is_file():
        return
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=cache)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.replace(part, kept)
