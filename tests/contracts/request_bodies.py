# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Bodies of requests to Azure, as the roles render them, against the models of Azure's official Python packages."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RENDER = Path(__file__).parent / "bodies"
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
schema = importlib.import_module("sandbox.azure.schema")

# Type -> package, model of the body, module of the operations (its api-version is the package's).
_NETWORK, _AKS, _MONITOR = "azure.mgmt.network", "azure.mgmt.containerservice", "azure.mgmt.monitor"
_RIGHTS, _STORAGE = "azure.mgmt.authorization.v2022_04_01", "azure.mgmt.storage"
_RULES = "_data_collection_rules_operations"
MODELS: dict[str, tuple[str, str, str]] = {
    "Microsoft.Resources/resourceGroups": ("azure.mgmt.resource.resources", "ResourceGroup", "_operations"),
    "Microsoft.Network/virtualNetworks": (_NETWORK, "VirtualNetwork", "_operations"),
    "Microsoft.Network/virtualNetworks/subnets": (_NETWORK, "Subnet", "_operations"),
    "Microsoft.Network/networkSecurityGroups": (_NETWORK, "NetworkSecurityGroup", "_operations"),
    "Microsoft.Network/publicIPAddresses": (_NETWORK, "PublicIPAddress", "_operations"),
    "Microsoft.Network/applicationGateways": (_NETWORK, "ApplicationGateway", "_operations"),
    "Microsoft.ContainerRegistry/registries": ("azure.mgmt.containerregistry", "Registry", "_operations"),
    "Microsoft.OperationalInsights/workspaces": ("azure.mgmt.loganalytics", "Workspace", "_operations"),
    "Microsoft.Insights/components": (
        *("azure.mgmt.applicationinsights.v2020_02_02", "ApplicationInsightsComponent", "_components_operations"),
    ),
    "Microsoft.Insights/dataCollectionRules": (_MONITOR, "DataCollectionRuleResource", _RULES),
    "Microsoft.Insights/dataCollectionRuleAssociations": (
        *(_MONITOR, "DataCollectionRuleAssociationProxyOnlyResource", "_data_collection_rule_associations_operations"),
    ),
    "Microsoft.Storage/storageAccounts": (_STORAGE, "StorageAccountCreateParameters", "_operations"),
    "Microsoft.Storage/storageAccounts/fileServices/shares": (_STORAGE, "FileShare", "_operations"),
    "Microsoft.KeyVault/vaults": ("azure.mgmt.keyvault", "VaultCreateOrUpdateParameters", "_operations"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": (
        *("azure.mgmt.msi.v2024_11_30", "Identity", "_user_assigned_identities_operations"),
    ),
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": (
        *("azure.mgmt.msi.v2024_11_30", "FederatedIdentityCredential", "_federated_identity_credentials_operations"),
    ),
    "Microsoft.Authorization/roleAssignments": (
        *(_RIGHTS, "RoleAssignmentCreateParameters", "_role_assignments_operations"),
    ),
    "Microsoft.Authorization/roleDefinitions": (_RIGHTS, "RoleDefinition", "_role_definitions_operations"),
    "Microsoft.ContainerService/managedClusters": (_AKS, "ManagedCluster", "_operations"),
    "Microsoft.ContainerService/managedClusters/agentPools": (_AKS, "AgentPool", "_operations"),
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": (
        *(_AKS, "MaintenanceConfiguration", "_operations"),
    ),
}
_FOLDED = {name.lower(): entry for name, entry in MODELS.items()}


def type_of(resource_id: str) -> str:
    """The type that an id names, which may begin with a reference.

    >>> type_of("${group.id}/providers/Microsoft.Network/virtualNetworks/x/subnets/y")
    'Microsoft.Network/virtualNetworks/subnets'
    """
    scope, providers, rest = resource_id.partition("?")[0].rpartition("/providers/")
    if not providers:
        return "Microsoft.Resources/resourceGroups" if "/resourcegroups/" in scope.lower() + rest.lower() else rest
    namespace, *path = rest.split("/")
    return "/".join([namespace, *path[0::2]])


@cache
def api_versions(package: str, operations: str) -> frozenset[str]:
    """The api-versions that a module of operations sends, unless it is told another."""
    module = importlib.import_module(f"{package}.operations.{operations}")
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    return frozenset(re.findall(r'pop\("api-version", "([^"]+)"\)', text))


def without_nulls(value: Any) -> Any:
    """What is sent: the engine leaves out what is null."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def with_deployer(value: Any) -> Any:
    """A body as it is sent, as far as whoever deploys is concerned; no other reference leads to an enumeration."""
    if isinstance(value, dict):
        return {key: with_deployer(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_deployer(item) for item in value]
    return "ServicePrincipal" if value == "${deployer.principalType}" else value


def problems(resource: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that Azure's own package does not know in a resource of ours."""
    name, kind = resource["name"], type_of(resource["id"])
    entry = _FOLDED.get(kind.lower())
    if entry is None:
        return [f"{name}: there is no model for the type {kind}; add it to tests/contracts/request_bodies.py."]
    package, model, operations = entry
    known = api_versions(package, operations)
    found = []
    if resource["api_version"] not in known:
        found.append(f"{name}: api_version {resource['api_version']} is not the package's, {', '.join(sorted(known))}.")
    if resource.get("existing"):
        return found
    body = with_deployer(without_nulls(resource["body"]))
    return found + [
        f"{name}: {one.path} ({one.kind}): {one.message}" for one in schema.problems(body, f"{package}.models.{model}")
    ]


def render(inventory: Path, results: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The resources of all hosts of an inventory, host -> role -> resources; nobody is asked anything."""
    results.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
        "BODIES_ROOT": str(ROOT),
        "BODIES_RESULTS": str(results),
    }
    done = subprocess.run(
        ["ansible-playbook", "-i", str(inventory), str(RENDER / "render.yml")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))}
