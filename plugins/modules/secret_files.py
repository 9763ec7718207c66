#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_files
short_description: Generate missing secrets as private files
version_added: 0.1.0
description:
  - Writes a random value into every named file that does not exist yet. What exists is never read, shown or changed.
  - The directory has mode C(0700), the files C(0600).
  - Values come from the operating system's random source and are never returned.
author:
  - planetary.hub contributors (@planetary-hub)
attributes:
  check_mode:
    support: full
    description: Names what would be generated and touches nothing.
  diff_mode:
    support: none
    description: Secrets are never shown.
  idempotent:
    support: full
    description: What exists stays.
options:
  directory:
    description: Directory of the files.
    type: path
    required: true
  names:
    description: File names.
    type: list
    elements: str
    required: true
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
"""

import os
import secrets
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def generate(path: Path, size: int) -> None:
    """Write a new secret; a reader sees a whole one or none."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(size) + "\n")
    os.replace(temporary, path)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "bytes": {"type": "int", "default": 32},
        },
        supports_check_mode=True,
    )
    directory = Path(module.params["directory"])
    missing = [name for name in module.params["names"] if not (directory / name).is_file()]
    if not module.check_mode:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in missing:
                generate(directory / name, module.params["bytes"])
        except OSError as error:
            module.fail_json(msg=f"The secrets cannot be written ({error}); choose another directory.")
    module.exit_json(changed=bool(missing), generated=missing)


if __name__ == "__main__":
    main()
