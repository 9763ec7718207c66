# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""KubeSpawner hears again by itself after the cluster's API server was away."""

from __future__ import annotations

from typing import Any

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

if str(c.JupyterHub.get("spawner_class")).endswith(("KubeSpawner", "ClusterSpawner")):
    from hub_extensions import deaf_watch

    # The hub reads its configuration inside of its loop.
    deaf_watch.start()
    # Seconds for an answer: a request into the void, of which nobody tells, is over soon after the API server's return.
    # A watch that sees nothing takes 10.
    c.ResourceReflector.request_timeout = 20
