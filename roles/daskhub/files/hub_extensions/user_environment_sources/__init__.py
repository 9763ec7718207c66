# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Where users' own environment variables come from, such as their API keys.

A source is a class with one coroutine, ``fetch``; `KINDS` lists them. The data of user_environment_sources.json says
which are used, and `gather.Gatherer` asks them, side by side and each within its time limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_extensions.user_environment_sources.api_management import ApiManagement
from hub_extensions.user_environment_sources.base import Source
from hub_extensions.user_environment_sources.callables import Callable
from hub_extensions.user_environment_sources.http import Http
from hub_extensions.user_environment_sources.key_vault import KeyVault
from hub_extensions.user_environment_sources.static import Static

KINDS: dict[str, type[Source]] = {
    "api_management": ApiManagement,
    "key_vault": KeyVault,
    "static": Static,
    "callable": Callable,
}


def build(entry: Mapping[str, Any], http: Http) -> Source:
    """The source that an entry of user_environment_sources.json describes."""
    return KINDS[entry["source"]](entry, http)
