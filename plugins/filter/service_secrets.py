# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_secrets
short_description: The secrets whose change restarts a service
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Sorts the keys of secrets by the services that restart when one of them changes, a random one first.
options:
  _input:
    description: Rows of P(planetary.hub.wanted_secrets#filter).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
digests: "{{ __secrets_wanted | planetary.hub.service_secrets }}"
"""

RETURN = r"""
_value:
  description: Service to keys.
  type: dict
"""

from collections.abc import Callable
from typing import Any


def _service_secrets(rows: Any) -> dict[str, list[str]]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_table import service_keys

    return service_keys(rows)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"service_secrets": _service_secrets}
