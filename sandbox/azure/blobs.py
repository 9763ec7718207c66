# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Blob storage, as far as a build in a container registry asks: sources are taken and thrown away, a log is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .web import Answer, Request

if TYPE_CHECKING:
    from .cloud import Cloud

LOG = b"The stand-in builds no images; this run only notes their names.\n"


def answer(_cloud: Cloud, request: Request) -> Answer:
    """One request; the address carries its own permission, so there is no token."""
    headers = {
        "x-ms-version": "2024-11-04",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-meta-Complete": "successful",
        "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        "ETag": '"0x8DE0000000000"',
    }
    if request.method == "PUT":
        return Answer(201, headers=headers)
    if request.method == "HEAD":
        return Answer(200, headers={**headers, "Content-Length": str(len(LOG))})
    headers["Content-Type"] = "text/plain"
    if "range" in request.headers or "x-ms-range" in request.headers:
        return Answer(206, headers={**headers, "Content-Range": f"bytes 0-{len(LOG) - 1}/{len(LOG)}"}, content=LOG)
    return Answer(200, headers=headers, content=LOG)
