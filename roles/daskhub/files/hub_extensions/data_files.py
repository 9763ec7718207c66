# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Data files that the hub and the gateway read anew when they change, without a restart."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

# Names the directory of the deployment's configuration, whose folder data has the files.
DIRECTORY = "HUB_ETC_DIRECTORY"
# Where they are mounted in the cluster.
DEFAULT_DIRECTORY = "/usr/local/etc/daskhub"


class DataFileError(Exception):
    """A data file that was never readable; the text is one sentence."""


class DataFile:
    """A JSON file, read anew when its time, size or inode changed.

    A broken new version changes nothing: the last good value stays and one line is logged for each broken version.

    Args:
        name: name of the file in the folder data below the directory that the variable HUB_ETC_DIRECTORY names.
        kind: the type its top level must have, dict or list.
    """

    def __init__(self, name: str, kind: type) -> None:
        self.name = name
        self.kind = kind
        self._stamp: tuple[str, int, int, int] | None = None
        self._value: Any = None
        self._good = False

    @property
    def path(self) -> Path:
        """Where the file is now: the variable is read at each call, so that tests and services can differ."""
        return Path(os.environ.get(DIRECTORY, DEFAULT_DIRECTORY), "data", self.name)

    def read(self) -> Any:
        """The file's content. It belongs to all callers: copy before changing it.

        Raises:
            DataFileError: there never was a readable version.
        """
        path = self.path
        try:
            found = path.stat()
            stamp = (str(path), found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError as error:
            return self._keep(None, f"{path} cannot be read ({error.strerror})")
        if stamp == self._stamp and self._good:
            return self._value
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            return self._keep(stamp, f"{path} is not readable as JSON ({error})")
        if not isinstance(value, self.kind):
            return self._keep(stamp, f"{path} holds no {self.kind.__name__} at its top")
        self._stamp, self._value, self._good = stamp, value, True
        return value

    def _keep(self, stamp: tuple[str, int, int, int] | None, problem: str) -> Any:
        if not self._good:
            raise DataFileError(f"{problem}; deploy the hub again.")
        if stamp != self._stamp:
            self._stamp = stamp
            log.warning("%s; the last good version stays in use.", problem)
        return self._value
