# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is said of an address where a hub answers, and of those where none does."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._hub_address import Answer, ask, wait_for
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certificates import Authority

KNOWN = {"https": "letsencrypt", "namespace": "dhub", "address": "203.0.113.7"}
PAGES = {
    "/hub/api/": (200, b'{"version": "5.5.0"}'),
    "/compute/hub/api/": (404, b"<html>default backend</html>"),
    "/list/hub/api/": (200, b"[]"),
}


class Pages(BaseHTTPRequestHandler):
    """Answers PAGES, and to CONNECT that the name is not known, as a proxy does."""

    def do_GET(self) -> None:
        status, body = PAGES[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.send_error(502)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as found:
        yield found


@pytest.fixture
def closed() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_hub_says_its_version(port: int) -> None:
    assert ask(f"http://127.0.0.1:{port}/", "", **KNOWN) == Answer(version="5.5.0")


@pytest.mark.parametrize(("path", "status"), [("compute/", 404), ("list/", 200)])
def test_something_else_answers(port: int, path: str, status: int) -> None:
    found = ask(f"http://127.0.0.1:{port}/{path}", "", **KNOWN)
    assert not found.version and f"answers HTTP {status}, and not as a JupyterHub" in found.problem
    assert "daskhub_base_url" in found.remedy


def test_nobody_answers(closed: int) -> None:
    found = ask(f"http://127.0.0.1:{closed}/", "", **KNOWN)
    assert "connection refused" in found.problem
    assert (
        found.remedy.startswith("Let this machine reach 127.0.0.1 ")
        and "infrastructure_allowed_sources" in found.remedy
    )


@pytest.mark.parametrize("proxied", [False, True])
def test_the_name_is_not_known(port: int, proxied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}" if proxied else "")
    found = ask("https://hub.invalid/", "", **KNOWN)
    assert found.problem and "minutes after their address, 203.0.113.7,;" in found.remedy


@pytest.mark.parametrize(
    ("https", "says"),
    [
        ("letsencrypt", "kubectl delete pods --namespace dhub --selector component=autohttps"),
        ("secret", "The certificate of the vault has to be for localhost"),
        ("offload", "What stands in front of the hub"),
        ("none", "daskhub_https"),
    ],
)
def test_the_certificate_is_not_known(tmp_path: Path, https: str, says: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    issued = Authority.root("somebody").issue(key, "localhost")
    pem = serialization.Encoding.PEM
    (tmp_path / "both.pem").write_bytes(key.private_bytes(pem, *form) + issued.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with served(context) as port:
        found = ask(f"https://localhost:{port}/", "", **{**KNOWN, "https": https})
    assert "its certificate is not trusted" in found.problem and says in found.remedy


def test_it_is_waited_for(tmp_path: Path, closed: int) -> None:
    """Until somebody listens; what it waits for is said once."""
    said = tmp_path / "said"
    asked: list[str] = []

    class Listener(Progress):
        def check(self) -> None:
            if not asked:
                asked.append("once")
                server = ThreadingHTTPServer(("127.0.0.1", closed), Pages)
                Thread(target=server.serve_forever, daemon=True).start()

    found = wait_for(f"http://127.0.0.1:{closed}/", 20, Listener(str(said)), "", **KNOWN)
    assert found.version == "5.5.0" and said.read_text().count("connection refused") == 1
