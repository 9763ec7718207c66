# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: daskhub_problem
short_description: Say what keeps profiles, Dask options or environment from being used
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Runs the filters P(planetary.hub.profile_list#filter), P(planetary.hub.dask_options#filter) and
    P(planetary.hub.user_environment#filter) and others and returns their error instead of raising it.
  - Meant for a failure message, where Ansible would wrap an error in lines of its own.
positional: _input, dask_options, user_environment
options:
  _input:
    description: The profiles.
    type: list
    elements: dict
    required: true
  dask_options:
    description: The Dask options.
    type: dict
    required: true
  user_environment:
    description: The environment variables.
    type: list
    elements: dict
    required: true
  capacity:
    description: What one server can get at most, see P(planetary.hub.profile_list#filter).
    type: dict
  sources:
    description: Where users' own variables come from, see P(planetary.hub.user_environment_sources#filter).
    type: list
    elements: dict
    default: []
  post_start:
    description: What happens in homes after a start, see P(planetary.hub.post_start#filter).
    type: dict
    default: {}
  dask_capacity:
    description: What one pod of a cluster can get at most, see P(planetary.hub.dask_options#filter).
    type: dict
"""

EXAMPLES = r"""
- name: Refuse what cannot be used
  ansible.builtin.assert:
    that: problem == ''
    fail_msg: "{{ problem }}"
    quiet: true
  vars:
    problem: >-
      {{ daskhub_profiles | planetary.hub.daskhub_problem(daskhub_dask_options, daskhub_user_environment) }}
"""

RETURN = r"""
_value:
  description: One sentence that names the item and says what to do; an empty string when all is well.
  type: str
"""

from collections.abc import Callable
from typing import Any


def _daskhub_problem(
    profiles: Any,
    dask_options: Any,
    user_environment: Any,
    capacity: Any = None,
    dask_capacity: Any = None,
    sources: Any = (),
    post_start: Any = None,
) -> str:
    from ansible_collections.planetary.hub.plugins.module_utils._dask_options import dask_options as read_dask_options
    from ansible_collections.planetary.hub.plugins.module_utils._post_start import post_start as read_post_start
    from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list as read_profiles
    from ansible_collections.planetary.hub.plugins.module_utils._user_environment import (
        user_environment as read_user_environment,
    )
    from ansible_collections.planetary.hub.plugins.module_utils._user_environment_sources import (
        user_environment_sources as read_user_environment_sources,
    )
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        checked = read_profiles(profiles, capacity)
        read_dask_options(dask_options, checked, dask_capacity)
        read_user_environment(user_environment)
        read_user_environment_sources(list(sources), user_environment)
        read_post_start({} if post_start is None else post_start)
    except InputError as error:
        return str(error)
    return ""


class FilterModule:
    """The filter daskhub_problem."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"daskhub_problem": _daskhub_problem}
