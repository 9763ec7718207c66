# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Would a packet get in? The rules of a network security group, evaluated as Azure does: by priority, the first that
fits.

Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .kinds import look

#: The rules at the end of every group: name, direction, priority, access, source, destination.
DEFAULT_RULES = (
    ("AllowVnetInBound", "Inbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Inbound", 65001, "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Inbound", 65500, "Deny", "*", "*"),
    ("AllowVnetOutBound", "Outbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Outbound", 65001, "Allow", "*", "Internet"),
    ("DenyAllOutBound", "Outbound", 65500, "Deny", "*", "*"),
)
#: Where the load balancer's probes come from.
PROBES = ipaddress.ip_address("168.63.129.16")
#: Ranges of RFC 5737.
DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
EVERYWHERE = ("*", "0.0.0.0/0", "::/0", "any")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Packet:
    """What knocks: an address or service tag on each side; ``space`` are the ranges of the virtual network."""

    source: str
    destination: str
    port: int
    protocol: str
    direction: str
    space: tuple[Network, ...]


def default_rules(group_id: str) -> list[dict[str, Any]]:
    """The default rules as Azure answers them."""
    return [
        {
            "name": name,
            "id": f"{group_id}/defaultSecurityRules/{name}",
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded",
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
            },
        }
        for name, direction, priority, access, source, destination in DEFAULT_RULES
    ]


def _both(rule: Mapping[str, Any], one: str, many: str) -> list[str]:
    found: list[str] = look(rule, f"properties.{many}", [])
    single = look(rule, f"properties.{one}")
    return [*found, *([single] if single else [])]


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _tag_holds(tag: str, place: Network, space: Iterable[Network]) -> bool:
    """Whether a place lies in what a service tag stands for."""
    in_network = any(_within(place, one) for one in space)
    if tag == "virtualnetwork":
        return in_network
    if tag == "azureloadbalancer":
        return place.num_addresses == 1 and place.network_address == PROBES
    # Internet is what lies outside of the network; it has Azure's own public addresses in it.
    return tag == "internet" and not in_network and place.network_address != PROBES and _is_public(place)


def _is_public(place: Network) -> bool:
    """Whether a range lies in the Internet; those of documentation stand for it in examples and tests."""
    return not place.is_private or any(
        place.version == one.version and place.subnet_of(one)  # type: ignore[arg-type]
        for one in DOCUMENTATION
    )


def _covers(prefix: str, place: str, space: Iterable[Network]) -> bool:
    """Whether a prefix of a rule (``*``, range or service tag) holds all of a place (address, range or service tag)."""
    prefix, place = prefix.strip().lower(), place.strip().lower()
    if prefix in EVERYWHERE or prefix == place:
        return True
    wanted, range_of_rule = _network(place), _network(prefix)
    if wanted is None:
        return place.startswith(f"{prefix}.")
    return _within(wanted, range_of_rule) if range_of_rule is not None else _tag_holds(prefix, wanted, space)


def _port_fits(ranges: list[str], port: int) -> bool:
    for text in ranges:
        low, _, high = text.partition("-")
        if text == "*" or int(low) <= port <= int(high or low):
            return True
    return False


def _fits(rule: Mapping[str, Any], packet: Packet) -> bool:
    protocol = str(look(rule, "properties.protocol", "*")).lower()
    return (
        str(look(rule, "properties.direction", "")).lower() == packet.direction.lower()
        and (protocol == "*" or protocol == packet.protocol.lower())
        and _port_fits(_both(rule, "destinationPortRange", "destinationPortRanges"), packet.port)
        and any(
            _covers(one, packet.source, packet.space)
            for one in _both(rule, "sourceAddressPrefix", "sourceAddressPrefixes")
        )
        and any(
            _covers(one, packet.destination, packet.space)
            for one in _both(rule, "destinationAddressPrefix", "destinationAddressPrefixes")
        )
    )


def decide(rules: Iterable[Mapping[str, Any]], packet: Packet) -> tuple[bool, str]:
    """Whether the packet passes, and the name of the rule that says so."""
    for rule in sorted([*rules, *default_rules("")], key=lambda one: int(look(one, "properties.priority", 65500))):
        if _fits(rule, packet):
            return str(look(rule, "properties.access")).lower() == "allow", rule["name"]
    return False, ""
