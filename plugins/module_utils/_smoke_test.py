# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The smoke test: what a user does at a hub, as a list of checks that build on each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError, refusal, shown
from ansible_collections.planetary.hub.plugins.module_utils._kernel import CellError, Kernel, KernelDied
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress, Wait
from ansible_collections.planetary.hub.plugins.module_utils._smoke_report import Failed, Report, Skipped, present, title
from ansible_collections.planetary.hub.plugins.module_utils._smoke_server import end_clusters, end_server, start_server
from ansible_collections.planetary.hub.plugins.module_utils._smoke_settings import Settings

NOTE = "smoke test"  # what the hub's token page says about our tokens
COUNT = 1000  # squares to add up


def expected_threads(cores: float) -> int:
    """Threads of a worker with so many cores: one a core, at least one."""
    return max(int(cores), 1)


class SmokeTest:
    """One run of all checks; state that one check leaves behind and later ones need."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self.progress = progress
        self.report = Report()
        self.hub = Hub(settings.url, settings.ca_file)
        self.token_id = ""
        self.server_ours = False
        self.server_url = ""
        self.kernel: Kernel | None = None
        self.cluster: dict[str, Any] = {}
        self.cluster_asked_at = 0.0
        self.threads: list[int] = []
        self.lacking: dict[str, Any] = {}

    # --- running ------------------------------------------------------------------------------------------------------

    def run(self) -> Report:
        """Run every check whose needs are met, then clean up, whatever happened."""
        stopped = ""
        try:
            for check in CHECKS:
                self._run(check)
        except Abandoned as reason:
            stopped = str(reason)
        except (KeyboardInterrupt, SystemExit):
            stopped = "it was interrupted"
        finally:
            # From here on only the limit counts, not whether somebody still listens.
            self.progress = self.progress.unattended()
            for check in CHECKS[len(self.report.checks) :]:
                self.report.add(check.name, "skipped", 0, f"the test was stopped: {stopped}")
            if stopped:
                self.report.add("run", "failed", 0, f"the test was stopped before its end: {stopped}")
            self._run(Check("clean_up", SmokeTest.clean_up, logs=CLUSTER_LOGS))
        return self.report

    def _run(self, check: Check) -> None:
        passed = {done["name"] for done in self.report.checks if done["status"] == "passed"}
        unmet = next((need for need in check.needs if need not in passed), None)
        started = time.monotonic()
        if unmet:
            status, message = "skipped", f"needs {title(unmet)}, which did not pass"
        else:
            status, message = self._outcome(check)
        seconds = time.monotonic() - started
        if status == "failed":
            message = message.rstrip(".") + self._logs(check)
        self.report.add(check.name, status, seconds, message)
        if not unmet:
            self.progress.say(f"{title(check.name)}: {status} ({seconds:.1f} s){': ' if message else ''}{message}")

    def _outcome(self, check: Check) -> tuple[str, str]:
        try:
            return "passed", check.look(self) or ""
        except Skipped as reason:
            return "skipped", str(reason)
        except (Failed, HubError) as reason:
            return "failed", self._scrubbed(str(reason))
        except Abandoned:
            raise
        except Exception as error:
            # An answer of a shape that nobody thought of fails this check and leaves the clean-up alive.
            return "failed", self._scrubbed(f"an answer was not understood ({type(error).__name__}: {error})")

    def _scrubbed(self, message: str) -> str:
        known = (self.settings.password, self.settings.token, self.settings.service_token, self.hub.token)
        for secret in known:
            if secret:
                message = message.replace(secret, "********")
        return message

    def _logs(self, check: Check) -> str:
        found = [f"{name}: {path}" for name, path in self.settings.logs.items() if name in check.logs]
        return f" (log of {', '.join(found)})" if found else ""

    def _wait(self, seconds: float, what: str) -> Wait:
        return Wait(seconds, what, self.progress)

    def _step(self, step: str, limit: float, what: str, **arguments: Any) -> dict[str, Any]:
        """One function of the proof, run in the kernel."""
        if self.kernel is None:
            raise Skipped("the kernel is lost")
        try:
            return self.kernel.run(f"show({step!r}, {arguments!r})", self._wait(limit, what))
        except KernelDied:
            self.kernel = None
            raise

    # --- checks, in their order ---------------------------------------------------------------------------------------

    def sign_in(self) -> str:
        settings = self.settings
        if settings.token:
            self.hub.sign_in_with_token(settings.token, settings.user)
            return f"as {self.hub.user}, with the API token given"
        lifetime = int(settings.limits.total)
        if settings.service_token:
            token, user = settings.service_token, settings.user
            self.token_id = self.hub.sign_in_by_service(user, token, lifetime, NOTE)
            return f"as {self.hub.user}, with a token made by the hub's service for it"
        self.token_id = self.hub.sign_in(settings.user, settings.password, lifetime, NOTE)
        return f"as {self.hub.user}, through the login form"

    def clean_start(self) -> str:
        """What a killed run left behind goes first."""
        wait = self._wait(self.settings.limits.clean_up, "taking down what an earlier run left")
        unknown = ""
        try:
            found = [f"Dask cluster {name}" for name in end_clusters(self.hub, self.settings.gateway, wait)]
        except HubError as reason:
            # Whether there is a gateway at all is a check of its own.
            found, unknown = [], f"whether it left a Dask cluster is not known: {reason}"
        if end_server(self.hub, wait):
            found.append("a server")
        if not self.settings.token:
            stale = [token for token in self.hub.tokens() if token.get("note") == NOTE and token["id"] != self.token_id]
            for token in stale:
                self.hub.revoke(token["id"])
                found.append("an API token")
        gone = f"an earlier run had left {', '.join(found)}: gone now" if found else ""
        return "; ".join(part for part in (gone, unknown) if part)

    def server(self) -> str:
        profile = self.settings.profile
        wait = self._wait(self.settings.limits.start, "server is starting")
        self.server_ours = True
        started = start_server(self.hub, {"profile": profile} if profile else {}, wait, self.progress)
        self.report.seconds_to_server = round(wait.passed, 3)
        self.server_url = self.hub.server_address(started)
        return f"ready at {shown(self.server_url)}"

    def jupyterlab(self) -> str:
        wait = self._wait(self.settings.limits.request, "waiting for JupyterLab")
        url = self.server_url + "lab"
        while True:
            response = self.hub.request("GET", url)
            if response.ok and "jupyter-config-data" in response.text and "JupyterLab" in response.text:
                return f"HTTP 200 from {shown(response.url)}"
            if not wait.pause():
                seen = f"a page of {shown(response.url)} that is not JupyterLab" if response.ok else refusal(response)
                raise Failed(f"no JupyterLab within {wait.limit:.0f} s: {seen}")

    def start_kernel(self) -> str:
        self.kernel = Kernel(self.hub, self.server_url)
        wait = self._wait(self.settings.limits.compute, "kernel is starting")
        self.kernel.run(self.settings.proof + "\nprint('{}')", wait)
        return ""

    def profile_limits(self) -> str:
        wanted = (self.settings.cpu_limit, self.settings.memory_limit)
        if wanted == (None, None):
            raise Skipped("no limits are given")
        seen = self._notebook([])
        found: list[str] = []
        for name, value in zip(("cpu_limit", "mem_limit"), wanted, strict=True):
            if value is None:
                continue
            if not seen[name] or float(seen[name]) != value:
                raise Failed(f"{name.upper()} is {seen[name] or 'not set'} in the notebook, not {value}")
            found.append(f"{name.upper()}={seen[name]}")
        return ", ".join(found)

    def notebook_environment(self) -> str:
        names = self._names("notebook")
        return present("the notebook", names, self._notebook(names)["missing"])

    def _notebook(self, names: list[str]) -> dict[str, Any]:
        limit = self.settings.limits.compute
        return self._step("notebook_environment", limit, "looking at the notebook's environment", names=names)

    def gateway(self) -> str:
        seen = self._step("connect", self.settings.limits.compute, "waiting for the gateway's answer")
        return f"{seen['address']} lists {len(seen['clusters'])} clusters"

    def start_cluster(self) -> str:
        self.cluster_asked_at = time.monotonic()
        options = dict(self.settings.cluster_options)
        self.cluster = self._step("start_cluster", self.settings.limits.cluster, "cluster is starting", options=options)
        return str(self.cluster["name"])

    def worker(self) -> str:
        wait = self._wait(self.settings.limits.worker, "waiting for the worker")
        connection = "unknown"
        try:
            self._step("scale", wait.left, "asking for a worker", workers=1)
            while not self.threads and wait.tick():
                seen = self._step("worker_threads", wait.left, "waiting for the worker", seconds=2)
                self.threads, connection = seen["threads"], seen["client"]
        except CellError:
            if wait.left:
                raise
            connection = "no answer"
        if not self.threads:
            raise Failed(f"no worker came within {wait.limit:.0f} s (connection to the scheduler: {connection})")
        self.report.seconds_to_worker = round(time.monotonic() - self.cluster_asked_at, 3)
        return ""

    def worker_threads(self) -> str:
        cores = self.cluster.get("worker_cores")
        if cores is None:
            raise Skipped("the gateway offers no option worker_cores")
        wanted = expected_threads(cores)
        if self.threads != [wanted]:
            raise Failed(f"a worker of {cores:g} cores has {self.threads[0]} threads, not {wanted}")
        return f"{wanted} with {cores:g} cores"

    def computation(self) -> str:
        seen = self._step("compute", self.settings.limits.compute, "computing", count=COUNT)
        wanted = sum(number * number for number in range(COUNT))
        if seen["total"] != wanted:
            raise Failed(f"the sum of the first {COUNT} squares came out as {seen['total']}, not {wanted}")
        if not seen["on_workers"]:
            raise Failed("the result is right, but the notebook computed it, not the worker")
        return f"the sum of the first {COUNT} squares is {wanted}"

    def dashboard(self) -> str:
        link = self.cluster.get("dashboard")
        if not link:
            raise Failed("the cluster has no dashboard link")
        url = urljoin(self.hub.url, link)
        wait = self._wait(self.settings.limits.request, "waiting for the dashboard")
        while True:
            response = self.hub.request("GET", url)
            arrived = shown(response.url) == shown(url)
            if response.ok and arrived:
                return f"HTTP 200 from {shown(url)}"
            if not wait.pause():
                raise Failed(refusal(response) if arrived else f"{shown(url)} leads to {shown(response.url)}")

    def scheduler_environment(self) -> str:
        names = self._names("scheduler")
        return present("the scheduler", names, self._cluster_lacks()["scheduler"])

    def worker_environment(self) -> str:
        names = self._names("worker")
        if not self._cluster_lacks()["workers"]:
            raise Failed("the worker is gone")
        return present("the worker", names, self._cluster_lacks()["worker"])

    def _cluster_lacks(self) -> dict[str, Any]:
        if not self.lacking:
            wanted = {place: list(self.settings.environment.get(place, [])) for place in ("scheduler", "worker")}
            limit = self.settings.limits.compute
            self.lacking = self._step("cluster_environment", limit, "looking at the cluster's environment", **wanted)
        return self.lacking

    def _names(self, place: str) -> list[str]:
        names = list(self.settings.environment.get(place, []))
        if not names:
            raise Skipped("no variable is named")
        return names

    def stop_cluster(self) -> str:
        self._step("stop_cluster", self.settings.limits.clean_up, "cluster is stopping")
        wait = self._wait(self.settings.limits.clean_up, "waiting for the cluster's end")
        while self.hub.clusters(self.settings.gateway):
            if not wait.pause():
                raise Failed(f"the cluster is still there {wait.limit:.0f} s after its shutdown")
        return ""

    # --- the end ------------------------------------------------------------------------------------------------------

    def clean_up(self) -> str:
        """Kernel, cluster, server, token, session: each is tried, however the others went."""
        wait = self._wait(self.settings.limits.clean_up, "cleaning up")
        left: list[str] = []
        for what, needed, end in (
            ("the kernel", self.kernel, self._end_kernel),
            ("Dask clusters", self.cluster_asked_at, lambda: end_clusters(self.hub, self.settings.gateway, wait)),
            ("the server", self.server_ours, lambda: end_server(self.hub, wait)),
            ("the API token", self.token_id, lambda: self.hub.revoke(self.token_id)),
            ("the session", True, self.hub.sign_out),
        ):
            try:
                if needed:
                    end()
            except (Failed, HubError) as reason:
                left.append(f"{what} ({reason})")
        if left:
            raise Failed(f"not cleaned up: {', '.join(left)}")
        return ""

    def _end_kernel(self) -> None:
        if self.kernel:
            self.kernel.close()


@dataclass(frozen=True)
class Check:
    """One thing to look at.

    :param look: returns what was seen; raises :class:`Failed`, :class:`HubError` or :class:`Skipped`
    :param needs: checks that must have passed
    :param logs: services whose logs tell more
    """

    name: str
    look: Callable[[SmokeTest], str]
    needs: tuple[str, ...] = ()
    logs: tuple[str, ...] = ("hub",)


CLUSTER_LOGS = ("hub", "dask-gateway")
CHECKS: tuple[Check, ...] = (
    Check("sign_in", SmokeTest.sign_in),
    Check("clean_start", SmokeTest.clean_start, ("sign_in",)),
    Check("server", SmokeTest.server, ("clean_start",)),
    Check("jupyterlab", SmokeTest.jupyterlab, ("server",)),
    Check("kernel", SmokeTest.start_kernel, ("server",)),
    Check("profile_limits", SmokeTest.profile_limits, ("kernel",)),
    Check("notebook_environment", SmokeTest.notebook_environment, ("kernel",)),
    Check("gateway", SmokeTest.gateway, ("kernel",), CLUSTER_LOGS),
    Check("cluster", SmokeTest.start_cluster, ("gateway",), CLUSTER_LOGS),
    Check("worker", SmokeTest.worker, ("cluster",), CLUSTER_LOGS),
    Check("worker_threads", SmokeTest.worker_threads, ("worker",), CLUSTER_LOGS),
    Check("computation", SmokeTest.computation, ("worker",), CLUSTER_LOGS),
    Check("dashboard", SmokeTest.dashboard, ("cluster",), CLUSTER_LOGS),
    Check("scheduler_environment", SmokeTest.scheduler_environment, ("cluster",), CLUSTER_LOGS),
    Check("worker_environment", SmokeTest.worker_environment, ("worker",), CLUSTER_LOGS),
    Check("cluster_shutdown", SmokeTest.stop_cluster, ("cluster",), CLUSTER_LOGS),
)
