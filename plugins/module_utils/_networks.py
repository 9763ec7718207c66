# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Address ranges of a cluster, checked against each other before Azure sees them.

Rules: https://learn.microsoft.com/azure/aks/azure-cni-overlay and https://learn.microsoft.com/azure/aks/concepts-network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, kind, wrong

Range = ipaddress.IPv4Network

# What AKS refuses for networks, services and pods: it uses them itself.
RESERVED = tuple(
    ipaddress.IPv4Network(text) for text in ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
)
# A service range must be smaller than /12.
LARGEST_SERVICE_PREFIX = 13
SERVICE_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)?")


def address_range(where: str, value: Any) -> Range:
    """Read an IPv4 range; InputError when it is none, or when its address is not the first of the range."""
    wanted = "an IPv4 range such as 10.1.0.0/16"
    if not isinstance(value, str) or "/" not in value:
        raise wrong(where, value, wanted)
    try:
        found = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        raise wrong(where, value, wanted) from None
    if str(found) != value:
        raise InputError(f"{where} is {value}, which is not the beginning of a range; write {found}.")
    return found


def check_reserved(where: str, found: Range) -> None:
    """Refuse a range that AKS keeps for itself."""
    for reserved in RESERVED:
        if found.overlaps(reserved):
            raise InputError(
                f"{where} is {found}, which overlaps with {reserved}, a range that AKS uses itself; choose another."
            )


def check_apart(ranges: Mapping[str, Range]) -> None:
    """Refuse two ranges that overlap; the names say where each was written."""
    names = list(ranges)
    for index, name in enumerate(names):
        for other in names[:index]:
            if ranges[name].overlaps(ranges[other]):
                raise InputError(
                    f"{name} is {ranges[name]}, which overlaps with {other}, {ranges[other]}; choose ranges that do "
                    "not overlap."
                )


def check_within(where: str, found: Range, network: Mapping[str, Range]) -> None:
    """Refuse a subnet that is in none of the network's ranges."""
    if not any(found.subnet_of(outer) for outer in network.values()):
        outer = ", ".join(str(value) for value in network.values())
        raise InputError(
            f"{where} is {found}, which is not within infrastructure_network_ranges, {outer}; choose a part of them."
        )


def check_dns_service_ip(where: str, value: Any, services: Range) -> None:
    """The address of the cluster's DNS is one of the services', but not the first, which is the API server's."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise wrong(where, value, f"an address of infrastructure_service_range such as {services[10]}") from None
    if address not in services or address in (services[0], services[1]):
        raise InputError(
            f"{where} is {address}, which must be in infrastructure_service_range, {services}, and not among its first "
            f"two; write for example {services[10]}."
        )


def check_sources(where: str, sources: Sequence[Any]) -> None:
    """Who may reach the hub: ranges, or one service tag; Azure takes no tag beside other sources in one rule."""
    if not sources:
        raise InputError(
            f"{where} is a list of nothing, which cuts the hub off; write ranges, or Internet for everybody."
        )
    for index, source in enumerate(sources):
        if source == "*" or (isinstance(source, str) and SERVICE_TAG.fullmatch(source)):
            if len(sources) > 1:
                raise InputError(f"{where}[{index}] is {source}, which must stand alone; remove it or the others.")
            continue
        try:
            ipaddress.ip_network(source)
        except ValueError:
            raise InputError(
                f"{where}[{index}] is {kind(source)}; write an address, a range such as 203.0.113.0/24, or a "
                "service tag such as Internet."
            ) from None


def check(ranges: Mapping[str, Any]) -> None:
    """Check all ranges of a cluster.

    ``ranges``: network (list of ranges), node_subnet, gateway_subnet (a range or empty), service, pod: ranges as text;
    dns_service_ip: an address as text; allowed_sources: list of text.
    """
    listed = ranges["network"]
    if not listed:
        raise wrong("infrastructure_network_ranges", listed, "at least one range")
    network = {
        f"infrastructure_network_ranges[{index}]": address_range(f"infrastructure_network_ranges[{index}]", value)
        for index, value in enumerate(listed)
    }
    names = {"infrastructure_node_subnet_range": "node_subnet", "infrastructure_gateway_subnet_range": "gateway_subnet"}
    subnets = {name: address_range(name, ranges[key]) for name, key in names.items() if ranges[key] != ""}
    services = address_range("infrastructure_service_range", ranges["service"])
    pods = address_range("infrastructure_pod_range", ranges["pod"])
    cluster = {"infrastructure_service_range": services, "infrastructure_pod_range": pods}
    for name, found in {**network, **cluster}.items():
        check_reserved(name, found)
    for name, found in subnets.items():
        check_within(name, found, network)
    check_apart(subnets)
    check_apart({**network, **cluster})
    if services.prefixlen < LARGEST_SERVICE_PREFIX:
        raise InputError(
            f"infrastructure_service_range is {services}; AKS wants it smaller than /12, so write for example "
            f"{services.network_address}/16."
        )
    check_dns_service_ip("infrastructure_dns_service_ip", ranges["dns_service_ip"], services)
    check_sources("infrastructure_allowed_sources", ranges["allowed_sources"])
