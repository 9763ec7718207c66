# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets of the deployment, one file each, read anew when they change.

In the cluster the files are a mounted Kubernetes Secret, on one machine those of the role secrets. A file is named by
the secret's key, the same everywhere, such as ``pc-id-token``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

# Names the directory that holds the files.
DIRECTORY = "HUB_SECRETS_DIRECTORY"
# Where they are mounted in the cluster.
DEFAULT_DIRECTORY = "/usr/local/etc/jupyterhub/secrets"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_Stamp = tuple[int, int, int]
_read: dict[Path, tuple[_Stamp, str]] = {}


class SecretError(Exception):
    """A secret cannot be had; the text is one sentence that names its key, never a value."""


def read(key: str) -> str:
    """The value of a secret, without the line break at its end.

    Raises:
        SecretError: there is no such secret, or it is empty.
    """
    if not _KEY.fullmatch(key):
        raise SecretError(f'"{key}" is no key of a secret; use letters, digits, dots and hyphens.')
    path = Path(os.environ.get(DIRECTORY, DEFAULT_DIRECTORY), key)
    try:
        found = path.stat()
        # A mounted Secret changes as a whole, through a link: then it is another inode.
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = _read.get(path)
        if known is None or known[0] != stamp:
            known = _read[path] = (stamp, path.read_text(encoding="utf-8").rstrip("\r\n"))
    except UnicodeDecodeError:
        raise SecretError(f"The secret {key} is no text; write it anew.") from None
    except OSError as error:
        raise SecretError(f"The secret {key} cannot be read ({error.strerror}); set it and deploy again.") from None
    if not known[1]:
        raise SecretError(f"The secret {key} is empty; set it and deploy again.")
    return known[1]
