# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Subscriptions, tenants, providers and resource groups: what Azure Resource Manager answers by itself.

Each function is called for a path that has no ``/providers/…`` of a resource; :func:`route` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..store import Record
from ..web import Answer, Refusal
from . import answers, operations, writes
from .kinds import Action, Call, ResourceType
from .locations import REGIONS, normal

GROUP = writes.GROUP
GROUPS = ResourceType(GROUP, versions=("2025-04-01",), tracked=True, seconds={"PUT": 0.5, "PATCH": 0.3}, patch="tags")
#: Deleting a group takes so long, and besides as long as the slowest resource in it.
EMPTY_GROUP = 15.0
#: Versions of Microsoft.Resources; az, the SDKs and Terraform ask with quite different ones.
VERSIONS = (
    "2014-04-01-preview", "2015-01-01", "2015-11-01", "2016-02-01", "2016-06-01", "2016-09-01", "2017-05-10",
    "2018-01-01", "2018-02-01", "2018-05-01", "2018-06-01", "2019-03-01", "2019-05-01", "2019-05-10", "2019-06-01",
    "2019-07-01", "2019-08-01", "2019-10-01", "2019-11-01", "2020-01-01", "2020-05-01", "2020-06-01", "2020-08-01",
    "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01", "2022-12-01", "2023-07-01", "2024-03-01", "2024-07-01",
    "2024-11-01", "2025-03-01", "2025-04-01", "2026-01-01",
)  # fmt: skip

Handler = Callable[[Call], Answer]


def _subscription(call: Call) -> dict[str, Any]:
    cloud = call.cloud
    return {
        "id": f"/subscriptions/{cloud.subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": cloud.subscription,
        "tenantId": cloud.tenant,
        "displayName": "Stand-in",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def _subscriptions(call: Call) -> Answer:
    return Answer(200, {"value": [_subscription(call)], "count": {"type": "Total", "value": 1}})


def _one_subscription(call: Call) -> Answer:
    return Answer(200, _subscription(call))


def _tenants(call: Call) -> Answer:
    tenant = {
        "id": f"/tenants/{call.cloud.tenant}",
        "tenantId": call.cloud.tenant,
        "countryCode": "DE",
        "displayName": "planetary",
        "domains": ["planetary.onmicrosoft.com"],
        "tenantCategory": "Home",
        "defaultDomain": "planetary.onmicrosoft.com",
        "tenantType": "AAD",
    }
    return Answer(200, {"value": [tenant]})


def _locations(call: Call) -> Answer:
    value = [
        {
            "id": f"/subscriptions/{call.cloud.subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": shown,
            "regionalDisplayName": shown,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name, shown in REGIONS.items()
    ]
    return Answer(200, {"value": value})


# ------------------------------------------------------------------------------------------------------------ providers
def namespaces(call: Call) -> dict[str, str]:
    """All namespaces: lower case -> Azure's spelling."""
    names = [kind.namespace for kind in call.cloud.kinds.values()]
    names += [name.partition(" ")[2].partition("/")[0] for name in call.cloud.actions]
    found = {name.lower(): name for name in names if name.lower() != name}
    return {"microsoft.resources": "Microsoft.Resources", **found}


def registered(call: Call, namespace: str) -> bool:
    """Whether the subscription is registered to use a namespace."""
    return namespace.lower() not in call.cloud.store.fact("unregistered")


def _provider(call: Call, namespace: str) -> dict[str, Any]:
    kinds = [kind for kind in call.cloud.kinds.values() if kind.namespace == namespace]
    return {
        "id": f"/subscriptions/{call.cloud.subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered" if registered(call, namespace) else "NotRegistered",
        "resourceTypes": [
            {
                "resourceType": kind.short,
                "locations": list(REGIONS.values()) if kind.tracked else [],
                "apiVersions": sorted(kind.versions, reverse=True),
                "capabilities": "SupportsTags, SupportsLocation" if kind.tracked else "None",
            }
            for kind in kinds
        ],
    }


def _providers(call: Call) -> Answer:
    return answers.page(call, [_provider(call, name) for name in sorted(namespaces(call).values())])


def _one_provider(call: Call) -> Answer:
    wanted = call.target.path.split("/")[4]
    namespace = namespaces(call).get(wanted.lower())
    if namespace is None:
        raise Refusal(404, "InvalidResourceNamespace", f"The resource namespace '{wanted}' is invalid.")
    verb = call.target.path.split("/")[5:6]
    if verb:
        fact = call.cloud.store.fact("unregistered")
        if verb[0].lower() == "register":
            fact.pop(namespace.lower(), None)
        else:
            fact[namespace.lower()] = True
        call.cloud.store.touch("unregistered")
    return Answer(200, _provider(call, namespace))


# ------------------------------------------------------------------------------------------------------ resource groups
def _shown(group: Record) -> dict[str, Any]:
    body = {"id": group.id, "name": group.name, "type": GROUP, "location": group.body["location"]}
    body |= {key: group.body[key] for key in ("tags", "managedBy") if key in group.body}
    return {**body, "properties": {"provisioningState": group.state}}


def _name_rules(name: str) -> None:
    if len(name) > 90:
        raise Refusal(
            400, "InvalidResourceGroup", f"The provided resource group name '{name}' exceeds the maximum length of 90."
        )
    wrong = sorted(set(re.sub(r"[\w().-]", "", name)))
    if wrong:
        message = (
            f"The provided resource group name '{name}' has these invalid characters: '{''.join(wrong)}'. The name "
            "can only be a "
            "letter, digit, '-', '.', '(', ')' or '_'."
        )
        raise Refusal(400, "InvalidResourceGroup", message)
    if name.endswith("."):
        raise Refusal(400, "InvalidResourceGroup", f"The provided resource group name '{name}' ends with '.'.")


def _put_group(call: Call) -> Answer:
    cloud, body, live = call.cloud, call.body, call.cloud.store.get(call.target.group_id)
    if not isinstance(body, dict):
        raise Refusal(400, "InvalidRequestContent", "The request content was invalid: the body must be a JSON object.")
    unknown = sorted(set(body) - {"location", "tags", "properties", "managedBy", *writes.ENVELOPE})
    if unknown:
        message = (
            f"The request content was invalid and could not be deserialized: 'Could not find member '{unknown[0]}' "
            "on object of "
            f"type 'ResourceGroupDefinition'. Path '{unknown[0]}', line 1, position {len(unknown[0]) + 4}.'."
        )
        raise Refusal(400, "InvalidRequestContent", message)
    writes.check_tags(body.get("tags"))
    location = body.get("location")
    if not isinstance(location, str) or not location:
        raise Refusal(400, "LocationRequired", "The location property is required for this definition.")
    if normal(location) not in REGIONS:
        message = (
            f"The provided location '{location}' is not available for resource group. List of available regions is "
            f"'{','.join(REGIONS)}'."
        )
        raise Refusal(400, "LocationNotAvailableForResourceGroup", message)
    _name_rules(call.target.group)
    if live is not None and live.state == "Deleting":
        message = f"The resource group '{live.name}' is in deprovisioning state and cannot perform this operation."
        raise Refusal(409, "ResourceGroupBeingDeleted", message)
    if live is not None and live.body["location"] != normal(location):
        message = (
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{live.body['location']}'."
        )
        raise Refusal(409, "InvalidResourceGroupLocation", message)
    now = cloud.now()
    group = live or Record(
        f"/subscriptions/{cloud.subscription}/resourceGroups/{call.target.group}", GROUP, {}, created=now
    )
    group.body = {"location": normal(location)}
    group.body |= {key: body[key] for key in ("tags", "managedBy") if body.get(key) is not None}
    group.changed = now
    cloud.store.put(group)
    return Answer(200 if live else 201, _shown(group))


def _patch_group(call: Call) -> Answer:
    group = writes.group_of(call)
    assert group is not None
    body = call.body if isinstance(call.body, dict) else {}
    writes.check_tags(body.get("tags"))
    if isinstance(body.get("tags"), dict):
        group.body["tags"] = body["tags"]
        call.cloud.store.put(group)
    return Answer(200, _shown(group))


def _get_group(call: Call) -> Answer:
    group = call.cloud.store.get(call.target.group_id)
    if call.method == "HEAD":
        return Answer(204 if group else 404)
    group = writes.group_of(call)
    assert group is not None
    return Answer(200, _shown(group))


def _delete_group(call: Call) -> Answer:
    cloud = call.cloud
    group = writes.group_of(call)
    assert group is not None
    running = operations.of_resource(cloud, group.id)
    if running is None or running.verb != "DELETE":
        slowest = [cloud.kinds[one.type.lower()].seconds.get("DELETE", 0.0) for one in cloud.store.below(group.id)
                   if one.type.lower() in cloud.kinds]  # fmt: skip
        running = operations.begin(
            call, "DELETE", group.id, EMPTY_GROUP + max(slowest, default=0.0), location=group.body["location"]
        )
        group.state = "Deleting"
        cloud.store.put(group)
    return Answer(202, None, operations.headers(call, running, "location", 15))


def _groups(call: Call) -> Answer:
    found = list(call.cloud.store.of_type(GROUP))
    for operator, field, value in answers.terms(call.query["$filter"]) if call.query.get("$filter") else []:
        if operator != "eq" or field.lower() not in ("tagname", "tagvalue"):
            raise Refusal(
                400, "InvalidFilterInQueryString", f"Invalid property '{field}' in the $filter of the query string."
            )
        wanted = value.lower()
        part = 0 if field.lower() == "tagname" else 1
        found = [one for one in found if wanted in [str(tag[part]).lower() for tag in one.body.get("tags", {}).items()]]
    return answers.page(call, [_shown(group) for group in found])


def _resources(call: Call) -> Answer:
    group = writes.group_of(call)
    below = group.id if group else f"/subscriptions/{call.cloud.subscription}"
    return answers.page(call, answers.generic(call, call.cloud.store.below(below)))


def _tags(call: Call) -> Answer:
    """The tags of a subscription, a group or a resource, alone: all of them, replaced, merged or some deleted."""
    cloud = call.cloud
    scope = call.target.scope
    record = cloud.store.get(scope)
    if record is None:
        raise Refusal(404, "ResourceNotFound", f"The resource '{scope}' was not found.")
    body = call.body if isinstance(call.body, dict) else {}
    given = (body.get("properties") or {}).get("tags") or {}
    writes.check_tags(given)
    now = dict(record.body.get("tags") or {})
    what = str(body.get("operation", "Replace")).lower()
    if call.method == "DELETE":
        now = {}
    elif call.method == "PATCH" and what == "delete":
        now = {key: value for key, value in now.items() if key not in given}
    elif call.method in ("PUT", "PATCH"):
        now = {**now, **given} if call.method == "PATCH" and what == "merge" else dict(given)
    if call.method != "GET":
        record.body["tags"] = now
        cloud.store.put(record)
    tags_id = f"{record.id}/providers/Microsoft.Resources/tags/default"
    return Answer(
        200, {"id": tags_id, "name": "default", "type": "Microsoft.Resources/tags", "properties": {"tags": now}}
    )


def _operation(call: Call) -> Answer:
    operation = call.cloud.store.operations.get(call.target.path.rpartition("/")[2])
    if operation is None:
        raise Refusal(404, "NotFound", f"The operation {call.target.path} does not exist.")
    return operations.look(call, operation, lambda record: answers.show(call.cloud, record))


#: Method and path -> (handler, type for log and dials, seconds); the first that fits.
ROUTES: tuple[tuple[str, str, Handler, str, float], ...] = (
    ("GET", r"/tenants", _tenants, "Microsoft.Resources/tenants", 0.05),
    ("GET", r"/subscriptions", _subscriptions, "Microsoft.Resources/subscriptions", 0.05),
    ("GET", r"/subscriptions/[^/]+", _one_subscription, "Microsoft.Resources/subscriptions", 0.05),
    ("GET", r"/subscriptions/[^/]+/locations", _locations, "Microsoft.Resources/locations", 0.05),
    ("GET", r"/subscriptions/[^/]+/providers", _providers, "Microsoft.Resources/providers", 0.3),
    ("GET", r"/subscriptions/[^/]+/providers/[^/]+", _one_provider, "Microsoft.Resources/providers", 0.05),
    ("POST", r"/subscriptions/[^/]+/providers/[^/]+/(un)?register", _one_provider, "Microsoft.Resources/providers", 1),
    ("GET", r"/subscriptions/[^/]+/operationresults/[^/]+", _operation, "Microsoft.Resources/operationresults", 0.05),
    ("GET", r"/subscriptions/[^/]+/resources", _resources, "Microsoft.Resources/resources", 0.1),
    ("GET", r"/subscriptions/[^/]+/resourcegroups", _groups, GROUP, 0.05),
    ("GET|HEAD", r"/subscriptions/[^/]+/resourcegroups/[^/]+", _get_group, GROUP, 0.05),
    ("PUT", r"/subscriptions/[^/]+/resourcegroups/[^/]+", _put_group, GROUP, 0.5),
    ("PATCH", r"/subscriptions/[^/]+/resourcegroups/[^/]+", _patch_group, GROUP, 0.3),
    ("DELETE", r"/subscriptions/[^/]+/resourcegroups/[^/]+", _delete_group, GROUP, 0.3),
    ("GET", r"/subscriptions/[^/]+/resourcegroups/[^/]+/resources", _resources, "Microsoft.Resources/resources", 0.1),
)  # fmt: skip


#: Types of Microsoft.Resources that hang on anything.
ACTIONS = {
    f"{method} Microsoft.Resources/tags": Action(_tags, VERSIONS, seconds=seconds)
    for method, seconds in (("GET", 0.05), ("PUT", 1.0), ("PATCH", 1.0), ("DELETE", 1.0))
}


def route(method: str, path: str) -> tuple[Handler, str, float] | None:
    """What answers a path that is no provider's resource."""
    for methods, pattern, handler, kind, seconds in ROUTES:
        if method in methods.split("|") and re.fullmatch(pattern, path, re.IGNORECASE):
            return handler, kind, seconds
    return None


operation = _operation
