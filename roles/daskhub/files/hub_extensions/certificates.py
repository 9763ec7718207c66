# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The certificates that the hub checks others against: those of its environment, for everything that it asks."""

from __future__ import annotations

import os
import ssl

import certifi

#: Bundles of certificates that an environment may name; the first one counts.
BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def bundle() -> str:
    """The environment's bundle, a file or a folder; otherwise that of the usual authorities."""
    return next((os.environ[name] for name in BUNDLES if os.environ.get(name)), certifi.where())


def context() -> ssl.SSLContext | bool:
    """The same for asyncio; ``True``, what the system trusts, where the environment names nothing.

    Raises:
        OSError: there is no such file, or no certificate in it.
    """
    if not any(os.environ.get(name) for name in BUNDLES):
        return True
    path = bundle()
    if os.path.isdir(path):
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)
