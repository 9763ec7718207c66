# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The table of rights in the role's README is the one that the role gives."""

from __future__ import annotations

from pathlib import Path

import yaml


def test_the_readme_shows_the_rights(root: Path) -> None:
    role = root / "roles/infrastructure"
    data = yaml.safe_load((role / "vars/main/permissions.yml").read_text(encoding="utf-8"))
    rows = [
        f"| {row['identity']} | {row['role']} | {row['scope']} | {row['why']} |"
        for row in data["__infrastructure_permissions"]
    ]
    text = (role / "README.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- permissions:start -->")[2].partition("<!-- permissions:end -->")[0]
    assert shown.strip().splitlines()[2:] == rows
