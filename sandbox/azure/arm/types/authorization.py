# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Authorization: role assignments, role definitions, permissions, locks; and the check of every request.

Source: https://learn.microsoft.com/rest/api/authorization
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ... import needs, rbac
from ...directory import PRINCIPAL_TYPES
from ...rbac import ASSIGNMENTS, DEFINITIONS, grants
from ...roles import BUILT_IN, BY_GUID, Role
from ...store import Record
from ...web import Answer, Refusal
from .. import answers
from ..kinds import Action, Body, Call, ResourceType
from ..operations import stamp

if TYPE_CHECKING:
    from ...cloud import Cloud

__all__ = ["ACTIONS", "TYPES", "authorize", "grants"]

LOCKS = "Microsoft.Authorization/locks"
ANYWHERE = ("tenant", "subscription", "group", "resource")
GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)
# Every resource knows these calls; nobody needs a right to look at an operation that was begun with one.
_FREE = re.compile(r"/(operations|operationstatuses|operationresults)/[^/]+\Z", re.IGNORECASE)
# A subscription and its lists are shown to everybody who has any right in it. (Azure leaves out of the lists what
# one may not read; this stand-in does not.)
_GLIMPSES = {
    "microsoft.resources/subscriptions/read",
    "microsoft.resources/subscriptions/providers/read",
    "microsoft.resources/subscriptions/locations/read",
}
_LISTS = re.compile(r"/subscriptions/[^/]+/(resourcegroups|resources)\Z", re.IGNORECASE)
_BUILT_ON = "2015-02-02T21:55:09.8806423Z"


# ------------------------------------------------------------------------------------------------------ every request
def _free(call: Call, need: rbac.Need, rights: list[rbac.Grant]) -> bool:
    """Whether no right is asked for: the tenant's own lists, operations, and the subscription one has a right in."""
    if not call.target.subscription:
        return call.method in {"GET", "HEAD"}
    if _FREE.search(call.target.path):
        return True
    glimpse = need.action.casefold() in _GLIMPSES or (call.method == "GET" and _LISTS.match(call.target.path))
    if not glimpse or any(rbac.matches(pattern, need.action) for pattern in rbac.taken(call.cloud)):
        return False
    own = [one for one in rights if one.principal_id.casefold() == call.who.object_id.casefold()]
    return any(rbac.covers(need.scope, one.scope) for one in own)


def authorize(call: Call) -> None:
    """Refuse what the caller may not do, and what a lock forbids."""
    cloud, target = call.cloud, call.target
    need = needs.need(call.method, target.path)
    rights = grants(cloud)
    if _free(call, need, rights):
        return
    who = rbac.Caller(call.who.object_id, call.who.client)
    writes = call.method in {"PUT", "PATCH"}
    links = needs.linked(target.type, call.body) if writes else []
    found = rbac.refusal(who, need, links, rights, now=cloud.now(), taken=rbac.taken(cloud))
    if found:
        raise Refusal(403, *found)
    _check_locks(call, need)


def _check_locks(call: Call, need: rbac.Need) -> None:
    """A lock at the scope, above it, or (for a deletion) below it."""
    verb = need.action.rpartition("/")[2].casefold()
    if verb == "read" or call.target.type.casefold().startswith("microsoft.authorization/"):
        return
    locked = []
    for record in call.cloud.store.of_type(LOCKS):
        scope = record.id[: record.id.lower().rindex("/providers/microsoft.authorization/")]
        applies = rbac.covers(scope, need.scope) or (verb == "delete" and rbac.covers(need.scope, scope))
        if applies and (verb == "delete" or record.properties.get("level") == "ReadOnly"):
            locked.append(scope)
    if locked:
        raise Refusal(
            409,
            "ScopeLocked",
            f"The scope '{need.scope}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{','.join(locked)}'. Please remove the lock and try again.",
        )


# --------------------------------------------------------------------------------------------------- role assignments
def _properties(body: Body) -> Body:
    found = body.get("properties")
    return found if isinstance(found, dict) else {}


def _check_principal(call: Call, properties: Body) -> str:
    """The principal's type; refuses one that is nobody's id or of another type than was said."""
    principal, said = str(properties.get("principalId") or ""), properties.get("principalType")
    if not GUID.match(principal):
        raise Refusal(
            400, "InvalidPrincipalId", f"A valid principal ID must be provided for role assignment: '{principal}'."
        )
    known = call.cloud.directory.by_object_id(principal)
    if known is None and not said:
        raise Refusal(
            400,
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory {call.cloud.tenant}. Check that "
            "you have "
            "the correct principal ID. If you are creating this principal and then immediately assigning a role, this "
            "error "
            "might be related to a replication delay. In this case, set the role assignment principalType property to "
            "a value, "
            "such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
        )
    kind = PRINCIPAL_TYPES[known.kind] if known else str(said)
    if said and said != kind:
        raise Refusal(
            400,
            "UnmatchedPrincipalType",
            f"The PrincipalId '{principal.replace('-', '')}' has type '{kind}' , which is different from specified "
            f"PrinciaplType '{said}'.",
        )
    return kind


def _check_assignment(call: Call, body: Body, live: Record | None) -> None:
    if not GUID.match(call.target.name):
        message = f"The role assignment ID '{call.target.name}' is not valid. The role assignment ID must be a GUID."
        raise Refusal(400, "InvalidRoleAssignmentId", message)
    properties = _properties(body)
    _check_principal(call, properties)
    role = rbac.find_role(call.cloud, str(properties.get("roleDefinitionId") or ""))
    if role is None:
        last = str(properties.get("roleDefinitionId") or "").rpartition("/")[2].replace("-", "")
        message = f"The specified role definition with ID '{last}' does not exist."
        raise Refusal(404, "RoleDefinitionDoesNotExist", message)
    wanted = (role.guid, str(properties["principalId"]).casefold(), call.target.scope.casefold())
    if live is not None:
        if _identity(live) != wanted:
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise Refusal(400, "RoleAssignmentUpdateNotPermitted", message)
        return
    for record in call.cloud.store.of_type(ASSIGNMENTS):
        if _identity(record) == wanted:
            known = record.name.replace("-", "")
            message = f"The role assignment already exists. The ID of the existing role assignment is {known}."
            raise Refusal(409, "RoleAssignmentExists", message)


def _identity(record: Record) -> tuple[str, str, str]:
    properties = record.properties
    role = str(properties["roleDefinitionId"]).rpartition("/")[2].lower()
    return role, str(properties["principalId"]).casefold(), str(properties["scope"]).casefold()


def _store_assignment(call: Call, body: Body, live: Record | None) -> Body:
    """The definition's id comes back below the subscription of the scope, whatever scope was sent."""
    cloud, given = call.cloud, _properties(body)
    role = rbac.find_role(cloud, str(given["roleDefinitionId"]))
    assert role is not None
    base = f"/subscriptions/{call.target.subscription}" if call.target.subscription else ""
    before = live.properties if live else {}
    now = stamp(cloud.now())
    return {
        "properties": {
            "roleDefinitionId": f"{base}/providers/{DEFINITIONS}/{role.guid}",
            "principalId": str(given["principalId"]).lower(),
            "principalType": _check_principal(call, given),
            "scope": call.target.scope or "/",
            "condition": given.get("condition"),
            "conditionVersion": given.get("conditionVersion"),
            "createdOn": before.get("createdOn", now),
            "updatedOn": now,
            "createdBy": before.get("createdBy", call.who.object_id),
            "updatedBy": call.who.object_id,
            "delegatedManagedIdentityResourceId": given.get("delegatedManagedIdentityResourceId"),
            "description": given.get("description"),
        }
    }


def _assigned(cloud: Cloud, record: Record) -> None:
    """From when the assignment counts: at once, or after the time that a dial gives it to spread."""
    if "effective" not in record.private:
        record.private["effective"] = cloud.now() + float(cloud.dials.spread.get("assignments", 0.0))


def _select_assignments(call: Call, _records: list[Record]) -> list[Record]:
    """Assignments at the scope and above it; without ``atScope()`` also below it."""
    scope = call.target.scope or "/"
    wanted = answers.terms(call.query["$filter"]) if call.query.get("$filter") else []
    names = {operator for operator, _field, _value in wanted}
    found = []
    for record in call.cloud.store.of_type(ASSIGNMENTS):
        own = str(record.properties["scope"])
        if record.private.get("standing") and "assignments" in call.cloud.dials.rights:
            continue
        if not (rbac.covers(own, scope) or ("atscope" not in names and rbac.covers(scope, own))):
            continue
        principals = [
            value for operator, field, value in wanted if operator == "assignedto" or field.casefold() == "principalid"
        ]
        if all(value.casefold() == record.properties["principalId"] for value in principals):
            found.append(record)
    return found


# --------------------------------------------------------------------------------------------------- role definitions
def _definition(call: Call, role: Role, record: Record | None = None) -> dict[str, Any]:
    base = f"/subscriptions/{call.target.subscription}" if call.target.subscription else ""
    permission = {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }
    given = record.properties if record else {}
    return {
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole" if role.built_in else "CustomRole",
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [permission],
            "createdOn": given.get("createdOn", _BUILT_ON),
            "updatedOn": given.get("updatedOn", _BUILT_ON),
            "createdBy": given.get("createdBy"),
            "updatedBy": given.get("updatedBy"),
        },
        "id": f"{base}/providers/{DEFINITIONS}/{role.guid}",
        "type": DEFINITIONS,
        "name": role.guid,
    }


def _definitions(call: Call) -> Iterator[dict[str, Any]]:
    for role in BUILT_IN:
        yield _definition(call, role)
    for record in call.cloud.store.of_type(DEFINITIONS):
        yield _definition(call, rbac.custom_role(record.properties, record.name), record)


def _read_definitions(call: Call) -> Answer:
    """One definition by its id, or all with ``$filter=roleName eq '…'``, ``type eq '…'``, ``atScopeAndBelow()``."""
    if call.target.named:
        wanted = call.target.name.lower()
        for one in _definitions(call):
            if one["name"] == wanted:
                return Answer(200, one)
        message = f"The specified role definition with ID '{wanted.replace('-', '')}' does not exist."
        raise Refusal(404, "RoleDefinitionDoesNotExist", message)
    found = list(_definitions(call))
    for operator, field, value in answers.terms(call.query["$filter"]) if call.query.get("$filter") else ():
        key = {"rolename": "roleName", "type": "type"}.get(field.casefold())
        if operator == "eq" and key:
            found = [one for one in found if one["properties"][key].casefold() == value.casefold()]
    return Answer(200, {"value": found})


def _check_definition(call: Call, body: Body, _live: Record | None) -> None:
    name, properties = call.target.name.lower(), _properties(body)
    if not GUID.match(name):
        raise Refusal(
            400, "InvalidRoleDefinitionId", f"The role definition ID '{name}' is not valid. It must be a GUID."
        )
    if name in BY_GUID:
        raise Refusal(403, "RoleDefinitionUpdateNotPermitted", "Built-in role definitions cannot be changed.")
    title = str(properties.get("roleName") or "")
    if not title or not properties.get("permissions") or not properties.get("assignableScopes"):
        raise Refusal(
            400, "InvalidRoleDefinition", "A role definition needs roleName, permissions and assignableScopes."
        )
    other = rbac.find_role(call.cloud, title)
    if other is not None and other.guid != name and other.name.casefold() == title.casefold():
        message = f"A custom role with the same name already exists in this directory. Use a different name: '{title}'."
        raise Refusal(409, "RoleDefinitionWithSameNameExists", message)


def _store_definition(call: Call, body: Body, live: Record | None) -> Body:
    before, now = (live.properties if live else {}), stamp(call.cloud.now())
    return {
        "properties": {
            **_properties(body),
            "createdOn": before.get("createdOn", now),
            "updatedOn": now,
            "createdBy": before.get("createdBy", call.who.object_id),
            "updatedBy": call.who.object_id,
        }
    }


def _show_definition(_cloud: Cloud, record: Record, shown: Body) -> Body:
    role = rbac.custom_role(record.properties, record.name)
    shown["properties"] |= {"type": "CustomRole", "description": role.description}
    return shown


def _unused(call: Call, record: Record) -> None:
    users = [one for one in call.cloud.store.of_type(ASSIGNMENTS) if _identity(one)[0] == record.name.lower()]
    if users:
        message = (
            f"There are existing role assignments referencing role (code: RoleDefinitionHasAssignments): {len(users)}."
        )
        raise Refusal(400, "RoleDefinitionHasAssignments", message)


# -------------------------------------------------------------------------------------------------- permissions, locks
def _permissions(call: Call) -> Answer:
    """What the caller may do at the scope."""
    own = [
        one.role
        for one in grants(call.cloud)
        if one.principal_id.casefold() == call.who.object_id.casefold() and rbac.covers(one.scope, call.target.scope)
    ]
    value = [
        {
            "actions": list(role.actions),
            "notActions": list(role.not_actions),
            "dataActions": list(role.data_actions),
            "notDataActions": list(role.not_data_actions),
        }
        for role in own
    ]
    return Answer(200, {"value": value})


def new_name(*parts: str) -> str:
    """A name that is a GUID and always the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts).lower()))


TYPES = (
    ResourceType(
        ASSIGNMENTS,
        versions=(
            "2015-07-01",
            "2018-01-01-preview",
            "2018-09-01-preview",
            "2020-04-01-preview",
            "2020-10-01-preview",
            "2022-04-01",
        ),
        model="azure.mgmt.authorization.v2022_04_01.models.RoleAssignmentCreateParameters",
        scopes=ANYWHERE,
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=r"[^/]+",
        shows_state=False,
        seconds={"PUT": 1.0, "DELETE": 1.0},
        check=_check_assignment,
        store=_store_assignment,
        done=_assigned,
        select=_select_assignments,
    ),
    ResourceType(
        DEFINITIONS,
        versions=("2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"),
        model="azure.mgmt.authorization.v2022_04_01.models.RoleDefinition",
        scopes=ANYWHERE,
        name_rule=r"[^/]+",
        shows_state=False,
        seconds={"PUT": 1.0},
        updated=201,
        read_only=(
            "properties.type",
            "properties.createdOn",
            "properties.updatedOn",
            "properties.createdBy",
            "properties.updatedBy",
        ),
        check=_check_definition,
        store=_store_definition,
        answer=_show_definition,
        deletable=_unused,
    ),
    ResourceType(
        LOCKS,
        versions=("2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"),
        scopes=ANYWHERE,
        name_rule=r"[^<>%&\\?/]+",
        shows_state=False,
        enums={"properties.level": ("CanNotDelete", "ReadOnly", "NotSpecified")},
    ),
)

_DEFINITION_VERSIONS = TYPES[1].versions
ACTIONS = {
    f"GET {DEFINITIONS}": Action(_read_definitions, versions=_DEFINITION_VERSIONS, needs=False),
    "GET Microsoft.Authorization/permissions": Action(
        _permissions, versions=("2015-07-01", "2018-01-01-preview", "2022-04-01"), needs=False
    ),
}
