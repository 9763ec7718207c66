# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Which logs tell something, what they tell, and how they are shown without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import (
    Finding,
    Object,
    Snapshot,
    component,
    name,
    status,
)

# What may be a secret: after a telling word, in an address, or by its look (tokens, keys, base64 of both).
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic|token)(\s+)[\w.~+/=-]{8,}"), r"\1\2***"),
    (
        re.compile(
            r"(?i)([\w.-]*(?:token|secret|password|passwd|pwd|key(?!error)|credential|signature|sig|cookie|authorization)[\w.-]*"
            r"[\"']?\s*[:=]\s*[\"']?)(?!\*\*\*|(?:bearer|basic)\b)[^\s\"',;&]{4,}"
        ),
        r"\1***",
    ),
    (re.compile(r"(\w+://[^/\s:@]+:)[^@/\s]+@"), r"\1***@"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]+(\.[\w-]+)?"), "***"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "***"),
    (re.compile(r"(?<![\w/.-])(?=[A-Za-z+/]*[0-9])(?=[^\s]*[A-Z])[A-Za-z0-9+/]{40,}={0,2}(?![\w/.-])"), "***"),
)
WIDTH = 300  # characters of a line
TAIL, LONG = 100, 2000  # lines of a container that failed, and of one that tells of others
DEAF = "Watching resources never recovered, giving up"
ACME = re.compile(r"(?i)unable to obtain acme certificate|acme: error|cannot get acme|rateLimited")
# What an ACME server says, within the words of the client: urn:ietf:params:acme:error:<kind> :: <detail>.
# Source: https://www.rfc-editor.org/rfc/rfc8555#section-6.7
REFUSED = re.compile(r"\[(?P<name>[\w.*-]+)\][^\[]*?urn:ietf:params:acme:error:(?P<kind>\w+) :: (?P<detail>.*)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SILENT = re.compile(r"(?i)didn't respond in|never showed up at|Timed out waiting for .*(http|server)")


class Wanted(NamedTuple):
    """A container's log; ``previous`` is that of its run before."""

    pod: str
    container: str
    previous: bool
    lines: int


def wanted(snapshot: Snapshot) -> list[Wanted]:
    """The logs worth asking for: of containers that failed, and those where others' troubles are told."""
    found = [
        Wanted(name(pod), state["name"], "running" in (state.get("state") or {}) and bool(_ended(state)), TAIL)
        for pod in snapshot.pods()
        for state in [*(status(pod).get("initContainerStatuses") or []), *(status(pod).get("containerStatuses") or [])]
        if _telling(state)
    ]
    known = {(one.pod, one.container) for one in found}
    found += [
        Wanted(name(pod), container, False, LONG)
        for pod in snapshot.all("Pod")
        for part, container in (("hub", "hub"), ("autohttps", "traefik"))
        if component(pod) == part and (name(pod), container) not in known and _has(pod, container)
    ]
    return found


def masked(text: str) -> str:
    """A text without what looks like a secret, and without colours.

    >>> masked("Authorization: token 0123456789abcdef0123456789abcdef")
    'Authorization: token ***'
    """
    text = COLOURS.sub("", text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def lines(snapshot: Snapshot, pod: str, container: str) -> str:
    """The last lines of a log, masked and indented."""
    said = [line for line in snapshot.logs.get((pod, container), "").splitlines() if line.strip()]
    return "\n".join(f"  {masked(line)[:WIDTH]}" for line in said[-snapshot.log_lines :])


def certificate(snapshot: Snapshot) -> Iterator[Finding]:
    """Let's Encrypt's refusals in the log of the pod that asks for the certificate."""
    if snapshot.personal:
        return
    for pod in snapshot.pods():
        if component(pod) != "autohttps":
            continue
        refused = [line for line in snapshot.logs.get((name(pod), "traefik"), "").splitlines() if ACME.search(line)]
        if refused:
            kind, said = refusal(refused[-1])
            yield unissued(f"Pod/{name(pod)}", said, name(pod), kind)


def refusal(line: str) -> tuple[str, str]:
    """The kind of an ACME server's refusal ("" when the line names none), and what to show of it.

    >>> refusal("[hub.example.org] acme: error: 400 :: urn:ietf:params:acme:error:dns :: no such host")
    ('dns', 'no certificate for hub.example.org (dns): no such host')
    """
    line = COLOURS.sub("", line)
    found = REFUSED.search(line)
    if not found:
        return "", masked(line)[: WIDTH * 2]
    detail = found["detail"].replace('\\"', '"').split("\\n")[0].strip()
    return found["kind"], masked(f"no certificate for {found['name']} ({found['kind']}): {detail}")[: WIDTH * 2]


def unissued(where: str, said: str, pod: str, kind: str = "") -> Finding:
    """A certificate that was not issued."""
    cause = {
        "rateLimited": "Wait as long as the server says, and try with daskhub_https_acme_server meanwhile",
        "caa": "Let a CAA record of the name's DNS zone allow the server",
        "rejectedIdentifier": "Give the hub a name that the server issues certificates for (daskhub_url)",
    }.get(kind, "See that the hub's name points to the address of the service proxy-public and that port 80 is open")
    return Finding("certificate", where, said, f"{cause}, then re-create the autohttps pod: kubectl delete pod {pod}.")


def deaf(snapshot: Snapshot) -> Iterator[Finding]:
    """A hub that stopped watching the cluster; since then no server starts or stops."""
    for pod, log in _hub(snapshot):
        if DEAF in log.rpartition("watching for pods with")[2]:
            remedy = f"Restart the hub (users' servers go on): kubectl delete pod {name(pod)}."
            yield Finding("hub-deaf", f"Pod/{name(pod)}", f"its log says: {DEAF}", remedy)


def unanswered(snapshot: Snapshot) -> Iterator[Finding]:
    """A user's server that runs, and that the hub cannot reach."""
    if not snapshot.user:
        return
    for pod, log in _hub(snapshot):
        own = [line for line in log.splitlines() if snapshot.user in line and SILENT.search(line)]
        if own:
            remedy = (
                "The server starts and does not answer the hub: see that its image has jupyterhub-singleuser of the "
                "hub's version, and that network policies let the hub reach port 8888."
            )
            yield Finding("network", f"Pod/{name(pod)}", masked(own[-1])[:WIDTH], remedy)


def last_words(snapshot: Snapshot, text: str, most: int = 3) -> str:
    """The last lines of the hub's log that have a text and tell of trouble."""
    found = [
        line
        for _pod, log in _hub(snapshot)
        for line in log.splitlines()
        if text in line and re.search(r"\[[WEC] |error|fail", line, re.IGNORECASE)
    ]
    return "\n".join(f"  {masked(line)[:WIDTH]}" for line in found[-most:])


def _hub(snapshot: Snapshot) -> list[tuple[Object, str]]:
    return [
        (pod, snapshot.logs[(name(pod), "hub")])
        for pod in snapshot.all("Pod")
        if component(pod) == "hub" and (name(pod), "hub") in snapshot.logs
    ]


def _has(pod: Object, container: str) -> bool:
    return any(state.get("name") == container for state in status(pod).get("containerStatuses") or [])


def _ended(state: Object) -> Object:
    return (state.get("lastState") or {}).get("terminated") or {}


def _telling(state: Object) -> bool:
    """Whether a container failed, or runs without being ready."""
    now = state.get("state") or {}
    ended = now.get("terminated") or _ended(state)
    return bool(ended and ended.get("exitCode") != 0 and not state.get("ready")) or (
        "running" in now and not state.get("ready")
    )
