# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what the look at node pools is waiting for."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    label = "node pools"
