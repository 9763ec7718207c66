# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""authentication.json as JupyterHub's own classes take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._authentication import authentication

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed here")

from hub_extensions import authentication as extension
from hub_extensions import certificates
from jupyterhub.authenticators.shared import SharedPasswordAuthenticator
from traitlets.config import Config

PASSWORDS = {"user-password": "u" * 40, "admin-password": "a" * 40, "smoke-test-service-token": "t" * 40}


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the secrets."""
    monkeypatch.setenv("HUB_SECRETS_DIRECTORY", str(tmp_path))
    for key, value in PASSWORDS.items():
        (tmp_path / key).write_text(f"{value}\n")
    return tmp_path


def test_passwords_and_who_may_enter(write_data: Any) -> None:
    given = {"type": "shared-password", "allowed_users": ["user"], "admin_users": ["admin"]}
    write_data("authentication.json", authentication(given, "https://hub/", test_user="smoke-test"))
    config = Config()
    extension.configure(config)
    assert config.JupyterHub.authenticator_class == "shared-password"
    assert config.JupyterHub.admin_access is False
    made = SharedPasswordAuthenticator(config=config)
    assert (made.allow_all, made.allow_existing_users) == (False, False)
    assert (made.allowed_users, made.admin_users) == ({"smoke-test", "user"}, {"admin"})
    assert made.user_password == PASSWORDS["user-password"]
    assert made.admin_password == PASSWORDS["admin-password"]


def test_the_service_of_the_smoke_test_is_added_to_what_is_there(write_data: Any) -> None:
    write_data("authentication.json", {"test_user": "smoke-test"})
    config = Config()
    config.JupyterHub.services = [{"name": "other"}]
    extension.add_smoke_test(config)
    assert [service["name"] for service in config.JupyterHub.services] == ["other", "smoke-test-service"]
    (role,) = config.JupyterHub.load_roles
    assert role["scopes"] == ["admin:users!user=smoke-test", "tokens!user=smoke-test"]


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"REQUESTS_CA_BUNDLE": "/a", "SSL_CERT_FILE": "/b"}, "/a"),
        ({"SSL_CERT_FILE": "/b"}, "/b"),
        ({"SSL_CERT_FILE": ""}, "cacert.pem"),
    ],
)
def test_certificates(environment: dict[str, str], path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in certificates.BUNDLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert certificates.bundle().endswith(path)
