# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The modules that talk to Azure, run as Ansible runs them, against a stand-in for Azure."""

from __future__ import annotations

import fcntl
import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from module_server import Process, Server

ROOT = Path(__file__).resolve().parents[1]
DIALS = "http://dials.stand-in.invalid"
COLLECTIONS = ROOT / ".collections"
SERVER = Server(COLLECTIONS)
LIMIT = 60.0  # seconds for one module


class Running:
    """A module at work."""

    def __init__(self, process: Process, arguments: dict[str, Any]) -> None:
        self.process = process
        assert process.stdin is not None
        process.stdin.write(json.dumps(arguments))
        process.stdin.close()
        process.stdin = None

    def result(self) -> dict[str, Any]:
        """What it answers; of its arguments nothing."""
        output, errors = self.process.communicate(timeout=LIMIT)
        assert output.strip(), errors
        result: dict[str, Any] = json.loads(output)
        self.output = output
        result.pop("invocation", None)
        return result


class Cloud:
    """A stand-in, its clients' environment, and whence modules run."""

    def __init__(self, environment: dict[str, str], server: Server = SERVER) -> None:
        self.environment = environment
        self.server = server
        self.subscription = f"/subscriptions/{environment['AZURE_SUBSCRIPTION_ID']}"

    def dial(self, method: str, path: str, body: Any = None) -> Any:
        """Turn or read a dial; see ``sandbox/azure/dials.py``."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": self.environment["HTTPS_PROXY"]}))
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{DIALS}{path}", data, {"Content-Type": "application/json"}, method=method)
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def reset(self) -> None:
        """An empty cloud without faults."""
        self.dial("POST", "/reset")

    def calls(self, kind: str = "", since: float = 0) -> list[dict[str, Any]]:
        """What was asked since a moment, and which operations ran."""
        found = self.dial("GET", f"/calls?since={since}")
        return [entry for entry in found if entry["kind"] == kind or not kind]

    def writes(self, since: float = 0) -> list[dict[str, Any]]:
        """Requests to Azure Resource Manager that could change something."""
        return [
            entry
            for entry in self.calls(since=since)
            if entry["method"] in ("PUT", "PATCH", "DELETE") and entry["kind"] != "operation"
        ]

    def begin(
        self, module: str, check: bool = False, environment: dict[str, str] | None = None, **arguments: Any
    ) -> Running:
        """Start a module."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE_", "REQUESTS_CA"))}
        process = self.server.run(module, {**clean, **self.environment, **(environment or {})})
        return Running(process, {**arguments, "_ansible_check_mode": check, "_ansible_diff": True})

    def run(self, resources: list[dict[str, Any]], check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run ``azure_resources`` to its end."""
        return self.begin("azure_resources", check, resources=resources, **arguments).result()

    def until(self, condition: Callable[[], Any], what: str, limit: float = 20) -> Any:
        """Wait until something is so."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"it did not come to pass in {limit} s that {what}")


@contextmanager
def listener(path: Path) -> Iterator[Path]:
    """A file for progress, held as the play holds it for as long as it lives."""
    with path.open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield path


def actions(result: dict[str, Any]) -> dict[str, str]:
    """Symbolic name to what was done, without those left alone."""
    assert "plan" in result, result
    return {one["name"]: one["action"] for one in result["plan"] if one["action"] != "none"}
