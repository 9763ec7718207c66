# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""KubeSpawner that makes a home that is gone anew, and takes a deleted user's secret variables along."""

from __future__ import annotations

from typing import Any

from kubespawner import KubeSpawner

from hub_extensions import user_environment


class ClusterSpawner(KubeSpawner):  # type: ignore[misc]
    """KubeSpawner, configured as such."""

    _pvc_exists: bool

    async def _start(self) -> Any:
        # KubeSpawner 7 believes for ever in a claim that it has once seen: the server would wait for it in vain.
        if self._pvc_exists and not await self._check_pvc_exists(self.pvc_name, self.namespace):
            self.log.warning("The home %s of %s is gone; a new one is made", self.pvc_name, self.user.name)
            self._pvc_exists = False
        return await super()._start()

    async def delete_forever(self) -> None:
        await user_environment.forget(self)
        await super().delete_forever()
