# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: kubernetes_settings_problem
short_description: Say what is wrong in settings of a hub in a cluster
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks variables of the role P(planetary.hub.daskhub#role), each by itself, key by key, and against each other.
  - Their types are known to be right, see P(planetary.hub.options_problem#filter).
positional: _input
options:
  _input:
    description: The settings by their names. What is missing is not checked.
    type: dict
    required: true
  volume_secrets:
    description: Names of the Secrets of data volumes by volume; not given as long as they are not known.
    type: dict
  address_later:
    description: Whether the hub gets its name from Azure, later in the run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Refuse a misspelt key
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: "{{ {'daskhub_ingress': daskhub_ingress} | planetary.hub.kubernetes_settings_problem }}"
"""

RETURN = r"""
_value:
  description: One sentence that names the setting and says what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any


def _kubernetes_settings_problem(settings: Any, volume_secrets: Any = None, address_later: bool = False) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_settings import check_settings
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, plain

    try:
        check_settings(plain(settings), plain(volume_secrets), address_later)
    except InputError as error:
        return str(error)
    return ""


class FilterModule:
    """The filter kubernetes_settings_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"kubernetes_settings_problem": _kubernetes_settings_problem}
