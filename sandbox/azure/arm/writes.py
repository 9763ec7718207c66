# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Create, change, delete: what Azure Resource Manager checks before it asks a provider, and what it keeps."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ..schema import problems
from ..sdk_models import load
from ..store import Operation, Record
from ..web import Answer, Refusal
from . import answers, identity, operations
from .ids import parse
from .kinds import Body, Call, ResourceType, change, find_key, look, merged, spelt, valid_name, verb_of, without_nulls
from .locations import REGIONS, normal

if TYPE_CHECKING:
    from ..cloud import Cloud

GROUP = "Microsoft.Resources/resourceGroups"
#: What every body may carry and nobody may set.
ENVELOPE = ("id", "name", "type", "etag", "systemData")


# -------------------------------------------------------------------------------------------------- where it is written
def group_of(call: Call) -> Record | None:
    """The resource group of the target; refuses when it is not there."""
    if not call.target.group:
        return None
    group = call.cloud.store.get(call.target.group_id)
    if group is None:
        raise Refusal(404, "ResourceGroupNotFound", f"Resource group '{call.target.group}' could not be found.")
    return group


def _writable(call: Call) -> None:
    group = group_of(call)
    if group is not None and group.state == "Deleting":
        message = f"The resource group '{group.name}' is in deprovisioning state and cannot perform this operation."
        raise Refusal(409, "ResourceGroupBeingDeleted", message)


def spelt_id(call: Call) -> str:
    """The id of the target in Azure's spelling: the types' own, names as they were given when created."""
    cloud, target = call.cloud, call.target
    assert call.kind is not None
    if target.parent:
        above = cloud.store.get(target.parent)
        base = above.id if above else target.parent
        return f"{base}/{call.kind.short.rpartition('/')[2]}/{target.name}"
    above = cloud.store.get(target.scope)
    base = above.id if above else target.scope
    return f"{base}/providers/{call.kind.namespace}/{call.kind.short}/{target.name}"


def refuse_busy(call: Call, kind: ResourceType, operation: Operation) -> None:
    """A running operation is in the way."""
    status, code, message = kind.busy
    address = operations.url(call, operation)
    raise Refusal(status, code, message.replace("{operation}", address), details=[])


def locks_of(call: Call) -> list[str]:
    """What is locked while the target is written: itself, and what its type says."""
    assert call.kind is not None
    more = call.kind.siblings(call) if call.kind.siblings else ()
    return [call.target.path.lower(), *(one.lower() for one in more)]


def check_busy(call: Call, locks: list[str]) -> None:
    """Refuse while an operation runs on the resource, on one above it, or on one that it locks."""
    assert call.kind is not None
    chain, parent = [call.target.path], call.target.parent
    while parent:
        chain.append(parent)
        parent = parse(parent).parent
    running = operations.locking(call.cloud, locks) or next(
        (found for one in chain if (found := operations.of_resource(call.cloud, one))), None
    )
    if running is not None:
        refuse_busy(call, call.kind, running)


# ------------------------------------------------------------------------------------------------------ what is written
def _is_object(call: Call) -> Body:
    if not isinstance(call.body, dict):
        raise Refusal(400, "InvalidRequestContent", "The request content was invalid: the body must be a JSON object.")
    return call.body


def check_model(kind: ResourceType, body: Body, *, whole: bool = True) -> None:
    """Refuse what the official model of the body does not know.

    What only Azure writes is not looked at: it comes back when a client sends what it has read.

    :param whole: whether what is required has to be there
    """
    if not kind.model:
        return
    every = problems(body, kind.model)
    ignored = tuple(one.path for one in every if one.kind == "read_only")
    found = [
        one
        for one in every
        if not any(one.path == path or one.path.startswith((f"{path}.", f"{path}[")) for path in ignored)
        and (whole or one.kind != "required")
    ]
    if not found:
        return
    first = found[0]
    if kind.namespace == "Microsoft.Network":
        details = [{"code": "InvalidJson", "message": one.message} for one in found]
        raise Refusal(400, "InvalidRequestFormat", "Cannot parse the request.", details=details)
    message = f"The request content was invalid and could not be deserialized: '{first.message}'."
    raise Refusal(400, "InvalidRequestContent", message)


def _check_location(call: Call, kind: ResourceType, body: Body, live: Record | None) -> None:
    if not kind.tracked:
        return
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    body["location"] = normal(location)
    if body["location"] not in REGIONS and body["location"] != "global":
        message = (
            f"The provided location '{location}' is not available for resource type '{kind.name}'. List of available "
            "regions for "
            f"the resource type is '{','.join(REGIONS)}'."
        )
        raise Refusal(400, "LocationNotAvailableForResourceType", message)
    if live is not None and normal(live.body.get("location", "")) != body["location"]:
        message = (
            f"The resource '{live.name}' already exists in location '{live.body['location']}' in resource group "
            f"'{call.target.group}'. A resource with the same name cannot be created in location "
            f"'{body['location']}'. Please "
            "select a new resource name."
        )
        raise Refusal(409, "InvalidResourceLocation", message)


def check_tags(tags: Any) -> None:
    """Refuse tags that Azure would not take."""
    if tags is None:
        return
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values() if value is not None):
        message = (
            "The request content was invalid and could not be deserialized: 'Error converting value to type 'tags'.'."
        )
        raise Refusal(400, "InvalidRequestContent", message)
    if len(tags) > 50:
        message = f"The maximum number of tags on a resource is 50, but {len(tags)} were given."
        raise Refusal(400, "TooManyTags", message)
    for key, value in tags.items():
        if len(key) > 512 or len(value or "") > 256 or not key:
            message = f"Tag name must be 1 to 512 characters and tag value must be less than 256 characters: '{key}'."
            raise Refusal(400, "InvalidTagNameLength", message)
        if any(sign in key for sign in "<>%&\\?/"):
            message = f"The tag names '{key}' have reserved characters '<,>,%,&,\\,?,/' or control characters."
            raise Refusal(400, "InvalidTagNameCharacters", message)


def check_match(call: Call, kind: ResourceType, live: Record | None) -> None:
    """``If-Match`` and ``If-None-Match``."""
    wanted, unwanted = call.request.headers.get("if-match"), call.request.headers.get("if-none-match")
    if kind.etag and wanted and wanted != "*":
        etag = wanted.removeprefix("W/").strip('"')
        if live is None or live.etag != etag:
            message = f"Precondition failed: the etag of resource {call.target.path} is not {wanted}."
            raise Refusal(412, "PreconditionFailed", message)
    if wanted == "*" and live is None:
        raise Refusal(412, "PreconditionFailed", f"Precondition failed: resource {call.target.path} does not exist.")
    if unwanted == "*" and live is not None:
        raise Refusal(412, "PreconditionFailed", f"Precondition failed: resource {call.target.path} exists already.")


def _check_immutable(kind: ResourceType, body: Body, live: Record | None) -> None:
    for path, (code, message) in kind.immutable.items():
        old = look(live.body, path) if live else None
        new = look(body, path)
        if old is None or new is None:
            continue
        same = new.lower() == old.lower() if isinstance(new, str) and isinstance(old, str) else new == old
        if not same:
            raise Refusal(409, code, message.replace("{old}", str(old)).replace("{new}", str(new)))


def kept(call: Call, kind: ResourceType, body: Body, live: Record | None) -> tuple[Body, Body]:
    """What is stored of a checked body, and what is hidden of it."""
    private = copy.deepcopy(live.private) if live else {}
    for path in kind.write_only:
        for old in change(body, path, lambda value: value, remove=True):
            private[path] = old
    body = merged(kind.defaults, body) if kind.defaults else body
    identity.fill(call, body, live)
    return (kind.store(call, body, live) if kind.store else body), private


def _clean(kind: ResourceType, body: Body) -> Body:
    """A body without what nobody may set."""
    body = copy.deepcopy(body)
    for name in ENVELOPE:
        if (key := find_key(body, name)) is not None:
            del body[key]
    for path in ("properties.provisioningState", *kind.read_only):
        change(body, path, lambda value: value, remove=True)
    return body


def _prepare(call: Call, kind: ResourceType, body: Body, live: Record | None) -> tuple[Body, Body]:
    check_tags(body.get("tags"))
    _check_location(call, kind, body, live)
    spelt(kind, body)
    _check_immutable(kind, body, live)
    if kind.check:
        kind.check(call, body, live)
    return kept(call, kind, body, live)


def _write(call: Call, kind: ResourceType, method: str, prepared: tuple[Body, Body], locks: list[str]) -> Answer:
    cloud, live, now = call.cloud, call.live, call.cloud.now()
    body, private = prepared
    new = live is None
    if live is None:
        live = Record(spelt_id(call), kind.name, {}, created=now)
    live.body, live.private, live.changed = body, private, now
    verb = "UPDATE" if method == "PUT" and not new and "UPDATE" in kind.seconds else method
    headers = {}
    if method in kind.long:
        seconds = kind.seconds.get(verb, kind.seconds.get("PUT", 1.0))
        operation = operations.begin(call, verb, live.id, seconds, locks=locks, location=body.get("location", ""))
        live.state = "Creating" if new else "Updating"
        headers = operations.headers(call, operation, kind.poll, kind.retry_after)
        cloud.store.put(live)
    else:
        live.state = "Succeeded"
        cloud.store.put(live)
        if kind.done:
            kind.done(cloud, live)
    status = kind.created if new else kind.updated
    return Answer(status, None if status == 202 else answers.show(cloud, live), headers)


def put(call: Call) -> Answer:
    """PUT: create it, or replace what it says."""
    kind = call.kind
    assert kind is not None
    _writable(call)
    if call.target.parent:
        call.parent()
    locks = locks_of(call)
    check_busy(call, locks)
    check_match(call, kind, call.live)
    if call.live is None:
        valid_name(kind, call.target.name)
    body = _is_object(call)
    check_tags(body.get("tags"))
    _check_location(call, kind, body, call.live)
    body = _clean(kind, body)
    check_model(kind, body)
    # Null means "not said", but a type may see it in call.body.
    prepared = _prepare(call, kind, without_nulls(body), call.live)
    return _write(call, kind, "PUT", prepared, locks)


def patch(call: Call) -> Answer:
    """PATCH: change what it says."""
    kind = call.kind
    assert kind is not None
    _writable(call)
    if call.live is None:
        raise not_found(call)
    locks = locks_of(call)
    check_busy(call, locks)
    check_match(call, kind, call.live)
    change_of = _clean(kind, _is_object(call))
    if not change_of.get("properties", True):
        del change_of["properties"]
    if kind.patch == "tags" and set(change_of) - {"tags"}:
        names = ", ".join(sorted(set(change_of) - {"tags"}))
        raise Refusal(400, "InvalidRequestContent", f"Only tags can be changed by PATCH; found {names}.")
    check_model(kind, change_of, whole=False)
    body = merged(call.live.body, without_nulls(change_of))
    if isinstance(change_of.get("tags"), dict):
        body["tags"] = without_nulls(change_of["tags"])
    prepared = _prepare(call, kind, body, call.live)
    return _write(call, kind, "PATCH", prepared, locks)


def delete(call: Call) -> Answer:
    """DELETE: take it away with all that lies below it."""
    kind, live = call.kind, call.live
    assert kind is not None
    group_of(call)
    if live is None:
        return Answer(204)
    locks = locks_of(call)
    check_busy(call, locks)
    check_match(call, kind, live)
    if kind.deletable:
        kind.deletable(call, live)
    if "DELETE" not in kind.long:
        operations.delete_now(call.cloud, live)
        return Answer(200)
    operation = operations.begin(
        call, "DELETE", live.id, kind.seconds.get("DELETE", 1.0), locks=locks, location=live.body.get("location", "")
    )
    live.state = "Deleting"
    call.cloud.store.put(live)
    return Answer(202, None, operations.headers(call, operation, "both", kind.retry_after))


def get(call: Call) -> Answer:
    """GET or HEAD of one resource."""
    group_of(call)
    if call.live is None:
        raise not_found(call)
    if call.method == "HEAD":
        return Answer(204)
    return Answer(200, answers.show(call.cloud, call.live))


def listed(call: Call) -> Answer:
    """GET of a collection."""
    kind = call.kind
    assert kind is not None
    group_of(call)
    if call.target.parent:
        call.parent()
    below = call.target.parent or call.target.scope
    records = list(call.cloud.store.of_type(kind.name, below))
    if kind.select:
        records = kind.select(call, records)
    return answers.page(call, [answers.show(call.cloud, record) for record in records])


def not_found(call: Call) -> Refusal:
    """404 of a resource: the group's words for a top-level one, the provider's for one below."""
    target = call.target
    if len(target.types) > 1 or not target.group or target.scope_kind != "group":
        if target.parent and call.cloud.store.get(target.parent) is None:
            return Refusal(
                404,
                "ParentResourceNotFound",
                f"Failed to perform '{verb_of(call.method)}' on resource(s) of type '{'/'.join(target.types)}', "
                "because the parent "
                f"resource '{target.parent}' could not be found.",
            )
        if call.kind and call.kind.missing:
            return Refusal(404, *call.kind.missing)
        return Refusal(404, "NotFound", f"Resource {target.path} not found.")
    kind = call.kind.name if call.kind else target.type
    return Refusal(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{target.name}' under resource group '{target.group}' was not found. For more details "
        "please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def exists(cloud: Cloud, resource_id: str, kind: str = "") -> Record | None:
    """The resource of an id that a body mentions, when it is there and of this type."""
    record = cloud.store.get(resource_id)
    return record if record and (not kind or record.type.lower() == kind.lower()) else None


def load_model(path: str) -> None:
    """Import the model of a type's bodies."""
    load(path)
