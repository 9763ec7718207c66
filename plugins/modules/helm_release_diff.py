#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release_diff
short_description: What an upgrade of a Helm release would change, object by object
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Lets Helm render the release by a dry run on the server, where charts find what they look up, and compares each
    object with the release as it is stored. Nothing is changed.
  - What it would create and update is tried on the API server, which keeps nothing of it. So what the server, a quota
    or an admission policy refuses fails here, before anything is changed, and fields that it does not know are named.
  - What was deleted by hand, and a workload that was scaled or given another image by hand, is a change that an upgrade
    takes back.
  - "M(kubernetes.core.helm) alone compares only the values and the version of the chart: without a plugin of Helm it
    has no diff, and it does not see what a chart looks up in the cluster."
  - It says what people whose servers are running will notice, and what a run that was killed left to be done.
attributes:
  check_mode:
    support: full
    description: The same in check mode.
  diff_mode:
    support: full
    description: Every object that changes, as YAML; values of Secrets are masked.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  release:
    description: Name of the release.
    type: str
    required: true
  namespace:
    description: Its namespace.
    type: str
    required: true
  chart:
    description: The chart, a folder, a packaged chart, or an OCI reference.
    type: str
    required: true
  values_file:
    description: File with the values, YAML or JSON.
    type: path
    required: true
  scratch:
    description:
      - A folder that is removed when nothing needs it any more, in check mode and when there is nothing to change or to
        wait for.
    type: path
  binary_path:
    description: Helm. Without it, the one on E(PATH).
    type: path
requirements:
  - kubernetes
  - PyYAML
  - helm >= 3.17
"""

EXAMPLES = r"""
- name: Compare the release with what is wanted
  planetary.hub.helm_release_diff:
    kubeconfig: ~/.kube/config
    release: dask
    namespace: dhub
    chart: ./daskhub-0.1.0.tgz
    values_file: ./values.json
  register: plan
"""

RETURN = r"""
changed:
  description: Whether an upgrade would change anything. In a run that is not a check, the upgrade is still to be done.
  returned: success
  type: bool
action:
  description:
    - V(none), V(install) or V(upgrade).
    - V(recover) when a killed run has to be cleaned up before more can be known.
  returned: success
  type: str
plan:
  description: Lines for people, on what is going to happen and whom it touches.
  returned: success
  type: list
  elements: str
stops_servers:
  description: Whether servers or Dask clusters of people that are running now have to be stopped for it.
  returned: success
  type: bool
unseen:
  description: Whether M(kubernetes.core.helm) would not see the change.
  returned: success
  type: bool
config_maps:
  description: The ConfigMaps that are created or changed.
  returned: success
  type: list
  elements: str
ready:
  description: Whether all that the release runs is ready now.
  returned: success
  type: bool
namespace_exists:
  description: Whether the namespace is there, or may not be looked at.
  returned: success
  type: bool
revision:
  description: The last revision; 0 without a release.
  returned: success
  type: int
status:
  description: The status of the last revision; empty without a release.
  returned: success
  type: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import HelmError
from ansible_collections.planetary.hub.plugins.module_utils._helm_comparison import run
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "release": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart": {"type": "str", "required": True},
    "values_file": {"type": "path", "required": True},
    "scratch": {"type": "path"},
    "binary_path": {"type": "path"},
}


def outcome(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """The module's result."""
    start = time.monotonic()
    try:
        found = run(given, check)
    except (InputError, LibraryMissing) as error:
        return {"failed": True, "msg": str(error)}
    except (ClusterError, HelmError) as error:
        return {"failed": True, "msg": f"The release {given['release']} cannot be compared: {error}."}
    return {**found, "seconds": round(time.monotonic() - start, 2)}


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
