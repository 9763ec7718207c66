# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where one secret is kept, a vault or a file; what is read and written there is never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._key_vault_client import VaultClient
from ansible_collections.planetary.hub.plugins.module_utils._key_vault_client import sentence as vault_sentence


class PlaceError(Exception):
    """The secret can be neither read nor written there, in one sentence."""


class Place(Protocol):
    """Where a secret is kept."""

    def read(self) -> str:
        """The secret, or an empty text."""

    def write(self, value: str, key_id: str, expires: float) -> None:
        """Keep a secret."""


class NoPlace:
    """Of an application without a secret of ours."""

    def read(self) -> str:
        return ""

    def write(self, value: str, key_id: str, expires: float) -> None:  # noqa: ARG002
        raise PlaceError("There is no place for a secret.")


class VaultPlace:
    """A secret of a vault; it carries the end of its life, so that Azure can tell of it."""

    def __init__(self, options: Mapping[str, Any], uri: str, name: str, vault_id: str) -> None:
        self._vault = VaultClient(options, uri)
        self._name, self._id = name, vault_id

    def read(self) -> str:
        try:
            found = self._vault.secret(self._name)
        except AzureError as error:
            raise self._problem(error, "read") from None
        return str((found or {}).get("value") or "")

    def write(self, value: str, key_id: str, expires: float) -> None:
        tags = {"entra-key-id": key_id}
        try:
            if self._vault.deleted(self._name):
                self._vault.recover(self._name)
            self._vault.write(self._name, value, "text/plain", tags, expires=expires)
        except AzureError as error:
            raise self._problem(error, "written") from None

    def _problem(self, error: AzureError, what: str) -> PlaceError:
        said = vault_sentence(error, self._vault.name, self._id)
        return PlaceError(f"The secret {self._name} cannot be {what}: {said}.")


class FilePlace:
    """A file that only its owner reads."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise PlaceError(f"secret_file {self._path} cannot be read ({error}); mend or remove it.") from None

    def write(self, value: str, key_id: str, expires: float) -> None:  # noqa: ARG002
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{value}\n")
            part.replace(self._path)
        except OSError as error:
            raise PlaceError(
                f"secret_file {self._path} cannot be written ({error.strerror}); choose another."
            ) from None


def place_of(options: Mapping[str, Any]) -> Place:
    """Where the options of a module keep the secret."""
    if options["credential"] != "secret":
        return NoPlace()
    if options["vault_uri"]:
        return VaultPlace(options, options["vault_uri"], options["secret_name"], options["vault_id"])
    return FilePlace(options["secret_file"])
