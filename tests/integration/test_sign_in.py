# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""People sign in to a real JupyterHub at a provider: the stand-in's Entra ID and identity service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests

from browsing import Form
from living_hub import LivingHub
from sign_in_hub import Provider, SignInHub

WAYS = ("secret", "federated", "generic")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    found = Provider(tmp_path_factory.mktemp("provider"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def hubs(
    provider: Provider, living_hub: LivingHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, SignInHub]]:
    """A hub for each way, started side by side with the program of the living one."""
    program, directory = living_hub.directory / "venv/hub/bin/jupyterhub", tmp_path_factory.mktemp("hubs")
    found = {way: SignInHub(directory / way, program, provider, way) for way in WAYS}
    yield found
    for hub in found.values():
        hub.stop()


@pytest.fixture(params=WAYS)
def hub(request: pytest.FixtureRequest, hubs: dict[str, SignInHub]) -> SignInHub:
    return hubs[request.param].wait()


def sign_in(hub: SignInHub, name: str) -> tuple[requests.Session, requests.Response]:
    """The whole dance, as a browser does it; the session and its last answer."""
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": hub.provider.env["HTTPS_PROXY"]}
    session.verify = hub.provider.env["REQUESTS_CA_BUNDLE"]
    page = session.get(f"{hub.url}hub/oauth_login", timeout=30)
    form = Form(page.text)
    filled = {**form.fields, "username": hub.provider.email(name), "password": f"{name}'s"}
    return session, session.post(urljoin(page.url, form.action), data=filled, timeout=30)


def test_who_is_named_gets_in_and_nobody_else(hub: SignInHub) -> None:
    for name, administers in (("ada", False), ("grace", True)):
        session, answer = sign_in(hub, name)
        assert answer.ok and hub.provider.email(name) in answer.text, hub.log()
        assert session.get(f"{hub.url}hub/admin", timeout=30).ok is administers
    for name in ("smoke-test",) if hub.way == "federated" else ("smoke-test", "eve"):
        _session, answer = sign_in(hub, name)
        assert answer.status_code == 403, hub.log()
        assert "you are not currently authorized to use this hub" in answer.text
    secret = hub.secret.read_text().strip() if hub.secret.exists() else (hub.directory / "token").read_text()
    assert secret not in hub.log()


def test_a_group_lets_in_unless_somebody_has_too_many(hubs: dict[str, SignInHub]) -> None:
    hub = hubs["secret"].wait()
    _session, answer = sign_in(hub, "kay")
    assert answer.ok and hub.provider.email("kay") in answer.text, hub.log()
    # Of more than 200 groups Entra ID says only where they are.
    _session, answer = sign_in(hub, "max")
    assert answer.status_code == 403, hub.log()
    said = (
        f"{hub.provider.email('max')} is in more groups than Entra ID lists in a token, so no rule for groups applies;"
    )
    assert said in hub.log() and f"{hub.provider.email('kay')} is in more" not in hub.log()


def test_the_page_names_the_provider(hub: SignInHub) -> None:
    page = requests.get(f"{hub.url}hub/login", timeout=30).text
    name = "planetarycomputer" if hub.way == "generic" else "Microsoft Entra ID"
    assert re.search(rf"Sign in with {name}", page)
    assert "password" not in page.lower()


def test_a_renewed_secret_needs_no_restart(hub: SignInHub) -> None:
    if hub.way == "secret":
        before = hub.secret.read_text()
        hub.register(renew_days=179, secret_days=181)
        # The first one had 180 days, and those of 181 days are fresh.
        hub.register(renew_days=180, secret_days=181, overlap_hours=0)
        assert hub.secret.read_text() != before
    elif hub.way == "generic":
        hub.secret.write_text("another one of the identity service")
        client = {"secret": hub.secret.read_text(), "redirect_uris": [f"{hub.url}hub/oauth_callback"]}
        hub.provider.cloud.dial("POST", "/identity", {"clients": {"hub": client}})
    else:
        asked = {"issuer": "https://oidc.example.org/1/", "subject": "system:serviceaccount:dhub:hub", "lifetime": 60}
        (hub.directory / "token").write_text(hub.provider.cloud.dial("POST", "/assertions", asked)["token"])
    _session, answer = sign_in(hub, "ada")
    assert answer.ok, hub.log()
