# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Each server knows when it will be stopped."""

from __future__ import annotations

from typing import Any

from hub_extensions import stop_notice

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

# The section that the chart writes its own variables to wins over that of all spawners.
section = c.KubeSpawner if "environment" in c.KubeSpawner else c.Spawner
section.environment.update({stop_notice.VARIABLE: stop_notice.at_start})
