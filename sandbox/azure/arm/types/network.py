# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Network: virtual networks and their subnets, route tables, gateways.

Subnets are resources of their own that the network embeds in its answer; a body without ``subnets`` leaves them alone,
an empty list or null takes them away (api-version 2023-09-01 and later).
Source: https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Refusal
from .. import answers, operations
from ..kinds import Body, Call, ResourceType, find_key, look, merged
from ..references import needed, users
from ._address_ranges import address_space, check_ranges, prefixes_of

if TYPE_CHECKING:
    from ...cloud import Cloud

#: All versions since 2017, of which az, the SDKs and azure.azcollection still use one or another.
VERSIONS = (
    "2017-10-01", "2017-11-01", "2018-01-01", "2018-02-01", "2018-04-01", "2018-06-01", "2018-07-01", "2018-08-01",
    "2018-10-01", "2018-11-01", "2018-12-01", "2019-02-01", "2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01",
    "2019-09-01", "2019-11-01", "2019-12-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01",
    "2020-08-01", "2020-11-01", "2021-02-01", "2021-03-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01",
    "2022-07-01", "2022-09-01", "2022-11-01", "2023-02-01", "2023-04-01", "2023-05-01", "2023-06-01", "2023-09-01",
    "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01", "2025-03-01",
    "2025-05-01", "2025-07-01", "2025-09-01", "2026-01-01", "2026-03-01",
)  # fmt: skip
NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
NAME = r"\w(?:[\w.-]{0,78}\w)?"
NAME_ERROR = (
    "InvalidResourceName",
    "Resource name {name} is invalid. The name can be up to 80 characters long. It must begin with a word character, "
    "and it must end "
    "with a word character or with '_'. The name may contain word characters or '.', '-', '_'.",
)
#: What a subnet may be attached to: path -> type.
ATTACHED = {
    "networkSecurityGroup": SECURITY_GROUP,
    "routeTable": "Microsoft.Network/routeTables",
    "natGateway": "Microsoft.Network/natGateways",
}
SUBNET_DEFAULTS: Body = {
    "properties": {
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
}


def _attached(body: Body) -> Iterator[str]:
    for name in ATTACHED:
        found = look(body, f"properties.{name}.id")
        if isinstance(found, str):
            yield found


def subnets_of(cloud: Cloud, network: str) -> list[Record]:
    """The subnets of a network, in the order in which they came."""
    return list(cloud.store.of_type(SUBNET, network))


def _in_use(cloud: Cloud, subnet: Record) -> None:
    holders = [one for one in users(cloud, subnet.id) if one.type != NETWORK]
    if holders:
        message = (
            f"Subnet {subnet.name} is in use by {holders[0].id} and cannot be deleted. In order to delete the "
            "subnet, delete all the "
            "resources within the subnet. See aka.ms/deletesubnet."
        )
        raise Refusal(400, "InUseSubnetCannotBeDeleted", message, details=[])


def _kept_prefixes(cloud: Cloud, live: Record, body: Body) -> None:
    gone = set(prefixes_of(live.body)) - set(prefixes_of(body))
    if gone and [one for one in users(cloud, live.id) if one.type != NETWORK]:
        message = f"IpPrefix {sorted(gone)[0]} on Subnet {live.name} has active allocations and cannot be deleted."
        raise Refusal(400, "InUsePrefixCannotBeDeleted", message, details=[])


def _as_kept(body: Body) -> Body:
    """A subnet as Azure keeps it: one range is ``addressPrefix``, however it was written."""
    body = merged(SUBNET_DEFAULTS, body)
    properties = body["properties"]
    for name in ("provisioningState", "ipConfigurations", "purpose"):
        if key := find_key(properties, name):
            del properties[key]
    prefixes = prefixes_of(body)
    for name in ("addressPrefix", "addressPrefixes"):
        if key := find_key(properties, name):
            del properties[key]
    properties |= {"addressPrefix": prefixes[0]} if len(prefixes) == 1 else {"addressPrefixes": prefixes}
    for name in ATTACHED:
        if key := find_key(properties, name):
            properties[name] = {"id": properties.pop(key)["id"]}
    return {"properties": properties}


# ----------------------------------------------------------------------------------------------------- virtual networks
def _given_subnets(call: Call, body: Body) -> list[Body] | None:
    """The subnets that a body says; None when it does not speak of them."""
    sent = call.body.get("properties") if isinstance(call.body, dict) else None
    key = find_key(sent, "subnets") if isinstance(sent, dict) else None
    if key is None or call.method == "PATCH":
        return None
    return look(body, "properties.subnets", [])


def _check_network(call: Call, body: Body, _live: Record | None) -> None:
    space = address_space(body, call.target.path)
    now = {one.name.lower(): one for one in subnets_of(call.cloud, call.target.path)}
    given = _given_subnets(call, body)
    if given is None:
        check_ranges(call.target.path, space, {one.name: one.body for one in now.values()})
        return
    for subnet in given:
        if not subnet.get("name"):
            raise Refusal(400, "InvalidRequestFormat", "Cannot parse the request: a subnet has no name.", details=[])
    check_ranges(call.target.path, space, {subnet["name"]: subnet for subnet in given})
    for subnet in given:
        for reference in _attached(subnet):
            needed(call, reference, f"{call.target.path}/subnets/{subnet['name']}")
        if old := now.get(subnet["name"].lower()):
            _kept_prefixes(call.cloud, old, subnet)
    wanted = {subnet["name"].lower() for subnet in given}
    for name, old in now.items():
        if name not in wanted:
            _in_use(call.cloud, old)


def _store_network(call: Call, body: Body, live: Record | None) -> Body:
    properties = body["properties"]
    given = _given_subnets(call, body)
    if key := find_key(properties, "subnets"):
        del properties[key]
    properties["resourceGuid"] = live.properties["resourceGuid"] if live else str(uuid.uuid4())
    if given is not None:
        base = live.id if live else call.target.path
        wanted = {subnet["name"].lower() for subnet in given}
        for old in subnets_of(call.cloud, base):
            if old.name.lower() not in wanted:
                operations.delete_now(call.cloud, old)
        call.cloud.store.fact("subnets to come")[base.lower()] = given
    return body


def _keep_subnets(call_cloud: Cloud, network: Record) -> None:
    """Write the subnets that came with the network; they appear with its success."""
    for subnet in call_cloud.store.fact("subnets to come").pop(network.key, []):
        subnet_id = f"{network.id}/subnets/{subnet['name']}"
        old = call_cloud.store.get(subnet_id)
        record = old or Record(subnet_id, SUBNET, {}, created=call_cloud.now())
        record.body, record.changed = _as_kept({"properties": subnet.get("properties", {})}), call_cloud.now()
        call_cloud.store.put(record)
    call_cloud.store.touch("subnets to come")


def _show_network(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    subnets = [answers.show(cloud, subnet) for subnet in subnets_of(cloud, record.id)]
    coming = cloud.store.fact("subnets to come").get(record.key, [])
    known = {subnet["name"].lower() for subnet in subnets}
    subnets += [
        {
            "id": f"{record.id}/subnets/{one['name']}",
            **one,
            "properties": {"provisioningState": "Updating", **one.get("properties", {})},
        }
        for one in coming
        if one["name"].lower() not in known
    ]
    shown["properties"]["subnets"] = subnets
    shown["properties"].setdefault("virtualNetworkPeerings", [])
    return shown


def _delete_network(call: Call, live: Record) -> None:
    for subnet in subnets_of(call.cloud, live.id):
        _in_use(call.cloud, subnet)


def _network_siblings(call: Call) -> list[str]:
    """One write at a time in a network: itself and what is attached to its subnets."""
    found = [reference for subnet in subnets_of(call.cloud, call.target.path) for reference in _attached(subnet.body)]
    for subnet in look(call.body, "properties.subnets", []) if isinstance(call.body, dict) else []:
        found += _attached(subnet)
    return found


# -------------------------------------------------------------------------------------------------------------- subnets
def _renew_network(cloud: Cloud, subnet: Record) -> None:
    """A network has another etag as soon as one of its subnets has changed."""
    network = cloud.store.get(subnet.id.rsplit("/", 2)[0])
    if network is not None:
        cloud.store.put(network)


def _check_subnet(call: Call, body: Body, live: Record | None) -> None:
    network = call.parent()
    others = {one.name: one.body for one in subnets_of(call.cloud, network.id) if one.key != call.target.path.lower()}
    name = live.name if live else call.target.name
    check_ranges(network.id, address_space(network.body, network.id), {**others, name: body})
    for reference in _attached(body):
        needed(call, reference, call.target.path)
    if live:
        _kept_prefixes(call.cloud, live, body)


def _subnet_siblings(call: Call) -> list[str]:
    live = call.cloud.store.get(call.target.path)
    body = call.body if isinstance(call.body, dict) else {}
    return [call.target.parent, *_attached(body), *(_attached(live.body) if live else ())]


# ------------------------------------------------------------------------------------------ route tables and gateways
def _check_gateway(call: Call, body: Body, _live: Record | None) -> None:
    for reference in _references(body.get("properties", {})):
        if not reference.lower().startswith(call.target.path.lower()):
            needed(call, reference, call.target.path)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        found = value.get("id")
        if isinstance(found, str) and "/providers/microsoft.network/" in found.lower():
            yield found
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _not_attached(call: Call, live: Record) -> None:
    holders = users(call.cloud, live.id)
    if holders:
        short = live.type.rpartition("/")[2]
        code = f"InUse{short[:1].upper()}{short[1:-1]}CannotBeDeleted"
        message = f"{short[:-1]} {live.id} cannot be deleted because it is in use by the following resources: "
        message += f"{holders[0].id}."
        raise Refusal(400, code, message, details=[])


def simple(name: str, model: str, seconds: dict[str, float], defaults: Body | None = None) -> ResourceType:
    """A type of which only is asked that it can be adopted."""
    return ResourceType(
        f"Microsoft.Network/{name}",
        versions=VERSIONS,
        model=f"azure.mgmt.network.models.{model}",
        tracked=True,
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds=seconds,
        long=("PUT", "DELETE"),
        etag=True,
        patch="tags",
        defaults={"properties": defaults or {}},
        check=_check_gateway,
        deletable=_not_attached,
    )


TYPES = (
    ResourceType(
        NETWORK,
        versions=VERSIONS,
        model="azure.mgmt.network.models.VirtualNetwork",
        tracked=True,
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds={"PUT": 4.0, "DELETE": 10.0},
        long=("PUT", "DELETE"),
        retry_after=1,
        etag=True,
        patch="tags",
        read_only=("properties.resourceGuid", "properties.virtualNetworkPeerings"),
        defaults={"properties": {"enableDdosProtection": False}},
        enums={"properties.privateEndpointVNetPolicies": ("Disabled", "Basic")},
        siblings=_network_siblings,
        check=_check_network,
        store=_store_network,
        answer=_show_network,
        done=_keep_subnets,
        deletable=_delete_network,
    ),
    ResourceType(
        SUBNET,
        versions=VERSIONS,
        model="azure.mgmt.network.models.Subnet",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds={"PUT": 4.0, "DELETE": 8.0},
        long=("PUT", "DELETE"),
        retry_after=1,
        etag=True,
        enums={
            "properties.privateEndpointNetworkPolicies": (
                "Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled",
            ),
            "properties.privateLinkServiceNetworkPolicies": ("Enabled", "Disabled"),
        },
        siblings=_subnet_siblings,
        check=_check_subnet,
        store=lambda _call, body, _live: _as_kept(body),
        done=_renew_network,
        deletable=lambda call, live: _in_use(call.cloud, live),
        deleted=_renew_network,
    ),
    simple("routeTables", "RouteTable", {"PUT": 3, "DELETE": 3}, {"disableBgpRoutePropagation": False, "routes": []}),
    simple("natGateways", "NatGateway", {"PUT": 6.0, "DELETE": 6.0}, {"idleTimeoutInMinutes": 4}),
    simple("applicationGateways", "ApplicationGateway", {"PUT": 300, "DELETE": 200}, {"operationalState": "Running"}),
    simple("loadBalancers", "LoadBalancer", {"PUT": 3.0, "DELETE": 3.0}),
    simple("networkInterfaces", "NetworkInterface", {"PUT": 3.0, "DELETE": 3.0}),
)  # fmt: skip
