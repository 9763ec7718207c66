# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users, and the servers they start, may use Dask Gateway; no other token of the hub may."""

from __future__ import annotations

c = get_config()  # type: ignore[name-defined]  # noqa: F821

access = "access:services!service=dask-gateway"
c.JupyterHub.load_roles = [
    *c.JupyterHub.get("load_roles", []),
    {"name": "user", "scopes": ["self", access]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", access]},
]
