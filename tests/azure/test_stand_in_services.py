# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Storage, registries, monitoring and API Management in the stand-in for Azure, seen by the official clients."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.apimanagement import ApiManagementClient
from azure.mgmt.applicationinsights import ApplicationInsightsManagementClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.loganalytics import LogAnalyticsManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.storage import StorageManagementClient

from stand_in import StandIn

GROUP = "services"
SUBSCRIPTIONS = "Microsoft.ApiManagement/service/subscriptions"
PLACE = {"location": "westeurope"}
FAST = {"polling_interval": 0.05}
ACCOUNT, REGISTRY, WORKSPACE, INSIGHTS, SERVICE = (
    "driven0data",
    "hubRegistry",
    "hub-workspace",
    "hub-insights",
    "hub-apim",
)


def _code(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)


@pytest.fixture(scope="module")
def base(stand_in: StandIn) -> str:
    """The id of a group, with ``/providers`` behind it."""
    stand_in.arm.resource_groups.create_or_update(GROUP, PLACE)
    return f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}/providers"


@pytest.fixture(scope="module")
def storage(stand_in: StandIn, base: str) -> StorageManagementClient:
    """The official client of storage, and an account."""
    assert base
    client = StorageManagementClient(stand_in.credential(), stand_in.subscription)
    body = {**PLACE, "kind": "storagev2", "sku": {"name": "standard_lrs"}}
    client.storage_accounts.begin_create(GROUP, ACCOUNT, body, **FAST).result()
    return client


@pytest.fixture(scope="module")
def registry(stand_in: StandIn, base: str) -> ContainerRegistryManagementClient:
    """The official client of registries, and a registry."""
    assert base
    client = ContainerRegistryManagementClient(stand_in.credential(), stand_in.subscription)
    client.registries.begin_create(GROUP, REGISTRY, {**PLACE, "sku": {"name": "Basic"}}, **FAST).result()
    return client


@pytest.fixture(scope="module")
def logs(stand_in: StandIn, base: str) -> LogAnalyticsManagementClient:
    """The official client of workspaces, and a workspace."""
    assert base
    client = LogAnalyticsManagementClient(stand_in.credential(), stand_in.subscription)
    body = {**PLACE, "properties": {"sku": {"name": "PerGB2018"}}}
    client.workspaces.begin_create_or_update(GROUP, WORKSPACE, body, **FAST).result()
    return client


@pytest.fixture(scope="module")
def monitor(stand_in: StandIn, logs: LogAnalyticsManagementClient) -> MonitorManagementClient:
    """The official client of monitoring, beside a workspace."""
    assert logs.workspaces.get(GROUP, WORKSPACE).name == WORKSPACE
    return MonitorManagementClient(stand_in.credential(), stand_in.subscription)


# -------------------------------------------------------------------------------------------------------------- storage
def test_an_account_comes_back_with_what_azure_fills_in(storage: StorageManagementClient) -> None:
    account = storage.storage_accounts.get_properties(GROUP, ACCOUNT)
    assert (account.kind, account.sku.name, account.sku.tier) == ("StorageV2", "Standard_LRS", "Standard")
    properties = account.properties
    assert properties.primary_endpoints.file == f"https://{ACCOUNT}.file.core.windows.net/"
    assert (properties.access_tier, properties.enable_https_traffic_only) == ("Hot", True)
    assert properties.network_rule_set.default_action == "Allow"
    assert properties.encryption.services.file.enabled is True


def test_keys_are_listed_and_renewed_one_by_one(storage: StorageManagementClient) -> None:
    def keys() -> dict[str, str]:
        listed = storage.storage_accounts.list_keys(GROUP, ACCOUNT)
        return {one["keyName"]: one["value"] for one in listed.as_dict()["keys"]}

    before = keys()
    storage.storage_accounts.regenerate_key(GROUP, ACCOUNT, {"keyName": "key1"})
    after = keys()
    assert set(after) == {"key1", "key2"}
    assert before["key1"] != after["key1"]
    assert before["key2"] == after["key2"]
    assert "value" not in str(storage.storage_accounts.get_properties(GROUP, ACCOUNT).as_dict().get("keys", ""))


def test_a_share_has_a_quota(storage: StorageManagementClient) -> None:
    share = storage.file_shares.create(GROUP, ACCOUNT, "driven-data", {"properties": {"shareQuota": 100}})
    assert share.as_dict()["properties"]["enabledProtocols"] == "SMB"
    storage.file_shares.create(GROUP, ACCOUNT, "driven-data", {"properties": {"shareQuota": 200}})
    found = storage.file_shares.get(GROUP, ACCOUNT, "driven-data").as_dict()["properties"]
    assert (found["shareQuota"], found["accessTier"]) == (200, "TransactionOptimized")
    with pytest.raises(HttpResponseError) as refused:
        storage.file_shares.create(GROUP, ACCOUNT, "huge", {"properties": {"shareQuota": 1_000_000}})
    assert _code(refused.value) == "InvalidHeaderValue"
    service = storage.file_services.get_service_properties(GROUP, ACCOUNT).as_dict()["properties"]
    assert service["shareDeleteRetentionPolicy"] == {"enabled": True, "days": 7}


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("Upper", {}, "AccountNameInvalid"),
        ("filesonly", {"kind": "FileStorage"}, "InvalidValuesForRequestParameters"),
        ("taken", {}, "StorageAccountAlreadyTaken"),
        ("typo", {"properties": {"allowBlobPublicAcess": True}}, "InvalidRequestContent"),
    ],
)
def test_accounts_that_azure_refuses(
    stand_in: StandIn, storage: StorageManagementClient, name: str, change: dict[str, Any], code: str
) -> None:
    stand_in.dial("PATCH", "/settings", {"taken_names": {"storageAccounts": ["taken"]}})
    body = {**PLACE, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, **change}
    with pytest.raises(HttpResponseError) as refused:
        storage.storage_accounts.begin_create(GROUP, name, body)
    assert _code(refused.value) == code


def test_the_name_of_an_account_is_asked_for(storage: StorageManagementClient) -> None:
    asked = storage.storage_accounts.check_name_availability(
        {"name": ACCOUNT, "type": "Microsoft.Storage/storageAccounts"}
    )
    assert (asked.name_available, asked.reason) == (False, "AlreadyExists")


# ------------------------------------------------------------------------------------------------------------- registry
def test_a_registry_has_a_login_server_and_no_admin(registry: ContainerRegistryManagementClient) -> None:
    found = registry.registries.get(GROUP, REGISTRY)
    assert (found.sku.tier, found.properties.login_server) == ("Basic", "hubregistry.azurecr.io")
    with pytest.raises(HttpResponseError) as refused:
        registry.registries.list_credentials(GROUP, REGISTRY)
    assert _code(refused.value) == "UnAuthorizedForCredentialOperations"
    registry.registries.begin_update(GROUP, REGISTRY, {"properties": {"adminUserEnabled": True}}, **FAST).result()
    assert len(registry.registries.list_credentials(GROUP, REGISTRY).passwords or ()) == 2
    usages = registry.registries.list_usages(GROUP, REGISTRY).value or []
    assert [one.name for one in usages] == ["Size", "Webhooks"]


def test_the_name_of_a_registry_is_worldwide(stand_in: StandIn, registry: ContainerRegistryManagementClient) -> None:
    stand_in.arm.resource_groups.create_or_update("elsewhere", PLACE)
    with pytest.raises(ResourceExistsError) as refused:
        registry.registries.begin_create("elsewhere", "HUBregistry", {**PLACE, "sku": {"name": "Basic"}})
    assert _code(refused.value) == "AlreadyInUse"
    asked = registry.registries.check_name_availability(
        {"name": REGISTRY, "type": "Microsoft.ContainerRegistry/registries"}
    )
    assert asked.name_available is False


def test_what_a_registry_answers_may_be_sent_back(registry: ContainerRegistryManagementClient) -> None:
    found = registry.registries.get(GROUP, REGISTRY)
    again = registry.registries.begin_create(GROUP, REGISTRY, found.as_dict(), **FAST).result()
    assert again.as_dict()["properties"]["policies"] == found.as_dict()["properties"]["policies"]


def test_an_image_is_imported_once(registry: ContainerRegistryManagementClient) -> None:
    body = {
        "source": {"registryUri": "quay.io", "sourceImage": "jupyterhub/k8s-hub:4.4.0"},
        "targetTags": ["k8s-hub:4.4.0"],
        "mode": "NoForce",
    }
    registry.registries.begin_import_image(GROUP, REGISTRY, body, **FAST).result()
    with pytest.raises(ResourceExistsError):
        registry.registries.begin_import_image(GROUP, REGISTRY, body)
    registry.registries.begin_import_image(GROUP, REGISTRY, {**body, "mode": "Force"}, **FAST).result()


# ----------------------------------------------------------------------------------------------------------- monitoring
def test_a_workspace_is_answered_otherwise_than_it_was_sent(logs: LogAnalyticsManagementClient) -> None:
    properties = logs.workspaces.get(GROUP, WORKSPACE).as_dict()["properties"]
    assert (properties["sku"]["name"], properties["retentionInDays"]) == ("pergb2018", 30)
    assert properties["workspaceCapping"]["dailyQuotaGb"] == -1.0
    assert logs.shared_keys.get_shared_keys(GROUP, WORKSPACE).primary_shared_key


def test_a_deleted_workspace_comes_back_with_its_id(logs: LogAnalyticsManagementClient) -> None:
    body = {**PLACE, "properties": {"sku": {"name": "PerGB2018"}}}

    def write() -> str:
        made = logs.workspaces.begin_create_or_update(GROUP, "short-lived", body, **FAST).result()
        return str(made.as_dict()["properties"]["customerId"])

    first = write()
    logs.workspaces.begin_delete(GROUP, "short-lived", **FAST).result()
    assert [one.name for one in logs.deleted_workspaces.list()] == ["short-lived"]
    assert write() == first
    logs.workspaces.begin_delete(GROUP, "short-lived", force=True, **FAST).result()
    assert not list(logs.deleted_workspaces.list())
    assert write() != first


def test_insights_bring_a_rule_and_an_action_group_with_them(
    stand_in: StandIn, monitor: MonitorManagementClient, base: str
) -> None:
    client = ApplicationInsightsManagementClient(stand_in.credential(), stand_in.subscription)
    workspace = f"{base}/Microsoft.OperationalInsights/workspaces/{WORKSPACE}"
    body = {**PLACE, "kind": "other", "Application_Type": "Other", "WorkspaceResourceId": workspace}
    made = client.components.create_or_update(GROUP, INSIGHTS, body)
    again = client.components.create_or_update(GROUP, INSIGHTS, body)
    assert made.connection_string == again.connection_string
    assert f"InstrumentationKey={made.instrumentation_key};" in str(made.connection_string)
    assert (made.application_type, made.retention_in_days) == ("other", 90)
    assert [one.name for one in monitor.action_groups.list_by_resource_group(GROUP)] == [
        "Application Insights Smart Detection"
    ]
    client.components.delete(GROUP, INSIGHTS)
    left = {one.name for one in stand_in.arm.resources.list_by_resource_group(GROUP)}
    assert {f"Failure Anomalies - {INSIGHTS}", "Application Insights Smart Detection"} <= left


def test_a_collection_rule_outlives_no_association(
    storage: StorageManagementClient, monitor: MonitorManagementClient, base: str
) -> None:
    workspace = f"{base}/Microsoft.OperationalInsights/workspaces/{WORKSPACE}"
    stream = "Microsoft-ContainerInsights-Group-Default"
    source = {"name": "insights", "streams": [stream], "extensionName": "ContainerInsights"}
    properties = {
        "dataSources": {"extensions": [source]},
        "destinations": {"logAnalytics": [{"name": "logs", "workspaceResourceId": workspace}]},
        "dataFlows": [{"streams": [stream], "destinations": ["logs"]}],
    }
    rule = monitor.data_collection_rules.create(GROUP, "MSCI-hub", {**PLACE, "properties": properties})
    assert str(rule.immutable_id).startswith("dcr-")
    flows = [{"streams": [stream], "destinations": ["nowhere"]}]
    with pytest.raises(HttpResponseError) as refused:
        monitor.data_collection_rules.create(
            GROUP, "MSCI-bad", {**PLACE, "properties": {**properties, "dataFlows": flows}}
        )
    assert _code(refused.value) == "InvalidPayload"
    watched = str(storage.storage_accounts.get_properties(GROUP, ACCOUNT).id)
    link = {"properties": {"dataCollectionRuleId": rule.id}}
    monitor.data_collection_rule_associations.create(watched, "ContainerInsightsExtension", link)
    with pytest.raises(ResourceExistsError):
        monitor.data_collection_rules.delete(GROUP, "MSCI-hub")
    monitor.data_collection_rule_associations.delete(watched, "ContainerInsightsExtension")
    monitor.data_collection_rules.delete(GROUP, "MSCI-hub")
    with pytest.raises(ResourceNotFoundError):
        monitor.data_collection_rules.get(GROUP, "MSCI-hub")


# ------------------------------------------------------------------------------------------------------- API Management
def test_a_subscription_key_is_found_by_the_user(stand_in: StandIn, base: str) -> None:
    client = ApiManagementClient(stand_in.credential(), stand_in.subscription)
    service = {
        **PLACE,
        "sku": {"name": "Developer", "capacity": 1},
        "publisherName": "hub",
        "publisherEmail": "a@b.org",
    }
    client.api_management_service.begin_create_or_update(GROUP, SERVICE, service, **FAST).result()
    person = {"email": "user@example.org", "firstName": "A", "lastName": "B"}
    client.user.create_or_update(GROUP, SERVICE, "7", person)
    body = {"scope": "/apis", "displayName": "planetary", "ownerId": "/users/7", "primaryKey": "k" * 32}
    client.subscription.create_or_update(GROUP, SERVICE, "7-planetarycomputer", body)
    found = client.subscription.get(GROUP, SERVICE, "7-planetarycomputer")
    # Keys are given by listSecrets alone, ids and scopes come back whole.
    assert found.primary_key is None
    assert found.owner_id == f"{base}/Microsoft.ApiManagement/service/{SERVICE}/users/7"
    keys = client.subscription.list_secrets(GROUP, SERVICE, "7-planetarycomputer")
    assert keys.primary_key == "k" * 32
    users = client.user.list_by_service(GROUP, SERVICE, filter="email eq 'USER@example.org'")
    assert [one.name for one in users] == ["7"]
    assert [one.name for one in client.user_subscription.list(GROUP, SERVICE, "7")] == ["7-planetarycomputer"]
    with pytest.raises(ResourceNotFoundError):
        client.subscription.list_secrets(GROUP, SERVICE, "8-planetarycomputer")


def test_two_actions_are_just_enough_for_a_key(stand_in: StandIn, base: str) -> None:
    """Reading a subscription and its keys; each is refused without its own action, and nothing else is allowed."""
    credential, actions = stand_in.credential(), (f"{SUBSCRIPTIONS}/read", f"{SUBSCRIPTIONS}/listSecrets/action")
    rights = AuthorizationManagementClient(credential, stand_in.subscription)
    service = f"{base}/Microsoft.ApiManagement/service/{SERVICE}"
    reader = stand_in.dial("POST", "/applications", {"name": "hub"})
    client = ApiManagementClient(
        ClientSecretCredential(stand_in.env["AZURE_TENANT_ID"], reader["app_id"], reader["secret"]),
        stand_in.subscription,
    )
    role, scope = str(uuid.uuid4()), f"/subscriptions/{stand_in.subscription}"
    asked = (client.subscription.get, client.subscription.list_secrets)
    for given in ([], actions[:1], actions[1:], list(actions)):
        permissions = [{"actions": list(given) or ["Microsoft.Resources/subscriptions/read"]}]
        definition = {"roleName": "Reads keys", "permissions": permissions, "assignableScopes": [scope]}
        rights.role_definitions.create_or_update(scope, role, {"properties": {**definition, "type": "CustomRole"}})
        body = {
            "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": reader["object_id"],
            "principalType": "ServicePrincipal",
        }
        used = rights.role_assignments.create(service, str(uuid.uuid4()), {"properties": body})
        for action, ask in zip(actions, asked, strict=True):
            if action in given:
                assert ask(GROUP, SERVICE, "7-planetarycomputer")
                continue
            with pytest.raises(HttpResponseError) as refused:
                ask(GROUP, SERVICE, "7-planetarycomputer")
            assert _code(refused.value) == "AuthorizationFailed"
            assert action in str(refused.value)
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            client.user.get(GROUP, SERVICE, "7")
        rights.role_assignments.delete_by_id(used.id)


def test_an_unknown_subscription_and_what_may_go_wrong(stand_in: StandIn) -> None:
    client = ApiManagementClient(stand_in.credential(), stand_in.subscription, retry_total=0)
    for ask in (client.subscription.get, client.subscription.list_secrets):
        with pytest.raises(ResourceNotFoundError, match=r"Subscription not found\.") as refused:
            ask(GROUP, SERVICE, "8-planetarycomputer")
        assert _code(refused.value) == "ResourceNotFound"
    fault = {"type": f"{SUBSCRIPTIONS}/listSecrets", "status": 429, "code": "TooManyRequests", "retry_after": 1}
    stand_in.dial("POST", "/faults", fault)
    with pytest.raises(HttpResponseError) as throttled:
        client.subscription.list_secrets(GROUP, SERVICE, "7-planetarycomputer")
    assert throttled.value.status_code == 429
    stand_in.dial("PATCH", "/latency", {"scale": 1, "seconds": {f"POST {SUBSCRIPTIONS}/listSecrets": 0.4}})
    start = time.monotonic()
    client.subscription.list_secrets(GROUP, SERVICE, "7-planetarycomputer")
    stand_in.dial("PATCH", "/latency", {"scale": 0})
    assert time.monotonic() - start >= 0.4
