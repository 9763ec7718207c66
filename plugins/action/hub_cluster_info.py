# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a cluster without a process of its own."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.modules import hub_cluster_info
from ansible_collections.planetary.hub.plugins.plugin_utils._in_process import InProcessAction, preload

preload("kubernetes.dynamic", "requests")


class ActionModule(InProcessAction):
    module = hub_cluster_info
