# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The credential plugin: when it asks for a token, what it keeps, what it prints."""

from __future__ import annotations

import datetime
import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _aks_token

KEY = {"tenant_id": "t", "client_id": "c"}


class Entra:
    """Gives tokens of a lifetime and counts them."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self.given = 0

    def __call__(self) -> tuple[str, float]:
        self.given += 1
        return f"token-{self.given}", time.time() + self.lifetime


@pytest.mark.parametrize(
    ("lifetime", "reserve"), [(86_400, 300), (3600, 300), (1500, 300), (60, 12), (2, 0.4), (0, 0), (-5, 0)]
)
def test_a_token_is_replaced_before_it_ends(lifetime: float, reserve: float) -> None:
    assert _aks_token.usable_until(1000 + lifetime, 1000) == pytest.approx(1000 + lifetime - reserve)


def test_many_calls_ask_once(tmp_path: Path) -> None:
    entra, cache = Entra(3600), tmp_path / "token.json"
    tokens: list[str] = []
    calls = [
        threading.Thread(target=lambda: tokens.append(_aks_token.cached(cache, KEY, entra)["token"])) for _ in range(8)
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert tokens == ["token-1"] * 8
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["token.json", "token.json.lock"]


def test_a_token_that_ends_is_replaced(tmp_path: Path) -> None:
    entra, cache = Entra(0), tmp_path / "token.json"
    assert [_aks_token.cached(cache, KEY, entra)["token"] for _ in range(2)] == ["token-1", "token-2"]


def test_a_token_is_not_given_to_someone_else(tmp_path: Path) -> None:
    entra, cache = Entra(3600), tmp_path / "token.json"
    found = [_aks_token.cached(cache, KEY | {"client_id": who}, entra)["token"] for who in ("a", "a", "b")]
    assert found == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"key": {}}', '{"key": {"tenant_id": "t", "client_id": "c"}, "until": "x"}']
)
def test_a_broken_cache_is_replaced(tmp_path: Path, content: str) -> None:
    entra, cache = Entra(3600), tmp_path / "token.json"
    cache.write_text(content)
    assert _aks_token.cached(cache, KEY, entra)["token"] == "token-1"


def test_the_document_says_when_to_come_back() -> None:
    until = datetime.datetime(2026, 11, 22, 20, 15, 30, tzinfo=datetime.UTC).timestamp()
    assert _aks_token.document({"token": "secret", "until": until + 0.9}) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "secret", "expirationTimestamp": "2026-11-22T20:15:30Z"},
    }


def start(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the script as a Kubernetes client does, alone in a directory."""
    script = cache.with_name("token.py")
    script.write_bytes(Path(_aks_token.__file__).read_bytes())
    words = ["--tenant-id=t", "--server-id=s", "--authority=login.microsoftonline.com", f"--cache={cache}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, str(script), *words],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_kept_token_needs_nobody(tmp_path: Path) -> None:
    cache = tmp_path / "token.json"
    key = {"tenant_id": "t", "server_id": "s", "authority": "login.microsoftonline.com", "client_id": "me"}
    _aks_token.write(cache, {"key": key, "token": "kept", "until": time.time() + 60})
    # A proxy that is not there: whoever asks Entra ID fails.
    done = start(cache, AZURE_CLIENT_ID="me", HTTPS_PROXY="http://127.0.0.1:9")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["status"]["token"] == "kept"


def test_no_token_is_one_line_on_standard_error(tmp_path: Path) -> None:
    environment = {"AZURE_CLIENT_ID": "me", "AZURE_SECRET": "wrong", "HTTPS_PROXY": "http://127.0.0.1:9"}
    # Without azure-identity the sentence is another one.
    done = start(tmp_path / "token.json", **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert "wrong" not in done.stderr
    assert not (tmp_path / "token.json").exists()
