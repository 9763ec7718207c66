# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What holds for every type of Azure's resources, also for those without a table of their own."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Fixed, ResourceType

# Azure's own words for "the same write again will do", from its "common deployment errors" and from what was seen.
PUT_AGAIN = (
    "AnotherOperationInProgress",
    "PrincipalNotFound",
    "ReferencedResourceNotProvisioned",
    "SetVNetOwnershipFailed",
    "VirtualNetworkNotInSucceededState",
)

GENERIC = ResourceType(
    read_only=(
        *("id", "name", "type", "etag", "systemData"),
        *("**.provisioningState", "**.resourceGuid", "**.systemData", "**.eTag", "**.privateEndpointConnections"),
        *("identity.principalId", "identity.tenantId"),
        *("identity.userAssignedIdentities.*.principalId", "identity.userAssignedIdentities.*.clientId"),
    ),
    immutable={"location": Fixed("A resource cannot move; write its location, another name, or delete it first.")},
    sets=(
        *("**.zones", "**.availabilityZones", "**.addressPrefixes"),
        *("**.sourceAddressPrefixes", "**.destinationAddressPrefixes"),
        *("**.sourcePortRanges", "**.destinationPortRanges"),
        *("**.actions", "**.notActions", "**.dataActions", "**.notDataActions", "**.assignableScopes"),
        *("**.adminGroupObjectIDs", "**.authorizedIPRanges", "**.scopes", "**.streams", "**.actionGroups"),
    ),
    members=("identity.userAssignedIdentities",),
    # Azure's "Use tags": names are case-insensitive, values are not.
    exact=("tags.*", "properties.tags.*", "**.description", "**.displayName", "**.roleName", "**.notes"),
    caseless=("**.nodeResourceGroup",),
    locations=("**.location", "**.locations[]", "**.locationName"),
    words=("identity.type", "**.networkAcls.bypass"),
    twins={
        "**.addressPrefix": "**.addressPrefixes",
        "**.sourceAddressPrefix": "**.sourceAddressPrefixes",
        "**.destinationAddressPrefix": "**.destinationAddressPrefixes",
        "**.sourcePortRange": "**.sourcePortRanges",
        "**.destinationPortRange": "**.destinationPortRanges",
    },
    put_again=PUT_AGAIN,
)
