#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_user
short_description: Make or remove a user of a JupyterHub
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Uses the hub's REST API with the token of a service, or of an administrator.
  - That a user exists does not mean that somebody may sign in as this user; that is the authenticator's affair.
attributes:
  check_mode:
    support: full
    description: Asks and changes nothing. A hub that is not there yet has no users.
  diff_mode:
    support: full
    description: Shows name and rights.
  idempotent:
    support: full
    description: Changes nothing when the user is as wanted.
requirements:
  - requests
options:
  url:
    description: The hub's address, with its base URL.
    type: str
    required: true
  name:
    description: The user. Hubs keep names in lower case.
    type: str
    required: true
  admin:
    description:
      - Whether the user administers the hub. By default that stays as it is.
      - Only an administrator's token can give it.
    type: bool
  token_file:
    description: File with an API token that has the scope C(admin:users!user=<name>).
    type: path
    required: true
  ca_file:
    description:
      - CA bundle that the hub's certificate is checked against.
      - Without it the one of E(REQUESTS_CA_BUNDLE), otherwise the usual authorities.
    type: path
  state:
    description: Whether the user exists. With V(absent) its servers are stopped and its tokens are void.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Make the test user
  planetary.hub.hub_user:
    url: https://hub.example.org/compute/
    name: smoke-test
    token_file: /etc/hub/smoke-test-service-token
"""

RETURN = r"""
user:
  description: The user as it now is; empty when there is none.
  returned: success
  type: dict
  contains:
    name:
      description: The name.
      type: str
    admin:
      description: Whether the user administers the hub.
      type: bool
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import REQUESTS_ERROR, Hub, HubError


def argument_spec() -> dict[str, Any]:
    return {
        "url": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "admin": {"type": "bool"},
        "token_file": {"type": "path", "required": True, "no_log": False},
        "ca_file": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def shown(user: dict[str, Any] | None) -> dict[str, Any]:
    """What of a user is of interest."""
    return {key: user[key] for key in ("name", "admin")} if user else {}


def wanted(module: AnsibleModule, before: dict[str, Any]) -> dict[str, Any]:
    """The user as it shall be."""
    if module.params["state"] == "absent":
        return {}
    admin = module.params["admin"]
    return {"name": module.params["name"].lower(), "admin": before.get("admin", False) if admin is None else admin}


def write(hub: Hub, before: dict[str, Any], after: dict[str, Any], name: str) -> None:
    """Make the user what it shall be."""
    if not after:
        hub.api("DELETE", "users", name, accept=(404,))
    elif before:
        hub.api("PATCH", "users", name, json={"admin": after["admin"]})
    else:
        # 409: somebody has made it in the meantime, or it is still there from an earlier try.
        hub.api("POST", "users", name, json={"admin": after["admin"]}, accept=(409,))


def read_token(module: AnsibleModule) -> str:
    path = module.params["token_file"]
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        if module.check_mode and isinstance(error, FileNotFoundError):
            return ""
        module.fail_json(msg=f"token_file {path} cannot be read: {getattr(error, 'strerror', None) or error}.")
    if not token:
        module.fail_json(msg=f"token_file {path} is empty.")
    module.no_log_values.add(token)
    return str(token)


def run(module: AnsibleModule) -> dict[str, Any]:
    hub = Hub(module.params["url"], module.params["ca_file"] or "")
    hub.token, name = read_token(module), module.params["name"].lower()
    before: dict[str, Any] = {}
    try:
        if hub.token:
            found = hub.api("GET", "users", name, accept=(404,))
            before = shown(found if found and found.get("name") == name else None)
    except HubError:
        # Before the first deployment there is no hub to ask.
        if not module.check_mode:
            raise
    after = wanted(module, before)
    if before != after and not module.check_mode:
        write(hub, before, after, name)
    return {"changed": before != after, "user": after, "diff": {"before": before, "after": after}}


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    if REQUESTS_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_ERROR)
    if not module.params["url"].startswith(("http://", "https://")):
        module.fail_json(msg=f"url is {module.params['url']}; give the hub's address with http:// or https://.")
    try:
        result = run(module)
    except HubError as error:
        module.fail_json(msg=f"The user {module.params['name']} cannot be managed: {error}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
