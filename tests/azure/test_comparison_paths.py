# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The comparison's rules speak of properties that exist: every path is one of the official SDK's models."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_types import TYPES

# The stand-in is a package of the checkout.
sys.path.append(str(Path(__file__).resolve().parents[2]))
schema = importlib.import_module("sandbox.azure.schema")

# The models would take these of us; Azure decides them.
_POOL = {"nodeImageVersion", "powerState", "status", "virtualMachineNodesStatus"}
LEFT_TO_AZURE: dict[str, set[str]] = {
    "Microsoft.ContainerService/managedClusters": {
        *("properties.privateLinkResources", "properties.status"),
        *(f"properties.agentPoolProfiles[].{name}" for name in _POOL),
    },
    "Microsoft.ContainerService/managedClusters/agentPools": {f"properties.{name}" for name in _POOL},
    "Microsoft.Insights/dataCollectionEndpoints": {"properties.immutableId"},
    "Microsoft.KeyVault/vaults": {"properties.vaultUri"},
    "Microsoft.Network/virtualNetworks": {"properties.subnets[].properties.delegations[].type"},
    "Microsoft.Network/virtualNetworks/subnets": {"properties.delegations[].type"},
    "Microsoft.OperationalInsights/workspaces": {"properties.failover"},
    "Microsoft.Storage/storageAccounts": {"properties.networkAcls.virtualNetworkRules[].state"},
}
# Tables of rules whose paths are written in requests; read-only ones are those of answers.
RULES = [
    item.name
    for item in dataclasses.fields(ResourceType)
    if item.name not in ("name", "etag_at", "locks", "turns", "put_again", "query", "soft_delete", "read_only")
]


MODELS = {
    "Microsoft.ApiManagement/service/subscriptions": "apimanagement.models.SubscriptionCreateParameters",
    "Microsoft.Authorization/roleAssignments": "authorization.v2022_04_01.models.RoleAssignmentCreateParameters",
    "Microsoft.Authorization/roleDefinitions": "authorization.v2022_04_01.models.RoleDefinition",
    "Microsoft.Compute/disks": "compute.models.Disk",
    "Microsoft.Compute/snapshots": "compute.models.Snapshot",
    "Microsoft.ContainerRegistry/registries": "containerregistry.models.Registry",
    "Microsoft.ContainerService/managedClusters": "containerservice.models.ManagedCluster",
    "Microsoft.ContainerService/managedClusters/agentPools": "containerservice.models.AgentPool",
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": (
        "containerservice.models.MaintenanceConfiguration"
    ),
    "Microsoft.Insights/actionGroups": "monitor.models.ActionGroupResource",
    "Microsoft.Insights/components": "applicationinsights.v2020_02_02.models.ApplicationInsightsComponent",
    "Microsoft.Insights/dataCollectionEndpoints": "monitor.models.DataCollectionEndpointResource",
    "Microsoft.Insights/dataCollectionRuleAssociations": (
        "monitor.models.DataCollectionRuleAssociationProxyOnlyResource"
    ),
    "Microsoft.Insights/dataCollectionRules": "monitor.models.DataCollectionRuleResource",
    "Microsoft.Insights/metricAlerts": "monitor.models.MetricAlertResource",
    "Microsoft.Insights/scheduledQueryRules": "monitor.models.ScheduledQueryRuleResource",
    "Microsoft.Insights/workbooks": "applicationinsights.v2023_06_01.models.Workbook",
    "Microsoft.KeyVault/vaults": "keyvault.models.VaultCreateOrUpdateParameters",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "msi.models.Identity",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": (
        "msi.models.FederatedIdentityCredential"
    ),
    "Microsoft.Network/networkSecurityGroups": "network.models.NetworkSecurityGroup",
    "Microsoft.Network/networkSecurityGroups/securityRules": "network.models.SecurityRule",
    "Microsoft.Network/publicIPAddresses": "network.models.PublicIPAddress",
    "Microsoft.Network/virtualNetworks": "network.models.VirtualNetwork",
    "Microsoft.Network/virtualNetworks/subnets": "network.models.Subnet",
    "Microsoft.OperationalInsights/workspaces": "loganalytics.models.Workspace",
    "Microsoft.Resources/resourceGroups": "resource.resources.models.ResourceGroup",
    "Microsoft.Storage/storageAccounts": "storage.models.StorageAccountCreateParameters",
    "Microsoft.Storage/storageAccounts/fileServices": "storage.models.FileServiceProperties",
    "Microsoft.Storage/storageAccounts/fileServices/shares": "storage.models.FileShare",
}
KINDS = [TYPES[name.casefold()] for name in MODELS]


def body_of(path: str, value: Any) -> Any:
    """A body in which only this path is set; a "*" becomes a key."""
    for part in reversed(path.replace("autoScalerProfile.*", "autoScalerProfile.expander").split(".")):
        name = part.removesuffix("[]").replace("*", "key")
        value = {name: [value] if part.endswith("[]") else value}
    return value


def problems(kind: ResourceType, path: str, value: Any = None) -> list[Any]:
    """What the model of a type says of a body in which only this path is set."""
    found: list[Any] = schema.problems(body_of(path, value), f"azure.mgmt.{MODELS[kind.name]}")
    return found


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_path_of_a_rule_is_one_of_the_model(kind: ResourceType) -> None:
    paths = {path for rule in RULES for path in getattr(kind, rule) if not path.startswith("**")} | {kind.turns} - {""}
    unknown = {
        path: problem.message
        for path in sorted(paths)
        for problem in problems(kind, path)
        if problem.kind in ("unknown", "type")
    }
    assert unknown == {}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_what_the_model_lets_us_write_is_not_left_out(kind: ResourceType) -> None:
    """But for what is left to Azure on purpose."""
    found = {
        path
        for path in kind.read_only
        if not any(problem.kind in ("read_only", "unknown") for problem in problems(kind, path, "x"))
    }
    assert found == LEFT_TO_AZURE.get(kind.name, set())
