# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How people sign in and who may enter, from authentication.json; and how the smoke test gets in."""

from __future__ import annotations

from typing import Any

from hub_extensions import authentication

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

authentication.configure(c)
authentication.add_smoke_test(c)
