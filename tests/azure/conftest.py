# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The stand-in for Azure that the tests of a process share, emptied for each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_modules import Cloud
from stand_in import StandIn


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The process."""
    stand_in = StandIn(tmp_path_factory.mktemp("azure")).start("--latency", "0")
    yield stand_in
    stand_in.stop()


@pytest.fixture(scope="module")
def stand_in(running: StandIn) -> Iterator[StandIn]:
    """The stand-in, empty, its dials as new; clients in this process talk to it."""
    running.dial("POST", "/reset")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def cloud(stand_in: StandIn) -> Cloud:
    """The stand-in with the collection's modules at hand."""
    return Cloud(stand_in.env)
