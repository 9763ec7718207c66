# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show that a right is waited for."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.modules import kubernetes_secrets
from ansible_collections.planetary.hub.plugins.plugin_utils._in_process import InProcess, preload
from ansible_collections.planetary.hub.plugins.plugin_utils._progress import ProgressAction

preload("kubernetes.dynamic", "requests")


class ActionModule(InProcess, ProgressAction):
    module = kubernetes_secrets
    label = "Secrets"
