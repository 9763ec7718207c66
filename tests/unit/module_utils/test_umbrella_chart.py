# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _chart_source as source
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart

PART = {"Chart.yaml": b"name: part\nversion: 1.0.0\n", "templates/pod.yaml": b"spec:\n  volumes:\n"}
WHOLE = {"Chart.yaml": b"apiVersion: v2\nname: whole\nversion: 0.1.0\n", "files/a.py": b"1\n"}


def test_a_package_is_the_same_for_the_same_content_and_its_version_says_a_change() -> None:
    files, version = chart.versioned(chart.with_dependency(WHOLE, "part", PART))
    assert version.startswith("0.1.0+")
    assert chart.about(files)["version"] == version
    assert chart.package(files) == chart.package(dict(reversed(files.items())))
    assert chart.read_package("whole", chart.package(files)) == files
    assert chart.versioned({**WHOLE, "files/a.py": b"2\n"})[1] != chart.versioned(WHOLE)[1]
    # Once more is not another content.
    assert chart.versioned(WHOLE)[1] == chart.versioned(dict(WHOLE))[1]


def test_a_packaged_dependency_is_replaced() -> None:
    carried = {**WHOLE, "charts/part-1.0.0.tgz": chart.package(PART)}
    files = chart.unpacked(carried)
    assert "charts/part/templates/pod.yaml" in files and "charts/part-1.0.0.tgz" not in files
    assert "charts/part/templates/pod.yaml" not in chart.with_dependency(files, "part", {"Chart.yaml": b"x"})


def test_lines_are_put_where_one_place_is() -> None:
    where = chart.Insertion("templates/pod.yaml", "  volumes:\n", "    - a\n")
    assert chart.with_insertions(PART, [where])["templates/pod.yaml"] == b"spec:\n  volumes:\n    - a\n"
    with pytest.raises(chart.ChartError, match="has 'volumes:' 2 times where one is looked for"):
        chart.with_insertions({"templates/pod.yaml": b"  volumes:\n  volumes:\n"}, [where])
    with pytest.raises(chart.ChartError, match=r"has no templates/pod\.yaml"):
        chart.with_insertions({}, [where])


def test_a_chart_of_a_folder_is_compared_with_its_digest(tmp_path: Path) -> None:
    package = chart.package(PART)
    (tmp_path / "part-1.0.0.tgz").write_bytes(package)
    wanted = {"name": "part", "version": "1.0.0", "repository": str(tmp_path)}
    assert source.dependency(wanted, tmp_path / "cache", "helm") == (PART, chart.digest_of(package))
    with pytest.raises(chart.ChartError, match=r"The chart part 1\.0\.0 has the digest"):
        source.dependency({**wanted, "digest": "0" * 64}, tmp_path / "cache", "helm")
    with pytest.raises(chart.ChartError, match="There is no chart"):
        source.dependency({**wanted, "version": "2.0.0"}, tmp_path / "cache", "helm")
    # What was got once is not asked for again.
    (tmp_path / "part-1.0.0.tgz").unlink()
    again = {**wanted, "digest": chart.digest_of(package)}
    assert source.dependency(again, tmp_path / "cache", "helm")[0] == PART
