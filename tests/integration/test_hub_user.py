# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""hub_user, and the service that gets in as the test user, on a living hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError

from living_hub import ROOT, LivingHub
from module_server import Server

SERVER = Server(ROOT / ".collections")
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def service_token(living_hub: LivingHub) -> Path:
    return living_hub.directory / "secrets" / "smoke-test-service-token"


@pytest.fixture
def run(living_hub: LivingHub, service_token: Path) -> Run:
    """Run the module with the service's token."""

    def run_module(check: bool = False, **arguments: Any) -> dict[str, Any]:
        given = {"url": living_hub.status()["url"], "token_file": str(service_token), **arguments}
        process = SERVER.run("hub_user", {})
        given |= {"_ansible_check_mode": check, "_ansible_diff": True}
        assert process.stdin is not None
        with process.stdin as stream:
            stream.write(json.dumps(given))
        process.stdin = None
        output, errors = process.communicate(timeout=60)
        assert output.strip(), errors
        assert service_token.read_text().strip() not in output
        result: dict[str, Any] = json.loads(output)
        return result

    return run_module


@pytest.fixture
def administrator(living_hub: LivingHub, tmp_path: Path) -> Iterator[str]:
    """A file with a token of an administrator."""
    hub = Hub(living_hub.status()["url"])
    token = hub.sign_in("admin", living_hub.password("admin"), token_seconds=300, note="test")
    file = tmp_path / "token"
    file.write_text(hub.token)
    yield str(file)
    hub.revoke(token)


def both(run: Run, **arguments: Any) -> list[bool]:
    """What is said of changes: in check mode, for real, and both again."""
    return [run(check=check, **arguments)["changed"] for check in (True, False, True, False)]


def test_the_service_makes_and_removes_the_test_user(run: Run) -> None:
    assert both(run, name="smoke-test", state="absent") == [True, True, False, False]
    foreseen = run(check=True, name="smoke-test")
    assert foreseen["diff"] == {"before": {}, "after": {"name": "smoke-test", "admin": False}}
    assert both(run, name="Smoke-Test") == [True, True, False, False]
    assert run(name="smoke-test")["user"] == {"name": "smoke-test", "admin": False}


def test_an_administrator_gives_and_takes_rights(run: Run, administrator: str) -> None:
    somebody = {"name": "somebody", "token_file": administrator}
    assert both(run, **somebody) == [True, True, False, False]
    assert both(run, admin=True, **somebody) == [True, True, False, False]
    # Whoever says nothing of it leaves it.
    assert run(**somebody)["user"] == {"name": "somebody", "admin": True}
    assert both(run, admin=False, **somebody) == [True, True, False, False]
    assert both(run, state="absent", **somebody) == [True, True, False, False]


def test_the_service_can_do_nothing_else(living_hub: LivingHub, run: Run, service_token: Path) -> None:
    run(name="smoke-test")
    for refused in ({"name": "smoke-test", "admin": True}, {"name": "user", "state": "absent"}, {"name": "other"}):
        result = run(**refused)
        # Users of others are as if they were not there.
        assert result.get("failed") or (refused.get("state") == "absent" and not result["changed"])
    hub = Hub(living_hub.status()["url"])
    with pytest.raises(HubError, match="there is no user user, or the service token is not one"):
        hub.sign_in_by_service("user", service_token.read_text().strip(), token_seconds=60, note="test")
    hub.token = service_token.read_text().strip()
    for method, *path in (("POST", "users", "smoke-test", "server"), ("GET", "services"), ("GET", "proxy")):
        with pytest.raises(HubError, match=r"HTTP 40[34]"):
            hub.api(method, *path)
    assert [user["name"] for user in hub.api("GET", "users")] == ["smoke-test"]


def test_one_sentence(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-a-token")
    assert run(name="x", token_file=str(wrong))["msg"].startswith("The user x cannot be managed: GET http")
    assert "cannot be read: No such file" in run(name="x", token_file=str(tmp_path / "none"))["msg"]
    assert "got no answer: connection refused" in run(name="x", url="http://127.0.0.1:9/")["msg"]
    # Before the first deployment there is neither hub nor token.
    assert run(check=True, name="x", url="http://127.0.0.1:9/", token_file=str(tmp_path / "none"))["changed"]
