# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: role_assignments
short_description: Turn a table of rights into Azure's role assignments
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes each row of a table of rights as a resource of P(planetary.hub.azure_resources#module).
positional: _input, api_version
options:
  _input:
    description: The rights.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Symbolic name of the resource.
        type: str
        required: true
      role_id:
        description: GUID of the role.
        type: str
        required: true
      scope_id:
        description: Full id of what the right is on.
        type: str
      scope_ids:
        description: Several of them, each with an assignment of its own.
        type: list
        elements: str
      custom:
        description: Whether the role is a custom one of the scope's subscription.
        type: bool
        default: false
      depends_on:
        description: Names of resources that must be there before, such as that of a custom role.
        type: list
        elements: str
      principal_id:
        description: Object id of who gets the right, or a resource's output, as V(${identity.properties.principalId}).
        type: str
        required: true
      principal_type:
        description: What the principal is.
        type: str
        default: ServicePrincipal
      why:
        description: Description of the assignment.
        type: str
      condition:
        description: V(false) leaves the row out.
        type: bool
        default: true
  api_version:
    description: Version of Azure's API.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Let the nodes pull images
  planetary.hub.azure_resources:
    resources: "{{ rights | planetary.hub.role_assignments('2022-04-01') }}"
  vars:
    rights:
      - name: registry_pull
        role_id: 7f951dda-4ed3-4680-a7ca-43fe172d538d
        scope_id: "{{ registry_id }}"
        principal_id: "{{ kubelet_object_id }}"
        why: Nodes pull the users' images.
"""

RETURN = r"""
_value:
  description: Resources of the module azure_resources.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any


def _role_assignments(permissions: Any, api_version: str) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._role_assignments import role_assignments
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return role_assignments(plain(permissions), str(api_version))


class FilterModule:
    """The filter role_assignments."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"role_assignments": _role_assignments}
