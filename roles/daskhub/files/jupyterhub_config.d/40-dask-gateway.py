# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users, and the servers they start, may use Dask Gateway; no other token of the hub may."""

from __future__ import annotations

from typing import Any

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

access = "access:services!service=dask-gateway"
c.JupyterHub.load_roles = [
    *c.JupyterHub.get("load_roles", []),
    {"name": "user", "scopes": ["self", access]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", access]},
]
