# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write chart values on the control node, where ansible-core still knows in which file each of them was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart
from ansible_collections.planetary.hub.plugins.module_utils._chart_values import chart_values, schemas
from ansible_collections.planetary.hub.plugins.module_utils._secret_files import updated
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
from ansible_collections.planetary.hub.plugins.modules.chart_values import SPEC
from ansible_collections.planetary.hub.plugins.plugin_utils._written import place


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(SPEC)
        fragments = self._task.args["fragments"]
        try:
            package = Path(given["chart"]) if given["chart"] else None
            files = chart.read_package(package.name, package.read_bytes()) if package else {}
            values = chart_values(fragments, schemas(files), lambda *asked: place(fragments, *asked))
            changed = updated(Path(given["dest"]), json.dumps(values))
        except (InputError, chart.ChartError, OSError) as error:
            return {**result, "failed": True, "msg": str(error)}
        return {**result, "changed": changed, "dest": given["dest"]}
