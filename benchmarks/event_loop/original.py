# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hook that asks the same services one after the other, each time waiting for the answer: `async`, and blocking."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import requests

Hook = Callable[[Any], Awaitable[None]]


def hook(address: str) -> Hook:
    """The hook, for services at an address."""
    service = f"{address}/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim"

    async def blocking(spawner: Any) -> None:
        name = quote(spawner.user.name, safe="")
        with open(f"{os.environ['HUB_SECRETS_DIRECTORY']}/pc-id-token", encoding="utf-8") as file:
            token = file.read().strip()
        person = requests.get(f"{address}/id/users/users/{name}/", headers={"Authorization": f"Token {token}"})  # noqa: S113
        bearer = {"Authorization": "Bearer azure"}
        subscription = f"{service}/subscriptions/{person.json()['pk']}-planetarycomputer"
        keys = requests.post(f"{subscription}/listSecrets", headers=bearer)  # noqa: S113
        spawner.environment["PC_SDK_SUBSCRIPTION_KEY"] = keys.json()["primaryKey"]

    return blocking
