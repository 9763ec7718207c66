# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who may do what: Azure's role-based access control, evaluated for every request.

A right is a role (:mod:`roles`, or a custom one) at a scope; the union of all
rights of a principal at the scope or above it decides, each role's ``notActions`` taken off that role alone. Groups,
deny
assignments and conditions are not evaluated (conditions are kept and answered, as Azure does).
Source: https://learn.microsoft.com/azure/role-based-access-control/overview
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .roles import BY_GUID, BY_NAME, Role
from .store import Record

if TYPE_CHECKING:
    from .cloud import Cloud

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
JOIN_ENDPOINT = "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"
SHARED_KEYS = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"


@dataclass(frozen=True)
class Caller:
    """Who asks: object id in the tenant, and the name that Azure's sentences give (application id or e-mail)."""

    object_id: str
    client: str


@dataclass(frozen=True)
class Grant:
    """One role assignment as the evaluation needs it; ``effective`` is the second from which it counts."""

    principal_id: str
    role: Role
    scope: str
    effective: float = 0.0


@dataclass(frozen=True)
class Need:
    """An action over a scope; ``data`` means the data plane."""

    action: str
    scope: str
    data: bool = False


# --------------------------------------------------------------------------------------------------- evaluation
def _pieces(text: str) -> list[str]:
    """The text cut at every ``*`` that does not stand alone between slashes."""
    return re.split(r"(?<!/)\*|\*(?!/)", text)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """``/*/`` also stands for one slash: ``identities/*/assign/action`` names ``identities/assign/action``."""
    parts = (r"/(?:.*/)?".join(re.escape(part) for part in piece.split("/*/")) for piece in _pieces(text.casefold()))
    return re.compile(".*".join(parts) + r"\Z")


def matches(pattern: str, action: str) -> bool:
    """Whether an action of a role, with ``*`` for any text, names this action (letters' case means nothing)."""
    return _pattern(pattern).match(action.casefold()) is not None


def allows(role: Role, need: Need) -> bool:
    """Whether the role alone allows the need's action."""
    yes, no = (role.data_actions, role.not_data_actions) if need.data else (role.actions, role.not_actions)
    return any(matches(one, need.action) for one in yes) and not any(matches(one, need.action) for one in no)


def covers(scope: str, inner: str) -> bool:
    """Whether a scope is the other one or above it: ``/subscriptions/x`` covers its groups, ``/`` covers all."""
    above, below = scope.casefold().rstrip("/"), inner.casefold().rstrip("/")
    return below == above or below.startswith(above + "/")


def allowed(
    caller: Caller, need: Need, grants: Iterable[Grant], *, now: float = 0.0, taken: Iterable[str] = ()
) -> bool:
    """Whether the caller may; ``taken`` are patterns of actions a dial took away from everybody."""
    if any(matches(pattern, need.action) for pattern in taken):
        return False
    return any(
        grant.principal_id.casefold() == caller.object_id.casefold()
        and grant.effective <= now
        and covers(grant.scope, need.scope)
        and allows(grant.role, need)
        for grant in grants
    )


def forbidden(caller: Caller, need: Need) -> tuple[str, str]:
    """Azure's code and sentence for an action that the caller may not do."""
    return "AuthorizationFailed", (
        f"The client '{caller.client}' with object id '{caller.object_id}' does not have authorization to perform "
        "action "
        f"'{need.action}' over scope '{need.scope}' or the scope is invalid. If access was recently granted, please "
        "refresh "
        "your credentials."
    )


def forbidden_link(caller: Caller, need: Need, links: list[Need]) -> tuple[str, str]:
    """Azure's code and sentence for a body that mentions what the caller may not use."""
    actions, scopes = ",".join(one.action for one in links), ",".join(one.scope for one in links)
    return "LinkedAuthorizationFailed", (
        f"The client '{caller.client}' with object id '{caller.object_id}' has permission to perform action "
        f"'{need.action}' on "
        f"scope '{need.scope}'; however, it does not have permission to perform action(s) '{actions}' on the linked "
        "scope(s) "
        f"'{scopes}' (respectively) or the linked scope(s) are invalid."
    )


def refusal(
    caller: Caller,
    need: Need,
    links: Iterable[Need],
    grants: Iterable[Grant],
    *,
    now: float = 0.0,
    taken: Iterable[str] = (),
) -> tuple[str, str] | None:
    """Azure's code and sentence when the caller may not do what is needed or linked, else ``None``."""
    grants, taken = tuple(grants), tuple(taken)
    if not allowed(caller, need, grants, now=now, taken=taken):
        return forbidden(caller, need)
    missing = [one for one in links if not allowed(caller, one, grants, now=now, taken=taken)]
    return forbidden_link(caller, need, missing) if missing else None


# --------------------------------------------------------------------------- what a request needs: action and scope
# POSTs that Azure counts as reading.
_READING_POSTS = {"checknameavailability", "checkdnsnameavailability"}


def _split(path: str) -> tuple[list[str], list[str] | None]:
    """The segments before the last ``providers``, and those after it (None when there is no provider)."""
    segments = [segment for segment in path.split("?", 1)[0].split("/") if segment]
    for index in range(len(segments) - 2, -1, -1):
        if segments[index].casefold() == "providers":
            return segments[:index], segments[index + 1 :]
    return segments, None


def _verb(method: str) -> str:
    return {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(
        method.upper(), "action"
    )


def _without_provider(base: list[str], method: str) -> Need:
    """Subscriptions, resource groups and what hangs on them."""
    names = [name.casefold() for name in base]
    verb = _verb(method)
    if names[:1] != ["subscriptions"] or len(base) == 1:
        return Need(f"Microsoft.Resources/{base[0] if base else 'operations'}/{verb}", "/")
    subscription = f"/subscriptions/{base[1]}"
    if len(base) == 2:
        return Need(f"Microsoft.Resources/subscriptions/{verb}", subscription)
    if names[2] != "resourcegroups":
        return Need(f"Microsoft.Resources/subscriptions/{base[2]}/{verb}", subscription)
    kind = "Microsoft.Resources/subscriptions/resourceGroups"
    if len(base) == 3:
        return Need(f"{kind}/{verb}", subscription)
    group = f"{subscription}/resourceGroups/{base[3]}"
    if len(base) == 4:
        return Need(f"{kind}/{verb}", group)
    return Need(f"{kind}/{base[4]}/{verb}", group)


def need(method: str, path: str) -> Need:
    """The action and scope that a request to the management plane needs.

    ``PUT …/Microsoft.Network/virtualNetworks/x`` needs ``Microsoft.Network/virtualNetworks/write`` over the network,
    ``GET …/virtualNetworks`` needs ``…/read`` over the group, ``POST …/x/listKeys`` needs ``…/listKeys/action`` over x.
    """
    base, rest = _split(path)
    if rest is None:
        return _without_provider(base, method)
    root = "/" + "/".join(base) if base else "/"
    namespace, tail = rest[0], rest[1:]
    verb = _verb(method)
    if not tail:
        return Need("Microsoft.Resources/subscriptions/providers/read", root)
    types, names = tail[0::2], tail[1::2]
    named = len(types) == len(names)
    stem = root.rstrip("/") + f"/providers/{namespace}"
    if verb == "action" and not named:
        action, types = types[-1], types[:-1]
        verb = "read" if action.casefold() in _READING_POSTS else "action"
        scope = stem + "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True)) if types else root
        return Need("/".join([namespace, *types, action, verb]), scope)
    full = "/".join([namespace, *types, verb])
    if named:
        return Need(full, stem + "/" + "/".join(tail))
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=False))
    return Need(full, stem + pairs if pairs else root)


# -------------------------------------------------------------------------------------------------- linked access
# What a body of a type mentions, and the right over it that Azure asks for. ``*`` walks all items or values, ``~`` all
# keys.
_SUBNET_LINKS = (
    ("properties.networkSecurityGroup.id", "Microsoft.Network/networkSecurityGroups/join/action"),
    ("properties.routeTable.id", "Microsoft.Network/routeTables/join/action"),
    ("properties.natGateway.id", "Microsoft.Network/natGateways/join/action"),
)
_POOL_LINKS = (("vnetSubnetID", JOIN), ("podSubnetID", JOIN))
LINKS: dict[str, tuple[tuple[str, str], ...]] = {
    "microsoft.network/virtualnetworks/subnets": _SUBNET_LINKS,
    "microsoft.network/virtualnetworks": tuple(
        (f"properties.subnets.*.{path}", action) for path, action in _SUBNET_LINKS
    ),
    "microsoft.network/loadbalancers": (
        (
            "properties.frontendIPConfigurations.*.properties.publicIPAddress.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        ("properties.frontendIPConfigurations.*.properties.subnet.id", JOIN),
    ),
    "microsoft.network/applicationgateways": (
        (
            "properties.frontendIPConfigurations.*.properties.publicIPAddress.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        ("properties.gatewayIPConfigurations.*.properties.subnet.id", JOIN),
    ),
    "microsoft.network/networkinterfaces": (
        ("properties.ipConfigurations.*.properties.subnet.id", JOIN),
        ("properties.networkSecurityGroup.id", "Microsoft.Network/networkSecurityGroups/join/action"),
    ),
    "microsoft.network/natgateways": (
        ("properties.publicIpAddresses.*.id", "Microsoft.Network/publicIPAddresses/join/action"),
    ),
    "microsoft.containerservice/managedclusters": (
        *((f"properties.agentPoolProfiles.*.{path}", action) for path, action in _POOL_LINKS),
        ("properties.identityProfile.*.resourceId", ASSIGN),
        (
            "properties.networkProfile.loadBalancerProfile.outboundIPs.publicIPs.*.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        (
            "properties.addonProfiles.*.config.logAnalyticsWorkspaceResourceID",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        ),
        (
            "properties.securityProfile.defender.logAnalyticsWorkspaceResourceId",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        ),
    ),
    "microsoft.containerservice/managedclusters/agentpools": tuple(
        (f"properties.{path}", action) for path, action in _POOL_LINKS
    ),
    "microsoft.storage/storageaccounts": (("properties.networkAcls.virtualNetworkRules.*.id", JOIN_ENDPOINT),),
    "microsoft.keyvault/vaults": (("properties.networkAcls.virtualNetworkRules.*.id", JOIN_ENDPOINT),),
    "microsoft.insights/diagnosticsettings": (("properties.workspaceId", SHARED_KEYS),),
    # The keys are documented for a workspace of another subscription, as an adopted one may be; here they are always
    # asked for.
    "microsoft.insights/components": (
        ("properties.WorkspaceResourceId", "Microsoft.OperationalInsights/workspaces/read"),
        ("properties.WorkspaceResourceId", SHARED_KEYS),
    ),
}
_EVERY_TYPE = (("identity.userAssignedIdentities.~", ASSIGN),)


def _walk(value: Any, path: list[str]) -> Iterator[str]:
    """The texts at a path of a body; keys are compared without regard to case."""
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    head, rest = path[0], path[1:]
    if head == "~" and isinstance(value, Mapping):
        yield from value
    elif head == "*" and isinstance(value, Mapping):
        for item in value.values():
            yield from _walk(item, rest)
    elif head == "*" and isinstance(value, list):
        for item in value:
            yield from _walk(item, rest)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key.casefold() == head.casefold():
                yield from _walk(item, rest)


def linked(resource_type: str, body: Any) -> list[Need]:
    """The rights over other resources that writing this body needs; each once, in the order they are mentioned."""
    found: dict[tuple[str, str], Need] = {}
    for path, action in (*LINKS.get(resource_type.casefold(), ()), *_EVERY_TYPE):
        for target in _walk(body, path.split(".")):
            found.setdefault((action, target.casefold()), Need(action, target))
    return list(found.values())


# -------------------------------------------------------------------------------------------- what a cloud has granted
def custom_role(properties: Mapping[str, Any], guid: str) -> Role:
    """A role definition written through the management plane; its lists of permissions are taken together."""
    permissions = properties.get("permissions") or ()

    def every(key: str) -> tuple[str, ...]:
        return tuple(str(one) for permission in permissions for one in permission.get(key) or ())

    return Role(
        name=str(properties.get("roleName", guid)),
        guid=guid,
        description=str(properties.get("description", "")),
        actions=every("actions"),
        not_actions=every("notActions"),
        data_actions=every("dataActions"),
        not_data_actions=every("notDataActions"),
        built_in=False,
        assignable_scopes=tuple(properties.get("assignableScopes") or ()),
    )


def find_role(cloud: Cloud, definition: str) -> Role | None:
    """The role of a definition's id, guid or name; ``None`` when there is none."""
    last = definition.rstrip("/").rpartition("/")[2]
    found = BY_GUID.get(last.lower()) or BY_NAME.get(definition.casefold())
    if found is not None:
        return found
    for record in cloud.store.of_type(DEFINITIONS):
        if (
            record.name.lower() == last.lower()
            or str(record.properties.get("roleName", "")).casefold() == definition.casefold()
        ):
            return custom_role(record.properties, record.name.lower())
    return None


def _dialled(cloud: Cloud) -> list[Grant] | None:
    """The rights that a dial gives the deployer in place of Owner; ``None`` when it does not."""
    given = cloud.dials.rights.get("assignments")
    if given is None:
        return None
    found = []
    for one in given:
        role = find_role(cloud, str(one["role"]))
        if role is not None:
            scope = str(one.get("scope") or f"/subscriptions/{cloud.subscription}")
            found.append(Grant(str(one.get("principal") or cloud.deployer["object_id"]), role, scope))
    return found


def _seed(cloud: Cloud) -> None:
    """The deployer's Owner over the subscription, an assignment like any other, in a cloud that has none yet."""
    known = cloud.store.fact("rights")
    if known:
        return
    known["seeded"] = True
    cloud.store.touch("rights")
    scope, owner = f"/subscriptions/{cloud.subscription}", cloud.deployer["object_id"]
    properties = {
        "roleDefinitionId": f"{scope}/providers/{DEFINITIONS}/{BY_NAME['owner'].guid}",
        "principalId": owner,
        "principalType": "ServicePrincipal",
        "scope": scope,
        "createdOn": "2026-01-01T00:00:00.0000000Z",
        "updatedOn": "2026-01-01T00:00:00.0000000Z",
    }
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{owner}/owner")
    record = Record(f"{scope}/providers/{ASSIGNMENTS}/{name}", ASSIGNMENTS, {"properties": properties})
    record.private.update(standing=True, effective=0.0)
    cloud.store.put(record)


def grants(cloud: Cloud) -> list[Grant]:
    """All rights there are: role assignments, and what a dial puts in place of the deployer's Owner."""
    _seed(cloud)
    dialled = _dialled(cloud)
    found = dialled or []
    for record in cloud.store.of_type(ASSIGNMENTS):
        if dialled is not None and record.private.get("standing"):
            continue
        role = find_role(cloud, str(record.properties.get("roleDefinitionId", "")))
        if role is not None:
            effective = float(record.private.get("effective", 0.0))
            found.append(Grant(str(record.properties["principalId"]), role, str(record.properties["scope"]), effective))
    return found


def taken(cloud: Cloud) -> list[str]:
    """Patterns of actions that a dial took away from everybody."""
    return [str(one) for one in cloud.dials.rights.get("taken", ())]
