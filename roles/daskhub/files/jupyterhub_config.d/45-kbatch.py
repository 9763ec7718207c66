# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users, and the servers they start, may use kbatch, where there is one. Its own token may do nothing else."""

from __future__ import annotations

from typing import Any

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

if any(service.get("name") == "kbatch" for service in c.JupyterHub.get("services", [])):
    for role in c.JupyterHub.load_roles:
        if role["name"] in ("user", "server"):
            role["scopes"] = [*role["scopes"], "access:services!service=kbatch"]
