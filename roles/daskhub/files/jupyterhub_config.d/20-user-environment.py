# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Environment variables of users' servers, from user_environment.json and from sources, before each start."""

from __future__ import annotations

from typing import Any

from hub_extensions import user_environment

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

c.Spawner.pre_spawn_hook = user_environment.before_start
user_environment.import_early()

# The chart's spawner, whose users leave nothing behind when they are deleted.
if c.JupyterHub.get("spawner_class") == "kubespawner.KubeSpawner":
    c.JupyterHub.spawner_class = "hub_extensions.cluster_spawner.ClusterSpawner"
