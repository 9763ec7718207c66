# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Every role keeps the promises of rules.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts import readme_tables, rules

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())


@pytest.fixture(params=ROLES, ids=lambda path: path.name)
def role(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.mark.parametrize(
    "rule", [rules.defaults, rules.typed_and_described, rules.facts, rules.documented, rules.readable]
)
def test_promise(role: Path, rule: Callable[[Path], list[str]]) -> None:
    assert rule(role) == []


def test_a_role_reads_what_is_its_own(role: Path) -> None:
    options = {other.name: list(readme_tables.options_of(other)) for other in ROLES}
    texts = [path.read_text(encoding="utf-8") for other in ROLES for path in readme_tables.default_files(other)]
    switches = {name for text in texts for name in re.findall(r"\bhub_\w+", text)}
    assert rules.keeps_to_itself(role, options, switches) == []
