# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Each server knows when it will be stopped."""

from __future__ import annotations

from hub_extensions import stop_notice

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# The section that the chart writes its own variables to wins over that of all spawners.
section = c.KubeSpawner if "environment" in c.KubeSpawner else c.Spawner
section.environment.update({stop_notice.VARIABLE: stop_notice.at_start})
