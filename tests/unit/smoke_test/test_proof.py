# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What can be said about the notebook's part without a cluster; the rest is proven by a hub."""

from __future__ import annotations

import json

import pytest
from notebook import proof


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SET": "a-secret", "EMPTY": "", "CPU_LIMIT": "2.0", "MEM_LIMIT": "1024"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("UNSET", raising=False)


@pytest.mark.parametrize(
    ("names", "lacking"), [([], []), (["SET"], []), (["SET", "EMPTY", "UNSET"], ["EMPTY", "UNSET"])]
)
def test_missing(names: list[str], lacking: list[str]) -> None:
    assert proof.missing(names) == lacking


def test_a_step_prints_one_line_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    proof.show("notebook_environment", {"names": ["SET", "UNSET"]})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"missing": ["UNSET"], "cpu_limit": "2.0", "mem_limit": "1024"}
    assert printed.count("\n") == 1
    assert "a-secret" not in printed
