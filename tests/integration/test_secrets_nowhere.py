# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets are where they are read, and nowhere else: not in what runs print, in files, in commands or in dashboards."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub
from ansible_collections.planetary.hub.plugins.module_utils._kernel import Kernel
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

from living_hub import LivingHub
from secret_watch import Watch, forms, found

VARIABLE = "SHARED_API_KEY"
OLD, NEW = "recognisable-sunrise", "recognisable-sunset"
PATIENCE = 60
#: Below the hub's directory: what is installed, and where secrets belong.
INSTALLED = ("venv", "node")
PLACES = ("secrets", "run/user-secrets")


def values_of(hub: LivingHub) -> dict[str, str]:
    """All secrets of the hub, by key, and the one that its next run takes away."""
    held = {path.name: path.read_text(encoding="utf-8").strip() for path in (hub.directory / "secrets").iterdir()}
    assert len(held) > 8 and all(len(value) > 15 for value in held.values())
    # By one name only.
    del held["shared-api-key"]
    return {**held, "old": OLD, "new": NEW}


def with_in_environment(hub: LivingHub, secrets: dict[bytes, str]) -> dict[str, list[str]]:
    """Key of a secret to the commands of this hub's processes that have it in their environment."""
    holders: dict[str, list[str]] = {}
    for process in hub.processes():
        try:
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        except OSError:
            continue
        for key in found(environment, secrets):
            holders.setdefault(key, []).append(process.command)
    return holders


@pytest.fixture
def user_kernel(user: Hub) -> Iterator[Kernel]:
    """A notebook of the user."""
    user.start_server({"profile": "large"}, timeout=PATIENCE)
    end = time.monotonic() + PATIENCE
    while not (user.server() or {}).get("ready"):
        assert time.monotonic() < end
        time.sleep(0.2)
    with closing(Kernel(user, user.server_address(user.server() or {}))) as kernel:
        yield kernel


def evaluate(kernel: Kernel, code: str) -> Any:
    """Run code whose last line is an expression, and return its value."""
    *lines, last = code.strip().splitlines()
    program = "\n".join(["import json, os", *lines, f"print(json.dumps({{'value': {last}}}))"])
    return kernel.run(program, Wait(PATIENCE, "the kernel", Progress("")))["value"]


def test_no_run_shows_a_secret(living_hub: LivingHub, tmp_path: Path) -> None:
    secrets = forms(values_of(living_hub))
    with Watch(secrets) as watch:
        living_hub.given["shared-api-key"] = NEW
        living_hub.playbook("playbooks/secrets.yml", "--check", "--diff", "-vvv", secrets_rotate="all")
        changed = living_hub.playbook("playbooks/secrets.yml", "--diff", "-vvv").stdout
        # A task that has the values in its hands and fails.
        blocked = tmp_path / "blocked"
        blocked.write_text("")
        failed = living_hub.playbook("playbooks/secrets.yml", "-vvv", check=False, secrets_directory=str(blocked))
        living_hub.playbook("playbooks/daskhub.yml", "--check", "--diff", "-vvv")
    assert " changed=1 " in changed and "shared-api-key" in changed
    assert failed.returncode == 2 and "Traceback" not in failed.stdout
    assert (living_hub.directory / "secrets/shared-api-key").read_text(encoding="utf-8").strip() == NEW
    # With what the hub was built by, from nothing on.
    assert "TASK [planetary.hub.smoke_test" in living_hub.said and "secrets/jupyterhub-cookie-secret" in living_hub.said
    assert found(living_hub.said.encode(), secrets) == set()
    assert watch.seen == set() and watch.looks > 10


def test_a_secret_is_only_where_it_is_used(living_hub: LivingHub, user: Hub, user_kernel: Kernel) -> None:
    secrets = forms(values_of(living_hub))
    pages = evaluate(
        user_kernel,
        f"""
import dask_gateway, requests
gateway = dask_gateway.Gateway()
cluster = gateway.new_cluster()
cluster.scale(1)
client = cluster.get_client()
client.wait_for_workers(1, timeout={PATIENCE})
token = {{"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}}
link = cluster.dashboard_link.rpartition("/status")[0]
paths = ("info/main/workers.html", "info/main/logs.html", "json/identity.json", "status", "workers", "system")
server = "http://127.0.0.1:" + str({living_hub.variables["daskhub_local_port"]})
texts = {{path: requests.get((link if "://" in link else server + link) + "/" + path, headers=token) for path in paths}}
places = [os.environ, client.run_on_scheduler(lambda: dict(os.environ)), *client.run(lambda: dict(os.environ)).values()]
has = [one.get("{VARIABLE}") for one in places]
pages = {{path: [text.status_code, text.text] for path, text in texts.items()}}
options = [str(gateway.cluster_options()), str(gateway.list_clusters())]
{{"has": has, "pages": pages, "options": options}}
""",
    )
    holders = with_in_environment(living_hub, secrets)
    evaluate(user_kernel, "cluster.shutdown()")
    # What was changed has arrived, without a restart of the hub.
    assert pages.pop("has") == [NEW, NEW, NEW]
    statuses = {path: status for path, (status, _text) in pages["pages"].items()}
    assert set(statuses.values()) == {200}, statuses
    pages["model"] = user.api("GET", "user")
    assert found(json.dumps(pages).encode(), secrets) == set()
    # The user's processes have it, and no service of the hub.
    users = holders.pop("new")
    programs = ("singleuser", "ipykernel", "dask scheduler", "dask worker")
    assert [name for name in programs if not any(name in command for command in users)] == []
    assert [command for command in users if f"{living_hub.directory}/venv/user-" not in command] == []
    # Two proxies are told their token in no other way.
    own = {"jupyterhub-proxy-secret-token": "configurable-http-proxy", "dask-gateway-proxy-token": "dask-gateway-proxy"}
    assert holders.keys() == own.keys()
    assert all(name in command for key, name in own.items() for command in holders[key])


def test_no_file_holds_a_secret_but_its_own(living_hub: LivingHub) -> None:
    secrets = forms(values_of(living_hub))
    looked = 0
    for folder, names, files in os.walk(living_hub.directory):
        here = Path(folder).relative_to(living_hub.directory)
        names[:] = [name for name in names if not (str(here) == "." and name in INSTALLED)]
        own = any(here.is_relative_to(place) for place in PLACES)
        if own:
            assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700, folder
        for file in files:
            path = Path(folder, file)
            if not path.is_file():
                continue
            looked += 1
            if own:
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
                assert found(path.read_bytes(), secrets), path
            else:
                assert found(path.read_bytes(), secrets) == set(), path
    assert looked > 40
    # What Ansible and its asynchronous tasks keep while they run is gone.
    for place in (Path.home() / ".ansible_async", Path.home() / ".ansible/tmp"):
        for path in place.rglob("*") if place.is_dir() else ():
            if path.is_file() and path.stat().st_mtime > living_hub.directory.stat().st_ctime:
                assert found(path.read_bytes(), secrets) == set(), path
