# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""An identity service, Entra ID's token endpoint, API Management and a vault on one port, as far as the hub asks them.

They answer what `people` and `secrets` say; `faults` says otherwise for a path, in the order of the requests.

`python services.py CERTIFICATE SECONDS USERS FAULT` serves them with TLS and prints the address: SECONDS is the time of
each answer, USERS a number of people, FAULT empty or what all but the token endpoint answers.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

SERVICE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim"
TOKEN = "id-token-8d1f"
HANG = "hang"
IDENTITY = "/id/users/users/"


class Services:
    """The services. `address` is known once they run.

    A fault is a status, a text that is answered instead, (status, headers), or HANG; the last one stays.
    """

    def __init__(self, latency: float = 0) -> None:
        self.latency = latency
        self.people: dict[str, Any] = {"ada@example.org": {"pk": 7}, "bob@example.org": {"pk": 8}}
        self.keys: dict[str, dict[str, Any]] = {f"{pk}-planetarycomputer": key(pk) for pk in (7, 8)}
        self.states: dict[str, str] = defaultdict(lambda: "active")
        self.secrets: dict[str, Any] = {}
        self.faults: dict[str, list[Any]] = {}
        self.asked: list[str] = []
        self.address = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request: the fault of its path, if there is one, else what the service says."""
        path = request.rel_url.raw_path
        self.asked.append(f"{request.method} {path}")
        await asyncio.sleep(self.latency)
        for part, faults in self.faults.items():
            if part in f"{request.method} {path}":
                return await self.broken(faults.pop(0) if len(faults) > 1 else faults[0])
        if path.startswith(IDENTITY):
            return self.person(request)
        if path.endswith("/oauth2/v2.0/token"):
            return found({"token_type": "Bearer", "expires_in": 3600, "access_token": "azure"})
        if request.headers.get("Authorization") != "Bearer azure":
            return web.json_response({"error": {"code": "AuthenticationFailed"}}, status=401)
        if path.startswith("/secrets/"):
            return found(self.secrets.get(path.rpartition("/")[2]))
        name = path.removeprefix(f"{SERVICE}/subscriptions/").removesuffix("/listSecrets")
        if name not in self.keys:
            return found(None)
        if request.method == "POST":
            return found(self.keys[name])
        return found({"name": name, "properties": {"state": self.states[name]}})

    def person(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            return web.json_response({"detail": "Invalid token."}, status=401)
        # One segment: a slash in a name must come encoded.
        if request.rel_url.raw_path.count("/") != 5:
            return found(None)
        return found(self.people.get(request.path.split(IDENTITY)[1].removesuffix("/")))

    async def broken(self, fault: Any) -> web.StreamResponse:
        if fault == HANG:
            await asyncio.sleep(60)
        if isinstance(fault, str):
            return web.Response(text=fault, content_type="application/json")
        status, headers = fault if isinstance(fault, tuple) else (fault, {})
        return web.json_response({"error": {"code": "Fault"}}, status=status, headers=headers)

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Services]:
        """Serve on a free port of this machine, in this loop."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.address = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def key(pk: int) -> dict[str, str]:
    """Both keys of a person."""
    return {"primaryKey": f"primary-{pk}-5f0c", "secondaryKey": f"secondary-{pk}-5f0c"}


def found(value: Any) -> web.Response:
    if value is None:
        return web.json_response({"error": {"code": "NotFound"}}, status=404)
    return web.json_response(value)


def entry(address: str, **changes: Any) -> dict[str, Any]:
    """An entry of user_environment_sources.json that asks these services, as a deployment writes it."""
    return {
        "source": "api_management",
        "name": "planetary-computer",
        "variables": {"PC_SDK_SUBSCRIPTION_KEY": "primaryKey"},
        "on_failure": "start_without",
        "timeout": 5,
        "cache": 60,
        "identity_url": f"{address}/id/users/users/{{user}}/",
        "identity_token": "pc-id-token",
        "service_id": SERVICE,
        "subscription": "{pk}-planetarycomputer",
        "resource_manager": address,
        "scope": "https://management.azure.com/.default",
        "authority": "login.microsoftonline.com",
        "credential": {"type": "workload_identity", "tenant_id": "", "client_id": ""},
        **changes,
    }


async def serve(certificate: str, seconds: float, users: int, fault: Any) -> None:
    """Serve until somebody ends it."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    services = Services(seconds)
    services.people = {f"user-{number}@example.org": {"pk": number} for number in range(users)}
    services.keys = {f"{number}-planetarycomputer": key(number) for number in range(users)}
    if fault:
        services.faults = {IDENTITY: [fault], "/providers/": [fault]}
    async with services.running(tls):
        print(services.address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    fault = sys.argv[4]
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(fault) if fault.isdigit() else fault))
