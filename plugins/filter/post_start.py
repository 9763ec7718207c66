# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: post_start
short_description: Check what happens in homes after a server has started
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks the steps and fills in what is not said.
  - An entry that cannot be used is an error of one sentence that names it.
positional: _input
options:
  _input:
    description: The steps.
    type: dict
    required: true
    suboptions:
      repositories:
        description: Git repositories that are cloned into homes and updated. What people changed there stays.
        type: list
        elements: dict
        default: []
        suboptions:
          url:
            description: Where it is. Everybody may read it; nobody is asked for a password.
            type: str
            required: true
          branch:
            description: Its branch; empty for the one that it has by itself.
            type: str
            default: ""
          folder:
            description: Where it goes below the home. The last part of the address, if not given.
            type: str
      jupyterlab:
        description:
          - Settings of JupyterLab by plugin, as in its C(overrides.json). Users can change them.
          - They are there before the server starts.
        type: dict
        default: {}
      qgis:
        description: Prepares QGIS, in images that have it.
        type: dict
        suboptions:
          plugins:
            description: Folders in C(share/) beside the image's QGIS that become plugins of the user.
            type: list
            elements: str
            default: []
          autostart:
            description: Whether the desktop starts with QGIS.
            type: bool
            default: true
      timeout:
        description: Seconds for all repositories together.
        type: float
        default: 300
"""

EXAMPLES = r"""
- name: Show what happens after a start
  ansible.builtin.debug:
    msg: "{{ steps | planetary.hub.post_start }}"
  vars:
    steps:
      repositories:
        - {url: https://github.com/microsoft/PlanetaryComputerExamples, branch: main}
      jupyterlab:
        "@jupyterlab/docmanager-extension:plugin": {defaultViewers: {markdown: Markdown Preview}}
"""

RETURN = r"""
_value:
  description: What the hub needs of it.
  type: dict
  contains:
    enabled:
      description: Whether anything is run at all.
      type: bool
    jupyterlab:
      description: Settings by plugin.
      type: dict
    steps:
      description: What is run, C(repositories), C(qgis) and C(timeout).
      type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _post_start(steps: Any) -> dict[str, Any]:
    from ansible_collections.planetary.hub.plugins.module_utils._post_start import post_start
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return post_start(steps)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter post_start."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"post_start": _post_start}
