# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Why there was no answer from the network, for people."""

from __future__ import annotations

import socket
import ssl

NAME_NOT_KNOWN = "its name is not known"


def why(error: BaseException) -> str:
    """The reason at the bottom of a chain of network errors, in a few words.

    ``requests`` buries "Connection refused" below four layers, each with an address of its own.
    """
    seen: BaseException | None = error
    chain: list[BaseException] = []
    while seen is not None and seen not in chain:
        chain.append(seen)
        inner = getattr(seen, "reason", None) or next((a for a in seen.args if isinstance(a, BaseException)), None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message})"
        if isinstance(link, ssl.SSLError):
            return f"no TLS there ({(link.reason or str(link)).replace('_', ' ').lower()})"
        if isinstance(link, socket.gaierror):
            return NAME_NOT_KNOWN
        if isinstance(link, TimeoutError):
            return "no answer in time"
        if isinstance(link, OSError) and link.strerror:
            return link.strerror.lower()
    if "timeout" in type(error).__name__.lower():
        return "no answer in time"
    return str(chain[-1]).strip() or type(error).__name__
