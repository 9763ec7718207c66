# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: user_environment
short_description: Sort environment variables by where they are wanted
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Turns one list of environment variables into those of notebooks, Dask schedulers and Dask workers.
  - An entry that cannot be used is an error of one sentence that names it.
positional: _input
options:
  _input:
    description: The variables.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Letters, digits and underscores.
        type: str
        required: true
      value:
        description: A text, which arrives as written; braces and dollar signs mean nothing.
        type: str
        required: true
      targets:
        description: Where it is wanted.
        type: list
        elements: str
        choices: [notebook, scheduler, worker]
        default: [notebook]
"""

EXAMPLES = r"""
- name: Show the environment of Dask workers
  ansible.builtin.debug:
    msg: "{{ (variables | planetary.hub.user_environment)['worker'] }}"
  vars:
    variables:
      - name: STAC_URL
        value: https://stac.example.org/api/stac/v1
      - name: GDAL_HTTP_MERGE_CONSECUTIVE_RANGES
        value: "YES"
        targets: [notebook, scheduler, worker]
"""

RETURN = r"""
_value:
  description: Names and values by target, each target present.
  type: dict
  sample:
    notebook: {GDAL_HTTP_MERGE_CONSECUTIVE_RANGES: "YES", STAC_URL: https://stac.example.org/api/stac/v1}
    scheduler: {GDAL_HTTP_MERGE_CONSECUTIVE_RANGES: "YES"}
    worker: {GDAL_HTTP_MERGE_CONSECUTIVE_RANGES: "YES"}
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _user_environment(variables: Any) -> dict[str, dict[str, str]]:
    from ansible_collections.planetary.hub.plugins.module_utils._user_environment import user_environment
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return user_environment(variables)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter user_environment."""

    def filters(self) -> dict[str, Callable[..., dict[str, dict[str, str]]]]:
        return {"user_environment": _user_environment}
