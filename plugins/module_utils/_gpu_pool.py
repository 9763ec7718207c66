# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""One agent pool, written through azure-mgmt-containerservice: plan first, act last."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing, missing_library
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient, Polling, retry_delay
from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import Comparison, compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError, refusal, unreached
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import passes
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of
from ansible_collections.planetary.hub.plugins.module_utils._cluster_pools import check_pools, read_cluster
from ansible_collections.planetary.hub.plugins.module_utils._node_pool_bodies import API_VERSION, body
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool
from ansible_collections.planetary.hub.plugins.module_utils._progress import Progress
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

SAY_EVERY = 10  # seconds between two lines about a running operation
MOST_WRITES = 3  # of one pool, in case Azure does not keep what it is told


@dataclass(frozen=True)
class Plan:
    """What will happen to the pool. action: create, update, delete, none or unknown (there is no cluster yet)."""

    action: str
    live: Mapping[str, Any] | None = None
    comparison: Comparison = field(default_factory=Comparison)
    warnings: tuple[str, ...] = ()

    @property
    def diff(self) -> dict[str, Any]:
        """Changed properties alone, before and after."""
        if self.action == "delete":
            return {"before": dict(self.live or {}), "after": {}}
        changes = self.comparison.changes
        before = {} if self.live is None else {change.path: change.before for change in changes}
        return {"before": before, "after": {change.path: change.after for change in changes}}


class GpuPool:
    """A pool of a cluster.

    :param client: for everything that is read
    :param cluster_id: full id of the cluster
    :param timeout: seconds for one operation of Azure's
    :param retry_timeout: seconds for which a refusal that passes is waited out
    """

    def __init__(
        self, client: AzureClient, cluster_id: str, name: str, progress: Progress, timeout: float, retry_timeout: float
    ) -> None:
        self.client = client
        self.cluster_id = cluster_id
        self.name = name
        self.id = f"{cluster_id}/agentPools/{name}"
        self.progress = progress
        self.timeout = timeout
        self.retry_timeout = retry_timeout
        self._kind = of(self.id)
        self._cluster: Mapping[str, Any] | None = None

    def plan(self, pool: Pool, where: str, check_mode: bool) -> Plan:
        """What has to be done, and whether it can be.

        :param where: how errors name the pool
        :raises InputError: when Azure would refuse it, in one sentence, before it is asked
        """
        cluster = read_cluster(self.client, self.cluster_id)
        if cluster.live is None:
            if not check_mode:
                raise InputError(f"There is no cluster {self.cluster_id} for {where}; create it first.")
            desired = compare(self._kind, body(pool), None)
            return Plan("unknown", None, desired, (f"What {where} needs is checked when its cluster is there.",))
        live = cluster.pools.get(pool.name)
        self._cluster = cluster.live
        comparison = self._compared(pool, live, where)
        warnings = check_pools([(where, pool)], cluster) if live is None or comparison.steps else []
        action = "create" if live is None else "update" if comparison.steps else "none"
        return Plan(action, live, comparison, tuple(warnings))

    def plan_absent(self) -> Plan:
        """What has to be done so that there is no such pool."""
        live = self.client.get(self.id, API_VERSION)
        return Plan("none" if live is None else "delete", live)

    def apply(self, pool: Pool, plan: Plan, where: str, wait: bool) -> dict[str, Any]:
        """Write the pool and return it as Azure answers it."""
        verb = "is being created" if plan.action == "create" else "is being changed"
        watch = Watch(self.progress, self.name, verb, self.retry_timeout)
        writes = 0
        while True:
            # Right before each write what is there now counts: somebody else may have been at work.
            live = self.client.get(self.id, API_VERSION)
            steps = self._compared(pool, live, where).steps
            if not steps or writes == MOST_WRITES or (writes and not wait):
                return dict(live or {})
            try:
                self._put(steps[0], pool.headers, _etag(live), wait, watch)
                writes += 1
            except AzureError as error:
                if not passes(error, self._kind.put_again) or not watch.wait_out(error):
                    raise

    def delete(self, wait: bool) -> None:
        """Delete the pool; that there is none is no error."""
        watch = Watch(self.progress, self.name, "is being deleted", self.retry_timeout)
        while True:
            try:
                return self._operate("DELETE", wait, watch, lambda pools: pools.begin_delete)
            except AzureError as error:
                if error.absent:
                    return None
                if not passes(error, self._kind.put_again) or not watch.wait_out(error):
                    raise

    def _compared(self, pool: Pool, live: Mapping[str, Any] | None, where: str) -> Comparison:
        comparison = compare(self._kind, body(pool), live, parent=self._cluster)
        if comparison.forbidden:
            first = comparison.forbidden[0]
            raise InputError(
                f"{where} has {first.path} {first.before} and shall get {first.after}, which Azure cannot change: "
                f"{first.remedy.rstrip('.')}."
            )
        return comparison

    def _put(
        self, content: Mapping[str, Any], headers: Mapping[str, str], etag: str | None, wait: bool, watch: Watch
    ) -> None:
        extra = {"headers": dict(headers), **_if_match(etag)}
        self._operate("PUT", wait, watch, lambda pools: pools.begin_create_or_update, dict(content), **extra)

    def _operate(
        self, method: str, wait: bool, watch: Watch, action: Callable[[Any], Any], *content: Any, **extra: Any
    ) -> None:
        """Start an operation with the SDK and follow it to its end."""
        from azure.core.exceptions import AzureError as SdkError

        cluster = ids.parse(self.cluster_id)
        started = False
        try:
            with self._sdk(cluster.subscription) as sdk:
                polling: Any = _Following(time.monotonic() + self.timeout, watch.pause) if wait else False
                begin = action(sdk.agent_pools)
                poller = begin(cluster.group, cluster.name, self.name, *content, polling=polling, **extra)
                started = True
                if wait:
                    poller.result()
                    # The SDK takes a TypeError of its thread for the absence of one.
                    if not poller.done() or not polling.finished():
                        raise AzureError(f"nobody knows how the operation on {self.name} ended", code="NotFollowed")
        except SdkError as error:
            raise self._problem(error, method, started) from None

    def _sdk(self, subscription: str) -> Any:
        try:
            from azure.mgmt.containerservice import ContainerServiceClient
        except ImportError:
            raise LibraryMissing(missing_library("azure-mgmt-containerservice")) from None
        cloud = self.client.cloud
        return ContainerServiceClient(
            self.client.credential,
            subscription,
            base_url=cloud.management,
            credential_scopes=[cloud.management_scope],
            api_version=API_VERSION,
        )

    def _problem(self, error: Any, method: str, started: bool) -> AzureError:
        response = getattr(error, "response", None)
        if response is not None and hasattr(response, "status_code"):
            return refusal(response, method, self.id, operation=started)
        return unreached(error, method, self.id, self.client.cloud.management, "")


class _Following(Polling):
    """Polls through the SDK's own pipeline, which does not know the options of ours."""

    def __init__(self, end: float, pause: Callable[[float, str], None]) -> None:
        super().__init__(end, pause)
        self._operation_config: dict[str, Any] = {}


def _etag(live: Mapping[str, Any] | None) -> str | None:
    return ((live or {}).get("properties") or {}).get("eTag")


def _if_match(etag: str | None) -> dict[str, Any]:
    """Write only over what was read: two who change one pool at once do not undo each other."""
    if not etag:
        return {}
    from azure.core import MatchConditions

    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


class Watch:
    """The wait for an operation: says what goes on, notices when the play has ended.

    :param retry_timeout: seconds for which refusals that pass are waited out
    """

    def __init__(self, progress: Progress, name: str, verb: str, retry_timeout: float) -> None:
        self._progress = progress
        self._what = f"{name} {verb}"
        self._start = self._said = time.monotonic()
        self._end = self._start + retry_timeout
        self._tries = 0
        progress.say(f"{self._what} …")

    def pause(self, seconds: float, reason: str) -> None:
        """Sleep, with a line now and then."""
        if reason:
            self._progress.say(f"{self._what}: {reason}; again in {seconds:.0f} s")
        end = time.monotonic() + seconds
        while True:
            self._progress.check()
            now = time.monotonic()
            if now - self._said >= SAY_EVERY:
                self._said = now
                self._progress.say(f"{self._what} … ({now - self._start:.0f} s)")
            if now >= end:
                return
            time.sleep(min(1.0, end - now))

    def wait_out(self, error: AzureError) -> bool:
        """Wait a little longer each time; whether there was time left to."""
        self._tries += 1
        seconds = error.retry_after or retry_delay(self._tries)
        if time.monotonic() + seconds > self._end:
            return False
        self.pause(seconds, f"Azure says {error.code}")
        return True
