# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The test user's server and Dask clusters: how they come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._smoke_report import Failed

SIGN_OF_LIFE = 30.0  # seconds; the hub gives one every eight


def start_server(hub: Hub, options: Mapping[str, Any], wait: Wait, progress: Progress) -> dict[str, Any]:
    """Ask for the server and wait until it is ready; returns it as the hub describes it."""
    # By the hub's clock, which is the cluster's: the answer before, since this one may take long.
    asked = hub.clock
    refused = ""
    progress.say("server is starting …")
    try:
        hub.start_server(options, wait.left)
    except HubError as reason:
        # Whether it starts all the same (a proxy lost patience), and if not why, is what the hub says below.
        refused = str(reason)
    heard = ""
    for event in hub.start_events(min(wait.left, SIGN_OF_LIFE), asked):
        message = " ".join(str(event.get("message", "")).split())
        if event.get("failed"):
            raise Failed(f"the hub says: {message or 'the start failed'}{heard}")
        if event.get("ready") or not wait.tick():
            break
        if message:
            heard = f" (last message: {message})"
            progress.say(f"server: {message} ({wait.passed:.0f} s)")
    server = hub.server()
    while server and not server.get("ready") and wait.pause():
        server = hub.server()
    if not server:
        raise Failed(refused or f"the server ended while it started{heard}")
    if not server.get("ready"):
        raise Failed(f"the server was not ready within {wait.limit:.0f} s{heard}")
    return server


def end_server(hub: Hub, wait: Wait) -> bool:
    """Stop the user's server, running or starting, and wait until it is gone; returns whether there was one."""
    there = server = hub.server()
    while server:
        if server.get("pending") != "stop":
            hub.stop_server()
        if not wait.pause():
            raise Failed(f"the server is still there after {wait.limit:.0f} s")
        server = hub.server()
    return bool(there)


def end_clusters(hub: Hub, gateway: str, wait: Wait) -> list[str]:
    """Stop the user's Dask clusters and wait until they are gone; returns their names."""
    names = hub.clusters(gateway)
    for name in names:
        hub.stop_cluster(gateway, name)
    while hub.clusters(gateway):
        if not wait.pause():
            raise Failed(f"Dask clusters are still there after {wait.limit:.0f} s")
    return names
