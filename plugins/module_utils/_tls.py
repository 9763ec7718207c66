# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""TLS for many connections at once: the CA bundle is read once, not for each of them.

``requests`` lets each connection read the bundle, 10 ms each; reading forty resources side by side was half that.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

# Many threads ask at the same moment for what none has read yet.
_READING = threading.Lock()


def trusting(bundle: str) -> Any:
    """The TLS context that trusts a CA bundle, a file or a directory.

    :raises OSError: when there is none, or nothing readable in it
    """
    with _READING:
        return _context(bundle)


@cache
def _context(bundle: str) -> Any:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    context.load_verify_locations(**_location(bundle))
    return context


def _location(bundle: str) -> dict[str, str]:
    from pathlib import Path

    return {"capath": bundle} if Path(bundle).is_dir() else {"cafile": bundle}


def adapter(connections: int) -> Any:
    """An adapter of ``requests`` for HTTPS whose connections share the context of their bundle.

    :param connections: how many to one host; further requests wait for a free one
    """
    from requests.adapters import HTTPAdapter

    class SharedContext(HTTPAdapter):
        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
            if verify:
                bundle = pool.pop("ca_certs", None) or pool.pop("ca_cert_dir", None) or _default()
                pool["ssl_context"] = trusting(bundle)
            return host, pool

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
            if verify:
                conn.ca_certs = conn.ca_cert_dir = None

    return SharedContext(pool_connections=connections, pool_maxsize=connections, pool_block=True)


def _default() -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return str(DEFAULT_CA_BUNDLE_PATH)
