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
