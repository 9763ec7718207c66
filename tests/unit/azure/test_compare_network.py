# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Networks, rights and identities: how Azure's answers differ from what was sent."""

from __future__ import annotations

from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_compare import compare
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import of

from unit.azure.rows import GROUP, IDENTITY, NETWORK, SUBSCRIPTION, TODAY, Row, changed, check, properties, table

VNET = "Microsoft.Network/virtualNetworks"
SUBNETS = f"{VNET}/subnets"
NSG = "Microsoft.Network/networkSecurityGroups"
IP = "Microsoft.Network/publicIPAddresses"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
DEFINITION = "Microsoft.Authorization/roleDefinitions"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIAL = f"{IDENTITIES}/federatedIdentityCredentials"
ACR_PULL = "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
GROUP_ID = f"{NETWORK}/networkSecurityGroups/hub"
ANSWERS = "Virtual network: REST reference, subnets - get"
FEDERATION = "Important considerations and restrictions for federated identity credentials"
OTHER_ASSIGNMENT = "leave its name to be found, or delete it first."
OTHER_ADDRESS = "write the live value, or another name for a new address."


def rule(**values: Any) -> dict[str, Any]:
    return properties(securityRules=[{"name": "web", "properties": values}])


@table(
    Row(
        "network: subnets of others and of our own resources",
        VNET,
        {"location": "westeurope", **properties(addressSpace={"addressPrefixes": ["10.0.0.0/16"]})},
        {
            "location": "westeurope",
            **properties(
                addressSpace={"addressPrefixes": ["10.0.0.0/16"]},
                subnets=[{"name": "nodes", "properties": {"addressPrefix": "10.0.0.0/20"}}],
                enableDdosProtection=False,
            ),
        },
        source="Azure Virtual Network now supports updates without subnet property",
    ),
    Row(
        "network: an empty list of subnets deletes none",
        VNET,
        properties(subnets=[]),
        properties(subnets=[{"name": "nodes", "properties": {"addressPrefix": "10.0.0.0/20"}}]),
        source="Azure Virtual Network now supports updates without subnet property",
    ),
    Row(
        "network: prefixes in another order",
        VNET,
        properties(addressSpace={"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]}),
        properties(addressSpace={"addressPrefixes": ["10.1.0.0/16", "10.0.0.0/16"]}),
    ),
    Row(
        "network: another prefix",
        VNET,
        properties(addressSpace={"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]}),
        properties(addressSpace={"addressPrefixes": ["10.0.0.0/16"]}),
        changes=(("properties.addressSpace.addressPrefixes", ["10.0.0.0/16"], ["10.0.0.0/16", "10.1.0.0/16"]),),
    ),
    Row(
        "subnet: prefix answered as prefixes",
        SUBNETS,
        properties(addressPrefix="10.1.0.0/16"),
        properties(addressPrefixes=["10.1.0.0/16"]),
        source=ANSWERS,
    ),
    Row(
        "subnet: prefixes answered as prefix",
        SUBNETS,
        properties(addressPrefixes=["10.1.0.0/16"]),
        properties(addressPrefix="10.1.0.0/16"),
        source=ANSWERS,
    ),
    Row(
        "subnet: both answered",
        SUBNETS,
        properties(addressPrefix="10.1.0.0/16"),
        properties(addressPrefix="10.1.0.0/16", addressPrefixes=["10.1.0.0/16"]),
        source=ANSWERS,
    ),
    Row(
        "subnet: another prefix under the other name",
        SUBNETS,
        properties(addressPrefix="10.1.0.0/16"),
        properties(addressPrefixes=["10.2.0.0/16"]),
        changes=(("properties.addressPrefix", "10.2.0.0/16", "10.1.0.0/16"),),
        source=ANSWERS,
    ),
    Row(
        "subnet: one of two prefixes",
        SUBNETS,
        properties(addressPrefix="10.1.0.0/16"),
        properties(addressPrefixes=["10.1.0.0/16", "fd00::/64"]),
        changes=(("properties.addressPrefix", ["10.1.0.0/16", "fd00::/64"], "10.1.0.0/16"),),
        source=ANSWERS,
    ),
    Row(
        "subnet: what AKS and Azure fill in",
        SUBNETS,
        properties(
            addressPrefix="10.1.0.0/16",
            networkSecurityGroup={"id": GROUP_ID},
            serviceEndpoints=[{"service": "Microsoft.Storage"}],
            privateEndpointNetworkPolicies="Disabled",
        ),
        properties(
            addressPrefix="10.1.0.0/16",
            networkSecurityGroup={"id": GROUP_ID.lower()},
            serviceEndpoints=[
                {"service": "Microsoft.Storage", "locations": ["westeurope"], "provisioningState": "Succeeded"},
                {"service": "Microsoft.KeyVault", "locations": ["*"]},
            ],
            delegations=[],
            ipConfigurations=[{"id": f"{GROUP}/providers/x/y/z"}],
            purpose="PrivateEndpoints",
        ),
        source=ANSWERS,
    ),
    Row(
        "subnet: no security group",
        SUBNETS,
        properties(networkSecurityGroup={"id": GROUP_ID}),
        properties(addressPrefix="10.1.0.0/16"),
        changes=(("properties.networkSecurityGroup.id", None, GROUP_ID),),
    ),
    Row(
        "subnet: outbound access is on where nothing is said",
        SUBNETS,
        properties(defaultOutboundAccess=False),
        properties(addressPrefix="10.1.0.0/16"),
        changes=(("properties.defaultOutboundAccess", None, False),),
        source="Default outbound access in Azure",
    ),
    Row(
        "security group: protocol and access in another case, lists beside the single values",
        NSG,
        rule(protocol="TCP", access="allow", sourceAddressPrefix="*", destinationPortRange="443", direction="Inbound"),
        properties(
            securityRules=[
                {
                    "name": "Web",
                    "id": f"{GROUP_ID}/securityRules/web",
                    "etag": 'W/"1"',
                    "properties": {
                        "protocol": "Tcp",
                        "access": "Allow",
                        "sourceAddressPrefix": "*",
                        "sourceAddressPrefixes": [],
                        "destinationPortRange": "443",
                        "destinationPortRanges": [],
                        "direction": "Inbound",
                        "provisioningState": "Succeeded",
                    },
                }
            ],
            defaultSecurityRules=[{"name": "AllowVnetInBound"}],
        ),
        source="Network security groups: REST reference",
    ),
    Row(
        "security group: ranges in another order",
        NSG,
        rule(destinationPortRanges=["80", "443"], sourceAddressPrefixes=["10.0.0.0/8", "192.168.0.0/16"]),
        rule(destinationPortRanges=["443", "80"], sourceAddressPrefixes=["192.168.0.0/16", "10.0.0.0/8"]),
    ),
    Row(
        "security group: several sources in the place of one",
        NSG,
        rule(sourceAddressPrefixes=["10.0.0.0/8", "192.168.0.0/16"]),
        rule(sourceAddressPrefix="*", sourceAddressPrefixes=[]),
        changes=(
            (
                "properties.securityRules[web].properties.sourceAddressPrefixes",
                ["*"],
                ["10.0.0.0/8", "192.168.0.0/16"],
            ),
        ),
    ),
    Row(
        "security group: both names wanted, one of them empty",
        NSG,
        rule(sourceAddressPrefixes=[], sourceAddressPrefix="*"),
        rule(sourceAddressPrefixes=[], sourceAddressPrefix="*"),
    ),
    Row(
        "security group: another protocol",
        NSG,
        rule(protocol="Tcp"),
        rule(protocol="*"),
        changes=(("properties.securityRules[web].properties.protocol", "*", "Tcp"),),
    ),
    Row(
        "security group: a rule of another owner",
        NSG,
        rule(priority=100),
        properties(
            securityRules=[
                {"name": "theirs", "properties": {"priority": 110}},
                {"name": "web", "properties": {"priority": 100}},
            ]
        ),
    ),
    Row(
        "address: what Azure and the load balancer fill in",
        IP,
        {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "zones": ["1", "2", "3"],
            "tags": {"hub": "prod"},
            **properties(publicIPAllocationMethod="Static", dnsSettings={"domainNameLabel": "hub"}),
        },
        {
            "location": "westeurope",
            "sku": {"name": "Standard", "tier": "Regional"},
            "zones": ["2", "1", "3"],
            "tags": {"hub": "prod", "k8s-azure-service": "prod/proxy-public"},
            **properties(
                publicIPAllocationMethod="Static",
                publicIPAddressVersion="IPv4",
                ipAddress="20.1.2.3",
                idleTimeoutInMinutes=4,
                dnsSettings={"domainNameLabel": "hub", "fqdn": "hub.westeurope.cloudapp.azure.com"},
                ipConfiguration={"id": f"{NETWORK}/loadBalancers/kubernetes/frontendIPConfigurations/x"},
            ),
        },
        source="Use a static public IP address with the AKS load balancer: tags of the cloud provider",
    ),
    Row(
        "address: another label",
        IP,
        properties(dnsSettings={"domainNameLabel": "hub"}),
        properties(dnsSettings={"domainNameLabel": "old", "fqdn": "old.westeurope.cloudapp.azure.com"}),
        changes=(("properties.dnsSettings.domainNameLabel", "old", "hub"),),
    ),
    Row(
        "address: other zones",
        IP,
        {"zones": ["1"]},
        {"zones": ["1", "2", "3"]},
        forbidden=(("zones", OTHER_ADDRESS),),
        source="Public IP addresses: availability zone",
    ),
    Row(
        "address: another SKU",
        IP,
        {"sku": {"name": "Standard"}},
        {"sku": {"name": "Basic", "tier": "Regional"}},
        forbidden=(("sku.name", OTHER_ADDRESS),),
        source="Public IP addresses: SKU",
    ),
    Row(
        "role assignment: the role comes back with another scope",
        ASSIGNMENT,
        properties(roleDefinitionId=ACR_PULL, principalId="1", principalType="ServicePrincipal"),
        properties(
            roleDefinitionId=f"{SUBSCRIPTION}{ACR_PULL}",
            principalId="1",
            principalType="ServicePrincipal",
            scope=GROUP,
            createdOn="2026-01-01T00:00:00Z",
            condition=None,
        ),
        source="Role assignments: REST reference",
    ),
    Row(
        "role assignment: Azure knows what the principal is",
        ASSIGNMENT,
        properties(principalId="1", principalType="ServicePrincipal"),
        properties(principalId="1", principalType="User"),
        source="Assign Azure roles to a new service principal: principalType",
    ),
    Row(
        "role assignment: another role",
        ASSIGNMENT,
        properties(roleDefinitionId=ACR_PULL),
        properties(roleDefinitionId=f"{SUBSCRIPTION}{ACR_PULL[:-1]}e"),
        forbidden=(("properties.roleDefinitionId", OTHER_ASSIGNMENT),),
        source="Role assignments: RoleAssignmentUpdateNotPermitted",
    ),
    Row(
        "role assignment: another principal",
        ASSIGNMENT,
        properties(roleDefinitionId=ACR_PULL, principalId="1"),
        properties(roleDefinitionId=ACR_PULL, principalId="2"),
        forbidden=(("properties.principalId", OTHER_ASSIGNMENT),),
        source="Role assignments: RoleAssignmentUpdateNotPermitted",
    ),
    Row(
        "role assignment: another description",
        ASSIGNMENT,
        properties(roleDefinitionId=ACR_PULL, description="pull images"),
        properties(roleDefinitionId=ACR_PULL, description="Pull images"),
        changes=(("properties.description", "Pull images", "pull images"),),
    ),
    Row(
        "role: actions and scopes in another order and case",
        DEFINITION,
        properties(
            roleName="Hub keys",
            permissions=[{"actions": ["a/read", "b/listSecrets/action"], "notActions": []}],
            assignableScopes=[GROUP],
        ),
        properties(
            roleName="Hub keys",
            type="CustomRole",
            permissions=[
                {
                    "actions": ["b/listSecrets/action", "a/read"],
                    "notActions": [],
                    "dataActions": [],
                    "notDataActions": [],
                }
            ],
            assignableScopes=[GROUP.lower()],
            updatedOn="2026-01-01T00:00:00Z",
        ),
    ),
    Row(
        "role: one action more",
        DEFINITION,
        properties(permissions=[{"actions": ["a/read"]}]),
        properties(permissions=[{"actions": ["a/read", "a/write"]}]),
        changes=(("properties.permissions", [{"actions": ["a/read", "a/write"]}], [{"actions": ["a/read"]}]),),
    ),
    Row(
        "identity: its ids are Azure's",
        IDENTITIES,
        {"location": "westeurope", "tags": {"hub": "prod"}},
        {
            "location": "westeurope",
            "tags": {"hub": "prod"},
            **properties(clientId="1", principalId="2", tenantId="3", isolationScope="None"),
        },
    ),
    Row(
        "federated credential: as sent",
        CREDENTIAL,
        properties(issuer="https://oidc/x/", subject="system:serviceaccount:prod:hub", audiences=["api://A"]),
        properties(issuer="https://oidc/x/", subject="system:serviceaccount:prod:hub", audiences=["api://A"]),
        source=FEDERATION,
    ),
    Row(
        "federated credential: case counts",
        CREDENTIAL,
        properties(subject="hub", audiences=["A"]),
        properties(subject="Hub", audiences=["a"]),
        changes=(("properties.subject", "Hub", "hub"), ("properties.audiences", ["a"], ["A"])),
        source=FEDERATION,
    ),
    Row(
        "federated credential: so does a slash",
        CREDENTIAL,
        properties(issuer="https://oidc/x/"),
        properties(issuer="https://oidc/x"),
        changes=(("properties.issuer", "https://oidc/x", "https://oidc/x/"),),
        source=FEDERATION,
    ),
    Row(
        "lock: level in another case",
        "Microsoft.Authorization/locks",
        properties(level="CanNotDelete"),
        properties(level="canNotDelete", notes="theirs"),
    ),
)
def test_network_and_access(row: Row) -> None:
    check(row)


def test_a_network_is_written_with_the_subnets_of_others() -> None:
    subnet: dict[str, Any] = {
        "name": "gateway",
        "id": f"{NETWORK}/virtualNetworks/hub/subnets/gateway",
        "etag": 'W/"2"',
        "type": SUBNETS,
        "properties": {
            "provisioningState": "Succeeded",
            "addressPrefix": "10.0.16.0/24",
            "networkSecurityGroup": {"id": GROUP_ID},
            "ipConfigurations": [{"id": "…"}],
            "delegations": [],
        },
    }
    live = {
        "id": f"{NETWORK}/virtualNetworks/hub",
        "name": "hub",
        "type": VNET,
        "etag": 'W/"1"',
        "location": "westeurope",
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": "1",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [subnet],
            "virtualNetworkPeerings": [],
        },
    }
    desired = {
        "location": "westeurope",
        "tags": {"hub": "prod"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
    }
    result = compare(of(live["id"]), desired, live, today=TODAY)  # type: ignore[arg-type]
    assert result.changes == changed(("tags.hub", None, "prod"))
    assert result.steps == (
        {
            "location": "westeurope",
            "tags": {"hub": "prod"},
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "name": "gateway",
                        "id": f"{NETWORK}/virtualNetworks/hub/subnets/gateway",
                        "properties": {
                            "addressPrefix": "10.0.16.0/24",
                            "networkSecurityGroup": {"id": GROUP_ID},
                            "delegations": [],
                        },
                    }
                ],
                "virtualNetworkPeerings": [],
            },
        },
    )


def test_a_rule_is_sent_under_one_of_its_names() -> None:
    """Azure refuses a rule with both a source and sources."""
    live = rule(priority=100, sourceAddressPrefix="*", sourceAddressPrefixes=[], destinationPortRange="80")
    desired = rule(sourceAddressPrefixes=["10.0.0.0/8", "192.168.0.0/16"], destinationPortRanges=["80", "443"])
    (body,) = compare(of(GROUP_ID), desired, live, today=TODAY).steps
    assert body == rule(
        sourceAddressPrefixes=["10.0.0.0/8", "192.168.0.0/16"], destinationPortRanges=["80", "443"], priority=100
    )


def test_a_new_label_does_not_carry_the_old_name() -> None:
    live = properties(ipAddress="20.1.2.3", dnsSettings={"domainNameLabel": "old", "fqdn": "old.example.com"})
    desired = properties(dnsSettings={"domainNameLabel": "hub"})
    (body,) = compare(of(f"{NETWORK}/publicIPAddresses/x"), desired, live, today=TODAY).steps
    assert body == desired


def test_an_identity_is_never_sent_with_its_ids() -> None:
    live = {"location": "westeurope", "id": IDENTITY, **properties(clientId="1", principalId="2", tenantId="3")}
    (body,) = compare(of(IDENTITY), {"location": "westeurope", "tags": {"a": "b"}}, live, today=TODAY).steps
    assert body == {"location": "westeurope", "tags": {"a": "b"}, "properties": {}}
