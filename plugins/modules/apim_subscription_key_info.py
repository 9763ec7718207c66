#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: apim_subscription_key_info
short_description: Get users' keys of an API Management service
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Asks an identity service for the users' records, and API Management for the keys of the subscriptions that follow
    from them, just as a hub does before a user's server starts.
  - What it answers is secret. Use C(no_log) with the task, so that no log keeps it.
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Nothing is changed.
  idempotent:
    support: full
    description: Changes nothing.
extends_documentation_fragment:
  - planetary.hub.azure
requirements:
  - requests
options:
  users:
    description: Names of the users, e-mail addresses mostly.
    type: list
    elements: str
    required: true
  identity_url:
    description:
      - Where the identity service answers a user's record; C({user}) stands for the user's name, encoded for a URL.
      - Without it the subscription follows from the user's name alone.
    type: str
    default: ""
  identity_token:
    description: What the identity service wants to see, in the header C(Authorization) after the word Token.
    type: str
  service_id:
    description: ARM id of the API Management service.
    type: str
    required: true
  subscription:
    description: Id of a user's subscription; fields of the record in braces, C({user}) among them.
    type: str
    default: "{pk}-planetarycomputer"
  key_name:
    description: Which of the two keys. The other one can be renewed meanwhile.
    type: str
    choices: [primaryKey, secondaryKey]
    default: primaryKey
  required:
    description: Whether a user without a key is a failure.
    type: bool
    default: true
  timeout:
    description: Seconds for one answer of the identity service.
    type: int
    default: 30
  retries:
    description: How often throttling, failures and lost connections of the identity service are tried again.
    type: int
    default: 4
  retry_timeout:
    description: Seconds for which throttling, failures of Azure and lost connections are waited out.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: Get the test user's key
  planetary.hub.apim_subscription_key_info:
    users: [tester@example.org]
    identity_url: "https://id.example.org/users/{user}/"
    identity_token: "{{ identity_token }}"
    service_id: "{{ group_id }}/providers/Microsoft.ApiManagement/service/example"
  no_log: true
  register: found
"""

RETURN = r"""
user_keys:
  description: Each user's key, in base64. Secret.
  returned: success
  type: dict
without:
  description: Users without a key, each with the reason. Empty with O(required=true).
  returned: success
  type: dict
  sample: {nobody@example.org: the identity service does not know the user}
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._api_management import (
    IdentityService,
    NoKey,
    subscription_key,
    subscription_name,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import sentence
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import encoded

PARALLEL = 16


def argument_spec() -> dict[str, Any]:
    return {
        **ARGUMENT_SPEC,
        "users": {"type": "list", "elements": "str", "required": True},
        "identity_url": {"type": "str", "default": ""},
        "identity_token": {"type": "str", "no_log": True},
        "service_id": {"type": "str", "required": True},
        "subscription": {"type": "str", "default": "{pk}-planetarycomputer"},
        "key_name": {
            "type": "str",
            "default": "primaryKey",
            "choices": ["primaryKey", "secondaryKey"],
            "no_log": False,
        },
        "required": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 30},
        "retries": {"type": "int", "default": 4},
        "retry_timeout": {"type": "int", "default": 120},
    }


def problem(given: dict[str, Any]) -> str:
    """What is wrong with the options, in one sentence; empty when nothing is."""
    if given["identity_url"] and "{user}" not in given["identity_url"]:
        return f"identity_url is {given['identity_url']}; write {{user}} where the user's name goes."
    if given["identity_url"] and not given["identity_token"]:
        return "identity_url is given, but identity_token not; give the token that the identity service wants to see."
    if "/providers/microsoft.apimanagement/service/" not in given["service_id"].lower():
        return (
            f"service_id is {given['service_id']}; give the ARM id of an API Management service,"
            " /subscriptions/.../providers/Microsoft.ApiManagement/service/<name>."
        )
    return ""


def look_up(given: dict[str, Any]) -> dict[str, str | NoKey]:
    """The key of each user, or why there is none."""
    client = AzureClient(given, PARALLEL, given["retry_timeout"])
    client.sign_in()
    identity = None
    if given["identity_url"]:
        identity = IdentityService(given["identity_url"], given["identity_token"], given["timeout"], given["retries"])

    def key(user: str) -> str | NoKey:
        try:
            record = identity.record(user) if identity else {"user": user}
            name = subscription_name(given["subscription"], record)
            return subscription_key(client, given["service_id"], name, given["key_name"])
        except NoKey as error:
            return error

    users = list(dict.fromkeys(given["users"]))
    with ThreadPoolExecutor(PARALLEL) as pool:
        return dict(zip(users, pool.map(key, users), strict=True))


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    wrong = problem(module.params)
    if wrong:
        module.fail_json(msg=wrong)
    try:
        found = look_up(module.params)
    except (LibraryMissing, CredentialProblem) as error:
        module.fail_json(msg=str(error))
    except AzureError as error:
        module.fail_json(msg=f"Keys of API Management cannot be had: {sentence(error).rstrip('. ')}.")
    without = {user: str(key) for user, key in found.items() if isinstance(key, NoKey)}
    if without and module.params["required"]:
        user, reason = next(iter(without.items()), ("", ""))
        more = f", nor have {len(without) - 1} others" if len(without) > 1 else ""
        module.fail_json(msg=f"The user {user} has no key{more}: {reason}.")
    keys = {user: key for user, key in found.items() if isinstance(key, str)}
    module.exit_json(changed=False, user_keys=encoded(keys), without=without)


if __name__ == "__main__":
    main()
