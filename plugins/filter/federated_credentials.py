# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: federated_credentials
short_description: Say whose tokens stand for an identity
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Writes the federated credentials of a managed identity as resources of P(planetary.hub.azure_resources#module), so
    that jobs of GitHub, of AWX or of others sign in to Azure without a secret.
positional: _input, identity_id, api_version
options:
  _input:
    description: Credentials in Azure's words.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the credential.
        type: str
        required: true
      issuer:
        description: Issuer of the tokens, an address that begins with C(https://).
        type: str
        required: true
      subject:
        description: Whose tokens are meant.
        type: str
        required: true
  identity_id:
    description: Full id of the identity.
    type: str
    required: true
  api_version:
    description: Version of Azure's API.
    type: str
    required: true
  github:
    description: Jobs of GitHub.
    type: dict
    suboptions:
      repository:
        description: The repository, as C(owner/name). Empty for none.
        type: str
      environments:
        description: Deployment environments whose jobs are meant.
        type: list
        elements: str
      branches:
        description: Branches whose jobs are meant.
        type: list
        elements: str
  awx:
    description: Jobs of AWX.
    type: dict
    suboptions:
      issuer:
        description: Issuer of its tokens. Empty for none.
        type: str
      subject:
        description: Whose tokens are meant.
        type: str
"""

EXAMPLES = r"""
- name: Let GitHub deploy
  planetary.hub.azure_resources:
    resources: "{{ [] | planetary.hub.federated_credentials(identity_id, '2024-11-30', github=github) }}"
  vars:
    github:
      repository: example/hub
      environments: [prod]
"""

RETURN = r"""
_value:
  description: Resources of the module azure_resources.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError


def _federated_credentials(
    others: Any, identity_id: str, api_version: str, github: Any = None, awx: Any = None
) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._deployment_identity import credentials
    from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, plain

    try:
        return credentials(plain(others), str(identity_id), str(api_version), plain(github), plain(awx))
    except InputError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter federated_credentials."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        return {"federated_credentials": _federated_credentials}
