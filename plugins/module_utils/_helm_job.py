# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Helm at work in another process: followed until it ends, while the cluster is watched."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._cluster_api import ClusterApi
from ansible_collections.planetary.hub.plugins.module_utils._helm_command import meaning
from ansible_collections.planetary.hub.plugins.module_utils._helm_rollout import (
    Reporter,
    Rollout,
    read_rollout,
    summary,
)
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress, Wait

INTERVAL = 0.25  # seconds between two looks at the job
LOOK = 1.5  # seconds between two looks at the cluster
DEAF = 60.0  # seconds for which the cluster may give no answer


@dataclass(frozen=True)
class Ended:
    """How it ended: what went wrong (empty: nothing), and what was not ready then."""

    problem: str
    waiting: str = ""


class ToldWait(Wait):
    """A wait for something that changes while it is waited for."""

    def say_what(self, what: str) -> None:
        """Say another thing from now on."""
        self._what = what


class Job:
    """A task that Ansible runs asynchronously.

    :param path: its file of results, which Ansible writes when it starts and again when it ends
    :param names: release, namespace and chart, for sentences
    """

    def __init__(self, path: str, names: Mapping[str, Any]) -> None:
        self._path = os.path.expanduser(path)
        self._names = {name: str(names.get(name) or "") for name in ("release", "namespace", "chart")}

    def ended(self) -> str | None:
        """None while it runs; then what went wrong, empty when nothing did."""
        try:
            with open(self._path, encoding="utf-8") as stream:
                found = json.load(stream)
        except FileNotFoundError:
            return "the task that ran Helm left no result"
        except ValueError:
            # Not yet written to its end.
            return None
        if not ({"changed", "failed", "msg", "rc"} & {*found}):
            return None
        if not found.get("failed"):
            return ""
        return meaning(str(found.get("stderr") or found.get("msg") or "it gave no reason"), self._names)

    def forget(self) -> None:
        """Remove its file."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def follow(
    api: ClusterApi,
    given: Mapping[str, Any],
    progress: Progress,
    job: Job | None = None,
    ended: Callable[[], str | None] | None = None,
) -> Ended:
    """Wait for a job (or, without one, until all is ready), and say what becomes of the workloads.

    :param given: a module's options release, namespace and timeout
    :param ended: says whether it has ended, instead of a job
    :raises ClusterError: when the cluster gives no answer for a minute
    :raises Abandoned: when the play is gone
    """
    release, namespace = str(given["release"]), str(given["namespace"])
    asked = ended or (job.ended if job else None)
    reporter, rollout, looked, heard = Reporter(progress), Rollout(), 0.0, time.monotonic()
    wait = ToldWait(float(given["timeout"]), "", progress)
    while True:
        problem = asked() if asked else None
        if problem is not None or time.monotonic() - looked >= LOOK:
            try:
                rollout, heard = read_rollout(api, namespace, release, others=True), time.monotonic()
                reporter.tell(rollout)
            except ClusterError:
                # Helm goes on while a control plane is away for some seconds, and so does this.
                if problem is None and time.monotonic() - heard > DEAF:
                    raise
            looked = time.monotonic()
        if problem is not None:
            return Ended(problem, summary(rollout) if problem else "")
        if asked is None and not rollout.waiting:
            return Ended("")
        wait.say_what(f"waiting for {summary(rollout, 'Helm')}")
        if not wait.pause(INTERVAL):
            return Ended("not everything became ready in time", summary(rollout))
