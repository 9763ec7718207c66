# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Environment variables of users' servers from user_environment.json, read before each start."""

from __future__ import annotations

from hub_extensions import user_environment

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.Spawner.pre_spawn_hook = user_environment.set_environment
