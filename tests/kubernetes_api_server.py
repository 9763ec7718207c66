# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real Kubernetes API server with its etcd and nothing behind it: what it stores is real, pods never run.

The programs `etcd` and `kube-apiserver` are looked for in KUBEBUILDER_ASSETS, otherwise on PATH.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver")
STARTUP = 90.0  # seconds; usually 5
ADMIN = "admin"


class NotStarted(Exception):
    """A program ended, or did not answer in time; the text says which, with the end of its log."""


def programs() -> dict[str, str] | None:
    """Name to path, or None when one is not there."""
    places = os.pathsep.join(filter(None, (os.environ.get("KUBEBUILDER_ASSETS"), os.environ.get("PATH"))))
    found = {name: shutil.which(name, path=places) for name in PROGRAMS}
    return {name: path for name, path in found.items() if path} if all(found.values()) else None


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    sockets = [socket.socket() for _number in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


class ApiServer:
    """One API server with role-based access control.

    :param directory: of its state, which is lost with it
    """

    def __init__(self, directory: Path, found: dict[str, str]) -> None:
        self.directory = directory
        self._programs = found
        self._tokens = {ADMIN: secrets.token_hex(16)}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.url = ""

    def start(self) -> ApiServer:
        """Start both programs and wait until the server is ready."""
        etcd, peer, port = free_ports(3)
        self.url = f"https://127.0.0.1:{port}"
        self._write_tokens()
        self._make_key()
        store = f"http://127.0.0.1:{etcd}"
        self._run(
            "etcd",
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        key = self.directory / "account.key"
        self._run(
            "kube-apiserver",
            f"--etcd-servers={store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={self.directory / 'certificates'}",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            # Its controller would have to make the default service account of every namespace.
            "--disable-admission-plugins=ServiceAccount",
        )
        self._wait()
        return self

    def stop(self) -> None:
        """Stop both, the server first."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """A kubeconfig of a user, who may nothing until a role is bound; the administrator may everything."""
        path = self.directory / f"{user}.kubeconfig"
        cluster = {"server": self.url, "certificate-authority": str(self._authority)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self._tokens[user]}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        path.chmod(0o600)
        return path

    def with_user(self, name: str) -> ApiServer:
        """Another user, before the start."""
        self._tokens[name] = secrets.token_hex(16)
        return self

    @property
    def _authority(self) -> Path:
        return self.directory / "certificates" / "apiserver.crt"

    def _write_tokens(self) -> None:
        groups = {ADMIN: ",system:masters"}
        lines = [f"{token},{user},{user}{groups.get(user, '')}" for user, token in self._tokens.items()]
        (self.directory / "tokens.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _make_key(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self.directory / "account.key").write_bytes(text)

    def _run(self, name: str, *arguments: str) -> None:
        with (self.directory / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen([self._programs[name], *arguments], stdout=log, stderr=log, cwd=self.directory)
            )

    def _wait(self) -> None:
        end = time.monotonic() + STARTUP
        while time.monotonic() < end:
            for name, process in zip(PROGRAMS, self._processes, strict=True):
                if process.poll() is not None:
                    raise NotStarted(f"{name} ended with {process.returncode}: {self._log(name)}")
            if self._ready():
                return
            time.sleep(0.2)
        raise NotStarted(f"the API server was not ready after {STARTUP:.0f} s: {self._log('kube-apiserver')}")

    def _ready(self) -> bool:
        request = urllib.request.Request(
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {self._tokens[ADMIN]}"}
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),  # noqa: S323
        )
        try:
            with opener.open(request, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-2000:]
