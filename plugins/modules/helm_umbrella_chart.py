#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_umbrella_chart
short_description: Put a Helm chart together and package it under a version that says its content
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Takes a chart, the charts it depends on, and files of ours, and writes one package. Nothing is written elsewhere, so
    that it works from an installed collection that cannot be written.
  - The version of the package is C(<version>+<digest of the content>), so that every change of a file is a change of
    the version, and the same content is the same file.
  - Packages are compared with their digests, and kept by them for the next run.
attributes:
  check_mode:
    support: full
    description: The package is written in check mode too, because a comparison needs it; it is no part of the hub.
  diff_mode:
    support: none
    description: What differs is said by what compares the release.
options:
  chart:
    description: The chart to start from; a folder, a package, the address of a package, or an OCI reference.
    type: str
    required: true
  version:
    description: Its version, for an OCI reference.
    type: str
    default: ""
  digest:
    description: SHA-256 of its package.
    type: str
    default: ""
  directory:
    description: Where the package is written. Without it, a new private folder, which nobody else removes.
    type: path
  dependencies:
    description: The charts that it carries.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the chart.
        type: str
        required: true
      version:
        description: Its version, exactly.
        type: str
        required: true
      repository:
        description: Address of the repository or of its mirror, C(oci://…), or a folder with packages.
        type: str
        required: true
      digest:
        description: SHA-256 of the package. Without it, the one that the repository's C(index.yaml) says.
        type: str
        default: ""
  sources:
    description: Files and folders of ours to put into the chart.
    type: list
    elements: dict
    default: []
    suboptions:
      src:
        description: File or folder. Of a folder, its files are taken.
        type: path
        required: true
      dest:
        description: Path in the chart; empty for its root.
        type: str
        default: ""
  insertions:
    description: Lines to put into templates of the charts it carries, where those have no option for it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The template, below the root of the chart.
        type: str
        required: true
      after:
        description: Text that is there exactly once.
        type: str
        required: true
      text:
        description: What is put after it.
        type: str
        required: true
  groups:
    description: Regular expressions of paths in the chart, by name, for O(ignore:digests) of parts of it.
    type: dict
    default: {}
  cache:
    description: Where packages are kept.
    type: path
    default: ~/.cache/planetary.hub/charts
  binary_path:
    description: Helm, for OCI references.
    type: str
    default: helm
"""

EXAMPLES = r"""
- name: Put the chart together
  planetary.hub.helm_umbrella_chart:
    chart: ./chart
    directory: /tmp/work
    dependencies:
      - {name: jupyterhub, version: 4.4.0, repository: https://hub.jupyter.org/helm-chart/}
    sources:
      - {src: ./pages, dest: files/templates}
  register: chart
"""

RETURN = r"""
path:
  description: The package.
  returned: success
  type: str
  sample: /tmp/daskhub/daskhub-0.1.0+0123456789abcdef.tgz
directory:
  description: The folder of the package.
  returned: success
  type: str
  sample: /tmp/work
name:
  description: The chart's name.
  returned: success
  type: str
  sample: daskhub
version:
  description: Its version.
  returned: success
  type: str
  sample: 0.1.0+0123456789abcdef
dependencies:
  description: Digest of each package that it carries, by name.
  returned: success
  type: dict
  sample: {jupyterhub: 0123…}
digests:
  description: For each of O(groups), sixteen digits that change when one of its files does.
  returned: success
  type: dict
  sample: {hub: 0123456789abcdef}
"""

import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _chart_source as source
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._synced_tree import wanted_files


def put_together(wanted: dict[str, Any]) -> tuple[chart.Files, dict[str, str]]:
    """The chart's files, and the digest of each package that it carries."""
    helm, cache = wanted["binary_path"], Path(wanted["cache"])
    base = source.base(wanted["chart"], wanted["version"], wanted["digest"], cache, helm)
    files = chart.unpacked(base)
    digests = {}
    for dependency in wanted["dependencies"]:
        found, digests[dependency["name"]] = source.dependency(dependency, cache, helm)
        files = chart.with_dependency(files, dependency["name"], found)
    try:
        files = {**files, **wanted_files(wanted["sources"], {})}
    except ValueError as error:
        raise chart.ChartError(str(error)) from error
    return chart.with_insertions(files, [chart.Insertion(**each) for each in wanted["insertions"]]), digests


PART: dict[str, Any] = {"type": "list", "elements": "dict", "default": []}
TEXT: dict[str, Any] = {"type": "str", "required": True}
OPTIONAL: dict[str, Any] = {"type": "str", "default": ""}
SPEC: dict[str, Any] = {
    "chart": TEXT,
    "version": OPTIONAL,
    "digest": OPTIONAL,
    "directory": {"type": "path"},
    "dependencies": {**PART, "options": {"name": TEXT, "version": TEXT, "repository": TEXT, "digest": OPTIONAL}},
    "sources": {**PART, "options": {"src": {"type": "path", "required": True}, "dest": OPTIONAL}},
    "insertions": {**PART, "options": {"path": TEXT, "after": TEXT, "text": TEXT}},
    "groups": {"type": "dict", "default": {}},
    "cache": {"type": "path", "default": "~/.cache/planetary.hub/charts"},
    "binary_path": {"type": "str", "default": "helm"},
}


def outcome(given: dict[str, Any], _check: bool) -> dict[str, Any]:
    """The module's result."""
    try:
        files, dependencies = put_together(given)
        groups = chart.group_digests(files, given["groups"])
        files, version = chart.versioned(files)
        name = str(chart.about(files)["name"])
        directory = given["directory"] or tempfile.mkdtemp(prefix=f"{name}-")
        path = Path(directory) / f"{name}-{version}.tgz"
        path.write_bytes(chart.package(files))
    except (chart.ChartError, OSError) as error:
        return {"failed": True, "msg": str(error)}
    return {
        "changed": False,
        "path": str(path),
        "directory": directory,
        "name": name,
        "version": version,
        "dependencies": dependencies,
        "digests": groups,
    }


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
