# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: authentication_problem
short_description: Say what keeps people from signing in as it is written
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Runs the filter P(planetary.hub.authentication#filter) and returns its error instead of raising it.
  - Meant for a failure message, where Ansible would wrap an error in lines of its own.
positional: _input, url
options:
  _input:
    description: How people sign in, see P(planetary.hub.authentication#filter).
    type: dict
    required: true
  url:
    description: The hub's address with its base URL.
    type: str
    required: true
  application:
    description: The app registration.
    type: dict
  test_user:
    description: The user of the smoke test.
    type: str
    default: ""
  public:
    description: Whether others than this machine reach the hub.
    type: bool
    default: true
  cloud:
    description: The Azure cloud of the tenant.
    type: str
    choices: [AzureCloud, AzureChinaCloud, AzureUSGovernment]
    default: AzureCloud
"""

EXAMPLES = r"""
- name: Refuse what cannot be used
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: "{{ daskhub_authentication | planetary.hub.authentication_problem('https://hub.example.org/') }}"
"""

RETURN = r"""
_value:
  description: One sentence that names the key and says what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any


def _authentication_problem(value: Any, url: str, **more: Any) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._authentication import authentication
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        authentication(value, url, **more)
    except InputError as error:
        return str(error)
    return ""


class FilterModule:
    """The filter authentication_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"authentication_problem": _authentication_problem}
