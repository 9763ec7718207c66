# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: file_shares
short_description: Turn data volumes into Azure's file shares
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes the shares of volumes as resources of P(planetary.hub.azure_resources#module), and the storage accounts
    that are adopted as existing ones.
positional: _input, own_account_id, api_version
options:
  _input:
    description: The volumes, as P(planetary.hub.data_volumes#filter) answers them.
    type: list
    elements: dict
    required: true
  own_account_id:
    description: Full id of the storage account that is made along with the shares, or an empty text.
    type: str
    required: true
  api_version:
    description: Version of Azure's API.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Make the shares
  planetary.hub.azure_resources:
    resources: "{{ volumes | planetary.hub.data_volumes(account_id) | planetary.hub.file_shares('', '2026-09-01') }}"
"""

RETURN = r"""
_value:
  description: Resources of the module azure_resources, named V(data_volume_<name>) and V(storage_account_<name>).
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any


def _file_shares(volumes: Any, own_account_id: str, api_version: str) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._data_volumes import file_shares
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return file_shares(plain(volumes), str(own_account_id), str(api_version))


class FilterModule:
    """The filter file_shares."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"file_shares": _file_shares}
