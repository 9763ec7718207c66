# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The address ranges of virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...web import Refusal
from ..kinds import Body, look

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


def cidr(text: Any, where: str) -> Range:
    """An address range; refuses what is none."""
    try:
        network = ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        message = (
            f"Address prefix {text} of resource {where} is not formatted correctly. It should follow CIDR notation, "
            "for example "
            "10.0.0.0/24."
        )
        raise Refusal(400, "InvalidAddressPrefixFormat", message, details=[]) from None
    if str(network) != str(text) and "/" in str(text) and str(network.network_address) != str(text).partition("/")[0]:
        message = (
            f"The address prefix {text} in resource {where} has an invalid CIDR notation. For the given prefix "
            "length, the address "
            f"prefix should be {network}."
        )
        raise Refusal(400, "InvalidCIDRNotation", message, details=[])
    return network


def _inside(inner: Range, outer: Range) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def address_space(body: Body, where: str) -> list[Range]:
    """The ranges of a virtual network; refuses none at all and such as overlap."""
    prefixes = look(body, "properties.addressSpace.addressPrefixes", [])
    if not prefixes:
        message = f"Virtual network {where} has no address space: at least one address prefix is needed."
        raise Refusal(400, "AddressSpaceRequired", message, details=[])
    ranges = [cidr(prefix, where) for prefix in prefixes]
    for index, one in enumerate(ranges):
        for other in ranges[index + 1 :]:
            if one.overlaps(other):
                message = f"Address prefixes {one} and {other} of virtual network {where} overlap."
                raise Refusal(400, "VnetAddressSpacesOverlap", message, details=[])
    return ranges


def prefixes_of(body: Body) -> list[str]:
    """The ranges of a subnet, however they are written."""
    one = look(body, "properties.addressPrefix")
    many: list[str] = look(body, "properties.addressPrefixes", [])
    return many or ([one] if one else [])


def check_ranges(network: str, space: list[Range], subnets: dict[str, Body]) -> None:
    """All subnets lie in the network and beside each other."""
    name = network.rpartition("/")[2]
    seen: list[tuple[str, Range]] = []
    for subnet, body in subnets.items():
        prefixes = prefixes_of(body)
        if not prefixes:
            raise Refusal(
                400,
                "InvalidSubnet",
                f"Subnet '{subnet}' of virtual network '{name}' has no address prefix.",
                details=[],
            )
        for prefix in prefixes:
            network_range = cidr(prefix, f"{network}/subnets/{subnet}")
            small = network_range.version == 4 and network_range.prefixlen > 29
            if small or not any(_inside(network_range, one) for one in space):
                message = f"Subnet '{subnet}' is not valid in virtual network '{name}'."
                raise Refusal(400, "NetcfgInvalidSubnet", message, details=[])
            for other, taken in seen:
                if taken.overlaps(network_range):
                    message = (
                        f"Subnet '{subnet}' is not valid because its IP address range overlaps with that of an "
                        "existing subnet in "
                        f"virtual network '{name}' ('{other}')."
                    )
                    raise Refusal(400, "NetcfgSubnetRangesOverlap", message, details=[])
            seen.append((subnet, network_range))
