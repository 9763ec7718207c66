# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a chart together without a process of its own."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.modules import helm_umbrella_chart
from ansible_collections.planetary.hub.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    module = helm_umbrella_chart
