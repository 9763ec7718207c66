# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets read from files, anew when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hub_extensions import secret_files


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUB_SECRETS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_the_line_break_at_the_end_is_no_part_of_it(directory: Path) -> None:
    (directory / "pc-id-token").write_text(" a b \r\n")
    assert secret_files.read("pc-id-token") == " a b "


def test_it_is_read_anew_when_the_mounted_secret_changes(directory: Path) -> None:
    # As Kubernetes mounts it: files are links through a link to the folder of the current version.
    (directory / "pc-id-token").symlink_to(directory / "..data" / "pc-id-token")
    for version in ("one", "two"):
        (directory / version).mkdir()
        (directory / version / "pc-id-token").write_text(version)
        (directory / "new").symlink_to(version)
        (directory / "new").replace(directory / "..data")
        assert secret_files.read("pc-id-token") == version


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "The secret pc-id-token cannot be read (No such file or directory); set it and deploy again."),
        (b"\n", "The secret pc-id-token is empty; set it and deploy again."),
        (b"\xff\xfehunter2", "The secret pc-id-token is no text; write it anew."),
    ],
)
def test_without_a_value_the_error_names_the_key_only(directory: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (directory / "pc-id-token").write_bytes(content)
    with pytest.raises(secret_files.SecretError) as error:
        secret_files.read("pc-id-token")
    assert str(error.value) == sentence


@pytest.mark.parametrize("key", ["", "../secret", "a/b", ".hidden", os.sep])
def test_a_key_is_no_path(key: str) -> None:
    with pytest.raises(secret_files.SecretError, match="is no key of a secret"):
        secret_files.read(key)
