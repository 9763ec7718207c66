# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: source_secrets
short_description: The secrets that sources of users' environments read
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Says which secrets the sources name, or read if they name none.
options:
  _input:
    description: Sources, as O(planetary.hub.user_environment_sources#filter:_input) has them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
keys: "{{ hub_user_environment_sources | planetary.hub.source_secrets | list }}"
"""

RETURN = r"""
_value:
  description: Key of each secret to who reads it.
  type: dict
"""

from collections.abc import Callable
from typing import Any


def _source_secrets(sources: Any) -> dict[str, str]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_table import source_secrets

    return source_secrets(sources)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"source_secrets": _source_secrets}
