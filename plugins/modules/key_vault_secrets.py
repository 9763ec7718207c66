#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: key_vault_secrets
short_description: Read many secrets of a Key Vault in one call, and generate those that are missing
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Reads all secrets side by side, in about the time of one.
  - A secret that can be generated is made once when it is missing, and never changed after that unless O(rotate) names
    it. One that was deleted and can be recovered is recovered.
  - Secrets that only people have, and that are missing, deleted or switched off, are one error for all of them. It
    holds the command for each. Nothing is written before.
  - A right on the vault that was given minutes ago, and that the vault does not know yet, is waited for. A right that
    nobody gave is an error at once, which names the role.
  - "The result holds values: say C(no_log: true)."
attributes:
  check_mode:
    support: full
    description: Reads, and names what would be written. Values that would be generated are C((known after apply)).
  diff_mode:
    support: full
    description: Names what is generated, recovered or rotated, without values.
  idempotent:
    support: full
    description: What is there stays, except what O(rotate) names.
extends_documentation_fragment:
  - planetary.hub.azure
options:
  vault_uri:
    description: Address of the vault, such as C(https://example.vault.azure.net/).
    type: str
    required: true
  vault_id:
    description:
      - Its full id.
      - With it an error can name the scope of a missing role, and a right that was just given can be waited for.
    type: str
    default: ""
  secrets:
    description: What is wanted.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description: What the hub calls it; the key of its value in the result.
        type: str
        required: true
      name:
        description: What the vault calls it.
        type: str
        required: true
      generate:
        description: Random bytes to generate it from, written as hexadecimal digits. V(0) if only people have it.
        type: int
        default: 0
      certificate:
        description: Whether it is the secret of a certificate, a PFX without password or PEM.
        type: bool
        default: false
      meaning:
        description: What it is, for the command that sets it.
        type: str
        default: ""
  rotate:
    description: Keys to generate anew. Only secrets that can be generated.
    type: list
    elements: str
    default: []
  rights_timeout:
    description: Seconds to wait for a right that was given minutes ago.
    type: int
    default: 600
  progress_file:
    description: Set by the action plugin of the same name.
    type: path
"""

EXAMPLES = r"""
- name: Read the secrets of the hub
  planetary.hub.key_vault_secrets:
    vault_uri: https://example.vault.azure.net/
    secrets:
      - {key: jupyterhub-proxy-secret-token, name: pcc-staging--jupyterhub-proxy-secret-token, generate: 32}
      - {key: pc-id-token, name: pcc--pc-id-token, meaning: token of the identity service}
      - {key: certificate, name: planetarycomputer-hub-test, certificate: true}
  no_log: true
  register: __secrets_vault
"""

RETURN = r"""
secrets:
  description: Key to value, in base64. Line ends at the end of a value are left out.
  returned: success
  type: dict
certificates:
  description:
    - Key to what a Secret of type C(kubernetes.io/tls) holds, in base64.
    - C(tls.crt), the certificate and its chain, and C(tls.key), the private key, both PEM.
  returned: success
  type: dict
changes:
  description: Key to C(generated), C(recovered) or C(rotated), what was done or would be in check mode.
  returned: success
  type: dict
said:
  description: The same for people, with the names that the vault has.
  returned: success
  type: list
  elements: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import (
    ARGUMENT_SPEC,
    CredentialProblem,
    LibraryMissing,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._key_vault import (
    Outcome,
    Patience,
    Wanted,
    bring_about,
    problem,
    timed,
)
from ansible_collections.planetary.hub.plugins.module_utils._key_vault_client import (
    VaultClient,
    given_lately,
    object_id,
)
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import encoded
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "vault_uri": {"type": "str", "required": True},
    "vault_id": {"type": "str", "default": ""},
    "secrets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        # What is in the list are names.
        "no_log": False,
        "options": {
            "key": {"type": "str", "required": True, "no_log": False},
            "name": {"type": "str", "required": True},
            "generate": {"type": "int", "default": 0},
            "certificate": {"type": "bool", "default": False},
            "meaning": {"type": "str", "default": ""},
        },
    },
    "rotate": {"type": "list", "elements": "str", "default": []},
    "rights_timeout": {"type": "int", "default": 600},
    "progress_file": {"type": "path"},
}


def patience(client: VaultClient, given: dict[str, Any], progress: Progress) -> Patience:
    """How long to wait when the vault says that a right is missing."""

    def hopeful(error: AzureError) -> bool:
        who = object_id(error)
        return bool(given["vault_id"] and who) and given_lately(AzureClient(given), given["vault_id"], who)

    return Patience(client, given["rights_timeout"], hopeful, progress)


def check_rotation(wanted: list[Wanted], rotate: list[str]) -> None:
    """Refuse to rotate what cannot be generated."""
    possible = [one.key for one in wanted if one.generate]
    for key in rotate:
        if key not in possible:
            raise InputError(f"{key} cannot be rotated: it is not among those generated, {', '.join(possible)}.")


def diff(outcome: Outcome) -> dict[str, str]:
    """What changes, without values."""
    lines = [f"{key}: {what}" for key, what in outcome.changes.items()]
    return {"before": "", "after": "".join(f"{line}\n" for line in lines)}


def said(outcome: Outcome, wanted: list[Wanted], check: bool) -> list[str]:
    """What changed, for people."""
    names = {one.key: one.name for one in wanted}
    word = "would be " if check else ""
    return [f"{names[key]}: {word}{what}" for key, what in outcome.changes.items()]


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    given = module.params
    start = time.monotonic()
    progress = Progress(given["progress_file"] or "")
    client: VaultClient | None = None
    try:
        wanted = [Wanted(**one) for one in given["secrets"]]
        check_rotation(wanted, given["rotate"])
        client = VaultClient(given, given["vault_uri"])
        outcome = bring_about(
            client,
            wanted,
            rotate=given["rotate"],
            check=module.check_mode,
            patience=patience(client, given, progress),
            progress=progress,
        )
    except (InputError, LibraryMissing, CredentialProblem) as error:
        module.fail_json(msg=str(error))
    except Abandoned as error:
        module.fail_json(msg=f"Stopped: {error}.")
    except AzureError as error:
        module.fail_json(msg=problem(error, client, given["vault_id"]) if client else str(error))
    for key, certificate in outcome.certificates.items():
        if certificate.days() < 30:
            module.warn(f"The certificate {key} ends on {certificate.expires:%Y-%m-%d}: renew it in the vault.")
    module.exit_json(
        changed=bool(outcome.changes),
        # In base64: a value that is also an option's, such as client_secret, would be masked in the result.
        secrets=encoded(outcome.values),
        certificates={key: encoded(one.files()) for key, one in outcome.certificates.items()},
        changes=outcome.changes,
        said=said(outcome, wanted, module.check_mode),
        diff=diff(outcome),
        seconds=timed(start),
    )


if __name__ == "__main__":
    main()
