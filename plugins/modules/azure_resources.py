#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_resources
short_description: Bring a list of Azure resources about
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Takes resources as Azure Resource Manager itself writes them, like Bicep in YAML, and makes them real.
  - Reads all of them at once and compares what is wanted with what is there. Nothing is written where nothing differs.
    What a body does not mention stays as it is. Spellings that mean the same to Azure, defaults that it fills in and
    what it owns, such as the node count under the autoscaler, are no difference.
  - What cannot be is said before anything is changed, all of it at once. That is a property that Azure cannot change
    after creation, or an existing resource that does not exist.
  - Writes side by side what does not depend on each other, and one after the other what Azure refuses to write at once.
    Each resource is read again right before it is written, and carries its etag where the type has one.
  - Follows Azure's long-running operations and shows a line when something begins, waits or ends.
  - Waits for what another run has begun. A run that was interrupted is finished by the next one.
attributes:
  check_mode:
    support: full
    description: Reads everything, says what would change and writes nothing.
  diff_mode:
    support: full
    description: Shows each resource that changes with what changes in it, without secrets.
  idempotent:
    support: full
    description: What is as wanted is not written.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  resources:
    description:
      - The resources, in any order.
      - A text in O(resources[].id) or O(resources[].body) may hold references such as
        C(${cluster.properties.oidcIssuerProfile.issuerURL}), which lead into another resource of the list as Azure
        answers it. A text that is nothing but one reference becomes that value. C($${) stands for C(${).
      - C(${deployer.objectId}), C(${deployer.tenantId}) and C(${deployer.principalType}) are those of the credentials,
        and C(${subscription.tenantId}) and so on the properties of O(subscription_id), as Bicep's functions of these
        names say.
      - Order comes from references, from ids mentioned in bodies, from what lies above in an id, and from
        O(resources[].depends_on).
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Symbolic name, under which others refer to it and the result holds it.
        type: str
        required: true
      id:
        description:
          - The resource's id.
          - That of a role assignment is written without its name, such as
            C(<scope>/providers/Microsoft.Authorization/roleAssignments). It is found by its scope, role and principal,
            or created under a name derived from these.
        type: str
        required: true
      api_version:
        description: The version of the resource type's interface.
        type: str
        required: true
      body:
        description:
          - The wanted properties, in ARM's own words. A null counts as not said.
          - For role assignments, C(principalType) is V(ServicePrincipal) unless it is said, and C(roleDefinitionId) may
            be the role's bare GUID.
        type: dict
        default: {}
      condition:
        description:
          - Whether it takes part at all.
          - When V(false) it is neither written nor deleted, and cannot be referred to.
        type: bool
        default: true
      existing:
        description: Only read it. It must exist, and is never written and never deleted.
        type: bool
        default: false
      depends_on:
        description: Symbolic names of others that have to be there before, where no field says so.
        type: list
        elements: str
        default: []
      headers:
        description: Further headers of the requests that write it.
        type: dict
        default: {}
  state:
    description:
      - V(present) creates and updates.
      - V(absent) deletes what is listed, in reverse order. Existing ones are left alone.
    type: str
    choices: [present, absent]
    default: present
  parallel:
    description: How many resources are worked on at once. An operation counts until Azure has finished it.
    type: int
    default: 64
  timeout:
    description:
      - Seconds for the whole task.
      - What is not finished by then goes on in Azure, and the next run waits for it.
    type: int
    default: 5400
  retry_timeout:
    description:
      - Seconds for which one resource may be refused because Azure is busy, throttles, fails or cannot be reached.
      - A missing right is waited for, up to ten minutes of it, only after a role assignment was made.
    type: int
    default: 900
  ignore_tags:
    description: Names of tags that others own, such as policies. Patterns as in a shell. They are never a difference.
    type: list
    elements: str
    default: []
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Bring about a group, a network and an identity with a right on it
  planetary.hub.azure_resources:
    resources:
      - name: group
        id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub
        api_version: "2025-04-01"
        body:
          location: westeurope
          tags: {project: hub}
      - name: network
        id: "${group.id}/providers/Microsoft.Network/virtualNetworks/hub-network"
        api_version: "2025-05-01"
        body:
          location: westeurope
          properties:
            addressSpace: {addressPrefixes: [10.0.0.0/16]}
      - name: identity
        id: "${group.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/hub-cluster"
        api_version: "2024-11-30"
        body: {location: westeurope}
      - name: identity_on_network
        id: "${network.id}/providers/Microsoft.Authorization/roleAssignments"
        api_version: "2022-04-01"
        body:
          properties:
            roleDefinitionId: 4d97b98b-1d4f-4787-a291-c67834d212e7  # Network Contributor
            principalId: "${identity.properties.principalId}"
  register: azure

- name: Remove them again, but keep the group
  planetary.hub.azure_resources:
    state: absent
    resources:
      - name: group
        id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub
        api_version: "2025-04-01"
        existing: true
      - name: network
        id: "${group.id}/providers/Microsoft.Network/virtualNetworks/hub-network"
        api_version: "2025-05-01"
"""

RETURN = r"""
resources:
  description:
    - Every resource by its symbolic name, as Azure answers it, with secrets masked.
    - In check mode, what would change is shown as it would be, with V((known after apply)) for what only Azure knows.
    - None for what does not exist.
  returned: success
  type: dict
  sample:
    group:
      id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub
      name: hub
      location: westeurope
      properties: {provisioningState: Succeeded}
plan:
  description: What was done to each resource, or would be in check mode.
  returned: success, and after a failure what is forbidden
  type: list
  elements: dict
  contains:
    name:
      description: The symbolic name.
      type: str
      sample: network
    id:
      description: The resource's id, with V((known after apply)) where it is not known yet.
      type: str
      sample: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub
    type:
      description: The resource's type.
      type: str
      sample: Microsoft.Resources/resourceGroups
    action:
      description: One of V(create), V(update), V(delete), V(none) and V(forbidden).
      type: str
      sample: update
    changes:
      description: What differs, for V(update) and V(forbidden).
      type: list
      elements: dict
      sample:
        - {path: tags.project, before: hub, after: observatory}
summary:
  description: The plan in one line.
  returned: success
  type: str
  sample: 3 to create, 1 to update, 26 unchanged
problems:
  description: What went wrong, one sentence each.
  returned: failure
  type: list
  elements: str
  sample:
    - >-
      resource "group" (/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/hub) cannot be written:
      LocationNotAvailableForResourceGroup: The provided location 'mars' is not available for resource group; choose a
      region that az account list-locations -o table names.
done:
  description: Symbolic names of what had been written before the failure.
  returned: failure
  type: list
  elements: str
  sample: [group]
not_started:
  description: Symbolic names of what had not been begun at the failure.
  returned: failure
  type: list
  elements: str
  sample: [cluster]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import ARGUMENT_SPEC
from ansible_collections.planetary.hub.plugins.module_utils._azure_run import run


def argument_spec() -> dict[str, Any]:
    resource = {
        "name": {"type": "str", "required": True},
        "id": {"type": "str", "required": True},
        "api_version": {"type": "str", "required": True},
        "body": {"type": "dict", "default": {}},
        "condition": {"type": "bool", "default": True},
        "existing": {"type": "bool", "default": False},
        "depends_on": {"type": "list", "elements": "str", "default": []},
        "headers": {"type": "dict", "default": {}},
    }
    return {
        **ARGUMENT_SPEC,
        "resources": {"type": "list", "elements": "dict", "required": True, "options": resource},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "parallel": {"type": "int", "default": 64},
        "timeout": {"type": "int", "default": 5400},
        "retry_timeout": {"type": "int", "default": 900},
        "ignore_tags": {"type": "list", "elements": "str", "default": []},
        "progress_file": {"type": "path"},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    result = run(module.params, check=module.check_mode, hide=module.no_log_values.update, warn=module.warn)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
