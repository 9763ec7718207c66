# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: user_environment_sources
short_description: Check what is fetched for each user before a start
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Turns the sources of users' own environment variables, such as API keys, into what the hub reads, with all defaults.
  - What a source answers reaches the user's notebooks, Dask schedulers and Dask workers through a secret.
  - An entry that cannot be used is an error of one sentence that names it.
positional: _input
options:
  _input:
    description: The sources.
    type: list
    elements: dict
    required: true
    suboptions:
      source:
        description:
          - V(api_management) asks an identity service for the user's record, and API Management for the key of the
            subscription that follows from it.
          - V(key_vault) reads secrets of a vault that belong to the user.
          - V(static) takes secrets of the deployment, the same for everybody.
          - V(callable) calls a Python function of yours with the user's name.
        type: str
        choices: [api_management, key_vault, static, callable]
        required: true
      name:
        description: Names the source in logs and in what users read when it fails.
        type: str
        required: true
      variables:
        description:
          - The variables' names, each with what it gets.
          - For V(api_management) C(primaryKey) or C(secondaryKey).
          - For V(key_vault) the name of the vault's secret, where C({slug}) stands for the user's name in letters,
            digits and hyphens.
          - For V(static) the key of a secret; for V(callable) a key of the mapping that the function returns.
        type: dict
        required: true
      on_failure:
        description: Whether a server starts when the source has nothing for its user.
        type: str
        choices: [start_without, refuse]
        default: start_without
      timeout:
        description: Seconds that a start waits for the source at most, retries included.
        type: float
        default: 15
      cache:
        description: Seconds for which an answer is used again; a renewed key reaches starts that begin later.
        type: float
        default: 60
      identity_url:
        description:
          - Where the identity service answers a user's record; C({user}) is the user's name, encoded for a URL.
          - Empty when the subscription follows from the user's name alone.
        type: str
        default: ""
      identity_token:
        description: Key of the secret that the hub shows the identity service, as C(Authorization) with the word Token.
        type: str
        default: pc-id-token
      service_id:
        description: ARM id of the API Management service.
        type: str
      subscription:
        description: Id of the user's subscription; fields of the record in braces, C({user}) among them.
        type: str
        default: "{pk}-planetarycomputer"
      vault:
        description: Address of the vault.
        type: str
      function:
        description: "C(module:function), plain or a coroutine, which the hub can import."
        type: str
      credential:
        description: How the hub signs in to Azure.
        type: dict
        suboptions:
          type:
            description: Workload identity takes what it needs from the hub's pod.
            type: str
            choices: [workload_identity, service_principal]
            default: workload_identity
          tenant_id:
            description: The tenant.
            type: str
          client_id:
            description: The application.
            type: str
          secret:
            description: Key of the secret with the service principal's client secret.
            type: str
            default: azure-client-secret
      cloud:
        description: The Azure cloud.
        type: str
        choices: [AzureCloud, AzureChinaCloud, AzureUSGovernment]
        default: AzureCloud
  variables:
    description: The variables of everybody, as for P(planetary.hub.user_environment#filter); names must be others.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show what the hub reads
  ansible.builtin.debug:
    msg: "{{ sources | planetary.hub.user_environment_sources }}"
  vars:
    sources:
      - source: api_management
        name: planetary-computer
        variables: {PC_SDK_SUBSCRIPTION_KEY: primaryKey}
        identity_url: "https://id.example.org/users/{user}/"
        service_id: "{{ group_id }}/providers/Microsoft.ApiManagement/service/example"
"""

RETURN = r"""
_value:
  description: The entries with all defaults and with the addresses of their cloud; no secret is in it.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _user_environment_sources(sources: Any, variables: Any = ()) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._user_environment_sources import (
        user_environment_sources,
    )
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return user_environment_sources(sources, variables)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter user_environment_sources."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"user_environment_sources": _user_environment_sources}
