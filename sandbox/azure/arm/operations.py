# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Long-running operations: begun, looked at, ended when their time is over; they outlive a restart.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..dials import Entry
from ..store import Operation, Record
from ..web import Answer, Refusal
from .kinds import Call

if TYPE_CHECKING:
    from ..cloud import Cloud

#: Even with all latencies at zero what Azure does not do side by side takes a moment, so that nobody does it unseen.
SHORTEST = 0.02
#: Ended operations can be looked at for an hour.
KEPT = 3600.0
#: Before this share of an operation is over nobody needs to look again (latency scale below 1).
SHARE = 0.1


def stamp(seconds: float) -> str:
    """A time as Azure writes it."""
    fraction = f"{seconds % 1:.7f}"[1:]
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"


def running(cloud: Cloud) -> list[Operation]:
    """The operations that are not over."""
    return [operation for operation in cloud.store.operations.values() if not operation.over]


def of_resource(cloud: Cloud, resource_id: str) -> Operation | None:
    """The operation that runs on a resource."""
    wanted = resource_id.lower()
    return next((one for one in running(cloud) if one.resource.lower() == wanted), None)


def locking(cloud: Cloud, ids: Iterable[str]) -> Operation | None:
    """The operation that locks one of these ids."""
    wanted = {one.lower() for one in ids}
    return next((one for one in running(cloud) if wanted.intersection(one.locks)), None)


def begin(
    call: Call,
    verb: str,
    resource: str,
    seconds: float,
    *,
    locks: Iterable[str] = (),
    location: str = "",
    arguments: Any = None,
) -> Operation:
    """Begin an operation on a resource; ``seconds`` as Azure takes for it, by the dials less or more."""
    cloud, now = call.cloud, call.cloud.now()
    kind = call.target.type if not call.kind else call.kind.name
    operation = Operation(
        id=str(uuid.uuid4()),
        verb=verb,
        type=kind,
        resource=resource,
        started=now,
        ends=now + max(cloud.dials.seconds(verb, kind, seconds), SHORTEST),
        subscription=call.target.subscription,
        location=location or "westeurope",
        api_version=call.api_version,
        locks=sorted({one.lower() for one in locks}),
        arguments=arguments,
    )
    fault = call.cloud.planned_failure
    if fault is not None:
        operation.error = {"code": fault.code, "message": fault.message}
        call.cloud.planned_failure = None
    return cloud.store.keep(operation)


def url(call: Call, operation: Operation, kind: str = "operations") -> str:
    """Where an operation is looked at (``operations``) or its result (``operationResults``)."""
    base = f"https://{call.request.host}/subscriptions/{operation.subscription}"
    namespace = operation.type.partition("/")[0]
    if namespace == "Microsoft.Resources":
        return f"{base}/operationresults/{operation.id}?api-version={operation.api_version}"
    path = f"providers/{namespace}/locations/{operation.location}/{kind}/{operation.id}"
    return f"{base}/{path}?api-version={operation.api_version}"


def advice(cloud: Cloud, operation: Operation, retry_after: int | None) -> dict[str, str]:
    """When to look again. Below scale 1 in milliseconds, so that fast clouds are not waited for."""
    scale = cloud.dials.scale
    if scale >= 1:
        return {} if retry_after is None else {"Retry-After": str(retry_after)}
    wait = min(retry_after or 30, max(0.005, (operation.ends - operation.started) * SHARE))
    return {"x-ms-retry-after-ms": str(math.ceil(wait * 1000))}


def headers(call: Call, operation: Operation, poll: str, retry_after: int | None) -> dict[str, str]:
    """The headers that lead a client to an operation."""
    found = advice(call.cloud, operation, retry_after)
    if poll in ("async", "both"):
        found["Azure-AsyncOperation"] = url(call, operation)
    if poll in ("location", "both"):
        found["Location"] = url(call, operation, "operationResults")
    return found


def look(call: Call, operation: Operation, show: Any) -> Answer:
    """An answer for one who looks at an operation; ``show`` makes a resource's answer out of its record."""
    wants_result = "operationresults" in call.target.path.lower()
    advised = {} if operation.over else advice(call.cloud, operation, _retry_after(call.cloud, operation))
    if not wants_result:
        body = {
            "id": url(call, operation).partition("?")[0].removeprefix(f"https://{call.request.host}"),
            "name": operation.id,
            "status": operation.state,
            "startTime": stamp(operation.started),
        }
        if operation.over:
            body["endTime"] = stamp(operation.ends)
        if operation.state == "Failed":
            body["error"] = operation.error  # type: ignore[assignment]
        elif operation.result is not None and operation.over:
            body["properties"] = operation.result
        return Answer(200, body, advised)
    if not operation.over:
        return Answer(202, None, {**advised, "Location": url(call, operation, "operationResults")})
    if operation.state == "Failed":
        error = operation.error or {}
        raise Refusal(409, error.get("code", "Failed"), error.get("message", "The operation failed."))
    record = call.cloud.store.get(operation.resource)
    if operation.verb in ("PUT", "PATCH", "UPDATE") and record is not None:
        return Answer(200, show(record))
    if operation.verb == "DELETE":
        return Answer(200 if operation.type.startswith("Microsoft.Resources/") else 204)
    return Answer(200 if operation.result is not None else 204, operation.result)


def _retry_after(cloud: Cloud, operation: Operation) -> int | None:
    kind = cloud.kinds.get(operation.type.lower())
    return kind.retry_after if kind else 10


def settle(cloud: Cloud) -> None:
    """End what is over by now, in the order in which it ends."""
    now = cloud.now()
    for operation in sorted(running(cloud), key=lambda one: one.ends):
        if operation.ends <= now:
            _end(cloud, operation)
    for operation in [one for one in cloud.store.operations.values() if one.over and one.ends < now - KEPT]:
        cloud.store.forget(operation)


def _end(cloud: Cloud, operation: Operation) -> None:
    operation.state = "Failed" if operation.error else "Succeeded"
    cloud.store.keep(operation)
    record = cloud.store.get(operation.resource)
    if operation.verb == "DELETE":
        _end_delete(cloud, operation, record)
    elif operation.verb in ("PUT", "PATCH", "UPDATE"):
        _end_write(cloud, operation, record)
    else:
        action = cloud.actions.get(f"post {operation.type}".lower())
        if action and action.done and not operation.error:
            operation.result = action.done(cloud, operation)
    verb = "PUT" if operation.verb == "UPDATE" else operation.verb
    cloud.calls.append(
        Entry("operation", verb, operation.type, operation.resource, operation.state, operation.started, operation.ends)
    )


def _end_write(cloud: Cloud, operation: Operation, record: Record | None) -> None:
    if record is None:
        return
    record.state = operation.state
    cloud.store.put(record)
    kind = cloud.kinds.get(record.type.lower())
    if kind and kind.done and not operation.error:
        kind.done(cloud, record)


def _end_delete(cloud: Cloud, operation: Operation, record: Record | None) -> None:
    if record is None:
        return
    if operation.error:
        record.state = "Failed"
        cloud.store.put(record)
    else:
        delete_now(cloud, record)


def delete_now(cloud: Cloud, record: Record) -> None:
    """Take a resource away with all that lies below it, children first."""
    for one in [*reversed(cloud.store.below(record.id)), record]:
        if cloud.store.remove(one.id) is None:
            continue
        for operation in running(cloud):
            if operation.resource.lower() == one.key:
                operation.state = "Canceled"
                cloud.store.keep(operation)
        kind = cloud.kinds.get(one.type.lower())
        if kind and kind.deleted:
            kind.deleted(cloud, one)
