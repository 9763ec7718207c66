# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""KubeSpawner that takes a deleted user's secret variables along."""

from __future__ import annotations

from kubespawner import KubeSpawner

from hub_extensions import user_environment


class ClusterSpawner(KubeSpawner):  # type: ignore[misc]
    """KubeSpawner, configured as such."""

    async def delete_forever(self) -> None:
        await user_environment.forget(self)
        await super().delete_forever()
