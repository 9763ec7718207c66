#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: synced_tree
short_description: Make a directory hold exactly the given files
version_added: 0.1.0
description:
  - Puts files, directories and given texts into one directory, and removes every other file from it.
  - Files are compared by content and written one by one, each at once (a reader sees the old file or the new one).
  - C(__pycache__) and C(node_modules) directories are left alone.
author:
  - planetary.hub contributors (@planetary-hub)
attributes:
  check_mode:
    support: full
    description: Says what would change and touches nothing.
  diff_mode:
    support: full
    description: Shows the difference of every file.
  idempotent:
    support: full
    description: A second run changes nothing.
options:
  path:
    description: The directory. Created with mode C(0700) when it is missing.
    type: path
    required: true
  sources:
    description: Files and directories to put into it.
    type: list
    elements: dict
    default: []
    suboptions:
      src:
        description: File or directory on the machine that runs the module. Of a directory, its files are taken.
        type: path
        required: true
      dest:
        description:
          - Path relative to O(path). For a directory, the directory that receives its files.
          - Empty means the file's own name, or O(path) itself for a directory.
        type: str
        default: ""
  contents:
    description: Texts to write, by path relative to O(path).
    type: dict
    default: {}
  groups:
    description:
      - Regular expressions of relative paths, by the name of a group.
      - The digest of a group changes when one of its files does, which tells what has to be restarted.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Install the hub's configuration
  planetary.hub.synced_tree:
    path: /srv/hub/etc
    sources:
      - src: "{{ role_path }}/files/hub_extensions"
        dest: hub_extensions
    contents:
      data/ui.json: "{{ ui_outputs['values']['ui'] | to_nice_json }}"
"""

RETURN = r"""
written:
  description: The files written, by relative path.
  returned: success
  type: list
  elements: str
  sample: [data/ui.json]
removed:
  description: The files removed, by relative path.
  returned: success
  type: list
  elements: str
groups:
  description: For each of O(groups) the SHA-256 over the paths and contents of its files.
  returned: success
  type: dict
"""

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _synced_tree as tree


def apply(directory: Path, change: tree.Change) -> None:
    """Write and remove; directories that become empty go too."""
    for name, data in change.write.items():
        path = directory / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o700 if data.startswith(b"#!") else 0o600)
        os.replace(temporary, path)
    for name in change.remove:
        path = directory / name
        path.unlink()
        for parent in path.parents:
            if parent == directory or any(parent.iterdir()):
                break
            parent.rmdir()


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "sources": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "src": {"type": "path", "required": True},
                    "dest": {"type": "str", "default": ""},
                },
            },
            "contents": {"type": "dict", "default": {}},
            "groups": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    directory = Path(module.params["path"])
    try:
        wanted = tree.wanted_files(module.params["sources"], module.params["contents"])
        present = tree.read_tree(directory)
        change = tree.difference(present, wanted)
        if change and not module.check_mode:
            apply(directory, change)
    except (ValueError, OSError) as error:
        module.fail_json(msg=f"{directory}: {error}")
    result = {
        "changed": bool(change),
        "written": sorted(change.write),
        "removed": change.remove,
        "groups": {name: tree.digest(wanted, pattern) for name, pattern in module.params["groups"].items()},
    }
    if module._diff:
        result["diff"] = tree.diffs(present, change)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
