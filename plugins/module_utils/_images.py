# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Names of container images."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, quote, text

# The grammar of github.com/distribution/reference: [host[:port]/]path[:tag][@digest].
_IMAGE = re.compile(
    r"(?P<repository>(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[a-z0-9]+:[0-9a-fA-F]{32,}))?"
)


def image(where: str, value: Any) -> str:
    """Check the name of an image, which must have a tag or a digest: what runs shall not change by itself."""
    name = text(where, value, 'an image with a tag, such as "registry.example.org/hub/python:2026.1"')
    match = _IMAGE.fullmatch(name)
    if not match:
        raise InputError(f'{where} is {quote(name)}, which is no name of an image; write it as "registry/path:tag".')
    if not match["tag"] and not match["digest"]:
        raise InputError(f'{where} is {quote(name)}, which has no tag; add one, as in "{name}:2026.1".')
    return name


def repository(name: str) -> str:
    """The image's name without tag and digest; name has been checked."""
    match = _IMAGE.fullmatch(name)
    return match["repository"] if match else name
