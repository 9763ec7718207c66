# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_origins
short_description: What may be said of a hub's secrets
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Says of each secret what a vault calls it, who reads it, and whether it is generated; never its value.
options:
  _input:
    description: Rows of P(planetary.hub.wanted_secrets#filter).
    type: list
    elements: dict
    required: true
  source:
    description: Where the secrets come from.
    type: str
    choices: [vault, kubernetes, files]
    required: true
"""

EXAMPLES = r"""
secrets: "{{ __secrets_wanted | planetary.hub.secret_origins('vault') }}"
"""

RETURN = r"""
_value:
  description: Key to C(vault_name) (null without a vault), C(consumer), and C(origin), C(generated) or C(given).
  type: dict
"""

from collections.abc import Callable
from typing import Any


def _secret_origins(rows: Any, source: str) -> dict[str, dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_objects import secret_origins

    return secret_origins(rows, source)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"secret_origins": _secret_origins}
