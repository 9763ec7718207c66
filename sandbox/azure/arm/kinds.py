# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How a type of resource is described: data, and a few small functions where data is not enough.

A module of :mod:`sandbox.azure.arm.types` exports what its provider knows:

``TYPES``
    a tuple of :class:`ResourceType`. The framework does the rest: routing, rights, versions, names, locations, tags,
    etags,
    ``If-Match``, long-running operations, 409 while an operation runs, lists with paging, deletion of what lies below.
``ACTIONS``
    a dict of :class:`Action`, for everything that is no resource, by method and type in Azure's spelling:
    ``"POST Microsoft.ContainerService/managedClusters/listClusterUserCredential"`` (an action on a resource),
    ``"GET Microsoft.Network/locations/usages"`` (below a subscription), ``"POST
    Microsoft.Storage/checkNameAvailability"``.
    A type without a stored resource (``managedClusters/upgradeProfiles``) is one too: ``"GET …/upgradeProfiles"``.
``authorize(call)``
    (module ``authorization`` only) raises 403 when the caller may not do what it asks. Called for each request.

A minimal type::

    TYPES = (ResourceType("Microsoft.Example/things", versions=("2025-01-01",), tracked=True, seconds={"PUT": 4.0}),)

The way of a write: the body is checked against the model (400), then ``check`` (raise
:class:`~sandbox.azure.web.Refusal`),
then ``store`` gives what is kept, then after ``seconds`` ``done``. Functions get a :class:`Call`; ``call.cloud.store``
holds all
resources, ``call.cloud.dials`` the quota figures. They run one at a time, never side by side, and must not block.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..store import Operation, Record
from ..web import Answer, Refusal, Request
from .ids import Target

if TYPE_CHECKING:
    from ..cloud import Cloud

Body = dict[str, Any]
READ = 0.05


@dataclass(frozen=True)
class Caller:
    """Who asks: object id in the directory, application id (or user's name), and kind (``app`` or ``user``)."""

    object_id: str
    client: str
    kind: str = "app"


@dataclass
class Call:
    """One request to Azure Resource Manager, taken apart."""

    cloud: Cloud
    request: Request
    target: Target
    who: Caller
    api_version: str
    body: Any = None
    kind: ResourceType | None = None
    live: Record | None = None

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the query; their names in lower case."""
        return self.request.query

    @property
    def method(self) -> str:
        return self.request.method

    def parent(self) -> Record:
        """The resource right above; refuses when it is not there."""
        found = self.cloud.store.get(self.target.parent)
        if found is None:
            kind = "/".join(self.target.types)
            raise Refusal(
                404,
                "ParentResourceNotFound",
                f"Failed to perform '{verb_of(self.method)}' on resource(s) of type '{kind}', because the parent "
                "resource "
                f"'{self.target.parent}' could not be found.",
            )
        return found


def verb_of(method: str) -> str:
    """The verb of Azure's actions."""
    return {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(method, "action")


Check = Callable[[Call, Body, Record | None], None]
Keep = Callable[[Call, Body, Record | None], Body]
Show = Callable[["Cloud", Record, Body], Body]
Event = Callable[["Cloud", Record], None]


@dataclass(frozen=True)
class ResourceType:
    """One type of resource.

    :ivar name: such as ``Microsoft.Network/virtualNetworks/subnets``, in Azure's spelling
    :ivar versions: all api-versions that it knows
    :ivar model: dotted path of the SDK's model class of the body (``azure.mgmt.network.models.VirtualNetwork``)
    :ivar tracked: it has a location and tags, and is listed among the resources of its group
    :ivar scopes: on what it may hang: ``group``, ``subscription``, ``resource``, ``tenant``
    :ivar methods: what may be done with one; a missing PUT makes it a type that only Azure itself writes
    :ivar name_rule: what a name must match as a whole; ``name_error`` is code and message (``{name}`` is put in)
    :ivar seconds: how long Azure takes for ``PUT``, ``PATCH``, ``DELETE`` (at latency scale 1); ``UPDATE`` is a PUT on
        what exists
    :ivar long: the methods answered at once with an operation to be polled; the others keep the client waiting
    :ivar retry_after: seconds between two looks at an operation that Azure advises; None: it does not say
    :ivar poll: headers of an operation: ``async`` (Azure-AsyncOperation), ``location`` or ``both``
    :ivar created: status of a PUT that makes one; 202 has no body. ``updated``: of one that changes it
    :ivar etag: the answer carries an etag and ``If-Match`` is heeded
    :ivar defaults: what Azure fills in where the body says nothing (merged deeply)
    :ivar read_only: dotted paths that are dropped from a body, as Azure ignores them (``*`` for each item)
    :ivar write_only: dotted paths that are kept in ``record.private`` and never answered
    :ivar enums: dotted path -> values; any case is taken, Azure's own is answered, another value refused
    :ivar immutable: dotted path -> (code, message) when it differs from what is live
    :ivar reversed: dotted paths of lists that come back in another order
    :ivar patch: ``tags`` (only tags change), ``merge`` (maps merge), ``replace``
    :ivar siblings: ids of what is locked while one is written; other writes that lock one of them are refused with
        ``busy``
    :ivar busy: status, code and message of that refusal (``{operation}`` is the address of the running operation)
    :ivar spell_id: how ids of this type are answered
    :ivar location: how its location is answered
    :ivar shows_state: ``properties.provisioningState`` is answered
    :ivar check: raises a refusal before anything is written
    :ivar store: body -> what is kept (defaults and the rules above are applied before)
    :ivar answer: what is kept (a copy) -> what is answered
    :ivar done: after a write has succeeded
    :ivar deletable: raises a refusal when it may not be deleted
    :ivar deleted: after it is gone
    :ivar missing: code and message of the 404 of one that is not there, where its provider has words of its own
    :ivar select: applies ``$filter`` to a list; without it the parameter is ignored
    """

    name: str
    versions: tuple[str, ...] = ()
    model: str = ""
    tracked: bool = False
    scopes: tuple[str, ...] = ("group",)
    methods: tuple[str, ...] = ("GET", "HEAD", "PUT", "PATCH", "DELETE")
    name_rule: str = r"[\w][\w.()-]*"
    name_error: tuple[str, str] = ("InvalidResourceName", "Resource name {name} is invalid.")
    seconds: Mapping[str, float] = field(default_factory=dict)
    long: tuple[str, ...] = ()
    retry_after: int | None = 10
    poll: str = "async"
    created: int = 201
    updated: int = 200
    etag: bool = False
    defaults: Body = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    write_only: tuple[str, ...] = ()
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    immutable: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    reversed: tuple[str, ...] = ()
    patch: str = "merge"
    missing: tuple[str, str] | None = None
    siblings: Callable[[Call], Iterable[str]] | None = None
    busy: tuple[int, str, str] = (
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
        "uri: {operation}.",
    )
    spell_id: Callable[[str], str] = str
    location: Callable[[str], str] = str
    shows_state: bool = True
    check: Check | None = None
    store: Keep | None = None
    answer: Show | None = None
    done: Event | None = None
    deletable: Callable[[Call, Record], None] | None = None
    deleted: Event | None = None
    select: Callable[[Call, list[Record]], list[Record]] | None = None

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    @property
    def short(self) -> str:
        """The type without its namespace."""
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class Action:
    """Something that is no resource.

    :ivar run: the answer (or the result of the operation); with ``long`` it is called at once, to check and to begin
    :ivar seconds: how long Azure takes
    :ivar long: answered with 202 and an operation; then ``done`` makes the result that ``Location`` shows
    :ivar needs: the resource that the path names before the action must exist (it is ``call.live``)
    :ivar locks: ids locked meanwhile
    """

    run: Callable[[Call], Answer]
    versions: tuple[str, ...] = ()
    seconds: float = READ
    long: bool = False
    needs: bool = True
    retry_after: int | None = 10
    poll: str = "both"
    done: Callable[[Cloud, Operation], Any] | None = None
    locks: Callable[[Call], Iterable[str]] | None = None


# ----------------------------------------------------------------------------------------------- dotted paths of a body
def _cut(path: str) -> list[str]:
    return path.split(".")


def find_key(value: Mapping[str, Any], name: str) -> str | None:
    """The key of a map that equals the name without regard to case."""
    if name in value:
        return name
    return next((key for key in value if key.lower() == name.lower()), None)


def change(value: Any, path: str, change_one: Callable[[Any], Any], *, remove: bool = False) -> list[Any]:
    """Change (or remove) each value at a dotted path, in place (``*``: each item); the old values."""
    return _change(value, _cut(path), change_one, remove)


def _change(value: Any, path: list[str], change_one: Callable[[Any], Any], remove: bool) -> list[Any]:
    head, rest = path[0], path[1:]
    if head == "*":
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [old for item in items for old in _change(item, rest, change_one, remove)]
    if not isinstance(value, dict) or (key := find_key(value, head)) is None:
        return []
    if rest:
        return _change(value[key], rest, change_one, remove)
    old = value[key]
    if remove:
        del value[key]
    else:
        value[key] = change_one(old)
    return [old]


def look(value: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path, names in any case; the default where there is none."""
    for name in _cut(path):
        if not isinstance(value, Mapping) or (key := find_key(value, name)) is None:
            return default
        value = value[key]
    return default if value is None else value


def merged(under: Any, over: Any) -> Any:
    """Two bodies in one: maps merge, anything else of ``over`` wins; neither is changed."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    result = copy.deepcopy(under)
    for name, value in over.items():
        key = find_key(result, name) or name
        result[key] = merged(result[key], value) if key in result else copy.deepcopy(value)
    return result


def without_nulls(value: Any) -> Any:
    """A body as Azure keeps it: what is null is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def spelt(kind: ResourceType, body: Body) -> None:
    """Write the values of enumerations in Azure's own case; refuse others."""
    for path, values in kind.enums.items():
        by_lower = {value.lower(): value for value in values}

        def canonical(value: Any, path: str = path, by_lower: dict[str, str] = by_lower) -> Any:
            if isinstance(value, str) and value.lower() not in by_lower:
                allowed = ", ".join(by_lower.values())
                raise Refusal(
                    400,
                    "InvalidParameter",
                    f"The value '{value}' of parameter {path.removeprefix('properties.')} is not allowed. Allowed "
                    f"values are {allowed}.",
                )
            return by_lower[value.lower()] if isinstance(value, str) else value

        change(body, path, canonical)


def valid_name(kind: ResourceType, name: str) -> None:
    """Refuse a name that Azure would not take."""
    if not re.fullmatch(kind.name_rule, name):
        code, message = kind.name_error
        raise Refusal(400, code, message.replace("{name}", name))
