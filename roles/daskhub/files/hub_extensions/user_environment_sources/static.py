# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets of the deployment that every user gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub_extensions import secret_files
from hub_extensions.user_environment_sources.base import SourceError

if TYPE_CHECKING:
    from hub_extensions.user_environment_sources.http import Http


class Static:
    """The same for everybody.

    Args:
        entry: variables ({NAME: key of a secret}).
        http: not used.
    """

    def __init__(self, entry: Mapping[str, Any], http: Http) -> None:  # noqa: ARG002
        self._variables: dict[str, str] = entry["variables"]

    async def fetch(self, user: str, until: float) -> dict[str, str]:  # noqa: ARG002
        try:
            return {variable: secret_files.read(key) for variable, key in self._variables.items()}
        except secret_files.SecretError as error:
            raise SourceError(str(error).rstrip(".")) from None
