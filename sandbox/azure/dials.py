# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What can be set from outside: latency, faults, quotas, rights, tokens, the spread of rights; and the log of calls.

The dials are turned at ``http(s)://dials.stand-in.invalid/`` through the proxy, with JSON both ways:

* ``GET /`` all dials · ``POST /reset`` an empty cloud and dials as new (credentials stay)
* ``PATCH /latency`` ``{"scale": 0.1, "seconds": {"PUT Microsoft.Network/virtualNetworks": 3}}``
* ``POST /faults`` one fault (see :class:`Fault`) · ``DELETE /faults`` none any more
* ``PATCH /quota`` ``{"<name of a figure>": n}`` (null takes it away) · ``PATCH /rights``, ``/spread``, ``/settings``
  any JSON of their readers
* ``PATCH /tokens`` ``{"lifetime": 60}``
* ``GET /calls?since=<seconds since 1970>`` what was asked and which operations ran · ``DELETE /calls``

Applications add paths of their own by :func:`dial`.
"""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud

HOST = "dials.stand-in.invalid"
#: Dials that are plain maps.
MAPS = ("latency", "quota", "rights", "tokens", "spread", "settings")
DEFAULTS: dict[str, Any] = {
    "latency": {"scale": 0.0, "seconds": {}},
    "quota": {},
    "rights": {},
    "tokens": {"lifetime": 3600},
    "spread": {},
    "settings": {"page": 100},
    "faults": [],
}
#: So many calls are remembered.
CALLS = 50_000

Extra = Callable[["Cloud", Request], Answer]
_EXTRA: dict[str, Extra] = {}


def dial(method_and_path: str) -> Callable[[Extra], Extra]:
    """Register a path of the control endpoint: ``@dial("POST /reachable")``."""

    def register(function: Extra) -> Extra:
        _EXTRA[method_and_path] = function
        return function

    return register


@dataclass
class Fault:
    """What shall go wrong, at the n-th matching call from now.

    :ivar method: such as ``PUT``; * for any
    :ivar type: a pattern of the type of the resource (``Microsoft.Network/*``); ``id`` one of its id or path
    :ivar nth: the first matching call that fails; ``times`` how many do (0: all from then on)
    :ivar status: of the answer, with ``code``, ``message`` and ``retry_after`` (seconds)
    :ivar operation: the request is taken, and its long-running operation fails with code and message
    :ivar content: the body of the answer as it is, such as one that is no JSON
    :ivar reset: the connection breaks instead of an answer; ``after``: what was asked is done before
    """

    method: str = "*"
    type: str = "*"
    id: str = "*"
    nth: int = 1
    times: int = 1
    status: int = 500
    code: str = "InternalServerError"
    message: str = "Encountered internal server error."
    retry_after: float | None = None
    operation: bool = False
    content: str = ""
    reset: bool = False
    after: bool = False
    seen: int = 0

    def hits(self, method: str, kind: str, path: str) -> bool:
        """Whether this call is to fail; counts it."""
        texts = ((self.method, method), (self.type, kind), (self.id, path))
        if not all(fnmatch.fnmatch(text.lower(), pattern.lower()) for pattern, text in texts):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)

    def answer(self) -> Answer:
        """What is answered instead, or what breaks."""
        if self.reset:
            return Answer(reset=True)
        answer = self.refusal().answer()
        if self.content:
            answer.content = self.content.encode()
        return answer

    def refusal(self) -> Refusal:
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        return Refusal(self.status, self.code, self.message, headers=headers)


@dataclass
class Entry:
    """One line of the log: a request, or an operation from its acceptance to its end."""

    kind: str
    method: str
    type: str
    id: str
    status: int | str
    start: float
    end: float
    host: str = ""
    client: str = ""


@dataclass
class Dials:
    """The dials of one cloud."""

    latency: dict[str, Any] = field(default_factory=dict)
    quota: dict[str, Any] = field(default_factory=dict)
    rights: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    spread: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def scale(self) -> float:
        return float(self.latency.get("scale", 0.0))

    def seconds(self, method: str, kind: str, usual: float) -> float:
        """How long something takes now."""
        own = {key.lower(): value for key, value in self.latency.get("seconds", {}).items()}
        return float(own.get(f"{method} {kind}".lower(), usual)) * self.scale

    def fault(self, method: str, kind: str, path: str) -> Fault | None:
        """The fault that this call meets; every matching one counts it."""
        hits = [fault for fault in self.faults if fault.hits(method, kind, path)]
        return hits[0] if hits else None

    def all(self) -> dict[str, Any]:
        return asdict(self)


def from_json(value: dict[str, Any]) -> Dials:
    """Dials as they were kept, defaults where nothing was."""
    values = {key: {**default, **value.get(key, {})} for key, default in DEFAULTS.items() if key in MAPS}
    return Dials(**values, faults=[Fault(**fault) for fault in value.get("faults", [])])


def _merge(target: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def _bad(message: str) -> Refusal:
    return Refusal(400, "BadDial", message)


def _set_map(cloud: Cloud, name: str, request: Request) -> Answer:
    change = request.json()
    if not isinstance(change, dict):
        raise _bad(f"The dial {name} wants a JSON object.")
    _merge(getattr(cloud.dials, name), change)
    return Answer(200, getattr(cloud.dials, name))


def _faults(cloud: Cloud, request: Request) -> Answer:
    if request.method == "DELETE":
        cloud.dials.faults.clear()
    elif request.method == "POST":
        value = request.json()
        known = {item.name for item in fields(Fault)}
        if not isinstance(value, dict) or not set(value) <= known:
            raise _bad(f"A fault is a JSON object with some of {', '.join(sorted(known))}.")
        cloud.dials.faults.append(Fault(**value))
    return Answer(200, [asdict(fault) for fault in cloud.dials.faults])


def _calls(cloud: Cloud, request: Request) -> Answer:
    if request.method == "DELETE":
        cloud.calls.clear()
    since = float(request.query.get("since", 0))
    return Answer(200, [asdict(entry) for entry in cloud.calls if entry.start >= since])


def answer(cloud: Cloud, request: Request) -> Answer:
    """The control endpoint."""
    path = request.path.rstrip("/") or "/"
    name = path.lstrip("/")
    extra = _EXTRA.get(f"{request.method} {path}")
    try:
        if extra:
            result = extra(cloud, request)
        elif path == "/":
            result = Answer(200, {**cloud.dials.all(), "now": time.time(), "pid": os.getpid()})
        elif name in MAPS and request.method in ("PATCH", "POST", "PUT"):
            result = _set_map(cloud, name, request)
        elif name in MAPS:
            result = Answer(200, getattr(cloud.dials, name))
        elif name == "faults":
            result = _faults(cloud, request)
        elif name == "calls":
            result = _calls(cloud, request)
        elif name == "reset" and request.method == "POST":
            cloud.reset()
            result = Answer(200, {})
        else:
            raise Refusal(404, "NoSuchDial", f"There is no dial {request.method} {path}.")
    except Refusal as refusal:
        return refusal.answer()
    cloud.keep_dials()
    return result
