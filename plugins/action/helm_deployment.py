# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module kubernetes.core.helm in the background, which its own action plugin does not support."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if folder := self._templar.template((task_vars or {}).get("ansible_async_dir") or ""):
            # Private, as what Ansible writes there holds the values.
            Path(folder).expanduser().mkdir(mode=0o700, parents=True, exist_ok=True)
        started = self._execute_module(
            module_name="kubernetes.core.helm",
            module_args=dict(self._task.args),
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val),
        )
        return {**result, **started}
