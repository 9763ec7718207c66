# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Whether a hub answers at the address that people use, and what to do when it does not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError, hub_url
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

REQUEST = 10.0  # seconds for one answer
PAUSE = 2.0  # seconds between two questions
# Where there is no certificate of the hub yet, its proxy shows one of its own making.
HTTPS = {
    "letsencrypt": (
        "The certificate is not issued yet: Let's Encrypt has to reach port 80 under the name {host}; when it does, "
        "`kubectl delete pods --namespace {namespace} --selector component=autohttps` asks for it again. "
        "playbooks/diagnose.yml shows what the server said."
    ),
    "secret": (
        "The certificate of the vault has to be for {host}, and its authority known here: a bundle with it is named in "
        "REQUESTS_CA_BUNDLE."
    ),
    "offload": "What stands in front of the hub has to show a certificate for {host}.",
    "none": "Say in daskhub_https how the hub gets a certificate, or in daskhub_url an address with http.",
}
NAME = (
    "Azure's own names are known minutes after their address{address}; a name of yours needs a record in the DNS that "
    "leads there; what has to go through a proxy is said by HTTPS_PROXY and NO_PROXY."
)
WAY = (
    "Let this machine reach {host} (infrastructure_allowed_sources, NO_PROXY), or switch this check off by "
    "daskhub_verify_timeout: 0."
)
OTHER = "Something else than this hub is at {url}: look at what stands in front of it, and at daskhub_base_url."


@dataclass(frozen=True)
class Answer:
    """What an address said.

    :ivar version: JupyterHub's version; "" when no hub answered
    :ivar problem: why not; "" when one did
    """

    version: str = ""
    problem: str = ""
    remedy: str = ""


def ask(url: str, ca_file: str, https: str, namespace: str, address: str) -> Answer:
    """One question: the version of the hub, which it says to everybody.

    :param url: with the base URL
    :param https: how the hub gets its certificate, by the words of ``HTTPS``
    :param address: where the name leads to, as far as it is known
    """
    words = {"host": urlsplit(url).hostname or url, "url": url, "namespace": namespace, "address": ""}
    words["address"] = f", {address}," if address else ""
    try:
        response = Hub(url, ca_file).request("GET", hub_url(url, "hub", "api") + "/", timeout=REQUEST)
    except HubError as error:
        return Answer(problem=str(error), remedy=_remedy(error, https).format(**words))
    try:
        return Answer(version=str(response.json()["version"]))
    except (ValueError, LookupError, TypeError):
        problem = f"{url} answers HTTP {response.status_code}, and not as a JupyterHub"
        return Answer(problem=problem, remedy=OTHER.format(**words))


def _remedy(error: BaseException, https: str) -> str:
    for link in _chain(error):
        if isinstance(link, ssl.SSLError):
            return HTTPS[https]
        # A proxy says in this way that it does not know the name.
        if isinstance(link, socket.gaierror) or "Tunnel connection failed" in str(link):
            return NAME
    return WAY


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it comes from, however it was wrapped."""
    seen: list[BaseException] = []
    waiting = [error] if error else []
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.append(one)
        yield one
        inner = (getattr(one, "reason", None), one.__cause__, one.__context__, *one.args)
        waiting += [each for each in inner if isinstance(each, BaseException)]


def wait_for(url: str, seconds: float, progress: Progress, ca_file: str, **known: str) -> Answer:
    """Ask until a hub answers or the time is over; at least once."""
    wait = Wait(seconds, "waiting for the hub", progress)
    said = ""
    while True:
        answer = ask(url, ca_file, **known)
        if answer.version or not wait.pause(PAUSE):
            return answer
        if answer.problem != said:
            said = answer.problem
            progress.say(said)
