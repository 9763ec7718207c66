# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._images import image, repository
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "without_version"),
    [
        ("python:3", "python"),
        ("pangeo/pangeo-notebook:2026.01.30", "pangeo/pangeo-notebook"),
        ("example.azurecr.io/hub/python:latest", "example.azurecr.io/hub/python"),
        ("localhost:5000/hub/python:1", "localhost:5000/hub/python"),
        (f"python@{DIGEST}", "python"),
        (f"localhost:5000/hub/python@{DIGEST}", "localhost:5000/hub/python"),
        (f"python:3@{DIGEST}", "python"),
        ("python:2231e05", "python"),
        ("python:1e3", "python"),
        ("a_b/c-d__e.f:0123", "a_b/c-d__e.f"),
    ],
)
def test_image(name: str, without_version: str) -> None:
    assert image("x: image", name) == name
    assert repository(name) == without_version


@pytest.mark.parametrize("name", ["python", "pangeo/pangeo-notebook", "localhost:5000/python", "example.org/a/b"])
def test_image_without_tag(name: str) -> None:
    with pytest.raises(InputError) as error:
        image("x: image", name)
    assert str(error.value) == f'x: image is "{name}", which has no tag; add one, as in "{name}:2026.1".'


@pytest.mark.parametrize(
    "name", ["Python:1", "python:", "a b:1", "python@sha256:12", "/python:1", "a//b:1", "python:1:2"]
)
def test_no_image(name: str) -> None:
    with pytest.raises(InputError) as error:
        image("x: image", name)
    assert str(error.value) == f'x: image is "{name}", which is no name of an image; write it as "registry/path:tag".'


@pytest.mark.parametrize(
    ("value", "found"), [(None, "empty"), ("", "the empty text"), (1, "the number 1"), ({}, "a mapping of nothing")]
)
def test_image_of_wrong_type(value: Any, found: str) -> None:
    with pytest.raises(InputError, match=f"^x: image is {found}; write an image with a tag"):
        image("x: image", value)
