#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: control_node_info
short_description: Say what the control node lacks, and which variables no role reads
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Compares the control node with what the collection needs - Python, ansible-core, Python packages, collections and
    commands, each with its range of versions.
  - Compares the names of the hosts' variables with the argument specs of the roles.
  - Run it on the control node, with the Python that runs Ansible; the playbook C(planetary.hub.preflight) does.
attributes:
  check_mode:
    description: Can run in check mode and tells the same as without.
    support: full
  diff_mode:
    description: Nothing is changed, so there is no difference to show.
    support: none
options:
  collection_path:
    description: The directory of this collection. Its C(meta/) and C(roles/) say what is needed.
    type: path
    required: true
  collections_paths:
    description: Where Ansible looks for collections, as its configuration C(COLLECTIONS_PATHS) says.
    type: list
    elements: path
    default: []
  platforms:
    description:
      - The platform of each host, V(local) or V(kubernetes), by the host's name.
      - What only a platform needs is asked for only when a host uses it.
    type: dict
    default: {}
  variables:
    description: The names of the variables of each host, as lists by the host's name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look at the control node
  planetary.hub.control_node_info:
    collection_path: /usr/share/ansible/collections/ansible_collections/planetary/hub
    platforms:
      staging: kubernetes
    variables:
      staging: [daskhub_profile]
  register: control_node

- name: Show what is wrong
  ansible.builtin.debug:
    var: control_node.problems
"""

RETURN = r"""
problems:
  description: One sentence for each thing that is missing or unknown; empty when all is well.
  returned: always
  type: list
  elements: str
  sample:
    - "Python package uv is missing, but the control node needs uv<1,>=0.8: run …"
versions:
  description: What was found, V(null) for what was not.
  returned: always
  type: dict
  contains:
    python:
      description: The version of Python.
      type: str
    ansible_core:
      description: The version of ansible-core.
      type: str
    packages:
      description: The version of each Python package, by its name.
      type: dict
    collections:
      description: The version of each collection, by its name.
      type: dict
    commands:
      description: The version of each command, by its name.
      type: dict
  sample:
    python: 3.11.7
    ansible_core: 2.19.14
    packages: {uv: 0.9.5}
    collections: {community.general: 11.4.2}
    commands: {}
"""

import importlib.metadata
import json
import platform
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from ansible.module_utils.ansible_release import __version__ as core_version
from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.planetary.hub.plugins.module_utils import _requirements as needs

try:
    import yaml
except ImportError:
    YAML_ERROR: str | None = traceback.format_exc()
else:
    YAML_ERROR = None


def package_version(name: str) -> str | None:
    """The installed version of a Python package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def collection_version(name: str, paths: list[str]) -> str | None:
    """The version of the collection that Ansible would use (configured paths first, then Python's own), or None."""
    for path in [*paths, *sys.path]:
        for base in (Path(path), Path(path) / "ansible_collections"):
            folder = base.joinpath(*name.split("."))
            if base.name == "ansible_collections" and folder.is_dir():
                return _version_of(folder)
    return None


def _version_of(folder: Path) -> str | None:
    manifest, source = folder / "MANIFEST.json", folder / "galaxy.yml"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    if source.is_file():
        return str(yaml.safe_load(source.read_text(encoding="utf-8"))["version"])
    return None


def command_version(module: AnsibleModule, name: str) -> str | None:
    """The version that a command on the PATH prints; None when it is not there or does not say."""
    path = module.get_bin_path(name)
    if path is None:
        return None
    _code, output, _error = module.run_command([path, *needs.VERSION_ARGUMENTS[name]])
    # A Helm that somebody has built may say v3.20.
    match = re.search(r"\d+(?:\.\d+)+[^\s+]*", output)
    return match.group(0) if match else None


def dependencies_of(collection: Path) -> dict[str, str]:
    """Name to range; from the manifest when installed, from galaxy.yml in a checkout."""
    manifest, source = collection / "MANIFEST.json", collection / "galaxy.yml"
    if manifest.is_file():
        return dict(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["dependencies"])
    return dict(yaml.safe_load(source.read_text(encoding="utf-8"))["dependencies"])


def roles_of(collection: Path) -> dict[str, set[str]]:
    """Each role that has argument specs, and the options it knows."""
    return {
        path.parent.parent.name: needs.role_options(yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(collection.glob("roles/*/meta/argument_specs.yml"))
    }


def switches_of(collection: Path) -> set[str]:
    """The hub_* variables that the roles' defaults and the playbooks read."""
    files = [*collection.glob("roles/*/defaults/**/*.yml"), *collection.glob("playbooks/*.yml")]
    return {name for path in files for name in re.findall(r"\bhub_[a-z0-9_]+\b", path.read_text(encoding="utf-8"))}


def look(module: AnsibleModule) -> tuple[dict[str, Any], list[str]]:
    """What is there, and what is wrong."""
    collection = Path(module.params["collection_path"])
    platforms: dict[str, str] = module.params["platforms"]
    used = [name for name in needs.PLATFORMS if name in platforms.values()]
    requirements_file = collection / "meta" / "requirements.txt"
    packages = needs.parse_requirements(requirements_file.read_text(encoding="utf-8"))
    collections = needs.required_collections(dependencies_of(collection), used)
    commands = needs.required_commands(used)
    runtime = yaml.safe_load((collection / "meta" / "runtime.yml").read_text(encoding="utf-8"))

    versions: dict[str, Any] = {
        "python": platform.python_version(),
        "ansible_core": core_version,
        "packages": {name: package_version(name) for name, _specifier in packages},
        "collections": {name: collection_version(name, module.params["collections_paths"]) for name in collections},
        "commands": {name: command_version(module, name) for name in commands},
    }
    problems = [
        *needs.check_python(versions["python"], sys.executable),
        *needs.check_core(core_version, runtime["requires_ansible"]),
        *needs.check_packages(packages, versions["packages"].get, sys.executable, str(requirements_file)),
        *needs.check_collections(collections, versions["collections"].get),
        *needs.check_commands(commands, versions["commands"].get, versions["collections"].get),
        *needs.check_platforms(platforms),
        *needs.check_variables(module.params["variables"], roles_of(collection), switches_of(collection)),
    ]
    return versions, problems


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "collection_path": {"type": "path", "required": True},
            "collections_paths": {"type": "list", "elements": "path", "default": []},
            "platforms": {"type": "dict", "default": {}},
            "variables": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    if YAML_ERROR is not None:
        module.fail_json(msg=missing_required_lib("PyYAML"), exception=YAML_ERROR)
    if not needs.HAS_PACKAGING:
        module.fail_json(msg=missing_required_lib("packaging"))
    try:
        versions, problems = look(module)
    except (OSError, KeyError, ValueError, yaml.YAMLError) as error:
        module.fail_json(
            msg=f"{module.params['collection_path']} does not hold the collection planetary.hub: {error!r}"
        )
    module.exit_json(changed=False, versions=versions, problems=problems)


if __name__ == "__main__":
    main()
