# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the sign-in answers instead of the wanted."""

from __future__ import annotations

import time
import uuid

from ..web import Refusal

HOST = "login.microsoftonline.com"


class LoginError(Refusal):
    """A refusal in the form of OAuth 2, with the AADSTS code."""

    def __init__(self, status: int, error: str, code: int, message: str) -> None:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        text = f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        body = {
            "error": error,
            "error_description": text,
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{HOST}/error?code={code}",
        }
        super().__init__(status, error, text, body=body)
