# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Key Vault's 401, which tells a client whom to ask for a token and for which audience."""

from __future__ import annotations

from ..web import Answer

RESOURCE = "https://vault.azure.net"
APPLICATION = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"


def challenge(tenant: str, message: str = "AKV10000: Request is missing a Bearer or PoP token.") -> Answer:
    """The 401 that tells a client which tenant and audience to ask for."""
    header = f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="{RESOURCE}"'
    return Answer(401, {"error": {"code": "Unauthorized", "message": message}}, {"WWW-Authenticate": header})


def wrong_audience(tenant: str, found: str) -> Answer:
    """The 401 for a token that was made for somebody else."""
    return challenge(tenant, f"AKV10022: Invalid audience. Expected {RESOURCE}, found: {found}.")
