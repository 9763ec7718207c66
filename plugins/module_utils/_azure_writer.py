# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Reading and writing one resource: right before each write it is read again, and refusals that pass are waited out."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_types as types
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient, poll_delay
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import Comparison, compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import Task
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_ids import last_segment, parse, same
from ansible_collections.planetary.hub.plugins.module_utils._azure_references import is_assignment
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import (
    is_denied,
    is_taken_by_deleted,
    passes,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_turns import Turn, Turns
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import UNKNOWN, get

# States of a resource that is still being made, by this run, another one, or one that was killed.
MAKING = frozenset({"accepted", "creating", "inprogress", "pending", "provisioning", "registeringdns", "resolvingdns"})
MOVING = MAKING | {
    "deleting",
    "migrating",
    "reconcilingclusteretcdcertificates",
    "rotatingclustercertificates",
    "running",
    "scaling",
    "starting",
    "stopping",
    "updating",
    "upgrading",
    "upgradingnodeimageversion",
}
SPREAD = 600.0  # seconds that a role assignment may take until it counts everywhere
# Seconds for which a principal may be unknown that we did not see being made: in another region, Entra ID learns of a
# new one a little later. Source: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
UNKNOWN_PRINCIPAL = 60.0
WRITES = 2  # of the same properties: some defaults give way only to the second

EXISTS = "RoleAssignmentExists"
NO_PRINCIPAL = "PrincipalNotFound"
# What the one whose turn it is waits out; after any other refusal it is another's turn.
NETWORK_BUSY = frozenset({"SetVNetOwnershipFailed", "VirtualNetworkNotInSucceededState"})
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


class Differs(Exception):
    """A property that Azure cannot change differs; found only when the value was known."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.comparison = comparison


@dataclass
class Target:
    """What a write is about.

    :ivar id: of a role assignment without a name, the collection; becomes the assignment's own
    """

    name: str
    id: str
    api_version: str
    kind: ResourceType
    body: dict[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parent: Mapping[str, Any] | None = None

    @property
    def address(self) -> str:
        """Where it is read in full."""
        return f"{self.id}?{self.kind.query}" if self.kind.query else self.id


def state_of(live: Mapping[str, Any] | None) -> str:
    """The provisioning state, folded; empty without one."""
    return str(get(live or {}, "properties.provisioningState") or "").casefold()


def assignment_body(scope: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A role assignment's body with what may be left out: the kind of principal, the path of the role."""
    properties = {"principalType": "ServicePrincipal", **(body.get("properties") or {})}
    role = str(properties.get("roleDefinitionId") or "")
    if role and "/" not in role and UNKNOWN not in scope:
        subscription = parse(scope).subscription
        above = f"/subscriptions/{subscription}" if subscription else ""
        properties["roleDefinitionId"] = f"{above}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {**body, "properties": properties}


def assignment_name(scope: str, role: str, principal: str) -> str:
    """The name of a role assignment that we create: the same for the same three things."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{last_segment(role)}|{principal}".casefold()))


def seconds_of(moment: Any) -> float:
    """Azure's spelling of a moment as seconds since 1970; 0.0 for what is none."""
    try:
        found = datetime.datetime.fromisoformat(str(moment))
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def scope_of(text: str) -> str:
    """The scope of role assignments' id without a name."""
    return text.rstrip("/")[: -len(ASSIGNMENTS) - 1] or "/"


def refusal_delay(passed: float) -> float:
    """Seconds until a refused write is tried again, when Azure does not say: a quarter of what has passed.

    >>> [refusal_delay(0), refusal_delay(20), refusal_delay(300)]
    [0.2, 5.0, 15.0]
    """
    return min(15.0, max(0.2, passed / 4))


def principals_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """Folded object ids of the principals that a resource brings along: managed identities.

    >>> principals_of({"identity": {"principalId": "A"}, "properties": {"principalId": "b"}}) == {"a", "b"}
    True
    """
    profiles = get(resource, "properties.identityProfile") or {}
    found = [get(resource, "identity.principalId"), get(resource, "properties.principalId")]
    found += [profile.get("objectId") for profile in profiles.values()]
    return frozenset(str(one).casefold() for one in found if one)


def longest_wait(error: AzureError, retry_timeout: float, new_principal: bool) -> float:
    """Seconds for which one resource may be refused for this reason.

    :param new_principal: whether the principal of a role assignment was made in this run, or minutes ago
    """
    if is_denied(error):
        return min(SPREAD, retry_timeout)
    if NO_PRINCIPAL in error.codes:
        return min(SPREAD if new_principal else UNKNOWN_PRINCIPAL, retry_timeout)
    return retry_timeout


class Writer:
    """Reads and writes resources; used by many threads.

    :param retry_timeout: seconds for which one resource may be refused
    :param ignore_tags: patterns of tags that others own
    :param warn: told what is odd, but no error
    """

    def __init__(
        self, client: AzureClient, retry_timeout: float, ignore_tags: tuple[str, ...], warn: Callable[[str], None]
    ) -> None:
        self.client = client
        self.retry_timeout = retry_timeout
        self.ignore_tags = ignore_tags
        self.warn = warn
        self._turns = Turns()
        # Seconds since 1970 at which the last role assignment that we know of was made.
        self._assigned = 0.0
        # Principals that are so new that Entra ID may not know them everywhere.
        self._new_principals: set[str] = set()

    # Reading.

    def read(self, task: Task, target: Target, wait_for: frozenset[str] = frozenset()) -> dict[str, Any] | None:
        """A resource as it is; first those states are waited out. A role assignment is looked for."""
        if is_assignment(target.id):
            return self.find(task, target)
        start = time.monotonic()
        while True:
            live = self.client.get(target.address, target.api_version, pause=task.pause)
            state = state_of(live)
            if state not in wait_for:
                if live and self._is_young(get(live, "systemData.createdAt")):
                    self._note_principals(target, live)
                return live
            task.pause(poll_delay(time.monotonic() - start), f"it is {state}, which another run has begun")

    def find(self, task: Task, target: Target) -> dict[str, Any] | None:
        """The role assignment of this scope, role and principal; the target gets its id, or the one it would have."""
        scope = scope_of(target.id)
        properties = target.body.get("properties") or {}
        principal, role = str(properties.get("principalId")), str(properties.get("roleDefinitionId"))
        if UNKNOWN in f"{scope}{principal}{role}":
            target.id = f"{target.id}/{UNKNOWN}"
            return None
        query = {"$filter": f"principalId eq '{principal}'"}
        entries = self.client.list(target.id, target.api_version, query, pause=task.pause) or []
        for entry in entries:
            its = entry.get("properties") or {}
            if same(str(its.get("scope")), scope) and same(
                last_segment(str(its.get("roleDefinitionId"))), last_segment(role)
            ):
                target.id = entry["id"]
                self._note_assignment(its.get("createdOn"))
                return entry
        target.id = f"{target.id}/{assignment_name(scope, role, principal)}"
        return None

    def _note_assignment(self, created: Any) -> None:
        """A young assignment may not count everywhere yet, whoever made it."""
        self._assigned = max(self._assigned, seconds_of(created))

    def _note_principals(self, target: Target, live: Mapping[str, Any]) -> None:
        if target.kind.name.casefold() != "microsoft.authorization/roleassignments":
            self._new_principals |= principals_of(live)

    @staticmethod
    def _is_young(created: Any) -> bool:
        return created is not None and seconds_of(created) + SPREAD > time.time()

    def is_new(self, principal: Any) -> bool:
        """Whether a principal was made in this run, or minutes ago by another one."""
        return str(principal).casefold() in self._new_principals

    # Writing.

    def compare(self, target: Target, live: Mapping[str, Any] | None) -> Comparison:
        return compare(target.kind, target.body, live, self.ignore_tags, parent=target.parent)

    def write(self, task: Task, target: Target) -> tuple[dict[str, Any], Comparison | None]:
        """Make a resource what is wanted.

        :returns: the resource, and what was changed (None for nothing)
        :raises Differs: Azure cannot make it so
        """
        turn = self._turns.turn(types.turn(target.id, target.body))
        try:
            return self._write(task, target, turn)
        finally:
            turn.give()

    def _write(self, task: Task, target: Target, turn: Turn) -> tuple[dict[str, Any], Comparison | None]:
        patience = _Patience(self, target)
        first: Comparison | None = None
        written: dict[str, Any] | None = None
        sent: list[tuple[str, ...]] = []
        while True:
            live = written or self._fresh(task, target)
            written = None
            comparison = self.compare(target, live)
            if comparison.forbidden:
                raise Differs(comparison)
            if not comparison.steps:
                return live or {}, first
            paths = tuple(change.path for change in comparison.changes)
            if sent.count(paths) == WRITES:
                self.warn(f'Azure does not keep what it was told of "{target.name}" ({target.id}): {", ".join(paths)}.')
                return live or {}, first
            if first is None:
                task.begin("updating" if live else "creating")
                first = comparison
            if not live:
                turn.take(task)
            try:
                # Only the first step: what Azure makes of it is compared again.
                written = self._put(task, target, live, comparison.steps[0], patience.recover, turn.give)
                sent.append(paths)
            except AzureError as error:
                if error.codes & NETWORK_BUSY:
                    turn.refused()
                else:
                    turn.give()
                if EXISTS in error.codes:
                    target.id = target.id.rpartition("/")[0]
                    written = self.find(task, target)
                if written is None:
                    patience.consider(task, error)
            if written is not None and not live:
                self._note_principals(target, written)
            if written is not None and target.kind.name.casefold() == "microsoft.authorization/roleassignments":
                self._assigned = time.time()

    def _fresh(self, task: Task, target: Target) -> dict[str, Any] | None:
        return self.read(task, target, MOVING)

    def _put(
        self,
        task: Task,
        target: Target,
        live: Mapping[str, Any] | None,
        body: dict[str, Any],
        recover: bool,
        accepted: Callable[[], None],
    ) -> dict[str, Any]:
        headers = dict(target.headers)
        etag = get(live, target.kind.etag_at) if live and target.kind.etag else None
        if etag:
            headers["If-Match"] = str(etag)
        if recover and not live:
            body = {**body, "properties": {**body.get("properties", {}), "createMode": "recover"}}
        answer = self.client.put(
            target.id,
            target.api_version,
            body,
            headers=headers,
            timeout=task.left,
            retry_timeout=self.retry_timeout,
            pause=task.pause,
            accepted=accepted,
        )
        if target.kind.query:
            answer = self.client.get(target.address, target.api_version, pause=task.pause) or answer
        return answer

    def delete(self, task: Task, target: Target) -> bool:
        """Remove a resource; whether there was one."""
        patience = _Patience(self, target)
        while True:
            try:
                return self.client.delete(
                    target.id,
                    target.api_version,
                    headers=dict(target.headers),
                    timeout=task.left,
                    retry_timeout=self.retry_timeout,
                    pause=task.pause,
                )
            except AzureError as error:
                patience.consider(task, error)

    def spreading(self) -> float:
        """Seconds for which the last role assignment may still be unknown somewhere; 0 for none."""
        return max(0.0, self._assigned + SPREAD - time.time())


class _Patience:
    """Decides after each refusal of one resource whether it is tried again, and waits."""

    def __init__(self, writer: Writer, target: Target) -> None:
        self._writer = writer
        self._target = target
        self._since: float | None = None
        self.recover = False

    def consider(self, task: Task, error: AzureError) -> None:
        """Wait, or raise what Azure said for good."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if self._target.kind.soft_delete and is_taken_by_deleted(error) and not self.recover:
            self.recover = True
            task.pause(0, "a deleted one of this name is brought back")
            return
        reason = self._reason(error)
        wait = refusal_delay(now - self._since) if error.retry_after is None else error.retry_after
        new = self._writer.is_new(get(self._target.body, "properties.principalId"))
        if not reason or now + wait - self._since > longest_wait(error, self._writer.retry_timeout, new):
            raise error
        task.again(wait, f"{reason} ({error.code})")

    def _reason(self, error: AzureError) -> str:
        """Why it is worth a new try; empty when it is not."""
        if passes(error, self._target.kind.put_again):
            return "Azure is busy with it or with what it needs"
        if is_denied(error) and self._writer.spreading():
            return "a new role assignment does not count everywhere yet, which takes up to ten minutes"
        if EXISTS in error.codes:
            return "Azure has the same role assignment, but does not list it yet"
        if error.operation and (error.status == 404 or error.status >= 500):
            return "Azure lost sight of the operation"
        return ""
