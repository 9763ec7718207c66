# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where a user's secret variables are kept, and how the hub and Dask Gateway refer to them.

In the cluster they are one Kubernetes Secret a user, on one machine one file a user; both have the same name, which
follows from the user's name alone. Servers, schedulers and workers refer to it, so that no value stands in a pod, in
the options of a cluster or in a database.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from hub_extensions.data_files import DataFile

# What is fetched for each user; an empty list where nothing is.
SOURCES = DataFile("user_environment_sources.json", list)

# Marks the hub's process and what it starts on one machine, and names the directory of that hub.
LOCAL_DIRECTORY = "HUB_LOCAL_DIRECTORY"


class StoreError(Exception):
    """A user's variables cannot be kept; the text is one sentence without values."""


def slug(user: str) -> str:
    """A name for a user, of lower-case letters, digits and hyphens, at most 54 characters.

    No two users share one: 128 bits of the digest leave nobody the chance to choose a name that meets another's.

    >>> slug("Ada@example.org")
    'ada-example-org-3b518a082da8174bdf4247edca31ee77'
    """
    readable = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:20].strip("-")
    digest = hashlib.sha256(user.encode("utf-8")).hexdigest()[:32]
    return f"{readable or 'x'}-{digest}"


def store_name(user: str) -> str:
    """The name of a user's Kubernetes Secret, and of the file without its ending."""
    return f"user-environment-{slug(user)}"


def references(user: str) -> list[dict[str, Any]]:
    """What a container's envFrom holds for a user; nothing where nothing is fetched.

    Optional, because a server may start without its key, and a cluster may be asked for before the first server.
    """
    if not SOURCES.read():
        return []
    return [{"secretRef": {"name": store_name(user), "optional": True}}]


class FileStore:
    """One file of mode 0600 a user, in a directory of mode 0700: {"NAME": "value"}."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, user: str) -> Path:
        return self.directory / f"{store_name(user)}.json"

    def variables(self, user: str) -> dict[str, str]:
        """What is kept for a user; nothing when nothing is."""
        try:
            found: dict[str, str] = json.loads(self.path(user).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            # The text of such an error may quote the file.
            raise StoreError(f"{self.path(user)} cannot be read; remove it, the next start writes it anew.") from None
        return found

    async def read(self, user: str) -> dict[str, str]:
        return self.variables(user)

    async def write(self, user: str, variables: dict[str, str]) -> None:
        """Keep these variables and no others."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes files of mode 0600.
            number, name = tempfile.mkstemp(dir=self.directory)
            with open(number, "w", encoding="utf-8") as file:
                json.dump(variables, file)
            Path(name).replace(self.path(user))
        except OSError as error:
            raise StoreError(f"{self.path(user)} cannot be written ({error.strerror}).") from None

    async def forget(self, user: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path(user).unlink()


def local_store() -> FileStore:
    """The store of the hub of this machine."""
    return FileStore(Path(os.environ[LOCAL_DIRECTORY], "run", "user-secrets"))


def local_variables(user: str) -> dict[str, str]:
    """What a process of this machine gets for a user, as a pod gets it through its reference."""
    return local_store().variables(user) if references(user) else {}
