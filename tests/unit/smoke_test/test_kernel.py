# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._kernel import (
    Cell,
    CellError,
    absorb,
    execute_request,
    one_line,
    result,
)


def message(kind: str, content: dict[str, Any], parent: str = "m1") -> dict[str, Any]:
    return {"header": {"msg_type": kind}, "parent_header": {"msg_id": parent}, "content": content}


IDLE = message("status", {"execution_state": "idle"})
OK = message("execute_reply", {"status": "ok"})
BAD = message("execute_reply", {"status": "error", "ename": "ValueError", "evalue": "no"})


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], {"done": False}),
        ([OK], {"done": False, "error": ""}),
        ([IDLE], {"done": False}),
        ([OK, IDLE], {"done": True, "error": ""}),
        ([IDLE, OK], {"done": True, "error": ""}),
        ([BAD, IDLE], {"done": True, "error": "ValueError: no"}),
        ([message("error", {"ename": "KeyError", "evalue": "'x'"}), BAD], {"error": "KeyError: 'x'"}),
        ([message("stream", {"name": "stdout", "text": "a\n"})] * 2, {"output": ["a\n", "a\n"]}),
        ([message("stream", {"name": "stderr", "text": "a\n"})], {"output": []}),
        ([message("stream", {"name": "stdout", "text": "a"}, "m2")], {"output": []}),
        ([message("status", {"execution_state": "idle"}, "m2"), OK], {"done": False}),
        ([message("status", {"execution_state": "restarting"}, "")], {"done": True, "died": True}),
        ([message("status", {"execution_state": "dead"}, "m0")], {"done": True, "died": True}),
        ([message("status", {"execution_state": "starting"}, "")], {"done": False, "died": False}),
    ],
)
def test_absorb(messages: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    cell = Cell("m1")
    for each in messages:
        absorb(cell, each)
    assert {name: getattr(cell, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('words\n{"a": 1}\n{"a": 2}\nmore words\n', {"a": 2}),
        ('{"a": 1}\n{broken', {"a": 1}),
        ("{}\n", {}),
    ],
)
def test_result_is_the_last_object(output: str, found: dict[str, Any]) -> None:
    assert result(output) == found


@pytest.mark.parametrize("output", ["", "words", "[1]", "{broken", ' {"indented": 1}'])
def test_no_result(output: str) -> None:
    with pytest.raises(CellError, match="printed no result"):
        result(output)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({"ename": "OSError", "evalue": "two\nlines"}, "OSError: two lines"),
        ({"ename": "KeyboardInterrupt", "evalue": ""}, "KeyboardInterrupt"),
        ({"status": "aborted"}, "Error"),
    ],
)
def test_one_line(content: dict[str, Any], line: str) -> None:
    assert one_line(content) == line


def test_a_long_message_is_cut() -> None:
    assert len(one_line({"ename": "E", "evalue": "x" * 9999})) == 500


def test_execute_request_leaves_no_history() -> None:
    request = execute_request("1 + 1", "s1", "m1")
    assert request["content"]["code"] == "1 + 1"
    assert request["content"]["store_history"] is False
    assert request["content"]["allow_stdin"] is False
    assert (request["channel"], request["header"]["msg_id"]) == ("shell", "m1")
