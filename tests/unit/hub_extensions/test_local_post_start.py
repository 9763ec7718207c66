# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""On one machine a start has the same steps after it as in a pod; it neither waits for them nor fails with them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")

from hub_extensions.local_spawner import LocalProfileSpawner

SLOW = "import os, time; time.sleep(1.5); open('done', 'w').write(os.environ['HOME'])"


@pytest.mark.usefixtures("write_data")
@pytest.mark.parametrize(
    ("command", "works"), [([sys.executable, "-c", SLOW], True), (["/none/python"], False), ([], False)]
)
def test_a_start(
    tmp_path: Path,
    make_spawner: Callable[..., Any],
    run: Callable[[Any], Any],
    command: list[str],
    works: bool,
) -> None:
    like = make_spawner()
    spawner = LocalProfileSpawner(user=like.user, hub=like.hub, api_token="token", oauth_client_id="client")
    spawner.cmd = [sys.executable, "-c", "import time; time.sleep(30)"]
    spawner.home_dir = str(tmp_path / "home")
    spawner.log_directory = str(tmp_path)
    spawner.lifecycle_hooks = {"postStart": {"exec": {"command": command}}} if command else {}

    async def start_and_look() -> bool:
        begun = time.monotonic()
        await spawner.start()
        assert time.monotonic() - begun < 1.4
        assert await spawner.poll() is None
        for _look in range(200 if works else 1):
            if (tmp_path / "home/done").is_file() and (tmp_path / "home/done").read_text():
                break
            await asyncio.sleep(0.05)
        await spawner.stop(now=True)
        return (tmp_path / "home/done").is_file()

    assert run(start_and_look()) is works
    if works:
        assert (tmp_path / "home/done").read_text() == str(tmp_path / "home")
