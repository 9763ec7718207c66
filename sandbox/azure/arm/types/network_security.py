# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Network: network security groups with their rules, and the question whether somebody gets in.

``POST /reachable`` of the dials: ``{"subnet": id, "port": 443, "source": "Internet" | address | tag, "protocol": "Tcp",
"destination": address (default: the whole subnet), "direction": "Inbound"}`` is answered with
``{"allowed": bool, "rule": name, "network_security_group": id}``. A subnet without a group lets everything in.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...dials import dial
from ...store import Record
from ...web import Answer, Refusal, Request
from .. import answers, operations, traffic
from ..kinds import Body, Call, ResourceType, find_key, look, merged
from ..references import users
from ._address_ranges import cidr, prefixes_of
from .network import NAME, NAME_ERROR, NETWORK, SECURITY_GROUP, SUBNET, VERSIONS

if TYPE_CHECKING:
    from ...cloud import Cloud

RULE = f"{SECURITY_GROUP}/securityRules"
ENUMS = {
    "properties.protocol": ("Tcp", "Udp", "Icmp", "Esp", "*", "Ah"),
    "properties.access": ("Allow", "Deny"),
    "properties.direction": ("Inbound", "Outbound"),
}
RULE_DEFAULTS: Body = {
    "properties": {
        "sourcePortRanges": [],
        "destinationPortRanges": [],
        "sourceAddressPrefixes": [],
        "destinationAddressPrefixes": [],
    }
}
_PORT = re.compile(r"\*|\d{1,5}(-\d{1,5})?")
_TAG = re.compile(r"[A-Za-z][\w.]*")
PORTS = ("sourcePortRange", "sourcePortRanges", "destinationPortRange", "destinationPortRanges")
PREFIXES = ("sourceAddressPrefix", "sourceAddressPrefixes", "destinationAddressPrefix", "destinationAddressPrefixes")


def _bad(code: str, message: str) -> Refusal:
    return Refusal(400, code, message, details=[])


def _values(rule: Body, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        found = look(rule, f"properties.{name}", [])
        yield from [found] if isinstance(found, str) else found


def _check_rule(name: str, rule: Body) -> None:
    """What Azure asks of one rule."""
    for needed in ("protocol", "access", "direction", "priority"):
        if look(rule, f"properties.{needed}") is None:
            raise _bad(
                "SecurityRuleParameterRequired", f"Required security rule parameter {needed} of rule {name} is missing."
            )
    for needed in ("source", "destination"):
        for kind, names in (("PortRange", PORTS), ("AddressPrefix", PREFIXES)):
            groups = find_key(rule["properties"], f"{needed}ApplicationSecurityGroups")
            if not list(_values(rule, tuple(one for one in names if one.startswith(needed)))) and not groups:
                raise _bad(
                    "SecurityRuleParameterRequired",
                    f"Required security rule parameter {needed}{kind} of rule {name} is missing.",
                )
    for path, values in ENUMS.items():
        found = str(look(rule, path))
        if found.lower() not in [value.lower() for value in values]:
            code = "SecurityRuleInvalidProtocol" if path.endswith("protocol") else "SecurityRuleInvalidValue"
            raise _bad(code, f"Security rule {name} has invalid {path.rpartition('.')[2]}. Value provided: {found}.")
    priority = look(rule, "properties.priority")
    if not isinstance(priority, int) or not 100 <= priority <= 4096:
        message = f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096."
        raise _bad("SecurityRuleInvalidPriority", message)
    for text in _values(rule, PORTS):
        if not _PORT.fullmatch(text) or any(int(part) > 65535 for part in text.split("-") if part != "*"):
            message = (
                f"Security rule has invalid Port range. Value provided: {text}. Value should be an integer OR "
                "integer range with '-' "
                "delimiter. Valid range 0-65535."
            )
            raise _bad("SecurityRuleInvalidPortRange", message)
    for text in _values(rule, PREFIXES):
        if text != "*" and not _TAG.fullmatch(text):
            try:
                cidr(text, name)
            except Refusal:
                raise _bad("SecurityRuleInvalidAddressPrefix",
                           f"Security rule has invalid Address prefix. Value provided: {text}") from None  # fmt: skip


def _check_beside(rules: list[tuple[str, Body]]) -> None:
    """No two rules of one direction have one priority."""
    seen: dict[tuple[str, int], str] = {}
    for name, rule in rules:
        key = (str(look(rule, "properties.direction")).lower(), look(rule, "properties.priority"))
        if key in seen:
            message = f"Security rule {name} conflicts with rule {seen[key]}. "
            message += "Rules cannot have the same Priority and Direction."
            raise _bad("SecurityRuleConflict", message)
        seen[key] = name


def _as_kept(rule: Body) -> Body:
    """A rule as Azure keeps it: its own case, all lists there."""
    body = merged(RULE_DEFAULTS, {"properties": rule["properties"]})
    if key := find_key(body["properties"], "provisioningState"):
        del body["properties"][key]
    for path, values in ENUMS.items():
        name = path.rpartition(".")[2]
        found = str(look(body, path)).lower()
        body["properties"][name] = next(value for value in values if value.lower() == found)
    return body


def rules_of(cloud: Cloud, group: str) -> list[Record]:
    """The rules of a group."""
    return list(cloud.store.of_type(RULE, group))


def _write_rules(call: Call, group_id: str, given: list[Body]) -> None:
    cloud, wanted = call.cloud, {rule["name"].lower() for rule in given}
    for old in rules_of(cloud, group_id):
        if old.name.lower() not in wanted:
            operations.delete_now(cloud, old)
    for rule in given:
        rule_id = f"{group_id}/securityRules/{rule['name']}"
        record = cloud.store.get(rule_id) or Record(rule_id, RULE, {}, created=cloud.now())
        record.body, record.changed = _as_kept(rule), cloud.now()
        cloud.store.put(record)


# ------------------------------------------------------------------------------------------------------------ the group
def _check_group(_call: Call, body: Body, _live: Record | None) -> None:
    rules = look(body, "properties.securityRules", [])
    for rule in rules:
        if not rule.get("name"):
            raise _bad("InvalidRequestFormat", "Cannot parse the request: a security rule has no name.")
        _check_rule(rule["name"], rule)
    _check_beside([(rule["name"], rule) for rule in rules])


def _store_group(call: Call, body: Body, live: Record | None) -> Body:
    properties = body.setdefault("properties", {})
    key = find_key(properties, "securityRules")
    given = properties.pop(key) if key else []
    properties["resourceGuid"] = live.properties["resourceGuid"] if live else str(uuid.uuid4())
    if call.method == "PUT":
        # A body without rules takes them away, unlike the subnets of a network.
        _write_rules(call, live.id if live else call.target.path, given)
    return body


def attached_to(cloud: Cloud, group: str) -> list[Record]:
    """The subnets that a group is attached to."""
    wanted = group.lower()
    return [
        one
        for one in cloud.store.of_type(SUBNET)
        if str(look(one.body, "properties.networkSecurityGroup.id", "")).lower() == wanted
    ]


def _show_group(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    properties = shown["properties"]
    properties["securityRules"] = [answers.show(cloud, rule) for rule in rules_of(cloud, record.id)]
    properties["defaultSecurityRules"] = traffic.default_rules(record.id)
    subnets = attached_to(cloud, record.id)
    if subnets:
        properties["subnets"] = [{"id": subnet.id} for subnet in subnets]
    return shown


def _networks(cloud: Cloud, group: str) -> list[str]:
    return [subnet.id.rsplit("/", 2)[0] for subnet in attached_to(cloud, group)]


def _delete_group(call: Call, live: Record) -> None:
    holders = users(call.cloud, live.id)
    if holders:
        message = (
            f"Network security group {live.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(one.id for one in holders)}. In order to delete the Network security group, remove the "
            "association with the "
            "resource(s). To learn how to do this, see aka.ms/deletensg."
        )
        raise _bad("InUseNetworkSecurityGroupCannotBeDeleted", message)


def _check_one_rule(call: Call, body: Body, _live: Record | None) -> None:
    _check_rule(call.target.name, body)
    group = call.parent()
    others = [(one.name, one.body) for one in rules_of(call.cloud, group.id) if one.key != call.target.path.lower()]
    _check_beside([*others, (call.target.name, body)])


# ---------------------------------------------------------------------------------------------------------- who gets in
@dial("POST /reachable")
def reachable(cloud: Cloud, request: Request) -> Answer:
    """Whether a packet passes the group of a subnet."""
    asked = request.json() or {}
    subnet = cloud.store.get(str(asked.get("subnet", "")))
    if subnet is None or subnet.type != SUBNET:
        raise Refusal(404, "NoSuchSubnet", f"There is no subnet {asked.get('subnet')}.")
    group_id = look(subnet.body, "properties.networkSecurityGroup.id")
    if not group_id:
        return Answer(200, {"allowed": True, "rule": None, "network_security_group": None})
    network = cloud.store.get(subnet.id.rsplit("/", 2)[0])
    space = (
        look(network.body, "properties.addressSpace.addressPrefixes", []) if network and network.type == NETWORK else []
    )
    packet = traffic.Packet(
        source=str(asked.get("source", "Internet")),
        destination=str(asked.get("destination") or prefixes_of(subnet.body)[0]),
        port=int(asked.get("port", 443)),
        protocol=str(asked.get("protocol", "Tcp")),
        direction=str(asked.get("direction", "Inbound")),
        space=tuple(cidr(one, subnet.id) for one in space),
    )
    rules = [{"name": rule.name, **rule.body} for rule in rules_of(cloud, group_id)]
    allowed, name = traffic.decide(rules, packet)
    return Answer(200, {"allowed": allowed, "rule": name, "network_security_group": group_id})


TYPES = (
    ResourceType(
        SECURITY_GROUP,
        versions=VERSIONS,
        model="azure.mgmt.network.models.NetworkSecurityGroup",
        tracked=True,
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds={"PUT": 4.0, "DELETE": 4.0},
        long=("PUT", "DELETE"),
        retry_after=1,
        etag=True,
        patch="tags",
        read_only=(
            "properties.resourceGuid",
            "properties.defaultSecurityRules",
            "properties.subnets",
            "properties.networkInterfaces",
        ),
        siblings=lambda call: _networks(call.cloud, call.target.path),
        check=_check_group,
        store=_store_group,
        answer=_show_group,
        deletable=_delete_group,
    ),
    ResourceType(
        RULE,
        versions=VERSIONS,
        model="azure.mgmt.network.models.SecurityRule",
        methods=("GET", "HEAD", "PUT", "DELETE"),
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds={"PUT": 3.0, "DELETE": 3.0},
        long=("PUT", "DELETE"),
        retry_after=1,
        etag=True,
        siblings=lambda call: (call.target.parent, *_networks(call.cloud, call.target.parent)),
        check=_check_one_rule,
        store=lambda _call, body, _live: _as_kept(body),
    ),
)
