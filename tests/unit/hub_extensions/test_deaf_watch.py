# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""KubeSpawner's own reflectors, their API server away and back."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hub_extensions import deaf_watch

from unit.hub_extensions.conftest import MakeSpawner, Run

POD = {"metadata": {"namespace": "dhub", "name": "jupyter-ada", "resourceVersion": "7"}}


class Api:
    """An API server that may be away; what a reflector asks of it is a list and a watch without an end."""

    def __init__(self) -> None:
        self.away = False
        self.pods: list[dict[str, Any]] = []
        self.asked = 0

    async def list_namespaced_pod(self, **arguments: Any) -> Any:
        self.asked += 1
        if self.away:
            raise OSError("Cannot connect to host")
        if arguments.get("watch"):
            await asyncio.sleep(3600)
        content = json.dumps({"metadata": {"resourceVersion": "7"}, "items": self.pods}).encode()

        async def read() -> bytes:
            return content

        return SimpleNamespace(ok=True, read=read)


@pytest.fixture
def reflector(make_spawner: MakeSpawner, run: Run) -> Any:
    """KubeSpawner's reflector of pods, which watches."""
    spawner = make_spawner()
    from kubespawner.spawner import PodReflector

    async def make() -> Any:
        found = PodReflector(parent=spawner, namespace="dhub", labels={"component": "singleuser-server"})
        found.api = Api()
        await found.start()
        return found

    made = run(make())
    yield made
    run(made.stop())


async def deafen(reflector: Any) -> None:
    """End its watch, as giving up does."""
    reflector.watch_task.cancel()
    await asyncio.wait([reflector.watch_task])


def test_a_reflector_that_watches_is_left_alone(reflector: Any, run: Run) -> None:
    task, watch = reflector.watch_task, deaf_watch.DeafWatch(lambda: {"pods": reflector})
    run(watch.look())
    assert reflector.watch_task is task and not deaf_watch.is_deaf(reflector)


def test_a_deaf_one_hears_again_once_the_server_is_back(
    reflector: Any, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    watch = deaf_watch.DeafWatch(lambda: {"pods": reflector})
    reflector.api.away = True
    run(deafen(reflector))
    assert deaf_watch.is_deaf(reflector)
    for _look in range(3):
        run(watch.look())
        assert deaf_watch.is_deaf(reflector)
    assert caplog.text.count("stopped watching pods") == 1
    reflector.api.away, reflector.api.pods = False, [POD]
    run(watch.look())
    assert not deaf_watch.is_deaf(reflector) and list(reflector.pods) == ["dhub/jupyter-ada"]
    assert "watches pods again" in caplog.text


def test_one_that_was_stopped_stays_so(reflector: Any, run: Run) -> None:
    run(reflector.stop())
    asked = reflector.api.asked
    run(deaf_watch.DeafWatch(lambda: {"pods": reflector}).look())
    assert reflector.api.asked == asked


def test_what_cannot_be_looked_at_does_not_end_the_watch(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    looks: list[int] = []

    def broken() -> dict[str, Any]:
        looks.append(1)
        raise RuntimeError("broken")

    async def some_time() -> None:
        task = asyncio.create_task(deaf_watch.DeafWatch(broken, period=0).run())
        while len(looks) < 2:
            await asyncio.sleep(0)
        task.cancel()

    run(some_time())
    assert "cannot be looked at" in caplog.text


@pytest.mark.usefixtures("reflector")
def test_it_starts_once_inside_of_the_hubs_loop(run: Run) -> None:
    assert deaf_watch.start() is False

    async def twice() -> tuple[bool, bool]:
        return deaf_watch.start(), deaf_watch.start()

    assert run(twice()) == (True, False)
    (task,) = deaf_watch._tasks
    task.cancel()
    run(asyncio.wait([task]))
    assert not deaf_watch._tasks
