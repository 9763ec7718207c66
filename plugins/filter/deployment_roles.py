# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: deployment_roles
short_description: Turn a table of rights into custom roles and their assignments
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes a custom role for each row of a table of rights and each of its scopes, and gives it to one principal there,
    as resources of P(planetary.hub.azure_resources#module).
  - A role that may give roles is given under a condition, so that only the listed ones can be given on.
positional: _input, scopes, prefix, grantable, principal_id, api_version
options:
  _input:
    description: The rights.
    type: list
    elements: dict
    required: true
    suboptions:
      scope:
        description: A key of O(scopes).
        type: str
        required: true
      why:
        description: What the rights are for.
        type: str
        required: true
      actions:
        description: Actions of Azure's providers.
        type: list
        elements: str
        required: true
  scopes:
    description: Ids by the name of a scope. A row whose scope has none is left out.
    type: dict
    required: true
  prefix:
    description: Begin of the roles' names.
    type: str
    required: true
  grantable:
    description: Roles (GUIDs) that may be given on.
    type: list
    elements: str
    required: true
  principal_id:
    description: Object id of who gets the roles; may be another resource's output.
    type: str
    required: true
  api_version:
    description: Version of Azure's API.
    type: str
    required: true
  deletes:
    description: Whether what may be written may be deleted too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Give the deployment its rights
  planetary.hub.azure_resources:
    resources: "{{ rights | planetary.hub.deployment_roles(scopes, 'hub', grantable, object_id, '2022-04-01') }}"
  vars:
    rights:
      - scope: registry
        why: Read the registry.
        actions: [Microsoft.ContainerRegistry/registries/read]
    scopes:
      registry: ["{{ registry_id }}"]
    grantable: [7f951dda-4ed3-4680-a7ca-43fe172d538d]
"""

RETURN = r"""
_value:
  description: Resources of the module azure_resources.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any


def _deployment_roles(
    table: Any, scopes: Any, prefix: str, grantable: Any, principal_id: str, api_version: str, deletes: bool = False
) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._deployment_identity import roles
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    texts = (str(principal_id), str(api_version))
    return roles(plain(table), plain(scopes), str(prefix), plain(list(grantable)), *texts, deletes=bool(deletes))


class FilterModule:
    """The filter deployment_roles."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"deployment_roles": _deployment_roles}
