#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_application
short_description: Make or adopt an app registration of Entra ID, and keep its client secret fresh
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Makes the registration with which people sign in to a hub, or adopts one by its client id or its unique name.
    Display names, which anybody may give twice, lead to nothing.
  - Redirect URIs, secrets and federated credentials of others stay as they are.
  - A client secret goes from Microsoft Graph to the vault or file where it is kept, and nowhere else. It is replaced
    before it expires, and what it replaced is removed once the hub has had time to read the new one.
attributes:
  check_mode:
    support: full
    description: Says what it would do and changes nothing.
  diff_mode:
    support: full
    description: Shows the registration without secrets.
  idempotent:
    support: full
    description: Changes nothing as long as the secret is not about to expire.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  application_id:
    description: Client id of a registration to adopt. It must exist.
    type: str
  unique_name:
    description: Unique name of the registration in its tenant. It is made when there is none.
    type: str
  display_name:
    description: What people see when they sign in, for a new registration. By default O(unique_name).
    type: str
  redirect_uris:
    description: Where people may be sent back to, added to what is there.
    type: list
    elements: str
    default: []
  sign_in_audience:
    description: Whose people may sign in. V(AzureADMyOrg) is this tenant alone.
    type: str
    choices: [AzureADMyOrg, AzureADMultipleOrgs]
    default: AzureADMyOrg
  group_claims:
    description:
      - Which groups are sent to the hub, where rules for groups are to work.
      - V(ApplicationGroup) are those assigned to the application, which keeps their number small. V(leave) leaves what
        is there.
    type: str
    choices: [leave, SecurityGroup, ApplicationGroup, All]
    default: leave
  credential:
    description:
      - What the hub proves itself with. V(secret) is a client secret, V(federated) a token of somebody whom
        O(federated_credentials) names, and V(none) leaves that to others.
    type: str
    choices: [secret, federated, none]
    default: secret
  federated_credentials:
    description: Whose tokens stand for the application, with O(credential=federated).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the credential.
        type: str
        required: true
      issuer:
        description: Who gives the tokens, such as the OIDC issuer of a cluster.
        type: str
        required: true
      subject:
        description: Whose they are, such as C(system:serviceaccount:<namespace>:<service account>).
        type: str
        required: true
      audiences:
        description: What they are for.
        type: list
        elements: str
        default: [api://AzureADTokenExchange]
  label:
    description: Name of our client secrets, among those of others.
    type: str
    default: planetary.hub
  vault_uri:
    description: Address of the vault that keeps the client secret.
    type: str
  vault_id:
    description: Full id of this vault, for what is said when it refuses.
    type: str
    default: ""
  secret_name:
    description: Name of the secret in the vault.
    type: str
  secret_file:
    description: File that keeps the client secret, instead of a vault. Of mode C(0600).
    type: path
  secret_days:
    description: Days for which a new client secret is valid.
    type: int
    default: 180
  renew_days:
    description: Days before the end of the client secret at which it is replaced.
    type: int
    default: 30
  overlap_hours:
    description: Hours for which a replaced client secret stays valid.
    type: int
    default: 24
  state:
    description: Whether the registration exists.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Register the hub
  planetary.hub.entra_application:
    unique_name: planetary-hub-staging
    display_name: Planetary hub (staging)
    redirect_uris: ["https://staging.example.org/compute/hub/oauth_callback"]
    vault_uri: https://hub-secrets.vault.azure.net/
    secret_name: hub--id-client-secret
  register: entra

- name: Register the hub of a cluster, without any secret
  planetary.hub.entra_application:
    application_id: 1d5a9d4e-6c0a-4a8e-8a37-2f0a5a4a7c11
    redirect_uris: ["https://hub.example.org/hub/oauth_callback"]
    credential: federated
    federated_credentials:
      - name: hub
        issuer: "{{ infrastructure_outputs['cluster']['oidc_issuer'] }}"
        subject: system:serviceaccount:dhub:hub
"""

RETURN = r"""
application:
  description: The registration; empty when there is none.
  returned: success
  type: dict
  contains:
    client_id:
      description: The application id, C((known after apply\)) in check mode when it would be made.
      type: str
    object_id:
      description: Id of the registration itself.
      type: str
    tenant_id:
      description: The tenant.
      type: str
    redirect_uris:
      description: All of its redirect URIs.
      type: list
      elements: str
secret:
  description: What was done about the client secret, and why; never the secret.
  returned: success
  type: str
  sample: "made: it expires in 12 days"
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._entra_registration import Registration
from ansible_collections.planetary.hub.plugins.module_utils._microsoft_graph import sentence
from ansible_collections.planetary.hub.plugins.module_utils._secret_place import PlaceError
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


def argument_spec() -> dict[str, Any]:
    federated = {
        "name": {"type": "str", "required": True},
        "issuer": {"type": "str", "required": True},
        "subject": {"type": "str", "required": True},
        "audiences": {"type": "list", "elements": "str", "default": ["api://AzureADTokenExchange"]},
    }
    return ARGUMENT_SPEC | {
        "application_id": {"type": "str"},
        "unique_name": {"type": "str"},
        "display_name": {"type": "str"},
        "redirect_uris": {"type": "list", "elements": "str", "default": []},
        "sign_in_audience": {
            "type": "str",
            "choices": ["AzureADMyOrg", "AzureADMultipleOrgs"],
            "default": "AzureADMyOrg",
        },
        "group_claims": {
            "type": "str",
            "choices": ["leave", "SecurityGroup", "ApplicationGroup", "All"],
            "default": "leave",
        },
        "credential": {"type": "str", "choices": ["secret", "federated", "none"], "default": "secret"},
        "federated_credentials": {"type": "list", "elements": "dict", "default": [], "options": federated},
        "label": {"type": "str", "default": "planetary.hub"},
        "vault_uri": {"type": "str"},
        "vault_id": {"type": "str", "default": ""},
        "secret_name": {"type": "str", "no_log": False},
        "secret_file": {"type": "path", "no_log": False},
        "secret_days": {"type": "int", "default": 180, "no_log": False},
        "renew_days": {"type": "int", "default": 30},
        "overlap_hours": {"type": "int", "default": 24},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
        required_one_of=[("application_id", "unique_name")],
        mutually_exclusive=[("application_id", "unique_name"), ("vault_uri", "secret_file")],
        required_together=[("vault_uri", "secret_name")],
        required_if=[("credential", "federated", ("federated_credentials",))],
    )
    asked = module.params
    kept = asked["vault_uri"] or asked["secret_file"]
    if asked["state"] == "present" and asked["credential"] == "secret" and not kept:
        module.fail_json(msg="credential is secret, but nothing says where it is kept: give vault_uri and secret_name.")
    try:
        registration = Registration(asked)
        ask = registration.absent if asked["state"] == "absent" else registration.present
        result = ask(module.check_mode)
    except AzureError as error:
        module.fail_json(msg=f"{sentence(error, asked['unique_name'] or asked['application_id'])}.")
    except (InputError, PlaceError, CredentialProblem, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
