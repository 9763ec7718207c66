# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The proxy: mitmproxy with a certificate authority of its own, which hands every request to
:mod:`sandbox.azure.hosts`.

It runs as ``python -m sandbox.azure.proxy --directory D --port P`` in the environment that launch.py makes. It never
opens a connection to anywhere but to the API server of a kubeconfig that it is given, and to that cluster's load
balancers.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
import threading
import traceback
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import certifi

# The package imports a web framework, LDAP and much else that nobody needs here: left empty, it halves the start.
_addons = ModuleType("mitmproxy.addons")
_addons.__path__ = [str(Path(find_spec("mitmproxy").origin or "").parent / "addons")]  # type: ignore[union-attr]
sys.modules["mitmproxy.addons"] = _addons

from mitmproxy import http, options  # noqa: E402
from mitmproxy.addons import core, next_layer, proxyserver, termlog, tlsconfig  # noqa: E402
from mitmproxy.certs import CertStore  # noqa: E402
from mitmproxy.master import Master  # noqa: E402
from mitmproxy.proxy import server_hooks  # noqa: E402

from . import hosts, prepared, sdk_models  # noqa: E402
from .arm import app as arm  # noqa: E402
from .cloud import Cloud  # noqa: E402
from .keys import write_private  # noqa: E402
from .passage import Passage  # noqa: E402
from .real_cluster import RealCluster, Unusable  # noqa: E402
from .web import Answer, Refusal, Request  # noqa: E402


def read(flow: http.HTTPFlow) -> Request:
    """A request out of mitmproxy's."""
    path, _, _ = flow.request.path.partition("?")
    return Request(
        method=flow.request.method.upper(),
        host=flow.request.pretty_host.lower(),
        path=unquote(path),
        raw_path=path,
        query={key.lower(): value for key, value in flow.request.query.items()},
        headers={key.lower(): value for key, value in flow.request.headers.items()},
        content=flow.request.content or b"",
    )


class Door:
    """mitmproxy's addon."""

    def __init__(self, cloud: Cloud, passage: Passage) -> None:
        self._cloud = cloud
        self._passage = passage

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer, whatever it is; nothing is passed on."""
        try:
            answer = await hosts.answer(self._cloud, read(flow))
        except Exception:
            logging.error("%s %s\n%s", flow.request.method, flow.request.pretty_url, traceback.format_exc())
            message = "The stand-in for Azure failed; its log says why."
            answer = Refusal(500, "StandInFailed", message).answer()
        if answer.reset:
            flow.kill()
            return
        flow.response = respond(answer)

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """No connection to outside."""
        target = data.server.address
        if not target or (target[0], target[1]) not in self._passage.open:
            data.server.error = "the stand-in for Azure never asks outside"


def respond(answer: Answer) -> http.Response:
    """mitmproxy's response."""
    headers = {"Cache-Control": "no-cache", **answer.headers}
    if answer.content is None:
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return http.Response.make(answer.status, answer.payload(), headers)


def load_models(cloud: Cloud) -> None:
    """Import the models of all types, which takes a second, so that no request has to wait for it.

    In a thread of its own and behind everything else that wants the processor.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    for path in dict.fromkeys(kind.model for kind in cloud.kinds.values() if kind.model):
        sdk_models.node_of(sdk_models.load(path))


def write_files(cloud: Cloud, directory: Path, address: str) -> None:
    """The bundle of certificates and the environment of clients."""
    authority = directory / "state" / "ca"
    CertStore.from_store(authority, "mitmproxy", 2048)
    own = (authority / "mitmproxy-ca-cert.pem").read_text(encoding="ascii")
    bundle = directory / "ca-bundle.pem"
    part = bundle.with_suffix(".part")
    part.write_text(Path(certifi.where()).read_text(encoding="utf-8") + "\n" + own, encoding="utf-8")
    part.replace(bundle)
    real = cloud.real_cluster
    environment = {
        "HTTPS_PROXY": f"http://{address}",
        "NO_PROXY": ",".join(["localhost", "127.0.0.1", "::1", *([real.host] if real else [])]),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
        **cloud.environment(),
    }
    write_private(directory / "environment.json", json.dumps(environment, indent=2).encode())


async def serve(directory: Path, port: int, latency: float | None, kubeconfig: Path | None, listen: str = "") -> None:
    """Serve until SIGTERM, on this machine and, where it is said, at one of its addresses."""
    state = directory / "state"
    (state / "ca").mkdir(parents=True, exist_ok=True, mode=0o700)
    cloud = Cloud(state)
    arm.load(cloud)
    prepared.register()
    if kubeconfig:
        cloud.real_cluster = RealCluster(kubeconfig)
        await cloud.real_cluster.open()
    if latency is not None:
        cloud.dials.latency["scale"] = latency
        cloud.keep_dials()
        cloud.store.flush()
    settings: dict[str, Any] = {
        "confdir": str(state / "ca"),
        "mode": [f"regular@{address}:{port}" for address in ("127.0.0.1", listen) if address],
    }
    master = Master(options.Options(**settings))
    passage = Passage(cloud)
    parts = (core.Core(), proxyserver.Proxyserver(), tlsconfig.TlsConfig(), passage)
    master.addons.add(*parts, next_layer.NextLayer(), termlog.TermLog())
    master.options.update(
        connection_strategy="lazy", upstream_cert=False, rawtcp=False, http3=False, termlog_verbosity="warn"
    )
    master.addons.add(Door(cloud, passage))
    write_files(cloud, directory, f"{listen or '127.0.0.1'}:{port}")
    threading.Thread(target=load_models, args=(cloud,), daemon=True).start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, master.shutdown)
    await master.run()


def main() -> None:
    """The daemon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency", type=float)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--listen", default="")
    arguments = parser.parse_args()
    os.umask(0o077)
    lock = (arguments.directory / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"A stand-in runs already in {arguments.directory}.")
    (arguments.directory / "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        given = (arguments.directory, arguments.port, arguments.latency, arguments.kubeconfig, arguments.listen)
        asyncio.run(serve(*given))
    except Unusable as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
