# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A vault, as far as its data plane needs to know its resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TYPE = "Microsoft.KeyVault/vaults"


@dataclass(frozen=True)
class Vault:
    """One vault; ``content`` is what it holds, to read and to change."""

    name: str
    id: str
    location: str
    content: dict[str, Any]
    purge_protected: bool = False
    retention_days: int = 90
    now: int = 0

    @property
    def url(self) -> str:
        return f"https://{self.name}.vault.azure.net"

    @property
    def recovery(self) -> dict[str, Any]:
        level = "Recoverable" if self.purge_protected else "Recoverable+Purgeable"
        if self.retention_days < 90:
            level = "CustomizedRecoverable" + level.removeprefix("Recoverable")
        return {"recoveryLevel": level, "recoverableDays": self.retention_days}

    def items(self, kind: str) -> dict[str, Any]:
        return self.content.setdefault(kind, {})
