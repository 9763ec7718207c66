# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real JupyterHub whose servers are one that runs already, so that its event loop has nothing to do but start them.

HUB_BENCH is a JSON object: port, token, users, hook (none, ours, blocking), address (of the services), results (file).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub_extensions import user_environment
from hub_extensions.local_spawner import LocalProfileSpawner
from jupyterhub.proxy import Proxy

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.event_loop import original
from benchmarks.event_loop.probe import Probe

bench = json.loads(os.environ["HUB_BENCH"])
server = urlsplit(bench["server"])


class ReadyServer(LocalProfileSpawner):
    """Everything that a start does on this machine, but for the process."""

    async def start(self) -> tuple[str, int]:
        await self.load_user_options()
        self.get_env()
        return str(server.hostname), int(server.port or 0)

    async def poll(self) -> None:
        return None

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002
        return None


class NoProxy(Proxy):  # type: ignore[misc]
    """Keeps routes in memory."""

    routes: dict[str, Any] = {}  # noqa: RUF012
    should_start = False

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        self.routes.pop(routespec, None)

    async def get_all_routes(self) -> dict[str, Any]:
        return self.routes


async def report() -> None:
    """Keep the file of results as new as half a second."""
    probe, results = Probe(), Path(bench["results"])
    while True:
        await asyncio.sleep(0.5)
        late = [entry for entry in probe.late if entry[1] > 0.02]
        new = results.with_suffix(".new")
        new.write_text(json.dumps(late))
        new.replace(results)


c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.JupyterHub.bind_url = f"http://127.0.0.1:{bench['port']}/"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{bench['port']}/"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = ReadyServer
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.JupyterHub.services = [{"name": "bench", "api_token": bench["token"]}]
c.JupyterHub.load_roles = [{"name": "bench", "services": ["bench"], "scopes": ["admin:users", "admin:servers"]}]
if bench["hook"] == "ours":
    user_environment.import_early()
    c.Spawner.pre_spawn_hook = user_environment.before_start
elif bench["hook"] == "blocking":
    c.Spawner.pre_spawn_hook = original.hook(bench["address"])
reporting = asyncio.get_running_loop().create_task(report())
