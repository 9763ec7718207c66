# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Network: public IP addresses with their DNS labels, and what a region has left.

Source: https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType, find_key, look
from ..locations import normal
from ..references import users
from .network import NAME, NAME_ERROR, NETWORK, SECURITY_GROUP, VERSIONS

if TYPE_CHECKING:
    from ...cloud import Cloud

ADDRESS = "Microsoft.Network/publicIPAddresses"
LABEL = r"[a-z][a-z0-9-]{1,61}[a-z0-9]"
#: What a subscription may have in a region, unless a dial says otherwise (figure -> limit, type counted).
LIMITS = {
    "VirtualNetworks": (1000, NETWORK),
    "NetworkSecurityGroups": (5000, SECURITY_GROUP),
    "PublicIPAddresses": (1000, ADDRESS),
    "StandardSkuPublicIpAddresses": (1000, ADDRESS),
}


def fqdn(label: str, location: str) -> str:
    """The name that Azure's DNS gives a label."""
    return f"{label}.{location}.cloudapp.azure.com"


def taken_by(cloud: Cloud, label: str, location: str, but: str = "") -> str | None:
    """Who has a DNS label in a region: the id of an address, or "" for somebody elsewhere; None when it is free.

    The dial ``settings`` says which labels others have: ``{"taken_dns_labels": {"westeurope": ["hub"]}}``.
    """
    others = cloud.dials.settings.get("taken_dns_labels", {}).get(location, [])
    if label.lower() in others:
        return ""
    for record in cloud.store.of_type(ADDRESS):
        own = str(look(record.body, "properties.dnsSettings.domainNameLabel", "")).lower()
        if own == label.lower() and record.body["location"] == location and record.key != but.lower():
            return record.id
    return None


def _limit(cloud: Cloud, name: str, location: str) -> int:
    quota = cloud.dials.quota
    return int(quota.get(f"{location}/{name}", quota.get(name, LIMITS[name][0])))


def _count(cloud: Cloud, name: str, location: str) -> int:
    return sum(record.body.get("location") == location for record in cloud.store.of_type(LIMITS[name][1]))


def _check_label(call: Call, body: Body) -> None:
    label = look(body, "properties.dnsSettings.domainNameLabel")
    if label is None:
        return
    if not re.fullmatch(LABEL, str(label)):
        message = (
            f"The domain name label {label} is invalid. It must conform to the following regular expression: ^{LABEL}$."
        )
        raise Refusal(400, "InvalidDomainNameLabel", message, details=[])
    location = normal(body["location"])
    if taken_by(call.cloud, label, location, call.target.path) is not None:
        message = f"DNS record {fqdn(label, location)} is already used by another public IP."
        raise Refusal(400, "DnsRecordInUse", message, details=[])


def _check_address(call: Call, body: Body, live: Record | None) -> None:
    location = normal(body["location"])
    sku = str(look(body, "sku.name", "Basic"))
    if sku.lower() == "basic":
        message = "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region."
        raise Refusal(400, "IPv4BasicSkuPublicIpCountLimitReached", message, details=[])
    if str(look(body, "properties.publicIPAllocationMethod", "Dynamic")).lower() != "static":
        message = f"Standard sku publicIp {call.target.path} must have AllocationMethod set to Static."
        raise Refusal(400, "StandardSkuPublicIPAddressesMustUseStaticAllocation", message, details=[])
    if live is None:
        limit = _limit(call.cloud, "PublicIPAddresses", location)
        if _count(call.cloud, "PublicIPAddresses", location) >= limit:
            message = f"Cannot create more than {limit} public IP addresses for this subscription in this region."
            raise Refusal(400, "PublicIPCountLimitReached", message, details=[])
    elif sorted(body.get("zones", [])) != sorted(live.body.get("zones", [])):
        message = f"Resource {live.id} has an existing availability zone constraint that cannot be modified."
        raise Refusal(400, "ResourceAvailabilityZonesCannotBeModified", message, details=[])
    _check_label(call, body)


def _new_ip(cloud: Cloud, resource_id: str) -> str:
    """An address that looks like one of Azure's, and that nobody else has here."""
    taken = {record.properties.get("ipAddress") for record in cloud.store.of_type(ADDRESS)}
    for attempt in range(1000):
        digest = hashlib.sha256(f"{resource_id}{attempt}{cloud.tenant}".encode()).digest()
        found = f"20.{digest[0]}.{digest[1]}.{1 + digest[2] % 254}"
        if found not in taken:
            return found
    raise Refusal(409, "PublicIPAllocationFailed", "No address is left.")


def _store_address(call: Call, body: Body, live: Record | None) -> Body:
    properties, location = body["properties"], normal(body["location"])
    properties["resourceGuid"] = live.properties["resourceGuid"] if live else str(uuid.uuid4())
    properties["ipAddress"] = live.properties["ipAddress"] if live else _new_ip(call.cloud, call.target.path)
    key = find_key(properties, "dnsSettings")
    settings = properties.pop(key) if key else None
    if settings and settings.get("domainNameLabel"):
        properties["dnsSettings"] = {**settings, "fqdn": fqdn(settings["domainNameLabel"], location)}
    return body


def _delete_address(call: Call, live: Record) -> None:
    holders = users(call.cloud, live.id)
    if holders:
        message = (
            f"Public IP address {live.id} can not be deleted since it is still allocated to resource "
            f"{holders[0].id}. In order to delete "
            "the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, "
            "see aka.ms/deletepublicip."
        )
        raise Refusal(400, "PublicIPAddressCannotBeDeleted", message, details=[])


def _show_address(cloud: Cloud, record: Record, shown: dict[str, Any]) -> dict[str, Any]:
    holders = users(cloud, record.id) if record.state == "Succeeded" else []
    if holders:
        shown["properties"]["ipConfiguration"] = {"id": holders[0].id}
    return shown


def _region(call: Call) -> str:
    return normal(call.target.path.lower().partition("/locations/")[2].partition("/")[0])


def _label_available(call: Call) -> Answer:
    label = call.query.get("domainnamelabel", "")
    if not re.fullmatch(LABEL, label):
        message = (
            f"The domain name label {label} is invalid. It must conform to the following regular expression: ^{LABEL}$."
        )
        raise Refusal(400, "InvalidDomainNameLabel", message, details=[])
    return Answer(200, {"available": taken_by(call.cloud, label, _region(call)) is None})


def _usages(call: Call) -> Answer:
    location = _region(call)
    base = f"/subscriptions/{call.cloud.subscription}/providers/Microsoft.Network/locations/{location}/usages"
    value = [
        {
            "id": f"{base}/{name}",
            "unit": "Count",
            "currentValue": _count(call.cloud, name, location),
            "limit": _limit(call.cloud, name, location),
            "name": {"value": name, "localizedValue": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)},
        }
        for name in LIMITS
    ]
    return Answer(200, {"value": value})


TYPES = (
    ResourceType(
        ADDRESS,
        versions=VERSIONS,
        model="azure.mgmt.network.models.PublicIPAddress",
        tracked=True,
        name_rule=NAME,
        name_error=NAME_ERROR,
        seconds={"PUT": 3.0, "DELETE": 10.0},
        long=("PUT", "DELETE"),
        retry_after=1,
        etag=True,
        patch="tags",
        read_only=(
            "properties.ipConfiguration",
            "properties.resourceGuid",
            "properties.dnsSettings.fqdn",
            "properties.ipAddress",
        ),
        defaults={
            "properties": {
                "publicIPAddressVersion": "IPv4",
                "publicIPAllocationMethod": "Dynamic",
                "idleTimeoutInMinutes": 4,
                "ipTags": [],
                "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
            },
            "sku": {"name": "Basic", "tier": "Regional"},
        },
        enums={
            "sku.name": ("Basic", "Standard", "StandardV2"),
            "sku.tier": ("Regional", "Global"),
            "properties.publicIPAllocationMethod": ("Static", "Dynamic"),
            "properties.publicIPAddressVersion": ("IPv4", "IPv6"),
        },
        immutable={
            "sku.name": (
                "PublicIPAddressSkuCannotBeModified",
                "The SKU of a public IP address cannot change from {old} to {new}.",
            ),
            "properties.publicIPAddressVersion": (
                "PublicIPAddressVersionCannotBeModified",
                "The version of a public IP address cannot change from {old} to {new}.",
            ),
        },
        reversed=("zones",),
        check=_check_address,
        store=_store_address,
        answer=_show_address,
        deletable=_delete_address,
    ),
)
ACTIONS = {
    "GET Microsoft.Network/locations/CheckDnsNameAvailability": Action(_label_available, VERSIONS, needs=False),
    "GET Microsoft.Network/locations/usages": Action(_usages, VERSIONS, needs=False),
}
