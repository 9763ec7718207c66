#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: config_map_sync
short_description: Wait until changed ConfigMaps have arrived in the pods that mount them
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - A file of a ConfigMap changes in running pods by itself, without a restart, but up to two minutes late.
  - An annotation of the pod, which this module changes, lets its kubelet bring the file at once. Then it asks the
    containers until they see it.
  - A ConfigMap that is mounted with C(subPath) never changes in a pod that runs, and is left out.
attributes:
  check_mode:
    support: full
    description: Does nothing in check mode.
  diff_mode:
    support: none
    description: RV(arrived) names the files.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  namespace:
    description: The namespace.
    type: str
    required: true
  config_maps:
    description: The ConfigMaps that have changed.
    type: list
    elements: str
    required: true
  release:
    description: Only pods that belong to this Helm release, by their labels. Servers of people do not.
    type: str
    required: true
  timeout:
    description: Seconds to wait at most.
    type: int
    default: 120
  progress_file:
    description: Where lines for people go; set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Wait until the hub has the new pages
  planetary.hub.config_map_sync:
    namespace: dhub
    release: dask
    config_maps: [hub-data, hub-templates]
"""

RETURN = r"""
arrived:
  description: The ConfigMaps that arrived in a pod, as C(<config map> in <pod>).
  returned: success
  type: list
  elements: str
behind:
  description: Those that had not arrived at the end, or of which the pod cannot tell.
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
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._config_map_sync import (
    Mounted,
    digests,
    mounts,
    synchronise,
)
from ansible_collections.planetary.hub.plugins.module_utils._helm_rollout import belongs
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "config_maps": {"type": "list", "elements": "str", "required": True},
    "release": {"type": "str", "required": True},
    "timeout": {"type": "int", "default": 120},
    "progress_file": {"type": "path"},
}


def names(found: list[Mounted]) -> list[str]:
    """For people."""
    return sorted({f"{one.config_map} in {one.pod}" for one in found})


def run(given: dict[str, Any]) -> dict[str, Any]:
    """See who mounts what, and bring it there."""
    api, place = ClusterApi(given), f"/api/v1/namespaces/{given['namespace']}"
    wanted = {}
    for name in given["config_maps"]:
        found = api.find(f"{place}/configmaps/{name}")
        if found:
            wanted[name] = digests(found)
    pods = [pod for pod in api.items(f"{place}/pods") if belongs(pod, given["release"])]
    progress = Progress(given["progress_file"] or "")
    behind, left = synchronise(api, given["namespace"], mounts(pods, wanted), progress, given["timeout"])
    came = [one for one in behind if one not in left]
    return {"changed": bool(came), "arrived": names(came), "behind": names(left)}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=False, arrived=[], behind=[], seconds=0.0)
    start = time.monotonic()
    try:
        found = run(module.params)
    except (InputError, LibraryMissing) as error:
        module.fail_json(msg=str(error))
    except (ClusterError, Abandoned) as error:
        module.fail_json(msg=f"The files cannot be brought to the pods: {error}.")
    module.exit_json(**found, seconds=round(time.monotonic() - start, 2))


if __name__ == "__main__":
    main()
