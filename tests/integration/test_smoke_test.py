# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the smoke test promises when something is wrong, on a hub that the site has built."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub

from living_hub import ROOT, LivingHub

PLAYBOOK = "playbooks/smoke_test.yml"
#: Seconds that anything may take to happen.
PATIENCE = 60


def until(met: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE} s"
        time.sleep(0.2)


def results(hub: LivingHub) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((hub.directory / "results" / "smoke-test.json").read_text(encoding="utf-8"))
    return found


def outcome(hub: LivingHub) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["status"], check["message"]) for check in results(hub)["checks"]}


def user_processes(hub: LivingHub) -> list[str]:
    """Commands of servers, kernels, Dask schedulers and workers."""
    users_python = str(hub.directory / "venv" / "user")
    return [process.command for process in hub.processes() if users_python in process.command]


def started(hub: LivingHub) -> subprocess.Popen[bytes]:
    """The smoke test on its way, as its own process."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), PLAYBOOK, "-i", "inventories/sandbox"]
    command += ["-e", json.dumps(hub.variables)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def test_user(living_hub: LivingHub) -> Iterator[Hub]:
    """The test user, signed in beside the smoke test."""
    hub = Hub(living_hub.status()["url"])
    token = hub.sign_in("smoke-test", living_hub.password("smoke-test"), token_seconds=600, note="test")
    yield hub
    hub.revoke(token)


def test_a_server_left_running_is_taken_down_and_nothing_is_left(living_hub: LivingHub, test_user: Hub) -> None:
    test_user.start_server({"profile": "small"}, timeout=PATIENCE)
    done = living_hub.playbook(PLAYBOOK)
    assert "smoke test: clean start: passed" in done.stdout
    checks = outcome(living_hub)
    assert checks["clean_start"] == ("passed", "an earlier run had left a server: gone now")
    assert {status for status, _message in checks.values()} == {"passed"}
    assert results(living_hub)["seconds_to_server"] > 0
    assert results(living_hub)["seconds_to_worker"] > 0
    assert test_user.server() is None
    assert [token["note"] for token in test_user.tokens() if token["note"] == "smoke test"] == []
    until(lambda: user_processes(living_hub) == [], "the end of the user's processes")
    assert "changed=0 " in done.stdout
    written = [path.read_text(encoding="utf-8") for path in (living_hub.directory / "results").iterdir()]
    password = living_hub.password("smoke-test")
    assert not any(password in text for text in [done.stdout, done.stderr, *written])


def test_a_killed_run_cleans_up_and_says_so(living_hub: LivingHub, test_user: Hub) -> None:
    with started(living_hub) as play:
        until(lambda: any("scheduler" in command for command in user_processes(living_hub)), "a Dask scheduler")
        play.kill()
        play.wait()
        until(lambda: user_processes(living_hub) == [], "the end of the user's processes")
        until(lambda: test_user.server() is None, "the end of the server")
    until((living_hub.directory / "results" / "smoke-test.json").exists, "the results")
    checks = outcome(living_hub)
    assert checks["run"] == ("failed", "the test was stopped before its end: the play that ran it has ended")
    assert checks["clean_up"] == ("passed", "")


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        ({"smoke_test_profile": "gone"}, {"server": 'There is no profile "gone" for you'}),
        (
            {"smoke_test_password_file": str(ROOT / "galaxy.yml")},
            {"sign_in": "the hub refuses user name smoke-test with this password"},
        ),
        (
            {
                "smoke_test_environment": {"notebook": ["NOT_THERE", "PATH"]},
                "smoke_test_cluster_options": {"worker_cores": 99},
            },
            {"notebook_environment": "the notebook lacks NOT_THERE", "cluster": "worker_cores"},
        ),
    ],
    ids=["profile", "password", "environment and options"],
)
def test_a_failure_says_what_was_seen_and_where_the_log_is(
    living_hub: LivingHub, variables: dict[str, Any], sentences: dict[str, str]
) -> None:
    done = living_hub.playbook(PLAYBOOK, check=False, **variables)
    assert done.returncode == 2
    seen = outcome(living_hub)
    assert [name for name, (status, _message) in seen.items() if status == "failed"] == list(sentences)
    first = next(iter(sentences)).replace("_", " ")
    assert f"The smoke test failed at {first}: " in done.stdout + done.stderr
    for name, sentence in sentences.items():
        message, _, logs = seen[name][1].rpartition(" (log of ")
        assert sentence in message
        for log in logs.rstrip(")").split(", "):
            assert Path(log.partition(": ")[2]).is_file(), log
    assert seen["clean_up"] == ("passed", "")
    until(lambda: user_processes(living_hub) == [], "the end of the user's processes")


def test_check_mode_asks_the_hub_nothing(living_hub: LivingHub) -> None:
    before = results(living_hub)
    done = living_hub.playbook(PLAYBOOK, "--check")
    assert "smoke test:" not in done.stdout
    assert results(living_hub) == before
