# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How people sign in and who may enter, as authentication.json says; and the service of the smoke test.

In jupyterhub_config.d::

    authentication.configure(c)
"""

from __future__ import annotations

from typing import Any

from hub_extensions import secret_files
from hub_extensions.certificates import bundle
from hub_extensions.data_files import DataFile

AUTHENTICATION = DataFile("authentication.json", dict)
#: Settings that are sets, which JSON does not know.
SETS = ("allowed_users", "admin_users", "allowed_groups", "admin_groups")
# Not the name of the test user: JupyterHub would take the one for the other and refuse to delete it.
SMOKE_TEST = "smoke-test-service"


def configure(c: Any) -> None:
    """Set up the authenticator."""
    found = AUTHENTICATION.read()
    c.JupyterHub.authenticator_class = found["authenticator"]
    # Administrators manage users and servers, but do not enter the servers of others.
    c.JupyterHub.admin_access = False
    for name, value in found["traits"].items():
        setattr(c.Authenticator, name, set(value) if name in SETS else value)
    if found["credential"] == "passwords":
        c.SharedPasswordAuthenticator.user_password = secret_files.read("user-password")
        c.SharedPasswordAuthenticator.admin_password = secret_files.read("admin-password")
    if found["credential"] in ("secret", "federated"):
        c.Authenticator.client_credential = found["credential"]
        # Proxies are those of the environment; for certificates tornado looks nowhere.
        c.Authenticator.http_request_kwargs = {"ca_certs": bundle()}


def add_smoke_test(c: Any) -> None:
    """Add the service that makes the test user and its tokens, and that may do nothing else."""
    user = AUTHENTICATION.read()["test_user"]
    scopes = [f"admin:users!user={user}", f"tokens!user={user}"]
    token = secret_files.read("smoke-test-service-token")
    services, roles = c.JupyterHub.get("services", []), c.JupyterHub.get("load_roles", [])
    c.JupyterHub.services = [*services, {"name": SMOKE_TEST, "api_token": token, "display": False}]
    c.JupyterHub.load_roles = [*roles, {"name": SMOKE_TEST, "scopes": scopes, "services": [SMOKE_TEST]}]
