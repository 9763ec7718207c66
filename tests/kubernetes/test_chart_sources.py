# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Charts of a registry, which helm pushes and pulls; and a collection that nobody can write, as in a container."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _chart_source as source
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certificates import Authority
from chart_repository import Registry, serving
from hub_manifests import GIVEN, PLAY

CHARTS = Path(__file__).parent / "charts"
PART = {"Chart.yaml": b"apiVersion: v2\nname: part\nversion: 1.0.0\n", "templates/none.yaml": b"\n"}
PACKAGE = chart.package(PART)
DIGEST = chart.digest_of(PACKAGE)


def wanted(repository: str, **more: str) -> dict[str, str]:
    return {"name": "part", "version": "1.0.0", "repository": repository, **more}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry with the chart in it, pushed by helm; its address."""
    if shutil.which("helm") is None:
        pytest.skip("helm is not on PATH: python tests/tools.py builds it")
    authority, key = Authority.root("a root"), ec.generate_private_key(ec.SECP256R1())
    served = authority.issue(key, "localhost").public_bytes(serialization.Encoding.PEM)
    private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private) + served)
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "key.pem")
    monkeypatch.setenv("HELM_CACHE_HOME", str(tmp_path / "helm"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    package = tmp_path / "part-1.0.0.tgz"
    package.write_bytes(PACKAGE)
    with serving(Registry, tls=tls, blobs={}, manifests={}) as host:
        address = f"oci://localhost:{host.rpartition(':')[2]}/charts"
        done = subprocess.run(["helm", "push", str(package), address], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        yield address


def test_a_registry(tmp_path: Path, registry: str) -> None:
    cache = tmp_path / "cache"
    assert source.dependency(wanted(registry), cache, "helm") == (PART, DIGEST)
    assert source.dependency(wanted(f"{registry}/", digest=DIGEST), cache / "new", "helm") == (PART, DIGEST)
    assert source.base(f"{registry}/part", "1.0.0", "", cache, "helm") == PART
    with pytest.raises(chart.ChartError, match=r"The chart part 1\.0\.0 has the digest"):
        source.dependency(wanted(registry, digest="0" * 64), cache, "helm")
    with pytest.raises(chart.ChartError, match=r"The chart oci://localhost:\d+/charts/part cannot be had .*not found"):
        source.dependency(wanted(registry, version="2.0.0"), cache, "helm")


def read_only(folder: Path) -> list[str]:
    """Words before a command that keep everybody from writing below a folder, root too."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    if os.geteuid():
        return []
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(folder)]


def test_a_collection_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    """The chart is put together elsewhere: from sources that stay as they are, into the work directory."""
    hub = tmp_path / "ansible_collections/planetary/hub"
    for part in ("plugins", "roles", "meta"):
        shutil.copytree(root / part, hub / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "galaxy.yml", hub)
    for name in ("home", "work", "charts", "work/simple"):
        (tmp_path / name).mkdir()
    for name in ("jupyterhub", "dask-gateway"):
        files = chart.read_folder(CHARTS / name)
        found = chart.about(files)
        (tmp_path / "charts" / f"{name}-{found['version']}.tgz").write_bytes(chart.package(files))
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"simple": GIVEN}}}), encoding="utf-8")
    versions = {
        name: str(chart.about(chart.read_folder(CHARTS / name))["version"]) for name in ("jupyterhub", "dask-gateway")
    }
    repository = str(tmp_path / "charts")
    given = {
        "wanted": "all",
        "place": str(tmp_path / "work"),
        "packages": str(tmp_path / "work"),
        # Stand-ins have no deployment to put lines into.
        "__daskhub_chart_insertions": [],
        "__daskhub_chart_dependencies": [
            {"name": name, "version": version, "repository": repository} for name, version in versions.items()
        ],
    }
    before = read_only(hub)
    if before:
        assert subprocess.run([*before, "touch", str(hub / "x")], capture_output=True).returncode
    where = ["-i", str(root / "inventories/simple"), "-i", str(tmp_path / "hosts.yml")]
    done = subprocess.run(
        [*before, sys.executable, "-m", "ansible", "playbook", *where, "-e", json.dumps(given), "play.yml"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path),
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    package = next((tmp_path / "work").glob("daskhub-*.tgz"))
    files = chart.read_package("daskhub", package.read_bytes())
    assert {"charts/jupyterhub/Chart.yaml", "files/jupyterhub_config.d/10-profiles.py"} <= set(files)
    assert not list(hub.rglob("__pycache__")) and not (hub / "roles/daskhub/files/chart/charts").exists()
