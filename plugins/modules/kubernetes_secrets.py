#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubernetes_secrets
short_description: Bring a namespace and its Secrets about, without showing a value
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Makes the namespace if there is none, and brings all Secrets about in one call.
  - Values are given, or generated once and kept in the Secret, or copied from another Secret of the list.
  - No value is returned, logged or shown in a diff. The diff names the keys that change.
  - "Other modules are not made for Secrets: M(kubernetes.core.k8s) prints their data with C(--diff), and with C(apply)
    stores C(stringData) in clear in an annotation."
attributes:
  check_mode:
    support: full
    description: Names what would change and touches nothing.
  diff_mode:
    support: full
    description: Names the keys that change, with their values masked.
  idempotent:
    support: full
    description: What is generated is generated once, except what O(rotate) names.
extends_documentation_fragment:
  - planetary.hub.azure
  - planetary.hub.kubernetes
options:
  namespace:
    description: The namespace. It is made if it is missing, and otherwise left as it is.
    type: str
    required: true
  namespace_labels:
    description: Labels of a namespace that is made.
    type: dict
    default: {}
  secrets:
    description: The Secrets, each after those that it copies from.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name.
        type: str
        required: true
      type:
        description: Type. A Secret of another type is replaced, if this collection made it.
        type: str
        default: Opaque
      data:
        description: Key to value in base64.
        type: dict
        default: {}
      generate:
        description: Key to the number of random bytes that a missing value is made of, written as hexadecimal digits.
        type: dict
        default: {}
      adopt:
        description:
          - Key to C(<Secret>/<key>) of any Secret of the namespace, whose value is taken over before one is generated.
          - Such as what a chart made up at an installation by hand.
        type: dict
        default: {}
      required:
        description: Keys that may be in the Secret already and are an error otherwise, with what to do about each.
        type: dict
        default: {}
      copies:
        description: Key to another key of this Secret, or to C(<Secret>/<key>) of one before it in the list.
        type: dict
        default: {}
      labels:
        description: Labels that it must have.
        type: dict
        default: {}
      release:
        description:
          - The Helm release that shall take over the Secret. It gets the label and annotations of that release.
          - Without it, the Secret belongs to this collection.
        type: str
        default: ""
      exact:
        description: Whether keys that are not mentioned are removed.
        type: bool
        default: true
  rotate:
    description: Keys to generate anew.
    type: list
    elements: str
    default: []
  cluster_id:
    description:
      - Full id of the cluster, where it is one of Azure Kubernetes Service, which learns of a right minutes later.
      - Where one was given in the last quarter of an hour, a refusal is waited out. Empty for any other cluster.
    type: str
    default: ""
  rights_timeout:
    description: Seconds to wait for such a right.
    type: int
    default: 600
  progress_file:
    description: Set by the action plugin of the same name.
    type: path
  digests:
    description:
      - Name to keys of the first Secret, or C(<Secret>/<key>). The result has a digest of their values for each name,
        for annotations that restart pods.
      - The first key of each has to be a random one.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Bring the hub's Secrets about
  planetary.hub.kubernetes_secrets:
    kubeconfig: ~/.kube/config
    namespace: dhub
    secrets:
      - name: hub-secrets
        generate: {jupyterhub-proxy-secret-token: 32}
      # Helm takes it over, and the chart keeps the token that it finds there.
      - name: hub
        release: dask
        exact: false
        copies:
          hub.config.ConfigurableHTTPProxy.auth_token: hub-secrets/jupyterhub-proxy-secret-token
"""

RETURN = r"""
namespace_created:
  description: Whether the namespace was made, or would be in check mode.
  returned: success
  type: bool
changes:
  description: Secret to a dict of its keys that change, each with C(added), C(changed), C(removed), C(generated) or
    C(rotated).
  returned: success
  type: dict
digests:
  description: Name to digest.
  returned: success
  type: dict
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils import _kubernetes_secrets as secrets
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import ARGUMENT_SPEC as AZURE
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_patience import patiently
from ansible_collections.planetary.hub.plugins.module_utils._cluster_secrets import Cluster
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import digests
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SPEC: dict[str, Any] = {
    **AZURE,
    **ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "namespace_labels": {"type": "dict", "default": {}},
    "secrets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "default": "Opaque"},
            "data": {"type": "dict", "default": {}, "no_log": True},
            "generate": {"type": "dict", "default": {}},
            "required": {"type": "dict", "default": {}},
            "adopt": {"type": "dict", "default": {}},
            "copies": {"type": "dict", "default": {}},
            "labels": {"type": "dict", "default": {}},
            "release": {"type": "str", "default": ""},
            "exact": {"type": "bool", "default": True},
        },
    },
    "rotate": {"type": "list", "elements": "str", "default": []},
    "digests": {"type": "dict", "default": {}},
    "cluster_id": {"type": "str", "default": ""},
    "rights_timeout": {"type": "int", "default": 600},
    "progress_file": {"type": "path"},
}


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Bring it about, and say what was done."""
    cluster = Cluster(given)
    name = given["namespace"]
    there = secrets.namespace_there(cluster, name)
    steps = secrets.plan(cluster, name, there, [secrets.wanted(one) for one in given["secrets"]], given["rotate"])
    if not check:
        if not there:
            labels = given["namespace_labels"]
            cluster.create_namespace(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            )
        secrets.carry_out(cluster, name, steps)
    changed = [step for step in steps if step.action != "none"]
    created = "" if there else f"Namespace {name}: create\n"
    return {
        "changed": bool(changed) or not there,
        "namespace_created": not there,
        "changes": {step.name: step.keys for step in changed},
        "digests": digests(given["digests"], secrets.by_key(steps)),
        "diff": {"before": "", "after": created + secrets.shown(name, steps)},
    }


def outcome(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """The module's result."""
    start = time.monotonic()
    try:
        found = patiently(lambda: run(given, check), given, Progress(given["progress_file"] or ""))
    except Abandoned as error:
        return {"failed": True, "msg": f"Stopped: {error}."}
    except (InputError, LibraryMissing) as error:
        return {"failed": True, "msg": str(error)}
    except ClusterError as error:
        return {"failed": True, "msg": f"The Secrets cannot be brought about: {error}."}
    return {**found, "seconds": round(time.monotonic() - start, 2)}


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
