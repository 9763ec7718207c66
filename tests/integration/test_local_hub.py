# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the local platform promises, on a hub that the site has built."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError
from ansible_collections.planetary.hub.plugins.module_utils._kernel import Kernel
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

from living_hub import LivingHub

#: Seconds that a server or a service may take to come.
PATIENCE = 60


def until(met: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE} s"
        time.sleep(0.2)


def start(user: Hub, profile: str) -> str:
    """Start the user's server and return its address."""
    until(lambda: user.server() is None, "the end of the last server")
    user.start_server({"profile": profile}, timeout=PATIENCE)
    until(lambda: bool((user.server() or {}).get("ready")), "the server's start")
    return user.server_address(user.server() or {})


def evaluate(kernel: Kernel, expression: str) -> dict[str, Any]:
    """Evaluate an expression, a dictionary, in the notebook."""
    return kernel.run(f"import json, os; print(json.dumps({expression}))", Wait(PATIENCE, "the kernel", Progress("")))


def changes(output: str) -> int:
    return sum(int(count) for count in re.findall(r"changed=(\d+)", output))


def test_a_second_run_changes_nothing_and_restarts_nothing(living_hub: LivingHub) -> None:
    before = living_hub.services()
    assert len(before) == len(living_hub.status()["services"])
    assert changes(living_hub.playbook("playbooks/daskhub.yml").stdout) == 0
    assert living_hub.services() == before


def test_check_mode_tells_what_would_change_and_touches_nothing(living_hub: LivingHub) -> None:
    before = living_hub.services()
    arguments = ("--check", "--diff")
    planned = living_hub.playbook("playbooks/daskhub.yml", *arguments, ui_announcement="Planned").stdout
    assert changes(planned) > 0
    assert '"Planned"' in planned
    assert changes(living_hub.playbook("playbooks/daskhub.yml", *arguments).stdout) == 0
    assert living_hub.services() == before


def test_check_mode_before_anything_exists_writes_nothing(tmp_path: Path) -> None:
    hub = LivingHub(tmp_path / "hub")
    assert changes(hub.playbook("site.yml", "--check", "--diff").stdout) > 0
    assert list(tmp_path.iterdir()) == []


def test_an_announcement_is_served_without_a_restart(living_hub: LivingHub) -> None:
    hub = Hub(living_hub.status()["url"])
    before = living_hub.services()
    living_hub.playbook("playbooks/daskhub.yml", ui_announcement="Maintenance at noon")
    assert "Maintenance at noon" in hub.request("GET", hub.address("hub", "login")).text
    living_hub.playbook("playbooks/daskhub.yml")
    assert "Maintenance at noon" not in hub.request("GET", hub.address("hub", "login")).text
    assert living_hub.services() == before


def test_the_chosen_profile_is_enforced(user: Hub) -> None:
    with closing(Kernel(user, start(user, "large"))) as kernel:
        names = ["CPU_LIMIT", "MEM_LIMIT", "HUB_PROFILE", "JUPYTER_IMAGE_SPEC", "CPU_GUARANTEE", "MEM_GUARANTEE"]
        assert evaluate(kernel, f"{{name: os.environ.get(name) for name in {names}}}") == {
            "CPU_LIMIT": "2.0",
            "MEM_LIMIT": str(2 * 2**30),
            "HUB_PROFILE": "large",
            "JUPYTER_IMAGE_SPEC": "sandbox/user-environment:2026.1",
            "CPU_GUARANTEE": "1.0",
            "MEM_GUARANTEE": str(2**30),
        }
        assert evaluate(kernel, "{'bytes': len(bytearray(2**30))}") == {"bytes": 2**30}
        with pytest.raises(HubError, match="MemoryError"):
            evaluate(kernel, "{'bytes': len(bytearray(2**31))}")


def test_a_profile_that_does_not_exist_gets_a_sentence(user: Hub) -> None:
    until(lambda: user.server() is None, "the end of the last server")
    with pytest.raises(HubError, match=r'HTTP 400: There is no profile "gone".*choose one of "small", "large"'):
        user.start_server({"profile": "gone"}, timeout=PATIENCE)
    assert user.server() is None


def test_nothing_listens_on_other_addresses_than_loopback(user: Hub, living_hub: LivingHub) -> None:
    start(user, "small")
    own = {str(process.pid) for process in living_hub.processes()}
    listening = subprocess.run(["ss", "-Htlnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    addresses = {line.split()[3] for line in listening if own.intersection(re.findall(r"pid=(\d+)", line))}
    assert len(addresses) >= len(living_hub.services())
    assert {address.rpartition(":")[0] for address in addresses} <= {"127.0.0.1", "[::1]"}


def test_killed_services_come_back_and_users_servers_stay(user: Hub, living_hub: LivingHub) -> None:
    address = start(user, "small")
    started = user.request("GET", address + "api/status").json()["started"]
    before = living_hub.services()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(living_hub.services()) == len(before), "the services' return")
    assert not set(before.values()) & set(living_hub.services().values())
    until(lambda: user.request("GET", user.address("hub", "health")).ok, "the hub's answer")
    until(lambda: user.request("GET", address + "api/status").ok, "the server's answer")
    assert user.request("GET", address + "api/status").json()["started"] == started


def test_stop_leaves_no_process_and_the_next_run_starts_all_again(user: Hub, living_hub: LivingHub) -> None:
    address = start(user, "small")
    kernel = Kernel(user, address)
    evaluate(kernel, "{'cluster': (cluster := __import__('dask_gateway').Gateway().new_cluster()).name}")
    evaluate(kernel, "{'workers': [cluster.scale(1), cluster.get_client().wait_for_workers(1)]}")
    assert any("dask worker" in process.command for process in living_hub.processes())
    living_hub.playbook("playbooks/stop.yml")
    assert living_hub.processes() == []
    assert {service["state"] for service in living_hub.status()["services"]} == {"STOPPED"}
    living_hub.playbook("playbooks/daskhub.yml")
    assert {service["state"] for service in living_hub.status()["services"]} == {"RUNNING"}
