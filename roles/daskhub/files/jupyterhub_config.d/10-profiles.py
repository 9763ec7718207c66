# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Profiles from profiles.json: each user sees theirs, and what cannot be had is refused with a sentence."""

from __future__ import annotations

from typing import Any

from hub_extensions import profiles

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

c.KubeSpawner.profile_list = profiles.profile_list
c.Spawner.apply_user_options = profiles.check_user_options
