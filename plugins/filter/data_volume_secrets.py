# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: data_volume_secrets
short_description: Which Secret holds the key of which data volume
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Names the Kubernetes Secret of each data volume.
options:
  _input:
    description: Data volumes, each with C(name).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
secrets: "{{ infrastructure_outputs['data_volumes'] | planetary.hub.data_volume_secrets }}"
"""

RETURN = r"""
_value:
  description: C(name) of the Secret and C(volume) of each.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any


def _data_volume_secrets(volumes: Any) -> list[dict[str, str]]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_objects import data_volume_secrets

    return data_volume_secrets(volumes)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"data_volume_secrets": _data_volume_secrets}
