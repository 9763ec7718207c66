# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module kubernetes.core.helm in the background, which its own action plugin does not support."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        started = self._execute_module(
            module_name="kubernetes.core.helm",
            module_args=dict(self._task.args),
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val),
        )
        return {**result, **started}
