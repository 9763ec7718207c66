# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""From a clone to a living hub, and what a user waits for, on this machine.

Works in a clone of its own with ports of its own, so that a hub of the checkout keeps running.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.row import Row

CHECKOUT = Path(__file__).parent.parent
PORTS = ("port", "proxy_api_port", "hub_port", "gateway_proxy_port", "gateway_port")
#: Seconds. What the README promises a newcomer on two cores.
PROMISE = 120.0
#: One command may take this long before it is given up.
LIMIT = 900
PROBES = 5

LOCAL_CLUSTER = """
import time
from distributed import Client, LocalCluster
if __name__ == "__main__":
    start = time.monotonic()
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as client:
        client.wait_for_workers(1)
        print(time.monotonic() - start)
"""


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder, clone(Path(folder)) as hub:
        return list(hub.measure())


@contextmanager
def clone(folder: Path) -> Iterator[Hub]:
    say("cloning")
    hub = Hub(folder)
    try:
        yield hub
    finally:
        hub.make("clean")


class Hub:
    """A clone of the checkout, with caches and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(self.checkout)], check=True)
        ports = zip(PORTS, free_ports(len(PORTS)), strict=True)
        arguments = [f"-e daskhub_local_{name}={port}" for name, port in ports]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
            "ARGS": " ".join(arguments),
            "UV_CACHE_DIR": str(folder / "uv"),
            "PIP_CACHE_DIR": str(folder / "pip"),
            "npm_config_cache": str(folder / "npm"),
        }
        self.user_bin = self.checkout / ".sandbox" / "hub" / "venv" / "user" / "bin"

    def make(self, target: str) -> float:
        """Run a target and return its seconds; what it printed is shown when it fails."""
        start = time.monotonic()
        done = subprocess.run(
            ["make", target], cwd=self.checkout, env=self.environment, capture_output=True, text=True, timeout=LIMIT
        )
        if done.returncode:
            sys.exit(f"`make {target}` failed in the benchmark:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        return time.monotonic() - start

    def measure(self) -> Iterator[Row]:
        say("clone to living hub, cold (nothing cached)")
        yield Row("clone to living hub, cold", self.make("hub"), "s", "promise", PROMISE, 1)
        self.make("clean")
        say("clone to living hub, warm")
        warm = self.make("hub")
        yield Row("clone to living hub, warm", warm, "s", "promise", PROMISE, 0.5)
        say("second run, server and worker")
        yield Row("second `make hub`, smoke test included", self.make("hub"), "s", "the warm first run", warm, 1)
        found = json.loads((self.checkout / ".sandbox" / "results" / "smoke-test.json").read_text(encoding="utf-8"))
        yield Row("click to running server", found["seconds_to_server"], "s", "jupyter lab alone", self.jupyterlab(), 2)
        yield Row(
            "new_cluster() to first worker", found["seconds_to_worker"], "s", "LocalCluster", self.local_cluster(), 3
        )

    def jupyterlab(self) -> float:
        """Return the seconds until a plain JupyterLab of the same environment answers (median)."""
        return median([self.start_jupyterlab() for _ in range(PROBES)])

    def start_jupyterlab(self) -> float:
        (port,) = free_ports(1)
        command = [str(self.user_bin / "jupyter-lab"), "--no-browser", f"--port={port}", "--allow-root"]
        start = time.monotonic()
        with (
            open(os.devnull, "wb") as nowhere,
            subprocess.Popen(command, cwd=self.checkout, stdout=nowhere, stderr=nowhere) as server,
        ):
            try:
                while not answers(f"http://127.0.0.1:{port}/api"):
                    if time.monotonic() - start > LIMIT or server.poll() is not None:
                        sys.exit("The plain JupyterLab of the benchmark does not start.")
                    time.sleep(0.02)
                return time.monotonic() - start
            finally:
                server.terminate()

    def local_cluster(self) -> float:
        """Return the seconds until a LocalCluster of the same environment has its worker (median)."""
        script = self.checkout / ".sandbox" / "local_cluster.py"
        script.write_text(LOCAL_CLUSTER, encoding="utf-8")
        command = [str(self.user_bin / "python"), str(script)]
        printed = [subprocess.check_output(command, text=True, timeout=LIMIT) for _ in range(PROBES)]
        return median([float(text.split()[-1]) for text in printed])


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [server.getsockname()[1] for server in sockets]
    finally:
        for server in sockets:
            server.close()


def say(what: str) -> None:
    print(f"bench: {what} ...", file=sys.stderr, flush=True)


if not shutil.which("git"):
    sys.exit("git is not there: install it to run the benchmarks.")
