#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: storage_account_keys_info
short_description: Get the keys of storage accounts
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Asks Azure for one key of each storage account, all of them side by side.
  - "The result holds keys: say C(no_log: true)."
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: Nothing is changed.
  idempotent:
    support: full
    description: Changes nothing.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  accounts:
    description: Full ids of the accounts.
    type: list
    elements: str
    required: true
  key_name:
    description: Which of the two keys. The other one can be renewed meanwhile.
    type: str
    choices: [key1, key2]
    default: key1
  retry_timeout:
    description: Seconds for which throttling, failures of Azure and lost connections are waited out.
    type: int
    default: 300
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Get the key of the shared data
  planetary.hub.storage_account_keys_info:
    accounts: ["{{ infrastructure_outputs['data_volumes'][0]['storage_account_id'] }}"]
  no_log: true
  register: __secrets_storage
"""

RETURN = r"""
account_keys:
  description: Id as given to the key, in base64. An account that does not exist is left out in check mode.
  returned: success
  type: dict
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_pause import SpokenPause
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import sentence
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import encoded

API_VERSION = "2026-09-01"


def key(client: AzureClient, account: str, name: str, check: bool) -> str | None:
    """One key of one account; None when the account is still to be made."""
    try:
        found: Any = client.post(f"{account}/listKeys", API_VERSION)
    except AzureError as error:
        if error.absent and check:
            return None
        raise AzureError(f"{account.rpartition('/')[2]}: {sentence(error)}") from None
    return next((one["value"] for one in found["keys"] if one["keyName"].lower() == name), None)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENT_SPEC,
            "accounts": {"type": "list", "elements": "str", "required": True},
            "key_name": {"type": "str", "default": "key1", "choices": ["key1", "key2"], "no_log": False},
            "retry_timeout": {"type": "int", "default": 300},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    given = module.params
    accounts = list(dict.fromkeys(given["accounts"]))
    try:
        pause = SpokenPause(Progress(given["progress_file"] or ""))
        client = AzureClient(given, retry_timeout=given["retry_timeout"], pause=pause)
        with ThreadPoolExecutor(16) as crew:
            found = list(crew.map(lambda one: key(client, one, given["key_name"], module.check_mode), accounts))
    except (LibraryMissing, CredentialProblem) as error:
        module.fail_json(msg=str(error))
    except Abandoned as error:
        module.fail_json(msg=f"The keys of storage accounts were not asked to the end: {error}.")
    except AzureError as error:
        module.fail_json(msg=f"The key of a storage account cannot be had: {str(error).rstrip('. ')}.")
    keys = {account: value for account, value in zip(accounts, found, strict=True) if value}
    module.exit_json(changed=False, account_keys=encoded(keys))


if __name__ == "__main__":
    main()
