# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: data_volumes
short_description: Fill in and check the file shares that all users see
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Fills in what the volumes leave out.
  - A volume that cannot be used, or two of one name or mount path, is an error of one sentence that names it.
positional: _input, storage_account_id
options:
  _input:
    description: The volumes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the volume, as Kubernetes and Azure take it.
        type: str
        required: true
      mount_path:
        description: Where users see it.
        type: str
        required: true
      share:
        description: Name of the file share, if it is not the volume's.
        type: str
      quota:
        description: Size of the share in GiB.
        type: int
        default: 100
      read_only:
        description: Whether users can only read.
        type: bool
        default: true
      existing:
        description: Whether the share is there already and is neither made nor changed.
        type: bool
        default: false
      storage_account_id:
        description: Full id of another storage account.
        type: str
  storage_account_id:
    description: Full id of the storage account of the volumes that name none.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the volumes
  ansible.builtin.debug:
    msg: "{{ volumes | planetary.hub.data_volumes(storage_account_id) }}"
  vars:
    volumes:
      - name: driven-data
        mount_path: /driven-data
"""

RETURN = r"""
_value:
  description: The volumes with all their keys.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _data_volumes(volumes: Any, storage_account_id: str) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._data_volumes import data_volumes
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, plain

    try:
        return data_volumes(plain(volumes), str(storage_account_id))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter data_volumes."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"data_volumes": _data_volumes}
