# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Networks, security rules and public addresses of the stand-in, seen by the official client."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from stand_in import StandIn

HERE = {"location": "westeurope"}
GROUP = "net"
SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", "fd00::/48"]}}


@pytest.fixture(scope="module")
def client(stand_in: StandIn) -> NetworkManagementClient:
    """The official client; a group is there."""
    stand_in.arm.resource_groups.create_or_update(GROUP, HERE)
    return stand_in.network


def path(stand_in: StandIn, rest: str) -> str:
    return f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}/providers/Microsoft.Network/{rest}"


def rule(name: str, priority: int, **changed: Any) -> dict[str, Any]:
    """A rule that lets the web in, or what is changed of it."""
    properties = {
        "protocol": "tcp",
        "access": "allow",
        "direction": "inbound",
        "priority": priority,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRanges": ["80", "443"],
    }
    return {"name": name, "properties": {**properties, **changed}}


def network(subnets: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = dict(SPACE)
    if subnets is not None:
        properties["subnets"] = [{"name": name, "properties": {"addressPrefix": at}} for name, at in subnets.items()]
    return {**HERE, "properties": properties, **more}


def code(call: Callable[[], Any]) -> str:
    """The code of the refusal of a call."""
    with pytest.raises(HttpResponseError) as error:
        call()
    assert error.value.error is not None
    return str(error.value.error.code)


# ------------------------------------------------------------------------------------------------------------- networks
def test_network_embeds_its_subnets(client: NetworkManagementClient) -> None:
    write = client.virtual_networks.begin_create_or_update
    made = write(GROUP, "embeds", network({"nodes": "10.0.1.0/24"})).result()
    assert [subnet.name for subnet in made.properties.subnets] == ["nodes"]
    assert made.properties.enable_ddos_protection is False
    client.subnets.begin_create_or_update(
        GROUP, "embeds", "gateway", {"properties": {"addressPrefixes": ["10.0.2.0/24"]}}
    ).result()
    found = client.virtual_networks.get(GROUP, "embeds")
    assert [subnet.name for subnet in found.properties.subnets] == ["nodes", "gateway"]
    assert found.etag != made.etag
    gateway = client.subnets.get(GROUP, "embeds", "gateway").properties
    assert (gateway.address_prefix, gateway.private_endpoint_network_policies) == ("10.0.2.0/24", "Disabled")
    # Not spoken of: left alone. An empty list: taken away.
    kept = write(GROUP, "embeds", network(None, tags={"a": "b"})).result()
    assert [subnet.name for subnet in kept.properties.subnets] == ["nodes", "gateway"]
    emptied = write(GROUP, "embeds", network({})).result()
    assert not emptied.properties.subnets


REFUSED_NETWORKS = {
    "outside": (network({"a": "192.168.0.0/24"}), "NetcfgInvalidSubnet"),
    "too small": (network({"a": "10.0.0.0/30"}), "NetcfgInvalidSubnet"),
    "overlapping": (network({"a": "10.0.0.0/24", "b": "10.0.0.128/25"}), "NetcfgSubnetRangesOverlap"),
    "no range": (network({"a": "everywhere"}), "InvalidAddressPrefixFormat"),
    "host bits": (network({"a": "10.0.0.1/24"}), "InvalidCIDRNotation"),
    "typo": ({**HERE, "properties": {**SPACE, "subnet": []}}, "InvalidRequestFormat"),
    "wrong type": (
        {**HERE, "properties": {"addressSpace": {"addressPrefixes": "10.0.0.0/16"}}},
        "InvalidRequestFormat",
    ),
}


@pytest.mark.parametrize("case", REFUSED_NETWORKS)
def test_network_refused(client: NetworkManagementClient, case: str) -> None:
    body, expected = REFUSED_NETWORKS[case]
    assert code(lambda: client.virtual_networks.begin_create_or_update(GROUP, "refused", body)) == expected
    assert "refused" not in [one.name for one in client.virtual_networks.list(GROUP)]


def test_subnet_names_what_it_needs(stand_in: StandIn, client: NetworkManagementClient) -> None:
    client.virtual_networks.begin_create_or_update(GROUP, "needs", network({})).result()
    missing = {"networkSecurityGroup": {"id": path(stand_in, "networkSecurityGroups/nowhere")}}
    body = {"properties": {"addressPrefix": "10.0.0.0/24", **missing}}
    assert code(lambda: client.subnets.begin_create_or_update(GROUP, "needs", "a", body)) == "InvalidResourceReference"


def test_one_write_at_a_time_in_a_network(client: NetworkManagementClient) -> None:
    client.virtual_networks.begin_create_or_update(GROUP, "crowded", network({})).result()

    def write(number: int) -> str:
        body = {"properties": {"addressPrefix": f"10.0.{number}.0/24"}}
        try:
            client.subnets.begin_create_or_update(GROUP, "crowded", f"s{number}", body, polling=False)
        except HttpResponseError as error:
            return str(error.error.code if error.error else error)
        return "written"

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(write, range(6)))
    assert set(together) == {"written", "AnotherOperationInProgress"}


def test_what_is_in_use_stays(stand_in: StandIn, client: NetworkManagementClient) -> None:
    client.virtual_networks.begin_create_or_update(GROUP, "used", network({"nodes": "10.0.1.0/24"})).result()
    subnet = path(stand_in, "virtualNetworks/used/subnets/nodes")
    configuration = {"name": "one", "properties": {"subnet": {"id": subnet}}}
    interfaces = client.network_interfaces
    interfaces.begin_create_or_update(
        GROUP, "nic", {**HERE, "properties": {"ipConfigurations": [configuration]}}
    ).result()
    in_use = "InUseSubnetCannotBeDeleted"
    assert code(lambda: client.subnets.begin_delete(GROUP, "used", "nodes")) == in_use
    assert code(lambda: client.virtual_networks.begin_delete(GROUP, "used")) == in_use
    assert code(lambda: client.virtual_networks.begin_create_or_update(GROUP, "used", network({}))) == in_use
    moved = {"properties": {"addressPrefix": "10.0.2.0/24"}}
    change = client.subnets.begin_create_or_update
    assert code(lambda: change(GROUP, "used", "nodes", moved)) == "InUsePrefixCannotBeDeleted"
    interfaces.begin_delete(GROUP, "nic").result()
    client.virtual_networks.begin_delete(GROUP, "used").result()
    assert code(lambda: client.virtual_networks.get(GROUP, "used")) == "ResourceNotFound"


# ------------------------------------------------------------------------------------------------------- security rules
REFUSED_RULES = {
    "priority": ([rule("a", 50)], "SecurityRuleInvalidPriority"),
    "clash": ([rule("a", 100), rule("b", 100)], "SecurityRuleConflict"),
    "port": ([rule("a", 100, destinationPortRanges=["80-x"])], "SecurityRuleInvalidPortRange"),
    "prefix": ([rule("a", 100, sourceAddressPrefix="10.0.0.0/99")], "SecurityRuleInvalidAddressPrefix"),
    "no ports": ([rule("a", 100, destinationPortRanges=[])], "SecurityRuleParameterRequired"),
}


@pytest.mark.parametrize("case", REFUSED_RULES)
def test_rules_refused(client: NetworkManagementClient, case: str) -> None:
    rules, expected = REFUSED_RULES[case]
    body = {**HERE, "properties": {"securityRules": rules}}
    assert code(lambda: client.network_security_groups.begin_create_or_update(GROUP, "refused", body)) == expected


def test_same_priority_in_the_other_direction(client: NetworkManagementClient) -> None:
    body = {**HERE, "properties": {"securityRules": [rule("a", 100), rule("b", 100, direction="Outbound")]}}
    made = client.network_security_groups.begin_create_or_update(GROUP, "both", body).result()
    assert [(one.properties.protocol, one.properties.access) for one in made.properties.security_rules] == [
        ("Tcp", "Allow")
    ] * 2
    assert len(made.properties.default_security_rules) == 6


#: Rules -> who asks -> whether it is let in.
REACHABLE: list[tuple[str, list[dict[str, Any]], dict[str, Any], bool]] = [
    ("no rule of ours cuts the hub off", [], {"port": 443}, False),
    ("the web is let in", [rule("web", 100)], {"port": 443}, True),
    ("another port is not", [rule("web", 100)], {"port": 22}, False),
    ("another protocol is not", [rule("web", 100)], {"port": 443, "protocol": "Udp"}, False),
    ("neighbours are", [], {"port": 443, "source": "10.0.7.7"}, True),
    ("probes of the load balancer are", [], {"port": 443, "source": "AzureLoadBalancer"}, True),
    ("the first fitting rule decides", [rule("web", 200), rule("no", 100, access="Deny")], {"port": 443}, False),
    ("a later denial does nothing", [rule("web", 100), rule("no", 200, access="Deny")], {"port": 443}, True),
    (
        "a range lets its own in",
        [rule("office", 100, sourceAddressPrefix="203.0.113.0/24")],
        {"port": 443, "source": "203.0.113.9"},
        True,
    ),
    (
        "and no others",
        [rule("office", 100, sourceAddressPrefix="203.0.113.0/24")],
        {"port": 443, "source": "198.51.100.9"},
        False,
    ),
    ("nor all of the Internet", [rule("office", 100, sourceAddressPrefix="203.0.113.0/24")], {"port": 443}, False),
    ("a tag", [rule("web", 100, sourceAddressPrefix="Internet")], {"port": 80, "source": "20.1.2.3"}, True),
    (
        "documentation's ranges are Internet",
        [rule("web", 100, sourceAddressPrefix="Internet")],
        {"port": 80, "source": "198.51.100.7"},
        True,
    ),
    (
        "private ranges are not",
        [rule("web", 100, sourceAddressPrefix="Internet")],
        {"port": 80, "source": "192.168.2.3"},
        False,
    ),
    (
        "another subnet's address",
        [rule("web", 100, destinationAddressPrefix="10.0.9.0/24")],
        {"port": 443},
        False,
    ),
    (
        "a range of ports",
        [rule("gateway", 100, destinationPortRanges=["65200-65535"], sourceAddressPrefix="GatewayManager")],
        {"port": 65210, "source": "GatewayManager"},
        True,
    ),
    (
        "outbound goes",
        [],
        {"port": 443, "direction": "Outbound", "source": "10.0.1.4", "destination": "20.1.2.3"},
        True,
    ),
]


@pytest.mark.parametrize(("case", "rules", "asked", "allowed"), REACHABLE, ids=[row[0] for row in REACHABLE])
def test_reachable(
    stand_in: StandIn,
    client: NetworkManagementClient,
    case: str,
    rules: list[dict[str, Any]],
    asked: dict[str, Any],
    allowed: bool,
) -> None:
    del case
    body = {**HERE, "properties": {"securityRules": rules}}
    group = client.network_security_groups.begin_create_or_update(GROUP, "guard", body).result()
    if "guarded" not in [one.name for one in client.virtual_networks.list(GROUP)]:
        guarded = network({"nodes": "10.0.1.0/24"})
        guarded["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": group.id}
        client.virtual_networks.begin_create_or_update(GROUP, "guarded", guarded).result()
    subnet = path(stand_in, "virtualNetworks/guarded/subnets/nodes")
    answer = stand_in.dial("POST", "/reachable", {"subnet": subnet, **asked})
    assert answer["allowed"] is allowed, answer
    assert answer["network_security_group"].lower() == group.id.lower()


def test_attached_group_knows_its_subnets_and_stays(client: NetworkManagementClient) -> None:
    client.network_security_groups.begin_create_or_update(GROUP, "held", HERE).result()
    held = client.network_security_groups.get(GROUP, "held")
    body = network({"nodes": "10.0.1.0/24"})
    body["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": held.id.upper()}
    client.virtual_networks.begin_create_or_update(GROUP, "holder", body).result()
    assert len(client.network_security_groups.get(GROUP, "held").properties.subnets) == 1
    expected = "InUseNetworkSecurityGroupCannotBeDeleted"
    assert code(lambda: client.network_security_groups.begin_delete(GROUP, "held")) == expected
    client.security_rules.begin_create_or_update(
        GROUP, "held", "web", {"properties": rule("web", 100)["properties"]}
    ).result()
    assert [one.name for one in client.security_rules.list(GROUP, "held")] == ["web"]


# ------------------------------------------------------------------------------------------------------------ addresses
def address(label: str | None = None, **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"publicIPAllocationMethod": "static"}
    if label:
        properties["dnsSettings"] = {"domainNameLabel": label}
    return {**HERE, "sku": {"name": "standard"}, "properties": properties, **more}


def test_address(stand_in: StandIn, client: NetworkManagementClient) -> None:
    write = client.public_ip_addresses.begin_create_or_update
    made = write(GROUP, "hub", address("planetary-hub", zones=["1", "2", "3"])).result()
    assert made.properties.dns_settings.fqdn == "planetary-hub.westeurope.cloudapp.azure.com"
    assert re.fullmatch(r"20(\.\d+){3}", made.properties.ip_address)
    assert (made.sku.name, made.properties.public_ip_allocation_method) == ("Standard", "Static")
    assert sorted(made.zones) == ["1", "2", "3"]
    again = write(GROUP, "hub", address("planetary-hub", zones=["1", "2", "3"])).result()
    assert again.properties.ip_address == made.properties.ip_address
    free = client.check_dns_name_availability
    assert free("westeurope", domain_name_label="planetary-hub").available is False
    assert free("northeurope", domain_name_label="planetary-hub").available is True
    stand_in.dial("PATCH", "/settings", {"taken_dns_labels": {"westeurope": ["somebody-elses"]}})
    assert free("westeurope", domain_name_label="somebody-elses").available is False


REFUSED_ADDRESSES = {
    "label of ours": (address("planetary-hub"), "DnsRecordInUse"),
    "label of others": (address("somebody-elses"), "DnsRecordInUse"),
    "label": (address("Hub_1"), "InvalidDomainNameLabel"),
    "basic": ({**HERE, "properties": {}}, "IPv4BasicSkuPublicIpCountLimitReached"),
    "dynamic": (
        {**HERE, "sku": {"name": "Standard"}, "properties": {}},
        "StandardSkuPublicIPAddressesMustUseStaticAllocation",
    ),
}


@pytest.mark.parametrize("case", REFUSED_ADDRESSES)
def test_address_refused(client: NetworkManagementClient, case: str) -> None:
    body, expected = REFUSED_ADDRESSES[case]
    assert code(lambda: client.public_ip_addresses.begin_create_or_update(GROUP, "refused", body)) == expected


def test_quota_of_addresses(stand_in: StandIn, client: NetworkManagementClient) -> None:
    now = {one.name.value: one.current_value for one in client.usages.list("westeurope")}["PublicIPAddresses"]
    stand_in.dial("PATCH", "/quota", {"westeurope/PublicIPAddresses": now})
    try:
        left = {one.name.value: one.limit for one in client.usages.list("westeurope")}
        assert left["PublicIPAddresses"] == now
        write = client.public_ip_addresses.begin_create_or_update
        assert code(lambda: write(GROUP, "one-more", address())) == "PublicIPCountLimitReached"
    finally:
        stand_in.dial("PATCH", "/quota", {"westeurope/PublicIPAddresses": None})
