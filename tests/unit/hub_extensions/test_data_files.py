# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_extensions.data_files import DataFile, DataFileError

Write = Callable[[str, Any], Path]


@pytest.fixture
def file(write_data: Write) -> DataFile:
    write_data("x.json", {"a": 1})
    return DataFile("x.json", dict)


def test_read(file: DataFile) -> None:
    assert file.read() == {"a": 1}
    assert file.read() is file.read()


def test_a_new_version_is_read(file: DataFile, write_data: Write) -> None:
    file.read()
    write_data("x.json", {"a": 2})
    assert file.read() == {"a": 2}


def test_a_new_version_of_the_same_size_and_time_is_read(file: DataFile, write_data: Write) -> None:
    file.read()
    before = file.path.stat()
    path = write_data("x.json", {"a": 2})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.read() == {"a": 2}


def test_a_version_written_in_place_is_read(file: DataFile) -> None:
    file.read()
    file.path.write_text('{"a": 20}', encoding="utf-8")
    assert file.read() == {"a": 20}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('{"a": ', "is not readable as JSON"),
        ("", "is not readable as JSON"),
        ("[1]", "holds no dict at its top"),
        ("\udcff", "is not readable as JSON"),
    ],
)
def test_a_broken_version_changes_nothing(
    file: DataFile, write_data: Write, caplog: pytest.LogCaptureFixture, broken: str, said: str
) -> None:
    file.read()
    if broken == "\udcff":
        file.path.write_bytes(b"\xff")
    else:
        write_data("x.json", broken)
    with caplog.at_level(logging.WARNING):
        assert [file.read(), file.read(), file.read()] == [{"a": 1}] * 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{file.path} {said}")
    assert line.endswith("; the last good version stays in use.")
    assert "\n" not in line


def test_the_next_good_version_is_read(file: DataFile, write_data: Write) -> None:
    file.read()
    write_data("x.json", "broken")
    file.read()
    write_data("x.json", {"a": 3})
    assert file.read() == {"a": 3}


def test_a_file_that_goes_and_comes_back(file: DataFile, write_data: Write, caplog: pytest.LogCaptureFixture) -> None:
    file.read()
    file.path.unlink()
    with caplog.at_level(logging.WARNING):
        assert [file.read(), file.read()] == [{"a": 1}] * 2
    assert len(caplog.records) == 1
    write_data("x.json", {"a": 4})
    assert file.read() == {"a": 4}


@pytest.mark.parametrize("content", [None, "broken", "[]"])
def test_never_readable(write_data: Write, content: str | None) -> None:
    if content is not None:
        write_data("x.json", content)
    file = DataFile("x.json", dict)
    for _ in range(2):
        with pytest.raises(DataFileError, match=rf"^{re.escape(str(file.path))} .*; deploy the hub again\.$"):
            file.read()
    write_data("x.json", {"a": 1})
    assert file.read() == {"a": 1}


def test_default_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_ETC_DIRECTORY", raising=False)
    assert DataFile("x.json", dict).path == Path("/usr/local/etc/daskhub/data/x.json")
