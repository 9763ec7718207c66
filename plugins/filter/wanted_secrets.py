# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wanted_secrets
short_description: The secrets that a hub needs
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks a table of secrets, fills in what its rows leave out, and keeps those whose condition holds.
options:
  _input:
    description: Rows with the keys of the result. Only C(key) and C(consumer) are needed.
    type: list
    elements: dict
    required: true
  prefixes:
    description: Scope to the prefix of the names in a vault. The first scope is that of rows without one.
    type: dict
    required: true
  sources:
    description:
      - Sources of users' environments, as O(planetary.hub.user_environment_sources#filter:_input) has them.
      - A secret that one of them reads and that has no row gets one; people have to set it.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
wanted: >-
  {{ [{'key': 'pc-id-token', 'consumer': 'pre-spawn hook', 'scope': 'shared'}]
     | planetary.hub.wanted_secrets({'environment': 'pcc-staging', 'shared': 'pcc'}) }}
"""

RETURN = r"""
_value:
  description: The rows that are wanted.
  type: list
  elements: dict
  contains:
    key:
      description: What the hub calls it; file name and data key.
      type: str
    vault_name:
      description: What a vault calls it, C(<prefix>--<key>) if not said otherwise.
      type: str
    scope:
      description: Which prefix it has.
      type: str
    consumer:
      description: Who reads it.
      type: str
    generate:
      description: Random bytes it is generated from; V(0) if only people have it.
      type: int
    condition:
      description: Whether it is wanted, always true here.
      type: bool
    certificate:
      description: Whether it is a TLS certificate.
      type: bool
    services:
      description: Services that restart when it changes.
      type: list
      elements: str
    second_names:
      description: Further data keys under which the cluster's Secret holds it.
      type: list
      elements: str
    rotates:
      description: Whether it can be generated anew.
      type: bool
    vault:
      description: Whether a vault holds it. If not, it stays where the hub runs.
      type: bool
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def wanted(rows: Any, prefixes: Mapping[str, str], sources: Any = ()) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_table import wanted_secrets, with_sources
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return wanted_secrets(with_sources(rows, sources), prefixes)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"wanted_secrets": wanted}
