# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub

from living_hub import LivingHub


@pytest.fixture
def user(living_hub: LivingHub) -> Iterator[Hub]:
    """The user `user`, signed in; whatever server runs afterwards is stopped."""
    hub = Hub(living_hub.status()["url"])
    token = hub.sign_in("user", living_hub.password("user"), token_seconds=600, note="test")
    yield hub
    hub.stop_server()
    hub.revoke(token)
