# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What went wrong with resources, as sentences for people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import Comparison
from ansible_collections.planetary.hub.plugins.module_utils._azure_crew import OutOfTime
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_references import MissingValue
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import sentence
from ansible_collections.planetary.hub.plugins.module_utils._azure_writer import Differs

# Errors of the way to Azure rather than of one resource.
EVERYWHERE = frozenset({"Credentials", "Unreachable", "NotTrusted", "NotJson", "ExpiredAuthenticationToken"})


class EngineError(Exception):
    """What is wrong, one sentence for each problem.

    :ivar done: symbolic names of what was written before
    :ivar not_started: symbolic names of what was not begun
    """

    def __init__(self, problems: Iterable[str], done: Iterable[str] = (), not_started: Iterable[str] = ()) -> None:
        self.problems = list(problems)
        self.done = list(done)
        self.not_started = list(not_started)
        super().__init__(" ".join(self.problems))


def problems_of(name: str, shown: str, error: Exception, verb: str) -> list[str]:
    """An error of one resource as sentences; anything unforeseen is raised.

    :param name: its symbolic name
    :param shown: how people are told of it
    :param verb: what was to be done, such as "created"
    """
    if isinstance(error, OutOfTime) or getattr(error, "code", "") == "TimedOut":
        return [f"{shown} was not {verb} in time: {error}; run it again, which goes on from here."]
    if isinstance(error, AzureError):
        return [unreadable(shown, error, verb)]
    if isinstance(error, MissingValue):
        return [missing(name, error)]
    if isinstance(error, Differs):
        return forbidden(shown, error.comparison)
    raise error


def missing(name: str, error: MissingValue) -> str:
    """A reference to a value that is not there."""
    reference = error.reference
    path = ".".join(reference.path)
    return (
        f'resource "{name}" refers to {reference}, but "{reference.name}" has no value {path};'
        " correct the path, or let that resource have it."
    )


def forbidden(shown: str, comparison: Comparison) -> list[str]:
    """What Azure cannot change, and what to do instead."""
    return [
        f"{shown} has {each.path} {_quoted(each.before)}, which cannot become {_quoted(each.after)};"
        f" {each.remedy.rstrip('.')}."
        for each in comparison.forbidden
    ]


def _quoted(value: Any) -> str:
    return "unset" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def unreadable(shown: str, error: AzureError, verb: str) -> str:
    """What Azure said of a resource, or of everything, as a sentence."""
    return as_sentence(str(error)) if error.code in EVERYWHERE else f"{shown} cannot be {verb}: {sentence(error)}."


def as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
