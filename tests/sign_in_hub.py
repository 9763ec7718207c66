# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real JupyterHub with the configuration of sign-in that is shipped, and the stand-in as its provider.

It has no proxy of its own, because people sign in at the hub itself, and starts no servers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._authentication import authentication

from azure_modules import Cloud
from living_hub import ROOT, free_ports

LAUNCH = ROOT / "sandbox/azure/launch.py"
ENVIRONMENT = ROOT / f".sandbox/test/azure/{sys.version_info.major}.{sys.version_info.minor}"
FILES = ROOT / "roles/daskhub/files"
#: Seconds for a start; the first one of the stand-in installs.
LIMIT = 180
#: With their groups. Entra ID lists 200 at most.
PEOPLE: dict[str, list[str]] = {
    "ada": [],
    "grace": [],
    "eve": [],
    "smoke-test": [],
    "kay": ["Scientists"],
    "max": ["Scientists", *(f"List {number}" for number in range(200))],
}
CONFIGURATION = """
import os, sys
from pathlib import Path
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    async def start(self): ...
    async def add_route(self, routespec, target, data): ...
    async def delete_route(self, routespec): ...
    async def get_all_routes(self): return {}

etc = Path(os.environ["HUB_ETC_DIRECTORY"])
sys.path.insert(0, os.environ["HUB_FILES"])
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = os.environ["HUB_URL"]
c.JupyterHub.default_url = "/hub/home"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = str(etc / "cookie")
for name in ("15-authentication.py", "30-ui.py"):
    file = Path(os.environ["HUB_FILES"], "jupyterhub_config.d", name)
    exec(compile(file.read_text(), str(file), "exec"))
"""


class Provider:
    """The stand-in, with people who have accounts there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._launch("start", "--venv", str(ENVIRONMENT / "venv"), "--latency", "0")
        self.env: dict[str, str] = json.loads(self._launch("env", "--format", "json"))
        self.cloud = Cloud(self.env)
        for name, groups in PEOPLE.items():
            person = {"email": self.email(name), "password": f"{name}'s", "name": name.title(), "groups": groups}
            made = self.cloud.dial("POST", "/people", person)
            if groups:
                self.scientists = made["groups"][0]

    def _launch(self, *words: str) -> str:
        command = [sys.executable, str(LAUNCH), *words, "--directory", str(self.directory)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT).stdout

    @staticmethod
    def email(name: str) -> str:
        return f"{name}@planetary.onmicrosoft.com"

    def stop(self) -> None:
        self._launch("stop")


class SignInHub:
    """One hub.

    :param jupyterhub: the program
    :param way: ``secret`` or ``federated`` with Entra ID, or ``generic`` with the identity service
    """

    def __init__(self, directory: Path, jupyterhub: Path, provider: Provider, way: str) -> None:
        self.directory, self.provider, self.way = directory, provider, way
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}/"
        self.secret = directory / "secrets" / "id-client-secret"
        (directory / "data").mkdir(parents=True)
        shutil.copytree(ROOT / "roles/ui/files/templates", directory / "templates")
        self.secret.parent.mkdir(mode=0o700)
        for key in ("smoke-test-service-token", "user-password", "admin-password"):
            (self.secret.parent / key).write_text(os.urandom(32).hex())
        # Where all may enter, the test user all the same may not.
        users = {"allow_all": True} if way == "federated" else {"allowed_users": [provider.email("ada")]}
        rules = {**users, "admin_users": [provider.email("grace")]}
        if way == "secret":
            rules["allowed_groups"] = [provider.scientists]
        given, application = getattr(self, f"_{'generic' if way == 'generic' else 'entra'}")()
        found = authentication({**given, **rules}, self.url, application, test_user=provider.email("smoke-test"))
        (directory / "data" / "authentication.json").write_text(json.dumps(found))
        (directory / "config.py").write_text(CONFIGURATION)
        self._process = self._start(jupyterhub)

    # --- the provider's side ------------------------------------------------------------------------------------------

    def register(self, **more: Any) -> dict[str, Any]:
        """Register the hub in Entra ID, or renew its secret."""
        subject = {"name": "hub", "issuer": "https://oidc.example.org/1/", "subject": "system:serviceaccount:dhub:hub"}
        federated = {"credential": "federated", "federated_credentials": [subject]}
        way = federated if self.way == "federated" else {"secret_file": str(self.secret)}
        callbacks = [f"{self.url}hub/oauth_callback"]
        running = self.provider.cloud.begin(
            "entra_application", unique_name=f"hub-{self.way}", redirect_uris=callbacks, **way, **more
        )
        result = running.result()
        assert not result.get("failed"), result
        application: dict[str, Any] = result["application"]
        return application

    def _entra(self) -> tuple[dict[str, Any], dict[str, Any]]:
        if self.way == "federated":
            asked = {"issuer": "https://oidc.example.org/1/", "subject": "system:serviceaccount:dhub:hub"}
            token = self.provider.cloud.dial("POST", "/assertions", asked)["token"]
            (self.directory / "token").write_text(token)
        claims = "SecurityGroup" if self.way == "secret" else "leave"
        return {"type": "azuread", "client_credential": self.way}, self.register(group_claims=claims)

    def _generic(self) -> tuple[dict[str, Any], dict[str, Any]]:
        self.secret.write_text("the identity service's")
        client = {"secret": self.secret.read_text(), "redirect_uris": [f"{self.url}hub/oauth_callback"]}
        self.provider.cloud.dial("POST", "/identity", {"clients": {"hub": client}})
        address = "https://planetarycomputer.stand-in.invalid/id"
        urls = {"authorize_url": f"{address}/o/authorize/", "token_url": f"{address}/o/token/"}
        names = {"client_id": "hub", "login_service": "planetarycomputer"}
        return {"type": "generic-oauth", **names, **urls, "userdata_url": f"{address}/users/userdata"}, {}

    # --- the hub's side -----------------------------------------------------------------------------------------------

    def _start(self, jupyterhub: Path) -> subprocess.Popen[bytes]:
        ways_out = {key: self.provider.env[key] for key in ("HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE")}
        environment = {
            "PATH": os.environ["PATH"],
            **ways_out,
            "HUB_URL": self.url,
            "HUB_FILES": str(FILES),
            "HUB_ETC_DIRECTORY": str(self.directory),
            "HUB_SECRETS_DIRECTORY": str(self.secret.parent),
            "AZURE_FEDERATED_TOKEN_FILE": str(self.directory / "token"),
        }
        with (self.directory / "log").open("wb") as log:
            command = [str(jupyterhub), f"--config={self.directory / 'config.py'}"]
            return subprocess.Popen(command, cwd=self.directory, env=environment, stdout=log, stderr=log)

    def wait(self) -> SignInHub:
        """This hub, as soon as it answers."""
        end = time.monotonic() + 60
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                with direct.open(f"{self.url}hub/health", timeout=5):
                    return self
            except OSError:
                assert self._process.poll() is None and time.monotonic() < end, self.log()
                time.sleep(0.1)

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def stop(self) -> None:
        # It has nothing to keep.
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.directory)
