# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A request, an answer and a refusal, without any proxy around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


class Refusal(Exception):
    """What is answered instead of the wanted: an HTTP status with Azure's code and message.

    ``body`` replaces the form `{"error": {"code": …, "message": …}}`, for providers that answer in another one.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: list[dict[str, Any]] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = details
        self.body = body

    def error(self) -> dict[str, Any]:
        """The error as operations and answers carry it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return error

    def answer(self) -> Answer:
        """The answer that says so."""
        body = self.body if self.body is not None else {"error": self.error()}
        return Answer(self.status, body, {"x-ms-failure-cause": "gateway", **self.headers})


@dataclass
class Answer:
    """What goes back: ``body`` as JSON, or ``content`` as it is; ``reset`` breaks the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    reset: bool = False

    def payload(self) -> bytes:
        """The bytes of the body."""
        if self.content is not None:
            return self.content
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """What a client sent. Names of headers and of parameters of the query are in lower case.

    :ivar path: with ``%2F`` and the like decoded; ``raw_path`` as it was sent
    """

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    raw_path: str = ""

    def json(self) -> Any:
        """The body as JSON; None when there is none. Refuses what is no JSON as Azure does."""
        if not self.content.strip():
            return None
        try:
            return json.loads(self.content)
        except ValueError as error:
            message = f"The request content was invalid and could not be deserialized: '{error}'."
            raise Refusal(400, "InvalidRequestContent", message) from error

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.content.decode(), keep_blank_values=True))
