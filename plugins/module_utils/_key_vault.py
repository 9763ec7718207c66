# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a hub wants of its vault: read side by side, generated where it can be, and named where it is missing."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._key_vault_client import (
    VaultClient,
    is_disabled,
    lacks_right,
    sentence,
)
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._secret_certificate import Certificate, read
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

LATER = "(known after apply)"
TAGS = {"made-by": "planetary.hub"}
MAX_THREADS = 32
Result = TypeVar("Result")


@dataclass(frozen=True)
class Wanted:
    """One secret.

    :ivar key: what the hub calls it
    :ivar name: what the vault calls it
    :ivar generate: random bytes to make it of when it is missing; 0: only people have it
    :ivar certificate: it is the secret of a certificate
    :ivar meaning: what it is, for whoever has to set it
    """

    key: str
    name: str
    generate: int = 0
    certificate: bool = False
    meaning: str = ""


@dataclass
class Found:
    """What the vault has of one secret: its value, or why not (``absent``, ``deleted``, ``disabled``)."""

    value: str = ""
    why: str = ""


@dataclass
class Outcome:
    """What the hub gets.

    :ivar values: key to value
    :ivar certificates: key to certificate
    :ivar changes: key to what was done: generated, recovered, rotated
    """

    values: dict[str, str] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)


class Patience:
    """Waits while a right that was just given is spreading.

    :param hopeful: whether there is such a right, asked at the first refusal
    """

    def __init__(self, client: VaultClient, limit: float, hopeful: Callable[[AzureError], bool], progress: Progress):
        self._client = client
        self._limit = limit
        self._hopeful = hopeful
        self._progress = progress

    def __call__(self, ask: Callable[[], Result]) -> Result:
        """Ask until the vault does not refuse for want of a right, or the time is over."""
        try:
            return ask()
        except AzureError as error:
            if not (lacks_right(error) and self._limit and self._hopeful(error)):
                raise
        wait = Wait(self._limit, f"waiting for the right on the vault {self._client.name} to spread", self._progress)
        self._progress.say(f"the right on the vault {self._client.name} was just given: waiting until it is known")
        while True:
            more = wait.pause(2.0)
            try:
                return ask()
            except AzureError as error:
                if not (more and lacks_right(error)):
                    raise


def look(client: VaultClient, name: str) -> Found:
    """One secret as it is in the vault."""
    try:
        bundle = client.secret(name)
    except AzureError as error:
        if is_disabled(error):
            return Found(why="disabled")
        raise
    if bundle is not None:
        return Found(value=str(bundle.get("value") or "").rstrip("\r\n"))
    try:
        return Found(why="deleted" if client.deleted(name) else "absent")
    except AzureError as error:
        # Whoever may read secrets need not be allowed to list deleted ones.
        if error.status == 403:
            return Found(why="absent")
        raise


def bring_about(
    client: VaultClient,
    wanted: list[Wanted],
    *,
    rotate: Iterable[str] = (),
    check: bool = False,
    patience: Callable[[Callable[[], Any]], Any] = lambda ask: ask(),
    progress: Progress | None = None,
) -> Outcome:
    """Read every secret, and generate, recover and rotate those that are not for people.

    :param rotate: keys to generate anew
    :param check: touch nothing
    :raises InputError: one error for all that people have to do
    """
    say = (progress or Progress()).say
    if not wanted:
        return Outcome()
    with ThreadPoolExecutor(MAX_THREADS) as crew:
        # The first alone: one token, and one wait for a right.
        first = patience(lambda: look(client, wanted[0].name))
        found = [first, *crew.map(lambda one: patience(lambda: look(client, one.name)), wanted[1:])]
        state = dict(zip((one.key for one in wanted), found, strict=True))
        refuse_what_people_have_to_do(client.name, wanted, state)
        outcome = Outcome()

        def settle(one: Wanted) -> None:
            now = state[one.key]
            again = one.key in rotate
            if now.why or again:
                outcome.changes[one.key] = _change(now, again)
                if not check:
                    say(f"secret {one.name}: {outcome.changes[one.key]}")
                now.value = LATER if check else patience(lambda: _renew(client, one, now.why == "deleted", again))
            outcome.values[one.key] = now.value

        list(crew.map(settle, wanted))
    outcome.values = {one.key: outcome.values[one.key] for one in wanted}
    for one in wanted:
        if one.certificate:
            outcome.certificates[one.key] = read(one.name, outcome.values.pop(one.key))
    outcome.changes = {one.key: outcome.changes[one.key] for one in wanted if one.key in outcome.changes}
    return outcome


def _change(now: Found, again: bool) -> str:
    if now.why == "deleted" and not again:
        return "recovered"
    return "generated" if now.why else "rotated"


def _renew(client: VaultClient, one: Wanted, deleted: bool, again: bool) -> str:
    if deleted:
        value = str(client.recover(one.name).get("value") or "")
        if not again:
            return value
    value = secrets.token_hex(one.generate)
    client.write(one.name, value, "text/plain", TAGS)
    return value


def refuse_what_people_have_to_do(vault: str, wanted: list[Wanted], state: dict[str, Found]) -> None:
    """Raise one error with a command for each secret that only people can bring about."""
    todo = [
        (one, state[one.key].why)
        for one in wanted
        if state[one.key].why == "disabled"
        or (not one.generate and (state[one.key].why or not state[one.key].value.strip()))
    ]
    if not todo:
        return
    lines = [f"  {command(vault, one, why)}" for one, why in todo]
    count = f"{len(todo)} secrets" if len(todo) > 1 else "a secret"
    raise InputError(
        f"The vault {vault} lacks {count} that the hub needs and that cannot be generated; run what follows, and then"
        " this again:\n" + "\n".join(lines)
    )


def command(vault: str, one: Wanted, why: str) -> str:
    """The command by which people bring one secret about.

    >>> command("v", Wanted("id-client-secret", "pcc--id-client-secret", meaning="client secret"), "absent")
    "az keyvault secret set --vault-name v --name 'pcc--id-client-secret' --value '<client secret>'"
    """
    noun = "certificate" if one.certificate else "secret"
    target = f"--vault-name {vault} --name '{one.name}'"
    if why == "deleted":
        return f"az keyvault {noun} recover {target}"
    if why == "disabled":
        return f"az keyvault {noun} set-attributes {target} --enabled true"
    if one.certificate:
        return f"az keyvault certificate import {target} --file <certificate.pfx>"
    return f"az keyvault secret set {target} --value {shlex.quote(f'<{one.meaning or one.key}>')}"


def problem(error: AzureError, client: VaultClient, vault_id: str) -> str:
    """A refusal as one sentence."""
    said = sentence(error, client.name, vault_id)
    return f"{said[0].upper()}{said[1:]}."


def timed(start: float) -> float:
    """Seconds since then, to a hundredth."""
    return round(time.monotonic() - start, 2)
