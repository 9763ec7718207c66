#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_service
short_description: Where a hub's service is, and the token that its smoke test uses
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Looks at the service that leads people to a hub, and waits until a load balancer has given it an address.
  - Keeps a key of a Secret in a private file of this machine. The value is never a result.
attributes:
  check_mode:
    support: full
    description: Looks, but writes no file.
  diff_mode:
    support: none
    description: It shows no secret.
extends_documentation_fragment:
  - planetary.hub.kubernetes
options:
  namespace:
    description: The namespace.
    type: str
    required: true
  service:
    description: Name of the service.
    type: str
    default: proxy-public
  timeout:
    description: Seconds to wait for the address of a load balancer.
    type: int
    default: 0
  secret:
    description: Name of the Secret.
    type: str
    required: true
  key:
    description: Its key.
    type: str
    required: true
  file:
    description: The file, written with mode 0600 in a folder of mode 0700 when it does not hold the value yet.
    type: path
    required: true
  progress_file:
    description: Where lines for people go; set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Look at the service of the hub
  planetary.hub.hub_service:
    namespace: dhub
    secret: hub-secrets
    key: smoke-test-service-token
    file: ~/.local/state/planetary.hub/prod/smoke-test-service-token
    timeout: 180
"""

RETURN = r"""
found:
  description: Whether the service is there.
  returned: success
  type: bool
host:
  description: The name or the address that a load balancer has given it; empty without one.
  returned: success
  type: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""

import base64
import os
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ARGUMENT_SPEC, ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

PAUSE = 2.0  # seconds between two looks
SPEC: dict[str, Any] = {
    **ARGUMENT_SPEC,
    "namespace": {"type": "str", "required": True},
    "service": {"type": "str", "default": "proxy-public"},
    "timeout": {"type": "int", "default": 0},
    "secret": {"type": "str", "required": True, "no_log": False},
    "key": {"type": "str", "required": True, "no_log": False},
    "file": {"type": "path", "required": True},
    "progress_file": {"type": "path"},
}


def run(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """Look, wait, and keep the token."""
    api = ClusterApi(given)
    place = f"/api/v1/namespaces/{given['namespace']}"
    service = api.find(f"{place}/services/{given['service']}")
    wait = Wait(
        given["timeout"], f"waiting for the address of {given['service']}", Progress(given["progress_file"] or "")
    )
    while service and (service.get("spec") or {}).get("type") == "LoadBalancer" and not host_of(service):
        if not given["timeout"] or not wait.pause(PAUSE):
            break
        service = api.find(f"{place}/services/{given['service']}")
    if not check:
        keep(api.find(f"{place}/secrets/{given['secret']}") or {}, given["key"], Path(given["file"]))
    return {"changed": False, "found": service is not None, "host": host_of(service or {})}


def host_of(service: dict[str, Any]) -> str:
    """What a load balancer has given a service.

    >>> host_of({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})
    '192.0.2.1'
    """
    given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(given[0].get("hostname") or given[0].get("ip") or "")


def keep(secret: dict[str, Any], key: str, file: Path) -> None:
    """Write a value of a Secret to a file that does not hold it yet."""
    value = base64.b64decode((secret.get("data") or {}).get(key, ""))
    if not value or (file.is_file() and file.read_bytes() == value):
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    file.unlink(missing_ok=True)
    with open(file, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(value)


def outcome(given: dict[str, Any], check: bool) -> dict[str, Any]:
    """The module's result."""
    start = time.monotonic()
    try:
        found = run(given, check)
    except (InputError, LibraryMissing, OSError) as error:
        return {"failed": True, "msg": str(error)}
    except (ClusterError, Abandoned) as error:
        return {"failed": True, "msg": f"The service of the hub cannot be looked at: {error}."}
    return {**found, "seconds": round(time.monotonic() - start, 2)}


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
