# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How long the hub stands still while it fetches fifty users' keys at once.

First the sources alone in an event loop, with services that answer in 300 ms, fail, and hang; then a real JupyterHub
that starts fifty servers at once: without a hook, with ours, and with one that waits for each answer. Services and hub
are processes of their own and talk TLS. Of some rounds the best counts, because others use the machine too.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.row import Row

CHECKOUT = Path(__file__).parent.parent
FILES = CHECKOUT / "roles" / "daskhub" / "files"
LOCKS = ("local/requirements/hub.txt", "hub_image/requirements.txt")
USERS = 50
#: Seconds.
LATENCY = 0.3
STALL = 0.020
ROUNDS = 5
HUB_ROUNDS = 4
LIMIT = 300.0
KEY = "PC_SDK_SUBSCRIPTION_KEY"


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="hook-bench-") as folder:
        return list(measure(Path(folder)))


def measure(folder: Path) -> Iterator[Row]:
    python = install(folder)
    prepare(folder, python)
    for what, fault in (("answering in 300 ms", ""), ("failing", "503"), ("hanging", "hang")):
        say(f"the sources alone, services {what}")
        with services(folder, python, fault) as address:
            found = alone(folder, python, address)
        yield Row(f"sources alone, {what}: longest stall", found["stall"] * 1000, "ms", "limit", STALL * 1000, 1)
        if not fault:
            missing = USERS - found["keys"]
            yield Row("sources alone: users without their key", missing, "users", "of", USERS, 0)
    with services(folder, python, "") as address:
        stalls = at_once(folder, python, address)
    name = f"hub, {USERS} starts at once: longest stall"
    yield Row(name, stalls["ours"], "s", "no hook", stalls["none"], 1.2)
    yield Row(name, stalls["ours"], "s", "blocking hook", stalls["blocking"], 0.2)


def at_once(folder: Path, python: Path, address: str) -> dict[str, float]:
    """The longest stall by hook, in seconds, of the best round; the hubs take turns."""
    with ExitStack() as stack:
        hubs = {hook: stack.enter_context(hub(folder, python, address, hook)) for hook in ("none", "ours", "blocking")}
        stalls: dict[str, list[float]] = {hook: [] for hook in hubs}
        for number in range(HUB_ROUNDS):
            for hook, api in hubs.items():
                # It would take half a minute each time.
                if hook != "blocking" or not number:
                    say(f"a hub that starts {USERS} servers at once, hook: {hook}")
                    stalls[hook].append(one_round(api, folder / hook, hook))
        return {hook: min(found) for hook, found in stalls.items()}


def install(folder: Path) -> Path:
    """An environment like the hub's; its Python."""
    uv = [sys.executable, "-m", "uv"]
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", f"--python={sys.executable}", str(folder / "venv")], check=True)
    locks = [str(FILES / lock) for lock in LOCKS]
    subprocess.run([*uv, "pip", "sync", "--quiet", "--require-hashes", f"--python={python}", *locks], check=True)
    return python


def prepare(folder: Path, python: Path) -> None:
    """A certificate, secrets and data files."""
    subprocess.run([python, "-c", CERTIFICATE, str(folder / "tls.pem")], check=True)
    (folder / "secrets").mkdir()
    # What tests/services.py expects.
    (folder / "secrets" / "pc-id-token").write_text("id-token-8d1f", encoding="utf-8")
    (folder / "secrets" / "azure-client-secret").write_text("secret", encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """Of the processes measured: only these services, directly."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(map(str, (CHECKOUT, FILES))),
        "SSL_CERT_FILE": str(folder / "tls.pem"),
        "REQUESTS_CA_BUNDLE": str(folder / "tls.pem"),
        "HUB_SECRETS_DIRECTORY": str(folder / "secrets"),
    }


@contextmanager
def services(folder: Path, python: Path, fault: str) -> Iterator[str]:
    """The services that hold the keys, and a server for users that is always ready; their address."""
    command = [python, CHECKOUT / "tests" / "services.py", folder / "tls.pem", str(LATENCY), str(USERS), fault]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def entry(address: str, seconds: float) -> dict[str, Any]:
    """The source, in the form that the hub reads."""
    path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim"
    tenant = "00000000-0000-0000-0000-000000000000"
    return {
        "source": "api_management",
        "name": "planetary-computer",
        "variables": {KEY: "primaryKey"},
        "on_failure": "start_without",
        "timeout": seconds,
        "cache": 0,
        "identity_url": f"{address}/id/users/users/{{user}}/",
        "identity_token": "pc-id-token",
        "service_id": path,
        "subscription": "{pk}-planetarycomputer",
        "resource_manager": address,
        "scope": "https://management.azure.com/.default",
        "authority": address.removeprefix("https://"),
        "credential": {
            "type": "service_principal",
            "tenant_id": tenant,
            "client_id": "hub",
            "secret": "azure-client-secret",
        },
    }


def alone(folder: Path, python: Path, address: str) -> dict[str, Any]:
    command = [python, "-m", "benchmarks.event_loop.alone", json.dumps(entry(address, 3)), str(USERS), str(ROUNDS)]
    done = subprocess.run(
        list(map(str, command)), env=environment(folder), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode:
        sys.exit(f"The sources could not be measured:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def hub(folder: Path, python: Path, address: str, hook: str) -> Iterator[Api]:
    """A hub with a hook and as many users as are measured."""
    directory = folder / hook
    (directory / "data").mkdir(parents=True)
    profile = {"slug": "one", "display_name": "One", "default": True, "kubespawner_override": {}}
    sources = [entry(address, 60)] if hook == "ours" else []
    for name, content in (
        ("profiles", [profile]),
        ("user_environment", {"notebook": {}}),
        ("user_environment_sources", sources),
    ):
        (directory / "data" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    about = {
        **{"port": port, "token": secrets.token_hex(16), "hook": hook, "address": address},
        **{"server": f"http://127.0.0.1:{port}/hub/health", "results": str(directory / "stalls.json")},
    }
    of_the_hub = {
        "HUB_ETC_DIRECTORY": str(directory),
        "HUB_LOCAL_DIRECTORY": str(directory / "local"),
        "HUB_BENCH": json.dumps(about),
    }
    config = CHECKOUT / "benchmarks" / "event_loop" / "jupyterhub_config.py"
    with (
        (directory / "hub.log").open("wb") as log,
        subprocess.Popen(
            [str(python.with_name("jupyterhub")), f"--config={config}"],
            cwd=directory,
            env={**environment(folder), **of_the_hub},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        api = Api(port, str(about["token"]))
        try:
            api.wait()
            yield api
        except (OSError, AssertionError) as error:
            words = (directory / "hub.log").read_text(encoding="utf-8")[-3000:]
            sys.exit(f"The hub with the hook {hook} could not be measured ({error}):\n{words}")
        finally:
            process.terminate()


def one_round(api: Api, directory: Path, hook: str) -> float:
    """Start all servers at once and stop them again; the longest stall until the last was ready, in seconds."""
    users = [f"user-{number}@example.org" for number in range(USERS)]
    kept = directory / "local" / "run" / "user-secrets"
    for file in kept.glob("*"):
        file.unlink()
    begin = time.monotonic()
    api.at_once("POST", [f"users/{user}/server" for user in users])
    while not all(user["servers"] and user["servers"][""]["ready"] for user in api.users()):
        assert time.monotonic() - begin < LIMIT, "the servers do not start"
        time.sleep(0.5)
    end = time.monotonic()
    api.at_once("DELETE", [f"users/{user}/server" for user in users])
    while any(user["servers"] for user in api.users()):
        time.sleep(0.2)
    arrived = len(list(kept.glob("*.json")))
    assert arrived == (USERS if hook == "ours" else 0), f"{arrived} of {USERS} keys arrived"
    # The hub writes down what it has seen every half a second.
    time.sleep(1.5)
    late = json.loads((directory / "stalls.json").read_text(encoding="utf-8"))
    return max((seconds for moment, seconds in late if begin <= moment <= end), default=0.0)


class Api:
    """The hub's REST API."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hub/"
        self.token = token
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {self.token}"},
            method=method,
        )
        with self.opener.open(request, timeout=LIMIT) as answer:
            return json.loads(answer.read() or b"null")

    def at_once(self, method: str, paths: list[str]) -> None:
        """Requests that reach the hub together, rather than as fast as this machine opens connections."""
        connections = [HTTPConnection("127.0.0.1", self.port, timeout=LIMIT) for _ in paths]
        for connection in connections:
            connection.connect()
        for connection, path in zip(connections, paths, strict=True):
            connection.request(method, f"/hub/api/{path}", headers={"Authorization": f"token {self.token}"})
        for connection in connections:
            with connection.getresponse() as answer:
                assert answer.status < 300, f"the hub answers {answer.status}"
            connection.close()

    def users(self) -> list[dict[str, Any]]:
        """Those who are measured."""
        return [user for user in self.ask("GET", "users?limit=200") if user["name"].startswith("user-")]

    def wait(self) -> None:
        """Until the hub answers; then there are users."""
        until = time.monotonic() + LIMIT
        while True:
            try:
                self.opener.open(f"{self.url}health", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < until, "the hub does not answer"
                time.sleep(0.2)
        self.ask("POST", "users", {"usernames": [f"user-{number}@example.org" for number in range(USERS)]})


CERTIFICATE = """
import datetime, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "services")])
now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(1)
names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
builder = builder.not_valid_before(now - day).not_valid_after(now + day).add_extension(names, False)
certificate = builder.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
with open(sys.argv[1], "wb") as file:
    file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.write(certificate.public_bytes(Encoding.PEM))
"""


def say(what: str) -> None:
    print(f"[user_environment] {what} ...", file=sys.stderr, flush=True)
