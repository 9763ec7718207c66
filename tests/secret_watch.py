# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where secrets are found that are looked for by their values."""

from __future__ import annotations

import base64
import threading
from pathlib import Path


def forms(values: dict[str, str]) -> dict[bytes, str]:
    """What a value looks like in clear and in base64, to its key."""
    return {
        form: key
        for key, value in values.items()
        for form in (value.encode(), base64.b64encode(value.encode()), base64.b64encode(f"{value}\n".encode()))
    }


def found(content: bytes, secrets: dict[bytes, str]) -> set[str]:
    """Keys of the secrets that are in a text."""
    return {key for form, key in secrets.items() if form in content}


class Watch(threading.Thread):
    """Looks at the commands of all processes of this machine again and again."""

    def __init__(self, secrets: dict[bytes, str]) -> None:
        super().__init__(daemon=True)
        self._secrets = secrets
        self._over = threading.Event()
        self.seen: set[tuple[str, str]] = set()
        self.looks = 0

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.looks += 1
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    command = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                self.seen |= {(key, command[:60].decode(errors="replace")) for key in found(command, self._secrets)}

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
