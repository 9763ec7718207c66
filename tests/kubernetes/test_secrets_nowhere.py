# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub released by the roles as people do it: its secrets are in Secrets, and nowhere else."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm_release import CHARTS, ROOT
from kubernetes import client, config
from kubernetes_api_server import ApiServer
from pod_controller import PodController
from secret_watch import Watch, forms, found

NAMESPACE = "nowhere"
GIVEN = {"weather-token": "recognisable-sunrise"}
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "roles": [f"planetary.hub.{name}" for name in ("secrets", "ui", "daskhub")],
    }
]
VARIABLES: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": sys.executable,
    "hub_platform": "kubernetes",
    "hub_namespace": NAMESPACE,
    "hub_authentication": {"type": "shared-password", "allow_all": True},
    "secrets_extra": [{"key": key, "consumer": "a forecast"} for key in GIVEN],
    "secrets_given": GIVEN,
    "daskhub_service_type": "ClusterIP",
    "daskhub_home_storage_class": "nowhere",
    "daskhub_database_copy_enabled": False,
    "daskhub_deploy_timeout": 60,
    # The stand-ins of the charts have no pods that could be added to, and nobody answers at their address.
    "__daskhub_chart_insertions": [],
    "daskhub_verify_timeout": 0,
}


class Modes(threading.Thread):
    """Looks again and again at the files of values, which are there for some seconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._over = threading.Event()
        self.seen: set[tuple[int, int]] = set()

    def run(self) -> None:
        while not self._over.wait(0.02):
            for path in self._folder.glob("daskhub-*/values.json"):
                try:
                    modes = (path.parent.stat().st_mode, path.stat().st_mode)
                except OSError:
                    continue
                self.seen.add((stat.S_IMODE(modes[0]), stat.S_IMODE(modes[1])))

    def __enter__(self) -> Modes:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


class Hub:
    """A hub of the stand-ins of the charts, and runs of the roles."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.folder, self.home, self.temporary = folder, folder / "home", folder / "tmp"
        for path in (self.home, self.temporary, folder / "charts"):
            path.mkdir(mode=0o700)
        self.kubeconfig = str(server.kubeconfig())
        self.environment = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.temporary), "ANSIBLE_NOCOLOR": "1"}
        for name in ("jupyterhub", "dask-gateway"):
            # Their schema knows only what they use.
            shutil.copytree(CHARTS / name, folder / name, ignore=shutil.ignore_patterns("values.schema.json"))
            self.helm("package", str(folder / name), "--destination", str(folder / "charts"))
        (folder / "play.json").write_text(json.dumps(PLAY), encoding="utf-8")
        self.said = b""

    def helm(self, *words: str) -> str:
        """Plain Helm."""
        environment = {**self.environment, "KUBECONFIG": self.kubeconfig}
        return subprocess.run(["helm", *words], env=environment, capture_output=True, text=True, check=True).stdout

    def run(self, *words: str, **variables: Any) -> subprocess.CompletedProcess[bytes]:
        """Run the roles, at their most talkative."""
        place = str(self.folder / "charts")
        given = {**VARIABLES, "hub_kubeconfig": self.kubeconfig, **variables}
        given["daskhub_chart_repositories"] = {"jupyterhub": place, "dask-gateway": place}
        inventory = self.folder / "hosts.json"
        inventory.touch(mode=0o600)
        inventory.write_text(json.dumps({"all": {"hosts": {"hub": given}}}), encoding="utf-8")
        program = str(Path(sys.executable).parent / "ansible-playbook")
        command = [program, str(self.folder / "play.json"), "-i", str(inventory), "-vvv"]
        # Variables of a role cannot be set by an inventory.
        extra = {key: value for key, value in given.items() if key.startswith("__")}
        done = subprocess.run(
            [*command, "-e", json.dumps(extra), "--diff", *words],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
        )
        self.said += done.stdout
        return done

    def secrets(self) -> dict[str, str]:
        """All values that the namespace keeps, by key."""
        loader: Any = config.new_client_from_config
        api: Any = client.CoreV1Api(loader(self.kubeconfig))
        held = api.read_namespaced_secret("hub-secrets", NAMESPACE).data
        return {key: base64.b64decode(value).decode() for key, value in held.items()}


@pytest.fixture(scope="module")
def hub(api_server: ApiServer) -> Iterator[Hub]:
    if shutil.which("helm") is None:
        pytest.skip("helm is not on PATH: python tests/tools.py builds it")
    controller = PodController(api_server.kubeconfig()).start()
    # Ansible has sockets among its temporary files, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="nowhere-", dir="/tmp") as folder:
        made = Hub(api_server, Path(folder))
        loader: Any = config.new_client_from_config
        storage: Any = client.StorageV1Api(loader(made.kubeconfig))
        storage.create_storage_class({"metadata": {"name": "nowhere"}, "provisioner": "example.org/none"})
        yield made
        storage.delete_storage_class("nowhere")
    controller.stop()


def test_secrets_are_in_secrets_and_nowhere_else(hub: Hub) -> None:
    with Modes(hub.temporary) as modes:
        first = hub.run()
        assert first.returncode == 0, first.stdout.decode()[-6000:]
        held = hub.secrets()
        assert held["weather-token"] == GIVEN["weather-token"] and len(held) > 5
        secrets = forms(held)
        with Watch(secrets) as watch:
            planned = hub.run("--check", secrets_rotate="dask-gateway-service-token")
            assert planned.returncode == 0, planned.stdout.decode()[-6000:]
            broken = {"jupyterhub": {"hub": {"image": {"tag": "broken"}}}}
            failed = hub.run(daskhub_values=broken, daskhub_deploy_timeout=3)
    assert b"dask-gateway-service-token: ******** (rotated)" in planned.stdout
    assert failed.returncode == 2 and b"ImagePullBackOff" in failed.stdout and b"Traceback" not in hub.said
    assert hub.secrets() == held
    # What was printed, and what every process of this machine could read meanwhile.
    assert found(hub.said, secrets) == set()
    assert watch.seen == set() and watch.looks > 10
    # What Helm keeps of the release: its values, and its objects but for the Secrets.
    stored = hub.helm("get", "values", "dask", "--namespace", NAMESPACE, "--all", "--output=json")
    assert found(stored.encode(), secrets) == set() and "hub-secrets" in stored
    objects = list(yaml.safe_load_all(hub.helm("get", "manifest", "dask", "--namespace", NAMESPACE)))
    assert found(json.dumps([one for one in objects if one["kind"] != "Secret"]).encode(), secrets) == set()
    assert found(json.dumps(objects).encode(), secrets) >= {"jupyterhub-proxy-secret-token"}
    # Files of a run are private while it lasts, and gone after it; the token of the smoke test stays.
    assert modes.seen == {(0o700, 0o600)}
    assert list(hub.temporary.glob("daskhub-*")) == []
    holders = [path for path in hub.folder.rglob("*") if path.is_file() and found(path.read_bytes(), secrets)]
    assert sorted(path.name for path in holders) == ["hosts.json", "smoke-test-service-token"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
