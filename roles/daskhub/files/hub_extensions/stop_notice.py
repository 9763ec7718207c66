# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Tells each server at its start when the culler will stop it, so that JupyterLab can say so minutes before.

The culler stops a server that is older than its maximum age, or that nobody used for the timeout, at the first of its
passes after that. Source: README of jupyterhub-idle-culler.
"""

from __future__ import annotations

import json
import time
from typing import Any

from hub_extensions.data_files import DataFile, DataFileError

VARIABLE = "HUB_STOP_NOTICE"
_file = DataFile("culling.json", dict)


def stop_notice(settings: dict[str, Any], started: float) -> str:
    """What JupyterLab wants to know, as JSON; nothing where nothing is stopped.

    Args:
        settings: ``enabled``, and in seconds ``timeout``, ``max_age`` and ``notice``; 0 means never.
        started: seconds since 1970, when the hub began to start the server, which is what the culler counts from.
    """
    if not settings["enabled"] or not settings["notice"] or not (settings["max_age"] or settings["timeout"]):
        return ""
    stop_at = int(started + settings["max_age"]) if settings["max_age"] else None
    return json.dumps({"stop_at": stop_at, "idle": settings["timeout"] or None, "notice": settings["notice"]})


def at_start(_spawner: Any) -> str:
    """The variable's value for a server that starts now; no notice is no reason not to start."""
    try:
        return stop_notice(_file.read(), time.time())
    except (DataFileError, KeyError):
        return ""
