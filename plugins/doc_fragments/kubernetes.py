# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that talks to a cluster."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - The kubeconfig.
      - Without it, the environment variables E(K8S_AUTH_KUBECONFIG) and E(KUBECONFIG), otherwise C(~/.kube/config).
    type: path
  context:
    description:
      - Its context.
      - Without it, the environment variable E(K8S_AUTH_CONTEXT), otherwise the current one.
    type: str
requirements:
  - kubernetes
"""
