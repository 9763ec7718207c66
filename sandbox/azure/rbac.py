# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who may do what: Azure's role-based access control, evaluated for every request.

A right is a role (:mod:`roles`, or a custom one) at a scope; the union of all rights of a principal at the scope or
above it decides, each role's ``notActions`` taken off that role alone. Groups, deny assignments and conditions are not
evaluated (conditions are kept and answered, as Azure does).
Source: https://learn.microsoft.com/azure/role-based-access-control/overview
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .roles import BY_GUID, BY_NAME, Role
from .store import Record

if TYPE_CHECKING:
    from .cloud import Cloud

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


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
