#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_files
short_description: Keep secrets as private files
version_added: 0.1.0
description:
  - Writes a random value into every named file that does not exist yet, and given values into others.
  - The directory has mode C(0700), the files C(0600).
  - No value is returned, logged or shown in a diff. The diff names the files that change.
author:
  - planetary.hub contributors (@planetary-hub)
attributes:
  check_mode:
    support: full
    description: Names what would be written and touches nothing.
  diff_mode:
    support: full
    description: Names the files that change, with their values masked.
  idempotent:
    support: full
    description: What is generated is generated once, except what O(rotate) names.
options:
  directory:
    description: Directory of the files.
    type: path
    required: true
  names:
    description: Files that are generated when they are missing.
    type: list
    elements: str
    default: []
  values:
    description: File name to its value in base64.
    type: dict
    default: {}
  required:
    description: Files that only people can bring about and that are an error when missing, with what to do about each.
    type: dict
    default: {}
  rotate:
    description: Files of O(names) to generate anew.
    type: list
    elements: str
    default: []
  digests:
    description:
      - Name to file names. The result has a digest of their values for each name, by which a service knows that one of
        its secrets changed.
      - The first file of each has to be a random one.
    type: dict
    default: {}
  bytes:
    description: Random bytes of each secret. Written as twice as many hexadecimal digits.
    type: int
    default: 32
"""

EXAMPLES = r"""
- name: Generate the proxy's token
  planetary.hub.secret_files:
    directory: /srv/hub/secrets
    names: [jupyterhub-proxy-secret-token]
"""

RETURN = r"""
generated:
  description: Names of the files that were generated (would be, in check mode).
  returned: success
  type: list
  elements: str
changes:
  description: File name to C(generated), C(rotated), C(added) or C(changed).
  returned: success
  type: dict
missing:
  description: Names of O(names) and O(required) that are not there, in check mode or when they are only looked for.
  returned: success
  type: list
  elements: str
digests:
  description: Name to digest.
  returned: success
  type: dict
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _secret_files as files
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import decoded, digests
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    "directory": {"type": "path", "required": True},
    "names": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "values": {"type": "dict", "default": {}, "no_log": True},
    "required": {"type": "dict", "default": {}, "no_log": False},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "digests": {"type": "dict", "default": {}},
    "bytes": {"type": "int", "default": 32},
}


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Write what is to be written, and say what it was."""
    directory = Path(given["directory"])
    values = decoded(given["values"], "values")
    mentioned = {
        *given["names"],
        *values,
        *given["required"],
        *(key for keys in given["digests"].values() for key in keys),
    }
    before = files.present(directory, sorted(mentioned))
    changed, how = files.plan(before, given["names"], values, given["rotate"], given["bytes"])
    files.refuse_missing(given["required"], {**before, **changed})
    if changed and not check:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in changed.items():
            files.write(directory / name, value)
    return {
        "changed": bool(changed),
        "generated": [name for name in given["names"] if how.get(name) in ("generated", "rotated")],
        "changes": how,
        "missing": [name for name in given["names"] if name not in before] if check else [],
        "digests": digests(given["digests"], {**before, **changed}),
        "diff": {
            "before": "",
            "after": "".join(f"{directory / name}: ******** ({what})\n" for name, what in how.items()),
        },
    }


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except InputError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"The secrets cannot be written ({error}); choose another directory.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
