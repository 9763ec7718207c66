# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What kbatch reads: the sizes that jobs may have, and the template of every job.

Source: https://kbatch.readthedocs.io/en/latest/kbatch-proxy.html
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._purposes import pod_placement


def kbatch_profiles(profiles: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The hub's profiles as kbatch writes them, by name; without those that only some people may see.

    kbatch shows every profile to everybody, so what is meant for some is not offered there at all.

    Args:
        profiles: as the hub reads them, see the filter profile_list.
    """
    found = {}
    for profile in profiles:
        if any(profile["visible_to"].values()):
            continue
        server = profile["kubespawner_override"]
        more = {
            name: str(count) for name, count in server.get("extra_resource_limits", {}).items() if str(count) != "0"
        }
        requests = {"cpu": str(server["cpu_guarantee"]), "memory": _memory(server["mem_guarantee"]), **more}
        limits = {"cpu": str(server["cpu_limit"]), "memory": _memory(server["mem_limit"]), **more}
        found[profile["slug"]] = {
            "image": server["image"],
            "resources": {"requests": requests, "limits": limits},
            "tolerations": server["tolerations"],
            "node_affinity_required": server["node_affinity_required"],
        }
    return found


def kbatch_job_template(match_node_purpose: str) -> dict[str, Any]:
    """What every job has: it runs where users' servers do, once.

    kbatch appends the lists of the template to those of the job: a job of a GPU profile keeps the nodes of its profile,
    because terms of an affinity are alternatives, and what it asks for is on those alone.
    """
    placement = pod_placement("user", match_node_purpose)
    spec = {"template": {"spec": placement}, "backoffLimit": 0}
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": spec}


def _memory(size: Any) -> str:
    """A size as Kubernetes writes it. To KubeSpawner, 1G is 2^30 bytes; to Kubernetes that is 1Gi.

    >>> _memory("32G"), _memory(1024)
    ('32Gi', '1024')
    """
    return re.sub(r"([KMGT])$", r"\1i", str(size))
