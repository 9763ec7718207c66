# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Hands on to JupyterLab's page when the hub will stop this server, as the hub said at its start."""

from __future__ import annotations

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

if os.environ.get("HUB_STOP_NOTICE"):
    c.ServerApp.tornado_settings = {
        **c.ServerApp.get("tornado_settings", {}),
        "page_config_data": {"hubStopNotice": os.environ["HUB_STOP_NOTICE"]},
    }
