# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure Resource Manager's door: who asks, in which version, may they, and who answers.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/overview
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import dials
from ..web import Answer, Refusal, Request
from . import groups, operations, types, writes
from .ids import Target, parse
from .kinds import READ, Action, Call, Caller, ResourceType
from .locations import REGIONS

if TYPE_CHECKING:
    from ..cloud import Cloud

HOSTS = ("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn")
AUDIENCES = tuple(
    f"https://{name}{end}"
    for name in ("management.core.windows.net", "management.azure.com", "management.core.usgovcloudapi.net",
                 "management.usgovcloudapi.net", "management.core.chinacloudapi.cn", "management.chinacloudapi.cn")
    for end in ("/", "")
)  # fmt: skip
#: How long the acceptance of a long operation takes.
ACCEPTANCE = 0.3
_OPERATION = re.compile(r"locations/[^/]+/operation(s|statuses|results)/[^/]+$", re.IGNORECASE)
_WRITES: dict[str, Callable[[Call], Answer]] = {
    "PUT": writes.put,
    "PATCH": writes.patch,
    "DELETE": writes.delete,
    "GET": writes.get,
    "HEAD": writes.get,
}


def load(cloud: Cloud) -> None:
    """Tell the cloud what the providers know."""
    cloud.kinds[groups.GROUP.lower()] = groups.GROUPS
    cloud.actions.update({name.lower(): action for name, action in groups.ACTIONS.items()})
    for info in pkgutil.iter_modules(types.__path__):
        module = importlib.import_module(f"{types.__name__}.{info.name}")
        for kind in getattr(module, "TYPES", ()):
            cloud.kinds[kind.name.lower()] = kind
        for name, action in getattr(module, "ACTIONS", {}).items():
            cloud.actions[name.lower()] = action
        cloud.authorize = getattr(module, "authorize", cloud.authorize)


@dataclass(frozen=True)
class Plan:
    """How a call is answered: by what, after how long, and what is locked meanwhile.

    ``accepts``: it only begins an operation; the dials of latency know that as ``ACCEPT`` instead of its method.
    """

    run: Callable[[Call], Answer]
    type: str
    seconds: float
    guard: Callable[[Call], list[str]] | None = None
    accepts: bool = False


# ------------------------------------------------------------------------------------------------------------- who asks
def _unauthorized(cloud: Cloud, code: str, message: str, error: str = "invalid_token") -> Refusal:
    authority = f"https://login.windows.net/{cloud.tenant}"
    challenge = f'Bearer authorization_uri="{authority}", error="{error}", error_description="{message}"'
    return Refusal(401, code, message, headers={"WWW-Authenticate": challenge})


def authenticate(cloud: Cloud, request: Request) -> Caller:
    """Who the token says; 401 for any other token than one for Azure Resource Manager."""
    header = request.headers.get("authorization", "")
    if not header:
        raise _unauthorized(
            cloud, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
        )
    kind, _, token = header.partition(" ")
    claims = cloud.key.claims(token.strip()) if kind.lower() == "bearer" else None
    if claims is None:
        raise _unauthorized(cloud, "InvalidAuthenticationToken", "The access token is invalid.")
    if claims.get("aud") not in AUDIENCES:
        allowed = ",".join(f"'{one}'" for one in AUDIENCES[:4])
        message = (
            f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'. It should "
            "exactly match "
            f"with one of the allowed audiences {allowed}."
        )
        raise _unauthorized(cloud, "InvalidAuthenticationTokenAudience", message)
    if claims.get("tid") != cloud.tenant:
        raise _unauthorized(cloud, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.")
    if float(claims.get("exp", 0)) <= cloud.now():
        message = (
            f"The access token expiry UTC time '{operations.stamp(float(claims['exp']))}' is earlier than current "
            "UTC time "
            f"'{operations.stamp(cloud.now())}'."
        )
        raise _unauthorized(cloud, "ExpiredAuthenticationToken", message)
    return Caller(claims["oid"], claims.get("appid") or claims.get("unique_name", ""), claims.get("idtyp", "app"))


# --------------------------------------------------------------------------------------------------------- what answers
def _versions(call: Call, versions: tuple[str, ...]) -> None:
    asked, target = call.api_version, call.target
    if not versions or asked.lower() in versions:
        return
    short, known = "/".join(target.types), ", ".join(versions)
    if call.method in ("PUT", "PATCH"):
        location = call.body.get("location", "") if isinstance(call.body, dict) else ""
        message = (
            f"No registered resource provider found for location '{location}' and API version '{asked}' for type "
            f"'{short}'. The "
            f"supported api-versions are '{known}'. The supported locations are '{', '.join(REGIONS)}'."
        )
        raise Refusal(400, "NoRegisteredProviderFound", message)
    message = (
        f"The resource type '{short}' could not be found in the namespace '{target.namespace}' for api version "
        f"'{asked}'. The "
        f"supported api-versions are '{known}'."
    )
    raise Refusal(400, "InvalidResourceType", message)


def _unknown_type(call: Call) -> Refusal:
    target = call.target
    known = groups.namespaces(call)
    if target.namespace.lower() not in known:
        return Refusal(404, "InvalidResourceNamespace", f"The resource namespace '{target.namespace}' is invalid.")
    message = (
        f"The resource type '{'/'.join(target.types)}' could not be found in the namespace "
        f"'{known[target.namespace.lower()]}' for api version '{call.api_version}'."
    )
    return Refusal(404, "InvalidResourceType", message)


def _not_allowed(call: Call) -> Refusal:
    message = f"The requested resource does not support http method '{call.method}'."
    return Refusal(405, "HttpMethodNotAllowed" if call.target.named else "MethodNotAllowed", message)


def _plan(call: Call) -> Plan:
    target, method = call.target, call.method
    if _OPERATION.search(target.path):
        return Plan(groups.operation, f"{target.namespace}/operations", READ)
    built_in = groups.route(method, target.path)
    if built_in:
        run, kind_name, seconds = built_in
        _versions(call, groups.VERSIONS)
        return Plan(run, kind_name, seconds, accepts=(method, kind_name) == ("DELETE", groups.GROUP))
    if not target.types:
        raise Refusal(
            404,
            "NotFound",
            f"No HTTP resource was found that matches the request URI 'https://{call.request.host}{target.path}'.",
        )
    action = call.cloud.actions.get(f"{method} {target.type}".lower())
    if action:
        return _plan_action(call, action)
    kind = call.cloud.kinds.get(target.type.lower())
    if kind is None:
        raise _unknown_type(call)
    call.kind = kind
    _versions(call, kind.versions)
    return _plan_resource(call, kind)


def _plan_action(call: Call, action: Action) -> Plan:
    above = call.cloud.kinds.get(parse(call.target.parent).type.lower()) if call.target.parent else None
    _versions(call, action.versions or (above.versions if above else ()))
    name = call.target.type

    def run(call: Call) -> Answer:
        if above is not None and action.needs:
            call.live = call.cloud.store.get(call.target.parent)
            if call.live is None:
                writes.group_of(call)
                owner = parse(call.target.parent)
                raise writes.not_found(Call(call.cloud, call.request, owner, call.who, call.api_version, kind=above))
        if not action.long:
            return action.run(call)
        locks = [*(action.locks(call) if action.locks else ())]
        busy = operations.locking(call.cloud, locks)
        if busy is not None and above is not None:
            writes.refuse_busy(call, above, busy)
        answer = action.run(call)
        resource = call.live.id if call.live else call.target.path
        location = call.live.body.get("location", "") if call.live else ""
        operation = operations.begin(
            call, "POST", resource, action.seconds, locks=locks, location=location, arguments=answer.body
        )
        return Answer(
            202, None, {**answer.headers, **operations.headers(call, operation, action.poll, action.retry_after)}
        )

    return Plan(run, name, ACCEPTANCE if action.long else action.seconds, accepts=action.long)


def _plan_resource(call: Call, kind: ResourceType) -> Plan:
    target, method = call.target, call.method
    if target.scope_kind not in kind.scopes and not (target.scope_kind == "subscription" and not target.named):
        raise _unknown_type(call)
    if not target.named:
        if method != "GET":
            raise _not_allowed(call)
        return Plan(writes.listed, kind.name, READ)
    if method not in _WRITES or method not in kind.methods:
        raise _not_allowed(call)
    reads = method in ("GET", "HEAD")
    seconds = READ if reads else ACCEPTANCE if method in kind.long else kind.seconds.get(method, ACCEPTANCE)
    return Plan(_WRITES[method], kind.name, seconds, None if reads else writes.locks_of, method in kind.long)


# ---------------------------------------------------------------------------------------------------------- one request
async def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to Azure Resource Manager."""
    start, kind, target = cloud.now(), "", parse(request.path)
    client = ""
    try:
        call, plan = _begin(cloud, request, target)
        kind, client = plan.type, call.who.client
        result = await _run(call, plan)
    except Refusal as refusal:
        result = refusal.answer()
    finally:
        cloud.planned_failure = None
    cloud.store.flush()
    result.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
    result.headers.setdefault(
        "x-ms-correlation-request-id", request.headers.get("x-ms-correlation-request-id", str(uuid.uuid4()))
    )
    kind = kind or _spelt_type(cloud, target)
    status: int | str = "reset" if result.reset else result.status
    cloud.calls.append(
        dials.Entry("request", request.method, kind, target.path, status, start, cloud.now(), request.host, client)
    )
    if request.method == "HEAD":
        result.body = None
    return result


def _spelt_type(cloud: Cloud, target: Target) -> str:
    kind = cloud.kinds.get(target.type.lower())
    return kind.name if kind else target.type


def _begin(cloud: Cloud, request: Request, target: Target) -> tuple[Call, Plan]:
    operations.settle(cloud)
    who = authenticate(cloud, request)
    version = request.query.get("api-version", "")
    call = Call(cloud, request, target, who, version)
    if request.method in ("PUT", "PATCH", "POST"):
        call.body = request.json()
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise Refusal(400, "MissingApiVersionParameter", message)
    if target.subscription and target.subscription.lower() != cloud.subscription:
        message = f"The subscription '{target.subscription}' could not be found."
        raise Refusal(404, "SubscriptionNotFound", message)
    return call, _plan(call)


async def _run(call: Call, plan: Plan) -> Answer:
    cloud, method = call.cloud, call.method
    cloud.authorize(call)
    if target_namespace := call.target.namespace:
        _check_registered(call, target_namespace)
    fault = cloud.dials.fault(method, plan.type, call.target.path)
    if fault is not None and not fault.operation and not fault.after:
        if fault.reset or fault.content:
            return fault.answer()
        raise fault.refusal()
    if call.kind is not None:
        call.live = cloud.store.get(call.target.path)
        if plan.guard and call.kind.model:
            # The first look at a package of models takes a second or two.
            await asyncio.to_thread(writes.load_model, call.kind.model)
    locks = set(plan.guard(call)) if plan.guard else set()
    if locks & cloud.writing and call.kind:
        _refuse_beside(call)
    cloud.writing |= locks
    try:
        seconds = cloud.dials.seconds("ACCEPT" if plan.accepts else method, plan.type, plan.seconds)
        if locks and call.kind and method not in call.kind.long:
            seconds = max(seconds, operations.SHORTEST)
        if seconds > 0:
            await asyncio.sleep(seconds)
            operations.settle(cloud)
    finally:
        cloud.writing -= locks
    if call.kind is not None:
        call.live = cloud.store.get(call.target.path)
    cloud.planned_failure = fault if fault and fault.operation else None
    result = plan.run(call)
    if fault is not None and fault.after:
        return Answer(reset=True) if fault.reset else fault.refusal().answer()
    return result


def _refuse_beside(call: Call) -> None:
    """Another request writes one of the same things at this moment."""
    assert call.kind is not None
    status, code, message = call.kind.busy
    address = f"https://{call.request.host}{call.target.path}"
    raise Refusal(
        status, code, message.replace("{operation}", address).replace("{id}", call.target.parent or call.target.path)
    )


def _check_registered(call: Call, namespace: str) -> None:
    if call.method in ("PUT", "PATCH") and not groups.registered(call, namespace):
        message = (
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found "
            "for how to "
            "register subscriptions."
        )
        raise Refusal(409, "MissingSubscriptionRegistration", message)
