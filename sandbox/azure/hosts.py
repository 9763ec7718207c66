# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Which application answers for which host name.

An application is ``answer(cloud, request) -> Answer``, plain or asynchronous. Add a row for a new one; ``*`` in a name
stands for any text. An optional ``latency`` is the application's own affair (``await asyncio.sleep``, never a blocking
call).
"""

from __future__ import annotations

import fnmatch
import importlib
import inspect
from typing import TYPE_CHECKING, Any

from . import dials, identity_service
from .arm import app as arm
from .login import app as login
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud

#: Host names (patterns) -> module below this package; it is imported at the first request.
APPLICATIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((dials.HOST,), "dials"),
    (login.HOSTS, "login.app"),
    (arm.HOSTS, "arm.app"),
    (("graph.microsoft.com", "graph.windows.net"), "graph.app"),
    (identity_service.HOSTS, "identity_service"),
    (("*.vault.azure.net",), "vault.app"),
    (("*.blob.core.windows.net",), "blobs"),
    (("*.azmk8s.io", "*.cx.prod.service.azk8s.cn", "*.cx.aks.containerservice.azure.us"), "kubernetes_api"),
)


def find(cloud: Cloud, host: str) -> Any:
    """The application of a host; None when nobody answers for it."""
    if host.lower() in cloud.dials.settings.get("identity_hosts", ()):
        return identity_service
    for patterns, module in APPLICATIONS:
        if any(fnmatch.fnmatch(host.lower(), pattern) for pattern in patterns):
            try:
                return importlib.import_module(f"{__package__}.{module}")
            except ModuleNotFoundError as error:
                if error.name != f"{__package__}.{module}":
                    raise
    return None


async def answer(cloud: Cloud, request: Request) -> Answer:
    """The answer of whichever application the host belongs to."""
    application = find(cloud, request.host)
    if application is None:
        message = f"The stand-in for Azure does not answer for {request.host}, and it never asks outside."
        return Refusal(502, "UnknownHost", message).answer()
    start = cloud.now()
    result = application.answer(cloud, request)
    if inspect.isawaitable(result):
        result = await result
    cloud.store.flush()
    assert isinstance(result, Answer)
    if application not in (arm, dials):
        # Resource Manager writes down more itself; the dials are nobody's business.
        name = application.__name__.removeprefix(f"{__package__}.").partition(".")[0]
        cloud.calls.append(
            dials.Entry("request", request.method, name, request.path, result.status, start, cloud.now(), request.host)
        )
    return result
