# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.filter.options_problem import FilterModule

OPTIONS: dict[str, Any] = {
    "toy_count": {"type": "int"},
    "toy_on": {"type": "bool"},
    "toy_name": {"type": "str"},
    "toy_kind": {"type": "str", "choices": ["disk", "files"]},
    "toy_names": {"type": "list", "elements": "str"},
    "toy_all": {"type": "dict"},
    "toy_password": {"type": "int"},
    "toy_links": {
        "type": "list",
        "elements": "dict",
        "options": {"label": {"type": "str", "required": True}, "url": {"type": "str"}},
    },
}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"toy_count": None, "toy_stranger": 1}, ""),
        ({"toy_count": "8", "toy_on": "yes", "toy_name": 8, "toy_names": ["a", 2], "toy_all": {}}, ""),
        ({"toy_links": [{"label": "a"}]}, ""),
        ({"toy_count": "many"}, 'toy_count is the text "many"; write a whole number.'),
        ({"toy_count": True}, "toy_count is the boolean true; write a whole number."),
        ({"toy_count": 1.5}, "toy_count is the number 1.5; write a whole number."),
        ({"toy_on": "perhaps"}, 'toy_on is the text "perhaps"; write true or false.'),
        ({"toy_name": ["a"]}, "toy_name is a list; write a text."),
        ({"toy_kind": "nfs"}, 'toy_kind is the text "nfs"; write disk or files.'),
        ({"toy_names": "a,b"}, 'toy_names is the text "a,b"; write a list of texts.'),
        ({"toy_all": "a=b"}, 'toy_all is the text "a=b"; write a mapping.'),
        ({"toy_names": {"a": 1}}, "toy_names is a mapping; write a list of texts."),
        ({"toy_names": ["a", {}]}, "toy_names[1] is a mapping of nothing; write a text."),
        ({"toy_names": [None]}, "toy_names[0] is empty; write a text."),
        ({"toy_all": "a"}, 'toy_all is the text "a"; write a mapping.'),
        ({"toy_links": ["a"]}, 'toy_links[0] is the text "a"; write a mapping.'),
        ({"toy_links": [{"lable": "a"}]}, 'toy_links[0] has the unknown key "lable"; did you mean "label"?'),
        ({"toy_links": [{"url": "a"}]}, "toy_links[0] has no label; write a text."),
        ({"toy_password": "s3cret"}, "toy_password is a text; write a whole number."),
    ],
)
def test_one_sentence(values: dict[str, Any], said: str) -> None:
    assert FilterModule().filters()["options_problem"](OPTIONS, values) == said
