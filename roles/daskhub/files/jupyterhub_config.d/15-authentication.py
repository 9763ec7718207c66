# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How people sign in and who may enter, from authentication.json; and how the smoke test gets in."""

from __future__ import annotations

from hub_extensions import authentication

c = get_config()  # type: ignore[name-defined]  # noqa: F821

authentication.configure(c)
authentication.add_smoke_test(c)
