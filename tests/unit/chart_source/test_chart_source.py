# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Charts of real servers: a repository, a mirror below a path, one that sends people on."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils import _chart_source as source
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart

from chart_repository import Pages, Repository, serving

PART = {"Chart.yaml": b"apiVersion: v2\nname: part\nversion: 1.0.0\n", "templates/none.yaml": b"\n"}
PACKAGE = chart.package(PART)
DIGEST = chart.digest_of(PACKAGE)


def index(url: str, digest: str = DIGEST, version: str = "1.0.0") -> bytes:
    entry = {"name": "part", "version": version, "urls": [url], "digest": digest}
    return yaml.safe_dump({"apiVersion": "v1", "entries": {"part": [entry]}}).encode()


def wanted(repository: str, **more: str) -> dict[str, str]:
    return {"name": "part", "version": "1.0.0", "repository": repository, **more}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


FOUND: list[tuple[str, Pages, str]] = [
    ("relative", {"/index.yaml": index("part-1.0.0.tgz"), "/part-1.0.0.tgz": PACKAGE}, ""),
    ("mirror below a path", {"/a/b/index.yaml": index("part.tgz"), "/a/b/part.tgz": PACKAGE}, "/a/b"),
    ("slash at the end", {"/a/index.yaml": index("charts/part.tgz"), "/a/charts/part.tgz": PACKAGE}, "/a/"),
    ("absolute path", {"/a/index.yaml": index("/other/part.tgz"), "/other/part.tgz": PACKAGE}, "/a"),
    ("moved", {"/index.yaml": "/new.yaml", "/new.yaml": index("p"), "/p": "/there", "/there": PACKAGE}, ""),
    ("no digest said", {"/index.yaml": index("part.tgz", digest=""), "/part.tgz": PACKAGE}, ""),
]


@pytest.mark.parametrize(("pages", "path"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND])
def test_a_repository(cache: Path, pages: Pages, path: str) -> None:
    with serving(Repository, pages=pages) as host:
        assert source.dependency(wanted(f"http://{host}{path}"), cache, "helm") == (PART, DIGEST)


def test_an_index_that_names_another_host(cache: Path) -> None:
    with serving(Repository, pages={"/part.tgz": PACKAGE}) as packages:
        pages: Pages = {"/index.yaml": index(f"http://{packages}/part.tgz")}
        with serving(Repository, pages=pages) as host:
            assert source.dependency(wanted(f"http://{host}"), cache, "helm") == (PART, DIGEST)


@pytest.mark.parametrize(
    ("pages", "more", "sentence"),
    [
        ({}, {}, "index.yaml cannot be had (HTTP Error 404: Not Found); name a mirror in daskhub_chart_repositories"),
        ({"/index.yaml": b"<html>sign in</html>"}, {}, "has no readable index.yaml of Helm charts"),
        ({"/index.yaml": index("p", version="2.0.0")}, {}, "has no chart part of version 1.0.0 (it has 2.0.0);"),
        ({"/index.yaml": index("p")}, {}, "/p cannot be had (HTTP Error 404: Not Found)"),
        ({"/index.yaml": index("p"), "/p": b"other"}, {}, f"but {DIGEST} is wanted: it is another one than it was"),
        ({"/index.yaml": index("p"), "/p": PACKAGE}, {"digest": "0" * 64}, f"has the digest {DIGEST}, but 0000"),
        ({"/index.yaml": index("p", ""), "/p": b"no archive"}, {}, "The chart part 1.0.0 is no packaged chart"),
    ],
    ids=["no index", "a page", "no such version", "no package", "not the index's", "not ours", "no archive"],
)
def test_what_cannot_be_had_is_one_sentence(cache: Path, pages: Pages, more: dict[str, str], sentence: str) -> None:
    with serving(Repository, pages=pages) as host, pytest.raises(chart.ChartError) as caught:
        source.dependency(wanted(f"http://{host}", **more), cache, "helm")
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert not list(cache.glob("*"))


def test_nobody_is_asked_twice(cache: Path) -> None:
    asked: list[str] = []
    pages: Pages = {"/index.yaml": index("part.tgz"), "/part.tgz": PACKAGE}
    with serving(Repository, pages=pages, asked=asked) as host:
        source.dependency(wanted(f"http://{host}"), cache, "helm")
        source.dependency(wanted(f"http://{host}"), cache, "helm")
    assert asked == ["/index.yaml", "/part.tgz", "/index.yaml"]
    # With a digest of one's own not even the index: the server is gone by now.
    assert source.dependency(wanted(f"http://{host}", digest=f"sha256:{DIGEST}"), cache, "helm") == (PART, DIGEST)
    # What lies there is not believed.
    (cache / f"{DIGEST}.tgz").write_bytes(b"other")
    with pytest.raises(chart.ChartError, match="connection refused"):
        source.dependency(wanted(f"http://{host}", digest=DIGEST), cache, "helm")


def test_a_name_and_password_are_used_and_never_said(cache: Path) -> None:
    pages: Pages = {"/index.yaml": index("part.tgz"), "/part.tgz": PACKAGE}
    with serving(Repository, pages=pages, user="ada:hidden-value") as host:
        assert source.dependency(wanted(f"http://ada:hidden-value@{host}"), cache, "helm") == (PART, DIGEST)
        with pytest.raises(chart.ChartError) as caught:
            source.dependency(wanted(f"http://ada:hidden-other@{host}"), cache, "helm")
        with pytest.raises(chart.ChartError) as second:
            source.base(f"http://ada:hidden-value@{host}/none.tgz", "", "", cache, "helm")
    assert "Unauthorized" in str(caught.value)
    assert "hidden" not in str(caught.value) + str(second.value)


def test_the_chart_to_start_from(cache: Path, tmp_path: Path) -> None:
    package = tmp_path / "part.tgz"
    package.write_bytes(PACKAGE)
    folder = tmp_path / "part"
    for name, data in PART.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with serving(Repository, pages={"/part.tgz": PACKAGE}) as host:
        address = f"http://{host}/part.tgz"
        for reference in (str(package), str(folder), address):
            assert source.base(reference, "", "", cache, "helm") == PART
        assert source.base(address, "", DIGEST, cache, "helm") == PART
        with pytest.raises(chart.ChartError, match=r"part\.tgz has the digest"):
            source.base(address, "", "0" * 64, cache, "helm")
    assert source.base(address, "", DIGEST, cache, "helm") == PART
    with pytest.raises(
        chart.ChartError, match="There is no chart /none; name a folder, a package, an address or an OCI"
    ):
        source.base("/none", "", "", cache, "helm")


def test_without_helm_a_registry_is_not_asked(cache: Path) -> None:
    with pytest.raises(chart.ChartError, match="There is no program /none/helm, which gets charts from OCI registries"):
        source.dependency(wanted("oci://example.org"), cache, "/none/helm")
