# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A small hub of a test's own on a real cluster, by the playbooks; its users, their servers and their Dask clusters."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from stand_in import ROOT

LIMIT = 900  # seconds for a playbook: images may have to be pulled
PATIENCE = 180.0  # seconds for a server, or for something to come back
# Seconds for one answer. A proxy that has just died takes connections with it.
ANSWER = 10.0
IMAGE = os.environ.get("E2E_USER_IMAGE", "pangeo/base-notebook:2025.11.13")
# Says every second what a worker of a Dask cluster answers; goes on when the way to its scheduler was interrupted.
BEAT = """
import json, os, time
from dask_gateway import Gateway

def mark():
    import os
    return [os.uname().nodename, os.getpid()]

gateway = Gateway()
cluster = gateway.new_cluster(shutdown_on_close=False)
cluster.scale(1)
client = cluster.get_client()
state = {"cluster": cluster.name, "connects": 1, "beats": 0}
while True:
    try:
        state["worker"] = client.submit(mark, pure=False).result(60 if state["beats"] == 0 else 15)
        state["beats"] += 1
        with open("beat.new", "w") as file:
            json.dump(state, file)
        os.replace("beat.new", "beat.json")
    except Exception as error:
        print(time.ctime(), repr(error), flush=True)
        try:
            client = gateway.connect(state["cluster"]).get_client()
            state["connects"] += 1
        except Exception as again:
            print(time.ctime(), repr(again), flush=True)
    time.sleep(1)
"""
PROFILE = {
    "name": "python",
    "display_name": "Python",
    "image": IMAGE,
    "cores": {"limit": 1, "guarantee": 0.05},
    "memory": {"limit": "1G", "guarantee": "256M"},
    "default": True,
}
DASK_OPTIONS = {
    "scheduler": {"cores": {"limit": 1, "guarantee": 0.05}, "memory": {"limit": 1, "guarantee": 0.25}},
    "worker": {
        "cores": {"default": 1, "min": 0.1, "max": 1, "request": 0.05},
        "memory": {"default": 0.5, "min": 0.25, "max": 1, "request": 0.25},
    },
    "images": [IMAGE.partition(":")[0] + ":*"],
}
PARTS = ("hub", "proxy", "api", "controller", "traefik")
Pods = dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Life:
    """What somebody has at a moment: the pod of the server, and what the computation says of itself."""

    pods: Pods
    beat: Mapping[str, Any]


class ClusterHub:
    """A hub in a namespace of its own, gone with it.

    :param owner: the kubeconfig of the cluster's administrator
    :ivar variables: of its inventory
    :ivar deployments: names of what the release runs
    """

    def __init__(self, owner: Path, directory: Path) -> None:
        self.owner = owner
        self.directory = directory
        self.namespace = f"e2e-{os.urandom(4).hex()}"
        # Some objects of a release are in no namespace and are named after it.
        self.release = self.namespace
        gateway = (f"{part}-{self.release}-dask-gateway" for part in ("api", "controller", "traefik"))
        self.deployments = dict(zip(PARTS, ("hub", "proxy", *gateway), strict=True))
        self._token = secrets.token_hex(32)
        self._url = ""
        (directory / "home").mkdir()
        folder = os.environ.get("HUB_CHARTS", "")
        sources = {"daskhub_chart_repositories": dict.fromkeys(("jupyterhub", "dask-gateway"), folder)}
        self.variables: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "hub_platform": "kubernetes",
            "hub_azure": False,
            "hub_kubeconfig": str(owner),
            "hub_namespace": self.namespace,
            "hub_release": self.release,
            "hub_authentication": {"type": "shared-password", "allow_all": True},
            "daskhub_match_node_purpose": "prefer",
            "daskhub_service_type": "NodePort",
            "daskhub_profiles": [PROFILE],
            "daskhub_dask_options": DASK_OPTIONS,
            "daskhub_home_size": "1Gi",
            "daskhub_pre_pull": False,
            "daskhub_resources": {"hub": {"cpu": "100m", "memory": "256Mi"}, "proxy": {"cpu": "50m", "memory": "64Mi"}},
            "daskhub_values": {"jupyterhub": {"hub": self._administrator()}},
            **(sources if folder else {}),
        }

    def _administrator(self) -> dict[str, Any]:
        """A service that may do what a test has to."""
        scopes = ["admin:users", "admin:servers", "access:servers"]
        role = {"scopes": scopes, "services": ["survival"]}
        return {"services": {"survival": {"apiToken": self._token}}, "loadRoles": {"survival": role}}

    def play(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook; it succeeds."""
        inventory = self.directory / "hosts.json"
        inventory.touch(mode=0o600)
        inventory.write_text(json.dumps({"all": {"hosts": {"hub": self.variables}}}), encoding="utf-8")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, f"playbooks/{name}.yml", "-i", str(inventory), *words],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(self.directory / "home")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr
        return done

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """What kubectl prints to the owner."""
        command = ["kubectl", f"--kubeconfig={self.owner}", f"--namespace={self.namespace}", *words]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *words: str) -> list[dict[str, Any]]:
        """The objects that kubectl gets."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *words, "-o", "json"))["items"]
        return found

    def pods(self, labels: str) -> Pods:
        """Name to id and restarts."""
        return {
            one["metadata"]["name"]: (
                one["metadata"]["uid"],
                sum(container["restartCount"] for container in one["status"].get("containerStatuses") or []),
            )
            for one in self.objects("pods", f"--selector={labels}")
        }

    def core(self) -> Pods:
        """The release's own pods, without those of jobs and of people."""
        return {
            **self.pods("component in (hub, proxy)"),
            **self.pods("app.kubernetes.io/name=dask-gateway,!gateway.dask.org/cluster"),
        }

    def containers(self) -> set[str]:
        """The ids of all containers of the hub's namespace that are there or were there last."""
        return {
            status["containerID"]
            for pod in self.objects("pods")
            for status in pod["status"].get("containerStatuses") or []
            if status.get("containerID")
        }

    @property
    def url(self) -> str:
        """Where the hub is reached, past every load balancer."""
        if not self._url:
            (service,) = self.objects("services", "--field-selector=metadata.name=proxy-public")
            (port,) = (one["nodePort"] for one in service["spec"]["ports"] if one["name"] == "http")
            addresses = self.objects("nodes")[0]["status"]["addresses"]
            (address,) = (one["address"] for one in addresses if one["type"] == "InternalIP")
            self._url = f"http://{address}:{port}"
        return self._url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the hub, or somebody's server, answers to the administrator; None for an answer without content."""
        session = requests.Session()
        session.trust_env = False
        headers = {"Authorization": f"token {self._token}"}
        answer = session.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=ANSWER)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def offered(self, user: str) -> str:
        """The page on which a user who signs in chooses a profile."""
        session = requests.Session()
        session.trust_env = False
        session.get(f"{self.url}/hub/login", timeout=ANSWER).raise_for_status()
        (secret,) = self.objects("secrets", "--field-selector=metadata.name=hub-secrets")
        form = {
            "username": user,
            "password": base64.b64decode(secret["data"]["user-password"]).decode(),
            "_xsrf": next(cookie.value for cookie in session.cookies if cookie.name == "_xsrf"),
        }
        page = session.post(f"{self.url}/hub/login?next=%2Fhub%2Fspawn", form, timeout=ANSWER)
        page.raise_for_status()
        return page.text

    def start(self, user: str, limit: float = PATIENCE) -> float:
        """Start a user's server; the seconds until it was ready."""
        begin = time.monotonic()
        # Like somebody who tries again when it fails.
        until(lambda: self._begun(user) and self.server(user).get("ready"), f"the server of {user} is ready", limit)
        return time.monotonic() - begin

    def _begun(self, user: str) -> bool:
        if not any(one["name"] == user for one in self.ask("GET", "/hub/api/users")):
            self.ask("POST", f"/hub/api/users/{user}")
        if not self.server(user):
            self.ask("POST", f"/hub/api/users/{user}/server", {"profile": PROFILE["name"]})
        return True

    def server(self, user: str) -> dict[str, Any]:
        """What the hub says of a user's server; empty without one."""
        found: dict[str, Any] = self.ask("GET", f"/hub/api/users/{user}")["servers"].get("", {})
        return found

    def stop(self, user: str, limit: float = PATIENCE) -> None:
        """Stop a user's server, and wait until it is gone."""
        until(lambda: self.ask("DELETE", f"/hub/api/users/{user}/server") is None, "the hub stops a server", limit)
        until(lambda: not self.server(user), f"the server of {user} is gone", limit)

    def compute(self, user: str) -> None:
        """Let a user compute on a Dask cluster until the server ends."""
        self.write(user, "beat.py", BEAT)
        (pod,) = self.pods(f"component=singleuser-server,hub.jupyter.org/username={user}")
        # What an earlier one said is not of this one.
        self.kubectl("exec", pod, "--", "sh", "-c", "cd ~ && rm -f beat.json && nohup python beat.py >beat.log 2>&1 &")
        until(lambda: self.beat(user), "the computation begins")

    def beat(self, user: str) -> dict[str, Any]:
        """What the computation said last."""
        found: dict[str, Any] = json.loads(self.read(user, "beat.json"))
        return found

    def write(self, user: str, name: str, text: str) -> None:
        """Write a file into a user's home."""
        content = {"type": "file", "format": "text", "content": text}
        self.ask("PUT", f"/user/{user}/api/contents/{name}", content)

    def read(self, user: str, name: str) -> str:
        """A file of a user's home."""
        return str(self.ask("GET", f"/user/{user}/api/contents/{name}?content=1")["content"])

    def life(self, user: str) -> Life:
        """What a user has now; only while the API server answers."""
        return Life(self.pods(f"component=singleuser-server,hub.jupyter.org/username={user}"), self.beat(user))

    def goes_on(self, user: str, before: Life) -> None:
        """Server and Dask worker are the same as before, and the computation goes on."""
        beats = until(lambda: self.beat(user)["beats"], "the way to the server is open")
        until(lambda: self.beat(user)["beats"] > beats + 2, "the computation goes on")
        now = self.life(user)
        assert now.pods == before.pods
        assert (now.beat["cluster"], now.beat["worker"]) == (before.beat["cluster"], before.beat["worker"])

    def is_whole(self) -> float:
        """Somebody's server starts and stops; the seconds of the start."""
        user = f"user-{os.urandom(3).hex()}"
        seconds = self.start(user)
        self.stop(user)
        return seconds

    def remove(self) -> None:
        """Delete everything."""
        words = ["uninstall", self.release, "--namespace", self.namespace, "--ignore-not-found"]
        subprocess.run(["helm", f"--kubeconfig={self.owner}", *words], check=False, capture_output=True)
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")


def until(condition: Callable[[], Any], what: str, limit: float = PATIENCE) -> Any:
    """Wait until something is so; answers that do not come, or are refusals, are waited out."""
    end, last = time.monotonic() + limit, ""
    while True:
        try:
            found = condition()
            if found:
                return found
            last = repr(found)
        except (requests.RequestException, AssertionError) as error:
            last = str(error)
        assert time.monotonic() < end, f"it did not come to pass in {limit:.0f} s that {what}: {last}"
        time.sleep(0.5)
