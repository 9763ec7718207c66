# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The walker over the models of Azure's packages, newer and older ones: what it accepts, what it finds, and where."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from contracts.request_bodies import schema

# Newer packages: rest_field.
POOL = "containerservice.models.AgentPool"
CLUSTER = "containerservice.models.ManagedCluster"
NETWORK = "network.models.VirtualNetwork"
POLICY = "network.models.FirewallPolicyRuleCollectionGroup"
VAULT = "keyvault.models.VaultCreateOrUpdateParameters"
WINDOW = "containerservice.models.MaintenanceConfiguration"
# Older ones: _attribute_map.
CREDENTIAL = "msi.v2024_11_30.models.FederatedIdentityCredential"
RULE = "monitor.models.DataCollectionRuleResource"
ALERT = "monitor.models.MetricAlertResource"
RIGHT = "authorization.v2022_04_01.models.RoleAssignmentCreateParameters"
INSIGHTS = "applicationinsights.v2020_02_02.models.ApplicationInsightsComponent"
COLLECTION = "ruleCollections"


def pool(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


def collection(**more: Any) -> dict[str, Any]:
    return {"properties": {COLLECTION: [{"ruleCollectionType": "FirewallPolicyNatRuleCollection", **more}]}}


def until(time: str) -> dict[str, Any]:
    return {"overrideSettings": {"until": time}}


def window(date: str) -> dict[str, Any]:
    return pool(maintenanceWindow={"schedule": {}, "durationHours": 4, "startTime": "02:00", "startDate": date})


ROLE = {"roleDefinitionId": "r", "principalId": "p"}
ALERT_TOP: dict[str, Any] = {"location": "global"}
CRITERIA: dict[str, Any] = {
    "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
    "allOf": [],
}
STATIC = {"criterionType": "StaticThresholdCriterion", "name": "a", "timeAggregation": "Average"}
ALERT_BASE: dict[str, Any] = {
    "severity": 3,
    "enabled": True,
    "scopes": ["s"],
    "evaluationFrequency": "PT5M",
    "windowSize": "PT15M",
    "criteria": CRITERIA,
}
ROWS: list[tuple[str, Any, list[tuple[str, str]]]] = [
    (POOL, {}, []),
    (POOL, pool(vmSize="x", count=1, enableAutoScaling=True, spotMaxPrice=-1, nodeLabels={"a": "b"}), []),
    (POOL, pool(spotMaxPrice=0.5, scaleSetPriority="spot", count=None), []),
    (POOL, [], [("", "type")]),
    (POOL, pool(vmSiz="x"), [("properties.vmSiz", "unknown")]),
    (POOL, pool(vmsize="x"), [("properties.vmsize", "unknown")]),
    (POOL, pool(count="1"), [("properties.count", "type")]),
    (POOL, pool(count=True), [("properties.count", "type")]),
    (POOL, pool(count=1.5), [("properties.count", "type")]),
    (POOL, pool(spotMaxPrice="-1"), [("properties.spotMaxPrice", "type")]),
    (POOL, pool(enableAutoScaling=1), [("properties.enableAutoScaling", "type")]),
    (POOL, pool(nodeTaints="a"), [("properties.nodeTaints", "type")]),
    (POOL, pool(nodeTaints=["a", 1]), [("properties.nodeTaints[1]", "type")]),
    (POOL, pool(nodeLabels={"a": "1", "b": 2}), [("properties.nodeLabels.b", "type")]),
    (POOL, pool(nodeLabels=["a"]), [("properties.nodeLabels", "type")]),
    (POOL, pool(mode="System", osSKU="azurelinux"), []),
    (POOL, pool(mode="Systems"), [("properties.mode", "enum")]),
    (POOL, pool(mode=1), [("properties.mode", "type")]),
    (POOL, pool(provisioningState="Succeeded"), [("properties.provisioningState", "read_only")]),
    (POOL, pool(provisioningState=None), []),
    (POOL, {"id": "/x"}, [("id", "read_only")]),
    (CLUSTER, {}, [("location", "required")]),
    (CLUSTER, {"location": None}, [("location", "required")]),
    (CLUSTER, {"location": "x", **pool(agentPoolProfiles=[{"name": "a"}, {"count": 1}])},
     [("properties.agentPoolProfiles[1].name", "required")]),
    (CLUSTER, {"location": "x", **pool(addonProfiles={"omsagent": {"config": {"a": 1}}})},
     [("properties.addonProfiles.omsagent.config.a", "type"),
      ("properties.addonProfiles.omsagent.enabled", "required")]),
    (CLUSTER, {"location": "x", **pool(upgradeSettings=until("2026-11-22T19:00:00.1234567Z"))}, []),
    (CLUSTER, {"location": "x", **pool(upgradeSettings=until("tomorrow"))},
     [("properties.upgradeSettings.overrideSettings.until", "type")]),
    (CLUSTER, {"location": "x", **pool(autoScalerProfile={"max-empty-bulk-delete": 50})},
     [("properties.autoScalerProfile.max-empty-bulk-delete", "type")]),
    (WINDOW, window("2026-01-01"), []),
    (WINDOW, window("1.1.2026"), [("properties.maintenanceWindow.startDate", "type")]),
    (NETWORK, pool(subnets=[{"name": "a", "properties": {"natGateway": {"id": "x", "nme": "y"}}}]),
     [("properties.subnets[0].properties.natGateway.nme", "unknown")]),
    (VAULT, {"location": "x", **pool(tenantId="t", sku={"name": "standard", "family": "A"})}, []),
    (VAULT, {"location": "x", **pool(sku={"name": "gold", "family": "A"})},
     [("properties.sku.name", "enum"), ("properties.tenantId", "required")]),
    # Subclasses by the value of a property.
    (POLICY, collection(action={"type": "DNAT"}), []),
    (POLICY, collection(acton={}), [(f"properties.{COLLECTION}[0].acton", "unknown")]),
    # The older kind.
    (CREDENTIAL, pool(issuer="i", subject="s", audiences=["a"]), []),
    (CREDENTIAL, {"issuer": "i"}, [("issuer", "unknown")]),
    (CREDENTIAL, pool(audiences="a"), [("properties.audiences", "type")]),
    (CREDENTIAL, {"systemData": {}}, [("systemData", "read_only")]),
    (RIGHT, {}, [("properties", "required")]),
    (RIGHT, pool(principalId="p"), [("properties.roleDefinitionId", "required")]),
    (RIGHT, pool(**ROLE, principalType="user"), []),
    (RIGHT, pool(**ROLE, principalType="Robot"), [("properties.principalType", "enum")]),
    (RIGHT, pool(**ROLE, createdOn="2026-01-01T00:00:00Z"), [("properties.createdOn", "read_only")]),
    (INSIGHTS, {"location": "x", "kind": "web", **pool(Application_Type="other", RetentionInDays="30")},
     [("properties.RetentionInDays", "type")]),
    (RULE, {"location": "x", "tags": {"a": 1}}, [("tags.a", "type")]),
    (RULE, {"location": "x", **pool(dataSources={"extensions": [{"extensionSettings": {"any": [1]}}]})},
     [("properties.dataSources.extensions[0].extensionName", "required")]),
    (ALERT, {**ALERT_TOP, **pool(**ALERT_BASE)}, []),
    (ALERT, {**ALERT_TOP, **pool(**ALERT_BASE | {"windowSize": "15m"})}, [("properties.windowSize", "type")]),
    (ALERT, {**ALERT_TOP, **pool(**ALERT_BASE | {"criteria": {**CRITERIA, "allOf": [STATIC]}})},
     [(f"properties.criteria.allOf[0].{name}", "required") for name in ("metricName", "operator", "threshold")]),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "found"), ROWS, ids=[f"{row[0]} {row[1]}"[:70] for row in ROWS])
def test_problems(model: str, body: Any, found: list[tuple[str, str]]) -> None:
    problems = schema.problems(body, f"azure.mgmt.{model}")
    assert sorted((one.path, one.kind) for one in problems) == sorted(found)


def test_a_problem_says_what_was_found() -> None:
    (problem,) = schema.problems(pool(mode="Systems"), f"azure.mgmt.{POOL}")
    assert problem.value == "Systems"
    assert problem.message == "The value 'Systems' is none of System, User, Gateway."


PACKAGES = sorted({model.rpartition(".")[0] for model in (POOL, NETWORK, VAULT, CREDENTIAL, RULE, RIGHT, INSIGHTS)})


@pytest.mark.parametrize("package", [*PACKAGES, "storage.models", "compute.models", "containerregistry.models"])
def test_hardly_anything_is_left_unknown(package: str) -> None:
    """A walker that understands no type accepts everything: of all fields of a package few may be anything."""
    module = importlib.import_module(f"azure.mgmt.{package}")
    models = [one for one in vars(module).values() if isinstance(one, type) and hasattr(one, "__init__")]
    fields = [
        field.node
        for model in models
        if hasattr(model, "_attribute_map") or hasattr(model, "_is_model")
        for field in schema.node_of(model).fields.values()
    ]
    anything = [node for node in fields if node.kind == "any"]
    assert len(fields) > 20
    assert len(anything) <= max(1, len(fields) * 0.03)
