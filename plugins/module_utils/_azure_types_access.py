# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rules of groups, identities, rights and locks."""

from __future__ import annotations

from ansible_collections.planetary.hub.plugins.module_utils._azure_ids import GROUP
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import Fixed, ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_generic import PUT_AGAIN

_AUDIT = ("properties.createdOn", "properties.updatedOn", "properties.createdBy", "properties.updatedBy")
_OTHER_ASSIGNMENT = "A role assignment cannot be changed; leave its name to be found, or delete it first."

ACCESS = (
    ResourceType(
        name=GROUP,
        immutable={"managedBy": Fixed("A group keeps its manager; write the one it has, or another name.")},
    ),
    ResourceType(
        name="Microsoft.ManagedIdentity/userAssignedIdentities",
        read_only=("properties.tenantId", "properties.principalId", "properties.clientId"),
        put_again=PUT_AGAIN,
    ),
    # "Important considerations and restrictions for federated identity credentials": at most 20 an identity, written
    # one at a time (409 otherwise); issuer, subject and audience must match the token's, case too.
    ResourceType(
        name="Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        exact=("properties.issuer", "properties.subject", "properties.audiences[]"),
        locks=("parent",),
        put_again=(*PUT_AGAIN, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"),
    ),
    ResourceType(
        name="Microsoft.Authorization/roleAssignments",
        read_only=("properties.scope", *_AUDIT),
        last_segment=("properties.roleDefinitionId",),
        # A hint for a principal so new that Azure does not know it yet; it answers what the principal is.
        create_only=("properties.principalType",),
        immutable={
            "properties.roleDefinitionId": Fixed(_OTHER_ASSIGNMENT),
            "properties.principalId": Fixed(_OTHER_ASSIGNMENT),
            "properties.delegatedManagedIdentityResourceId": Fixed(_OTHER_ASSIGNMENT),
        },
        put_again=("PrincipalNotFound",),
    ),
    ResourceType(
        name="Microsoft.Authorization/roleDefinitions",
        read_only=_AUDIT,
        whole=("properties.permissions",),
        put_again=("RoleDefinitionConflict",),
    ),
    ResourceType(name="Microsoft.Authorization/locks"),
)
