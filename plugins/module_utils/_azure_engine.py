# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A list of resources made real: read all of them, plan, and only then write, side by side and in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_plan as planning
from ansible_collections.planetary.hub.plugins.module_utils import _azure_types as types
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import deployer_of
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import Comparison
from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import (
    Crew,
    Job,
    Outcome,
    Stopped,
    Task,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_ids import GROUP, folded, last_segment, parse
from ansible_collections.planetary.hub.plugins.module_utils._azure_plan import (
    CREATE,
    DELETE,
    FORBIDDEN,
    NONE,
    UPDATE,
    Planned,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_problems import (
    EVERYWHERE,
    EngineError,
    forbidden,
    missing,
    problems_of,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_references import (
    DEPLOYER,
    Listing,
    MissingValue,
    Reference,
    Wanted,
    is_assignment,
    parseable,
    references,
    resolve,
    value_at,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import UNKNOWN
from ansible_collections.planetary.hub.plugins.module_utils._azure_writer import (
    MAKING,
    MOVING,
    Target,
    Writer,
    assignment_body,
    scope_of,
    state_of,
)
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress


@dataclass(frozen=True)
class Settings:
    """How the engine works; times in seconds."""

    parallel: int = 64
    timeout: float = 5400
    retry_timeout: float = 900
    ignore_tags: tuple[str, ...] = ()


@dataclass
class Resource:
    """One resource on its way."""

    wanted: Wanted
    id: str
    live: dict[str, Any] | None = None
    body: dict[str, Any] = field(default_factory=dict)  # wanted, with references as far as they are known
    planned: Planned | None = None
    settled: bool = False  # live is what the run has left behind

    @property
    def shown(self) -> str:
        return f'resource "{self.wanted.name}" ({self.id})'


class Engine:
    """Brings a list of resources about.

    :param listing: the checked list
    :param warn: told what is odd, but no error
    """

    def __init__(
        self,
        client: AzureClient,
        listing: Listing,
        settings: Settings,
        progress: Progress,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.listing = listing
        self.crew = Crew(settings.parallel, settings.timeout, progress)
        self.writer = Writer(client, settings.retry_timeout, settings.ignore_tags, warn)
        self.resources = {one.name: Resource(one, listing.ids[one.name]) for one in listing.all}
        self.deployer: dict[str, str] = {}
        self._by_id = {folded(one.id): one for one in self.resources.values()}
        self._order = list(TopologicalSorter(listing.needs).static_order())

    # Reading.

    def read(self, wait: bool) -> None:
        """Read every resource, those first whose answers are needed to know others.

        :param wait: whether to wait for what other runs have begun
        :raises EngineError: something cannot be read
        """
        self.deployer = deployer_of(self.writer.client.sign_in().token)
        jobs = [
            Job(name, self._reading(one, wait), needs=frozenset(self._needed_to_read(one)))
            for name, one in self.resources.items()
        ]
        outcome = self.crew.run(jobs, give_up=lambda error: getattr(error, "code", "") in EVERYWHERE)
        self._raise(outcome, "read")

    def _needed_to_read(self, one: Resource) -> set[str]:
        if not is_assignment(one.wanted.id) and UNKNOWN not in one.id:
            return set()
        named = {reference.name for reference in references([one.wanted.id, one.wanted.body])}
        return named & self.resources.keys()

    def _reading(self, one: Resource, wait: bool) -> Callable[[Task], None]:
        def work(task: Task) -> None:
            target = self._target(one, lenient=True)
            if UNKNOWN not in target.id or is_assignment(one.wanted.id):
                moving = MAKING | {"deleting"} if one.wanted.existing else MOVING
                one.live = self.writer.read(task, target, moving if wait else frozenset())
            one.id = target.id

        return work

    def _target(self, one: Resource, lenient: bool = False) -> Target:
        """What to read or write, with references as far as they are known.

        :param lenient: what is not known is unknown, rather than an error
        """

        def look_up(reference: Reference) -> Any:
            return self._value(reference, lenient)

        text = one.id if UNKNOWN not in one.id else str(resolve(one.wanted.id, look_up)).rstrip("/")
        body = resolve(one.wanted.body, look_up)
        untyped = is_assignment(one.wanted.id)
        if untyped:
            body = assignment_body(scope_of(self._collection(text)), body)
        above = self._by_id.get(folded(parse(parseable(text)).parent))
        parent = {**(above.live or {}), **above.body} if above else None
        wanted = one.wanted
        kind = types.of(parseable(self._collection(text) if untyped else text))
        return Target(wanted.name, text, wanted.api_version, kind, body, wanted.headers, parent)

    @staticmethod
    def _collection(text: str) -> str:
        """Role assignments' id without a name."""
        return text if is_assignment(text) else text.rpartition("/")[0]

    def _value(self, reference: Reference, lenient: bool) -> Any:
        """What a reference stands for now."""
        if reference.name == DEPLOYER:
            return value_at(self.deployer, reference)
        one = self.resources[reference.name]
        path = tuple(part.casefold() for part in reference.path)
        if path in (("id",), ("name",)) and UNKNOWN not in one.id and not is_assignment(one.id):
            return one.id if path == ("id",) else last_segment(one.id)
        changes = one.planned is not None and one.planned.action != NONE
        try:
            return value_at(one.live or {}, reference)
        except MissingValue:
            # Under way by another run, it will say its values; a run that writes has waited for them.
            if lenient or one.live is None or changes or state_of(one.live) in MOVING:
                return UNKNOWN
            raise

    # Planning.

    def plan(self) -> list[Planned]:
        """What has to be done, in the order of the list; needs :meth:`read`.

        :raises EngineError: something that must exist does not, or differs in what Azure cannot change
        """
        problems: list[str] = []
        for name in self._order:
            problems += self._plan_one(self.resources[name])
        if problems:
            raise EngineError(problems)
        return self.planned()

    def planned(self) -> list[Planned]:
        return [one.planned for one in self.resources.values() if one.planned]

    def _plan_one(self, one: Resource) -> list[str]:
        if one.wanted.existing:
            one.planned = self._note(one, NONE)
            if one.live is None:
                return [f"{one.shown} does not exist, but is said to be existing; correct its id, or create it first."]
            return []
        try:
            target = self._target(one)
        except MissingValue as error:
            return [missing(one.wanted.name, error)]
        one.body = target.body
        comparison = self.writer.compare(target, one.live)
        if comparison.forbidden:
            one.planned = self._note(one, FORBIDDEN, comparison)
            return forbidden(one.shown, comparison)
        action = NONE if not comparison.steps else UPDATE if one.live else CREATE
        one.planned = self._note(one, action, comparison)
        state = state_of(one.live)
        if action == NONE and state in MOVING:
            unfinished = (("properties.provisioningState", state.capitalize(), "Succeeded"),)
            one.planned = dataclasses.replace(one.planned, action=UPDATE, changes=unfinished)
        return []

    def _note(self, one: Resource, action: str, comparison: Comparison | None = None) -> Planned:
        found = comparison.forbidden or comparison.changes if comparison else ()
        changes = tuple((change.path, change.before, change.after) for change in found)
        body = comparison.steps[0] if comparison and action == CREATE else {}
        kind = parse(parseable(self._collection(one.id) if is_assignment(one.wanted.id) else one.id)).type
        return Planned(one.wanted.name, one.id, kind, action, changes if action in (UPDATE, FORBIDDEN) else (), body)

    def plan_removal(self) -> list[Planned]:
        """What has to be deleted; what others own stays."""
        for one in self.resources.values():
            gone = one.live is None or one.wanted.existing
            one.planned = self._note(one, NONE if gone else DELETE)
        return self.planned()

    # Writing.

    def apply(self) -> None:
        """Write what the plan says; afterwards the plan says what was done.

        :raises EngineError: something was refused for good, or time is over
        """
        if not planning.changed(self.planned()):
            return
        writable = {name: one for name, one in self.resources.items() if not one.wanted.existing}
        jobs = [
            Job(name, self._writing(one), frozenset(self.listing.needs[name] & writable.keys()), self._locks(one))
            for name, one in writable.items()
        ]
        outcome = self.crew.run(jobs, give_up=lambda _: True)
        self._finish(outcome, "written")
        self._refresh(name for name, changed in outcome.results.items() if changed)

    def _refresh(self, written: Iterable[str]) -> None:
        """Read again what answers with its parts in it, such as a network with its subnets."""
        parents = {folded(parse(self.resources[name].id).parent) for name in written}
        stale = [one for id_, one in self._by_id.items() if id_ in parents and parse(id_).type != GROUP]
        jobs = [Job(one.wanted.name, self._reading(one, wait=False)) for one in stale]
        self._raise(self.crew.run(jobs, give_up=lambda _: False), "read")

    def remove(self) -> None:
        """Delete what the plan says, what needs others before them.

        :raises EngineError: as :meth:`apply`
        """
        doomed = {name: one for name, one in self.resources.items() if one.planned and one.planned.action == DELETE}
        needed_by = self.listing.needed_by()
        jobs = [
            Job(name, self._deleting(one), frozenset(needed_by[name] & doomed.keys()), self._locks(one))
            for name, one in doomed.items()
        ]
        self._finish(self.crew.run(jobs, give_up=lambda _: True), "deleted")

    def _locks(self, one: Resource) -> Callable[[], frozenset[str]]:
        def locks() -> frozenset[str]:
            if one.planned is None or one.planned.action == NONE:
                return frozenset()
            target = self._target(one, lenient=True)
            return frozenset() if UNKNOWN in target.id else types.locks(target.id, target.body)

        return locks

    def _writing(self, one: Resource) -> Callable[[Task], bool]:
        def work(task: Task) -> bool:
            before = one.body
            target = self._target(one)
            if one.planned is not None and one.planned.action == NONE and target.body == before:
                return False
            one.body = target.body
            created = one.live is None
            one.live, changes = self.writer.write(task, target)
            one.id, one.settled = target.id, True
            action = NONE if changes is None else CREATE if created else UPDATE
            one.planned = self._note(one, action, changes)
            task.finish("created" if created else "updated")
            return changes is not None

        return work

    def _deleting(self, one: Resource) -> Callable[[Task], bool]:
        def work(task: Task) -> bool:
            task.begin("deleting")
            target = self._target(one, lenient=True)
            there = self.writer.delete(task, target)
            one.live, one.settled = None, True
            task.finish("deleted")
            return there

        return work

    # Ending.

    def _finish(self, outcome: Outcome, verb: str) -> None:
        done = [name for name, changed in outcome.results.items() if changed]
        halted = [name for name, error in outcome.errors.items() if isinstance(error, Stopped)]
        not_started = [
            name
            for name in [*outcome.not_started, *halted]
            if (planned := self.resources[name].planned) and planned.action != NONE
        ]
        try:
            self._raise(outcome, verb)
        except EngineError as error:
            raise EngineError(error.problems, done, not_started) from None

    def _raise(self, outcome: Outcome, verb: str) -> None:
        problems: dict[str, None] = {}
        for name, one in self.resources.items():
            error = outcome.errors.get(name)
            if error is not None and not isinstance(error, Stopped):
                problems |= dict.fromkeys(problems_of(one.wanted.name, one.shown, error, verb))
        if problems:
            raise EngineError(problems)

    def results(self) -> dict[str, Any]:
        """Every resource by symbolic name as it is, or, where nothing was written, as it would be; without secrets."""
        return {name: planning.masked(self._result(one), told=planning.TOLD) for name, one in self.resources.items()}

    def _result(self, one: Resource) -> dict[str, Any] | None:
        action = one.planned.action if one.planned else NONE
        if one.settled or action in (NONE, DELETE):
            return one.live
        return merged(one.live or {"id": one.id, "name": last_segment(one.id)}, one.body)


def merged(live: Any, wanted: Any) -> Any:
    """What is wanted over what lives: maps are joined, anything else is replaced."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        spelt = {str(key).casefold(): key for key in live}
        result = dict(live)
        for key, value in wanted.items():
            if value is not None:
                own = spelt.get(str(key).casefold(), key)
                result[own] = merged(live.get(own), value)
        return result
    return wanted
