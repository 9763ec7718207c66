# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A skip is noted with its reason, and in CI it is a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ONE_TEST = "import pytest\n\ndef test_it():\n    pytest.skip('no moon tonight')\n"
WHOLE_FILE = (
    "import pytest\n\npytest.importorskip('no_such_module', reason='no moon tonight')\n\ndef test_it():\n    pass\n"
)


@pytest.mark.parametrize("content", [ONE_TEST, WHOLE_FILE], ids=["one test", "whole file"])
@pytest.mark.parametrize("ci", [False, True], ids=["here", "in CI"])
def test_a_skip(tmp_path: Path, content: str, ci: bool) -> None:
    file, skips = tmp_path / "test_moon.py", tmp_path / "skips"
    file.write_text(content + "\n\ndef test_sun():\n    pass\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"HUB_TEST_SKIPS": str(skips), "PYTHONPATH": str(TESTS)} | ({"CI": "true"} if ci else {})
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "--rootdir", str(tmp_path), "-c", os.devnull, str(file)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode != 0) is (ci or content == WHOLE_FILE), result.stdout
    (entry,) = (json.loads(line) for line in skips.read_text(encoding="utf-8").splitlines())
    assert entry["reason"] == "no moon tonight"
    assert ("CI allows no skip" in result.stdout) is ci
