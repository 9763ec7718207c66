# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show that the address of a hub is waited for."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.modules import hub_service
from ansible_collections.planetary.hub.plugins.plugin_utils._in_process import InProcess
from ansible_collections.planetary.hub.plugins.plugin_utils._progress import ProgressAction


class ActionModule(InProcess, ProgressAction):
    module = hub_service
    label = "service"
