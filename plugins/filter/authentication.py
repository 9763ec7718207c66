# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: authentication
short_description: Turn how people sign in, and who may enter, into what the hub reads
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Checks the variable C(daskhub_authentication) and returns the authenticator with its settings, without secrets.
  - Somebody must be let in, and nobody is by default. What cannot be used is an error of one sentence that names the
    key.
positional: _input, url
options:
  _input:
    description: How people sign in.
    type: dict
    required: true
    suboptions:
      type:
        description:
          - V(azuread) is Entra ID, one tenant of it. V(generic-oauth) is any other provider of OAuth 2 or OpenID
            Connect.
          - With V(shared-password) all share a generated password, and administrators another one.
          - With V(dummy) anybody is whoever they say they are.
        type: str
        required: true
        choices: [azuread, generic-oauth, shared-password, dummy]
      allow_all:
        description: Everybody who can sign in may enter.
        type: bool
        default: false
      allowed_users:
        description: Users who may enter.
        type: list
        elements: str
        default: []
      allowed_groups:
        description: Groups whose members may enter. Of Entra ID their object ids.
        type: list
        elements: str
        default: []
      admin_users:
        description: Users who may enter and administer the hub. Not with V(dummy).
        type: list
        elements: str
        default: []
      admin_groups:
        description: Groups whose members may enter and administer the hub. Of Entra ID their object ids.
        type: list
        elements: str
        default: []
      on_public_address:
        description: Wanted for V(dummy) where others than this machine reach the hub.
        type: bool
        default: false
      tenant_id:
        description: Of V(azuread), the id or a domain of the tenant. By default that of O(application).
        type: str
      client_id:
        description: The id of the hub at the provider. By default that of O(application).
        type: str
      client_credential:
        description:
          - Of V(azuread), what the hub proves itself with. V(secret) is the secret C(id-client-secret).
          - V(federated) is the token of its service account, by a federated credential of the app registration, without
            any secret.
        type: str
        choices: [secret, federated]
        default: secret
      username_claim:
        description:
          - The claim that is the user's name.
          - By default C(preferred_username) of Entra ID, otherwise C(email).
        type: str
      groups_claim:
        description: The claim that holds the user's groups.
        type: str
        default: groups
      scopes:
        description: What the provider is asked for. By default C(openid), of Entra ID C(profile) and C(email) too.
        type: list
        elements: str
      login_service:
        description: Name of the provider on the button.
        type: str
      auto_login:
        description: Send people to the provider at once, without a page with a button.
        type: bool
        default: false
      authorize_url:
        description: Of V(generic-oauth), where people sign in.
        type: str
      token_url:
        description: Of V(generic-oauth), where the hub gets tokens.
        type: str
      userdata_url:
        description: Of V(generic-oauth), where the hub asks who it is. By default read from the ID token.
        type: str
      authorize_params:
        description: Of V(generic-oauth), further parameters of O(_input.authorize_url).
        type: dict
      token_params:
        description: Of V(generic-oauth), further parameters of O(_input.token_url).
        type: dict
  url:
    description: The hub's address with its base URL. What people are sent back to follows from it.
    type: str
    required: true
  application:
    description: The app registration, as M(planetary.hub.entra_application) returns it.
    type: dict
  test_user:
    description: The user of the smoke test, as whom nobody gets in through a provider.
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
- name: Show what the hub reads
  ansible.builtin.debug:
    msg: "{{ who | planetary.hub.authentication('https://hub.example.org/') }}"
  vars:
    who:
      type: azuread
      tenant_id: 6f0f0d4a-0c34-4b0e-9d62-8d5d3f9a5f4b
      client_id: 1d5a9d4e-6c0a-4a8e-8a37-2f0a5a4a7c11
      allowed_groups: [0b7a1c9e-33f2-4d5c-9a5d-3a1f0a6f2a10]
      admin_users: [ada@example.org]
"""

RETURN = r"""
_value:
  description:
    - The authenticator (RV(_value.authenticator)), what the hub proves itself with (RV(_value.credential)) and the
      authenticator's settings (RV(_value.traits)).
  type: dict
  contains:
    type:
      description: The type given.
      type: str
    authenticator:
      description: A name or a class that JupyterHub knows.
      type: str
    credential:
      description: One of V(secret), V(federated), V(passwords) and V(none).
      type: str
    traits:
      description: Names and values of the authenticator's settings.
      type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _authentication(value: Any, url: str, **more: Any) -> dict[str, Any]:
    from ansible_collections.planetary.hub.plugins.module_utils._authentication import authentication
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

    try:
        return authentication(value, url, **more)
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter authentication."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"authentication": _authentication}
