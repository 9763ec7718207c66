#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_address_info
short_description: See whether a hub answers at the address that people use
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Asks the hub for its version, from outside, as everybody may, until it answers or the time is over.
  - Where nothing answers, or something else, it says why and what to do; the play goes on.
  - Shows a line while it waits.
attributes:
  check_mode:
    support: full
    description: Asks in check mode too, which changes nothing.
  diff_mode:
    support: none
    description: Nothing is changed.
requirements:
  - requests
options:
  url:
    description: The address, with the base URL.
    type: str
    required: true
  timeout:
    description: Seconds to wait for the first answer. It is asked once at least.
    type: int
    default: 0
  https:
    description: How the hub gets its certificate, for what is said when there is none.
    type: str
    choices: [none, letsencrypt, secret, offload]
    default: none
  namespace:
    description: Namespace of the hub, for what is said.
    type: str
    default: dhub
  address:
    description: IP or name of the load balancer that the address leads to, for what is said.
    type: str
    default: ""
  ca_file:
    description:
      - CA bundle that the hub's certificate is checked against.
      - Without it the one of E(REQUESTS_CA_BUNDLE), otherwise the usual authorities.
    type: path
  progress_file:
    description: Set by the action plugin of this module.
    type: path
"""

EXAMPLES = r"""
- name: Wait for the hub at its address
  planetary.hub.hub_address_info:
    url: https://hub.example.org/compute/
    timeout: 600
    https: letsencrypt
  register: seen
"""

RETURN = r"""
verified:
  description: Whether a hub answered.
  returned: always
  type: bool
  sample: true
version:
  description: JupyterHub's version, empty when none answered.
  returned: always
  type: str
  sample: 5.5.0
problem:
  description: Why not, and what to do; empty when one did.
  returned: always
  type: str
  sample: ""
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.planetary.hub.plugins.module_utils._hub_address import wait_for
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import REQUESTS_ERROR
from ansible_collections.planetary.hub.plugins.module_utils._module_end import finish
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress

SPEC: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "timeout": {"type": "int", "default": 0},
    "https": {"type": "str", "choices": ["none", "letsencrypt", "secret", "offload"], "default": "none"},
    "namespace": {"type": "str", "default": "dhub"},
    "address": {"type": "str", "default": ""},
    "ca_file": {"type": "path"},
    "progress_file": {"type": "path"},
}


def outcome(given: dict[str, Any], _check: bool) -> dict[str, Any]:
    """The module's result."""
    if REQUESTS_ERROR:
        return {"failed": True, "msg": missing_required_lib("requests"), "exception": REQUESTS_ERROR}
    if not given["url"].startswith(("http://", "https://")):
        return {"failed": True, "msg": f"url is {given['url']}; give the hub's address with http:// or https://"}
    known = {name: given[name] for name in ("https", "namespace", "address")}
    progress = Progress(given["progress_file"] or "")
    try:
        answer = wait_for(given["url"], given["timeout"], progress, given["ca_file"] or "", **known)
    except Abandoned as reason:
        return {"failed": True, "msg": str(reason)}
    problem = f"{answer.problem}. {answer.remedy}" if answer.problem else ""
    return {"changed": False, "verified": bool(answer.version), "version": answer.version, "problem": problem}


def main() -> None:
    finish(AnsibleModule(argument_spec=SPEC, supports_check_mode=True), outcome)


if __name__ == "__main__":
    main()
