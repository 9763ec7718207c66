# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Profiles from profiles.json: each user sees theirs, and what cannot be had is refused with a sentence."""

from __future__ import annotations

from hub_extensions import profiles

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.KubeSpawner.profile_list = profiles.profile_list
c.Spawner.apply_user_options = profiles.check_user_options
