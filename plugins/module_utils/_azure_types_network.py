# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rules of networks and addresses."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Fixed, ResourceType, under
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import PUT_AGAIN

_SUBNET = "properties.subnets[]"
_RULE = "properties.securityRules[]"
_OTHER_ADDRESS = "A public IP address keeps it; write the live value, or another name for a new address."

_SUBNET_READ_ONLY = (
    *("type", "properties.ipConfigurations", "properties.ipConfigurationProfiles", "properties.privateEndpoints"),
    *("properties.resourceNavigationLinks", "properties.serviceAssociationLinks", "properties.purpose"),
    *("properties.delegations[].type", "properties.delegations[].properties.actions"),
)
# A subnet that says nothing of it answers with these.
_SUBNET_DEFAULTS = {
    "properties.privateEndpointNetworkPolicies": "Disabled",
    "properties.privateLinkServiceNetworkPolicies": "Enabled",
    "properties.defaultOutboundAccess": True,
}
_SUBNET_KEYS = {"properties.serviceEndpoints": ("service",)}

NETWORK = (
    # Subnets are resources of their own, and yet a network without them is one whose subnets are to be deleted: what
    # lives there always goes back. See "Child resources" in the documentation of Bicep.
    ResourceType(
        name="Microsoft.Network/virtualNetworks",
        read_only=(
            *(
                "properties.flowLogs",
                "properties.defaultPublicNatGateway",
                "properties.bgpCommunities.regionalCommunity",
            ),
            *("properties.virtualNetworkPeerings[].type",),
            *("properties.virtualNetworkPeerings[].properties.remoteVirtualNetworkEncryption",),
            *under(_SUBNET, _SUBNET_READ_ONLY),
        ),
        keys={f"{_SUBNET}.{path}": key for path, key in _SUBNET_KEYS.items()},
        defaults={f"{_SUBNET}.{path}": value for path, value in _SUBNET_DEFAULTS.items()},
        immutable={
            "extendedLocation": Fixed("A network cannot move to another edge zone; write another name."),
        },
        etag_at="etag",
        locks=("id",),
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Network/virtualNetworks/subnets",
        read_only=_SUBNET_READ_ONLY,
        keys=_SUBNET_KEYS,
        defaults=_SUBNET_DEFAULTS,
        etag_at="etag",
        locks=(
            *("parent", "properties.networkSecurityGroup.id", "properties.routeTable.id", "properties.natGateway.id"),
        ),
        put_again=(*PUT_AGAIN, "InUseSubnetCannotBeUpdated"),
    ),
    ResourceType(
        name="Microsoft.Network/networkSecurityGroups",
        read_only=(
            *("properties.defaultSecurityRules", "properties.networkInterfaces", "properties.subnets"),
            *("properties.flowLogs", f"{_RULE}.type"),
        ),
        etag_at="etag",
        locks=("id",),
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Network/networkSecurityGroups/securityRules",
        etag_at="etag",
        locks=("parent",),
        put_again=PUT_AGAIN,
    ),
    ResourceType(
        name="Microsoft.Network/publicIPAddresses",
        read_only=("properties.ipConfiguration", "properties.upgradedToV2"),
        filled_in=("properties.ipAddress", "properties.dnsSettings.fqdn"),
        defaults={
            "properties.publicIPAddressVersion": "IPv4",
            "properties.idleTimeoutInMinutes": 4,
            "sku.tier": "Regional",
        },
        immutable={
            "sku": Fixed(_OTHER_ADDRESS),
            "zones": Fixed(_OTHER_ADDRESS),
            "properties.publicIPAddressVersion": Fixed(_OTHER_ADDRESS),
            "properties.publicIPAllocationMethod": Fixed(_OTHER_ADDRESS),
            "properties.publicIPPrefix": Fixed(_OTHER_ADDRESS),
            "properties.ipAddress": Fixed(_OTHER_ADDRESS),
        },
        etag_at="etag",
        put_again=PUT_AGAIN,
    ),
    ResourceType(name="Microsoft.Network/applicationGateways", etag_at="etag", locks=("id",), put_again=PUT_AGAIN),
)
