# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Data files as a deployment writes them, and KubeSpawner without a cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

WriteData = Callable[[str, Any], Path]
MakeSpawner = Callable[..., Any]
Run = Callable[[Any], Any]


@pytest.fixture
def write_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteData:
    """Write a data file where the hub looks for it."""
    monkeypatch.setenv("HUB_ETC_DIRECTORY", str(tmp_path))
    (tmp_path / "data").mkdir()

    def write(name: str, value: Any) -> Path:
        path = tmp_path / "data" / name
        new = path.with_suffix(".new")
        new.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return new.replace(path)

    # Nothing is fetched for users unless a test says so.
    write("user_environment_sources.json", [])
    return write


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop in which all spawners live, as those of a hub do."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Run:
    """Run a coroutine in the spawners' loop."""
    return loop.run_until_complete


@pytest.fixture
def make_spawner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> MakeSpawner:
    """Make a real KubeSpawner for a user, as the hub does, that knows a cluster but never calls it."""
    pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")
    from jupyterhub.objects import Hub, Server
    from kubernetes_asyncio.config import kube_config
    from kubespawner import KubeSpawner
    from traitlets.config import Config

    kubeconfig = tmp_path / "kubeconfig"
    cluster = {"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "none", "context": {"cluster": "none", "user": "none"}}
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "contexts": [context],
                "users": [{"name": "none", "user": {}}],
                "current-context": "none",
            }
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))

    async def make(name: str, groups: tuple[str, ...], config: dict[str, Any]) -> Any:
        user = SimpleNamespace(
            name=name,
            escaped_name=name.replace("@", "%40"),
            url=f"/user/{name}/",
            groups=[SimpleNamespace(name=group) for group in groups],
            server=Server(),
            settings={},
            id=1,
        )
        return KubeSpawner(
            config=Config(KubeSpawner=config),
            _mock=True,
            user=user,
            hub=Hub(),
            api_token="token",
            oauth_client_id="client",
        )

    def make_in_loop(name: str = "ada@example.org", groups: tuple[str, ...] = (), **config: Any) -> Any:
        return run(make(name, groups, config))

    return make_in_loop
