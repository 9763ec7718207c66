# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Clusters, node pools, sizes, quotas and disks of the stand-in, seen by Azure's official clients."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.containerservice import ContainerServiceClient

from stand_in import StandIn

GROUP, CLUSTER, HERE = "clusters", "hub", "westeurope"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
SYSTEM = {"name": "core", "mode": "System", "vmSize": "Standard_D4s_v5", "count": 2}


@pytest.fixture(scope="module")
def aks(stand_in: StandIn) -> ContainerServiceClient:
    return ContainerServiceClient(stand_in.credential(), stand_in.subscription, polling_interval=0.01)


@pytest.fixture(scope="module")
def compute(stand_in: StandIn) -> ComputeManagementClient:
    return ComputeManagementClient(stand_in.credential(), stand_in.subscription, polling_interval=0.01)


def make(aks: ContainerServiceClient, name: str = CLUSTER, top: dict[str, Any] | None = None, **properties: Any) -> Any:
    """Create or change a cluster; the answer as JSON."""
    body: dict[str, Any] = {"location": HERE, "identity": {"type": "SystemAssigned"}, **(top or {})}
    body["properties"] = {"dnsPrefix": name, "agentPoolProfiles": [SYSTEM], **properties}
    return aks.managed_clusters.begin_create_or_update(GROUP, name, body).result().as_dict()


def pool(aks: ContainerServiceClient, name: str, cluster: str = CLUSTER, **properties: Any) -> Any:
    """Create or change a pool; its properties as JSON."""
    found = aks.agent_pools.begin_create_or_update(GROUP, cluster, name, {"properties": properties}).result()
    return found.as_dict()["properties"]


def pool_id(stand_in: StandIn, name: str = "", cluster: str = CLUSTER) -> str:
    """The id of a cluster, or of a pool of it."""
    base = f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService"
    return f"{base}/managedClusters/{cluster}" + (f"/agentPools/{name}" if name else "")


@pytest.fixture(scope="module", autouse=True)
def cluster(stand_in: StandIn, aks: ContainerServiceClient) -> Any:
    """A cluster with one system pool."""
    stand_in.arm.resource_groups.create_or_update(GROUP, {"location": HERE})
    return make(aks)


@pytest.fixture
def fresh_pool(aks: ContainerServiceClient) -> Iterator[Callable[..., Any]]:
    """Makes pools that are gone after the test."""
    names = []

    def new(name: str, **properties: Any) -> Any:
        names.append(name)
        return pool(aks, name, **{"vmSize": "Standard_D2s_v5", "count": 1, "mode": "User", **properties})

    yield new
    for name in names:
        aks.agent_pools.begin_delete(GROUP, CLUSTER, name).result()


def refused(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    with pytest.raises(HttpResponseError) as error:
        call()
    assert error.value.error is not None
    return error.value.status_code or 0, str(error.value.error.code), str(error.value.error.message)


# ---------------------------------------------------------------------------------------------------------- clusters
def test_a_cluster_answers_more_than_was_sent(cluster: Any, stand_in: StandIn) -> None:
    properties = cluster["properties"]
    assert cluster["type"] == "Microsoft.ContainerService/ManagedClusters"
    assert "/resourcegroups/" in cluster["id"]
    assert cluster["sku"] == {"name": "Base", "tier": "Free"}
    assert cluster["eTag"]
    assert cluster["identity"]["principalId"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["powerState"] == {"code": "Running"}
    assert properties["nodeResourceGroup"] == f"MC_{GROUP}_{CLUSTER}_{HERE}"
    assert properties["fqdn"].startswith(f"{CLUSTER}-")
    assert properties["fqdn"].endswith(f".hcp.{HERE}.azmk8s.io")
    assert properties["kubernetesVersion"] == "1.35"
    assert properties["currentKubernetesVersion"] == "1.35.4"
    assert properties["servicePrincipalProfile"] == {"clientId": "msi"}
    assert properties["workloadAutoScalerProfile"] == {}
    assert properties["oidcIssuerProfile"] == {"enabled": False}
    assert properties["networkProfile"]["networkPluginMode"] == "overlay"
    kubelet = properties["identityProfile"]["kubeletidentity"]
    found = stand_in.identities.user_assigned_identities.get(f"MC_{GROUP}_{CLUSTER}_{HERE}", f"{CLUSTER}-agentpool")
    assert (kubelet["objectId"], kubelet["clientId"]) == (found.principal_id, found.client_id)
    (profile,) = properties["agentPoolProfiles"]
    assert profile["name"] == "core"
    assert profile["nodeImageVersion"]


def test_what_is_answered_may_be_sent_back(aks: ContainerServiceClient, fresh_pool: Callable[..., Any]) -> None:
    """Read, merge, write: everything Azure answers of its own it takes again, and nothing changes by it."""
    fresh_pool("again", scaleSetPriority="Spot")
    live = aks.managed_clusters.get(GROUP, CLUSTER).as_dict()
    written = aks.managed_clusters.begin_create_or_update(GROUP, CLUSTER, json.dumps(live).encode()).result().as_dict()
    assert without_etags(written) == without_etags(live)
    live_pool = aks.agent_pools.get(GROUP, CLUSTER, "again").as_dict()
    sent = json.dumps(live_pool).encode()
    pool_again = aks.agent_pools.begin_create_or_update(GROUP, CLUSTER, "again", sent).result().as_dict()
    assert without_etags(pool_again) == without_etags(live_pool)


def without_etags(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_etags(item) for key, item in value.items() if key != "eTag"}
    return [without_etags(item) for item in value] if isinstance(value, list) else value


def test_the_node_resource_group_comes_and_goes_with_the_cluster(
    aks: ContainerServiceClient, compute: ComputeManagementClient, stand_in: StandIn
) -> None:
    make(aks, "short", nodeResourceGroup="short-nodes")
    group = stand_in.arm.resource_groups.get("short-nodes")
    assert group.managed_by is not None
    assert group.managed_by.lower() == pool_id(stand_in, cluster="short").lower()
    kinds = {str(one.type).rpartition("/")[2] for one in stand_in.arm.resources.list_by_resource_group("short-nodes")}
    assert kinds >= {"userAssignedIdentities", "publicIPAddresses", "loadBalancers", "virtualMachineScaleSets"}
    stand_in.dial("POST", "/aks/homes", {"id": pool_id(stand_in, cluster="short"), "count": 3})
    assert len(list(compute.disks.list_by_resource_group("short-nodes"))) == 3
    aks.managed_clusters.begin_delete(GROUP, "short").result()
    assert not stand_in.arm.resource_groups.check_existence("short-nodes")
    assert not [disk for disk in compute.disks.list() if "short-nodes" in str(disk.id)]


def test_addons_get_identities_and_keys_in_azures_case(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    workspace = f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}/providers/x/workspaces/w"
    addons = {
        "omsAgent": {"enabled": True, "config": {"loganalyticsworkspaceresourceid": workspace}},
        "azurekeyvaultsecretsprovider": {"enabled": True},
    }
    found = make(aks, "addons", addonProfiles=addons)["properties"]["addonProfiles"]
    assert set(found) == {"omsagent", "azureKeyvaultSecretsProvider"}
    assert found["omsagent"]["config"]["logAnalyticsWorkspaceResourceID"].lower() == workspace.lower()
    assert found["azureKeyvaultSecretsProvider"]["config"]["rotationPollInterval"] == "2m"
    assert all(addon["identity"]["objectId"] for addon in found.values())
    # What is not mentioned any more stays.
    assert set(make(aks, "addons")["properties"]["addonProfiles"]) == set(found)


def test_the_issuer_is_stable_and_stays(aks: ContainerServiceClient) -> None:
    first = make(aks, "issuer", oidcIssuerProfile={"enabled": True})["properties"]["oidcIssuerProfile"]
    assert first["issuerURL"].startswith(f"https://{HERE}.oic.prod-aks.azure.com/")
    assert make(aks, "issuer")["properties"]["oidcIssuerProfile"] == first
    _status, _code, message = refused(lambda: make(aks, "issuer", oidcIssuerProfile={"enabled": False}))
    assert "cannot be disabled" in message


def test_the_autoscalers_values_are_texts(aks: ContainerServiceClient) -> None:
    profile = {"max-empty-bulk-delete": "50", "scale-down-unneeded-time": "2m"}
    found = make(aks, "scaler", autoScalerProfile=profile)["properties"]["autoScalerProfile"]
    assert found["max-empty-bulk-delete"] == "50"
    assert found["scan-interval"] == "10s"
    assert found["skip-nodes-with-system-pods"] == "true"


def test_what_is_not_mentioned_stays(aks: ContainerServiceClient, fresh_pool: Callable[..., Any]) -> None:
    fresh_pool("extra")
    names = [profile["name"] for profile in make(aks)["properties"]["agentPoolProfiles"]]
    assert names == ["core", "extra"]


NEW_REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no prefix", {"dnsPrefix": None}, "InvalidParameter", "dnsPrefix"),
    ("no pools", {"agentPoolProfiles": []}, "InvalidParameter", "agentPoolProfiles"),
    ("no system pool", {"agentPoolProfiles": [{**SYSTEM, "mode": "User"}]}, "InvalidParameter", "one system pool"),
    ("unknown version", {"kubernetesVersion": "1.29.2"}, "K8sVersionNotSupported", "1.29.2"),
    ("unknown property", {"kubernetesVersoin": "1.35"}, "InvalidRequestContent", "kubernetesVersoin"),
    ("wrong type", {"enableRBAC": "yes"}, "InvalidRequestContent", "boolean"),
    ("reserved range", {"networkProfile": {"podCidr": "172.30.0.0/16"}}, "InvalidParameter", "reserved"),
    (
        *("overlap", {"networkProfile": {"podCidr": "10.0.0.0/8", "serviceCidr": "10.0.0.0/16"}}),
        *("ServiceCidrOverlapExistingSubnetsCidr", "pod CIDR"),
    ),
    ("dns address", {"networkProfile": {"serviceCidr": "10.5.0.0/16", "dnsServiceIP": "10.0.0.10"}},
     "InvalidParameter", "10.0.0.10"),
    ("policy", {"networkProfile": {"networkPolicy": "cilium"}}, "InvalidParameter", "cilium"),
    ("local accounts", {"disableLocalAccounts": True}, "BadRequest", "Entra"),
    ("identity without issuer", {"securityProfile": {"workloadIdentity": {"enabled": True}}}, "BadRequest", "OIDC"),
    ("two of a name", {"agentPoolProfiles": [SYSTEM, SYSTEM]}, "InvalidParameter", "twice"),
    ("size", {"agentPoolProfiles": [{**SYSTEM, "vmSize": "Standard_Nothing"}]}, "BadRequest", "Standard_Nothing"),
    ("too small", {"agentPoolProfiles": [{**SYSTEM, "vmSize": "Standard_A1_v2"}]}, "InvalidParameter", "System node"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "code", "words"), [row[1:] for row in NEW_REFUSED], ids=[row[0] for row in NEW_REFUSED]
)
def test_a_cluster_that_azure_would_not_make(
    aks: ContainerServiceClient, properties: dict[str, Any], code: str, words: str
) -> None:
    status, found, message = refused(lambda: make(aks, "never", **properties))
    assert (status, found) == (400, code)
    assert words in message
    assert "never" not in [one.name for one in aks.managed_clusters.list()]


CHANGES_REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"dnsPrefix": "other"}, "PropertyChangeNotAllowed", "dnsPrefix"),
    ({"nodeResourceGroup": "other"}, "PropertyChangeNotAllowed", "nodeResourceGroup"),
    ({"networkProfile": {"serviceCidr": "10.77.0.0/16"}}, "PropertyChangeNotAllowed", "serviceCidr"),
    ({"agentPoolProfiles": [SYSTEM, {**SYSTEM, "name": "second"}]}, "BadRequest", "A new agent pool was introduced"),
    ({"agentPoolProfiles": [{**SYSTEM, "vmSize": "Standard_D8s_v5"}]}, "PropertyChangeNotAllowed", "vmSize"),
    ({"kubernetesVersion": "1.34.7"}, "OperationNotAllowed", "Upgrading Kubernetes version 1.35.4 to 1.34.7"),
    ({"kubernetesVersion": "1.37.0"}, "OperationNotAllowed", "Available upgrades: [1.36.1 1.36.2]"),
    ({"kubernetesVersion": "1.36.1", "disableLocalAccounts": False, "enableRBAC": True,
      "autoUpgradeProfile": {"upgradeChannel": "patch"}}, "OperationNotAllowed", "autoUpgradeProfile"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "code", "words"), CHANGES_REFUSED)
def test_a_change_that_azure_would_not_make(
    aks: ContainerServiceClient, properties: dict[str, Any], code: str, words: str
) -> None:
    _status, found, message = refused(lambda: make(aks, **properties))
    assert found == code
    assert words in message


def test_if_match_is_heeded(aks: ContainerServiceClient) -> None:
    etag = aks.managed_clusters.get(GROUP, CLUSTER).e_tag
    assert etag is not None
    body = {"location": HERE, "tags": {"turn": "1"}, "properties": {"dnsPrefix": CLUSTER}}
    write = aks.managed_clusters.begin_create_or_update
    write(GROUP, CLUSTER, body, etag=etag, match_condition=MatchConditions.IfNotModified).result()
    status, _code, _message = refused(
        lambda: write(GROUP, CLUSTER, body, etag=etag, match_condition=MatchConditions.IfNotModified)
    )
    assert status == 412


def test_versions_move_by_steps_and_by_the_channel(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    make(aks, "moving", kubernetesVersion="1.34.6")
    profile = aks.managed_clusters.get_upgrade_profile(GROUP, "moving").as_dict()["properties"]["controlPlaneProfile"]
    assert [one["kubernetesVersion"] for one in profile["upgrades"]] == ["1.34.7", "1.35.3", "1.35.4"]
    moved = make(aks, "moving", kubernetesVersion="1.35.3")["properties"]
    assert moved["currentKubernetesVersion"] == "1.35.3"
    assert moved["agentPoolProfiles"][0]["currentOrchestratorVersion"] == "1.34.6"
    newer = {"vmSize": "Standard_D2s_v5", "count": 1, "orchestratorVersion": "1.36.1"}
    _status, code, message = refused(lambda: pool(aks, "newer", "moving", **newer))
    assert code == "NodePoolMcVersionIncompatible"
    assert "bigger than control plane version" in message
    stand_in.dial("POST", "/aks/upgrade", {"id": pool_id(stand_in, cluster="moving")})
    found = aks.managed_clusters.get(GROUP, "moving").as_dict()["properties"]
    assert found["currentKubernetesVersion"] == "1.35.4"
    assert found["agentPoolProfiles"][0]["currentOrchestratorVersion"] == "1.35.4"


def test_versions_of_a_region(aks: ContainerServiceClient) -> None:
    found = {one["version"]: one for one in aks.managed_clusters.list_kubernetes_versions(HERE).as_dict()["values"]}
    assert set(found) >= {"1.34", "1.35", "1.36"}
    assert [name for name, one in found.items() if one.get("isDefault")] == ["1.35"]


def test_new_node_images_by_request_and_by_the_channel(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    def image() -> str:
        return str(aks.agent_pools.get(GROUP, CLUSTER, "core").as_dict()["properties"]["nodeImageVersion"])

    newest = image()
    stand_in.dial("POST", "/aks/node-image", {"id": pool_id(stand_in), "date": "202610.15.0"})
    assert image() != newest
    aks.agent_pools.begin_upgrade_node_image_version(GROUP, CLUSTER, "core").result()
    assert image() == newest


def test_clusters_are_found_by_their_tags(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    make(aks, "tagged", {"tags": {"owner": "me"}})
    make(aks, "tagged")
    found = stand_in.arm.resources.list(filter="tagName eq 'owner' and tagValue eq 'me'")
    assert [one.name for one in found] == ["tagged"]


def test_stopped_and_started(aks: ContainerServiceClient) -> None:
    make(aks, "sleepy")
    aks.managed_clusters.begin_stop(GROUP, "sleepy").result()
    assert aks.managed_clusters.get(GROUP, "sleepy").as_dict()["properties"]["powerState"] == {"code": "Stopped"}
    _status, code, _message = refused(lambda: pool(aks, "more", "sleepy", vmSize="Standard_D2s_v5", count=1))
    assert code == "OperationNotAllowed"
    aks.managed_clusters.begin_start(GROUP, "sleepy").result()
    assert aks.managed_clusters.get(GROUP, "sleepy").as_dict()["properties"]["powerState"] == {"code": "Running"}


def test_one_operation_at_a_time(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    make(aks, "busy")
    stand_in.dial("PATCH", "/latency", {"scale": 0.01})
    try:
        body = {"properties": {"vmSize": "Standard_D2s_v5", "count": 1, "mode": "User"}}
        first = aks.agent_pools.begin_create_or_update(GROUP, "busy", "one", body)
        # Pools beside each other are allowed, their cluster meanwhile is not.
        second = aks.agent_pools.begin_create_or_update(GROUP, "busy", "two", body)
        assert aks.agent_pools.get(GROUP, "busy", "one").as_dict()["properties"]["provisioningState"] == "Creating"
        status, code, _message = refused(lambda: make(aks, "busy"))
        assert (status, code) == (409, "OperationNotAllowed")
        first.result()
        second.result()
    finally:
        stand_in.dial("PATCH", "/latency", {"scale": 0})
    assert len(make(aks, "busy")["properties"]["agentPoolProfiles"]) == 3


# ------------------------------------------------------------------------------------------------------- credentials
def kubeconfig(answer: Any) -> Any:
    return yaml.safe_load(bytes(answer.kubeconfigs[0].value))


def test_kubeconfigs_of_local_accounts(aks: ContainerServiceClient, cluster: Any) -> None:
    for answer in (
        aks.managed_clusters.list_cluster_user_credentials(GROUP, CLUSTER),
        aks.managed_clusters.list_cluster_admin_credentials(GROUP, CLUSTER),
    ):
        config = kubeconfig(answer)
        assert config["clusters"][0]["cluster"]["server"] == f"https://{cluster['properties']['fqdn']}:443"
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
        assert authority.startswith(b"-----BEGIN CERTIFICATE-----")
        assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data", "token"}


def test_kubeconfigs_with_entra(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    entra = {"managed": True, "enableAzureRBAC": True}
    make(aks, "entra", aadProfile=entra, disableLocalAccounts=True)
    config = kubeconfig(aks.managed_clusters.list_cluster_user_credentials(GROUP, "entra", format="exec"))
    words = config["users"][0]["user"]["exec"]["args"]
    assert words[:1] == ["get-token"]
    assert words[words.index("--tenant-id") + 1] == stand_in.env["AZURE_TENANT_ID"]
    status, code, message = refused(lambda: aks.managed_clusters.list_cluster_admin_credentials(GROUP, "entra"))
    assert (status, code) == (400, "BadRequest")
    assert "local accounts" in message


# ------------------------------------------------------------------------------------------------------------- pools
def test_a_pool_answers_more_than_was_sent(fresh_pool: Callable[..., Any]) -> None:
    found = fresh_pool("plain", vmSize="standard_d2S_V5", mode="user", nodeTaints=["a=b:NoSchedule", "c=d:NoExecute"])
    assert found["vmSize"] == "Standard_D2s_v5"
    assert found["mode"] == "User"
    assert found["orchestratorVersion"] == "1.35"
    assert found["currentOrchestratorVersion"] == "1.35.4"
    assert found["upgradeSettings"] == {"maxSurge": "10%", "maxUnavailable": "0"}
    assert (found["osDiskType"], found["osDiskSizeGB"], found["maxPods"]) == ("Managed", 128, 250)
    # A set: in another order than it was written.
    assert found["nodeTaints"] == ["c=d:NoExecute", "a=b:NoSchedule"]
    assert not {"scaleSetPriority", "spotMaxPrice", "minCount", "maxCount"} & set(found)


def test_a_spot_pool_gets_taint_and_label(fresh_pool: Callable[..., Any]) -> None:
    found = fresh_pool("spot", scaleSetPriority="Spot")
    assert found["nodeTaints"] == ["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
    assert found["nodeLabels"] == {"kubernetes.azure.com/scalesetpriority": "spot"}
    assert (found["scaleSetEvictionPolicy"], found["spotMaxPrice"]) == ("Delete", -1)
    assert found["upgradeSettings"] == {}


def test_the_autoscaler_owns_the_count(
    aks: ContainerServiceClient, fresh_pool: Callable[..., Any], stand_in: StandIn
) -> None:
    bounds: dict[str, Any] = {"enableAutoScaling": True, "minCount": 0, "maxCount": 9}
    fresh_pool("scaled", **bounds)
    stand_in.dial("POST", "/aks/scale", {"id": pool_id(stand_in, "scaled"), "count": 7})
    assert pool(aks, "scaled", vmSize="Standard_D2s_v5", **{**bounds, "maxCount": 12})["count"] == 7
    assert pool(aks, "scaled", vmSize="Standard_D2s_v5", **{**bounds, "maxCount": 12}, count=2)["count"] == 2
    assert pool(aks, "scaled", vmSize="Standard_D2s_v5", **{**bounds, "minCount": 4})["count"] == 4


def test_labels_and_taints_are_replaced_or_left_alone(
    aks: ContainerServiceClient, fresh_pool: Callable[..., Any]
) -> None:
    fresh_pool("labels", nodeLabels={"a": "1", "b": "2"}, nodeTaints=["a=b:NoSchedule"])
    found = pool(aks, "labels", vmSize="Standard_D2s_v5", nodeLabels={"a": "3"})
    assert found["nodeLabels"] == {"a": "3"}
    assert found["nodeTaints"] == ["a=b:NoSchedule"]


POOLS_REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("Upper", {}, "InvalidParameter", "Upper"),
    ("thirteenchars", {}, "InvalidParameter", "thirteenchars"),
    ("bounds", {"enableAutoScaling": True, "minCount": 3, "maxCount": 1}, "InvalidParameter", "maxCount"),
    ("bounds", {"enableAutoScaling": True}, "InvalidParameter", "minCount"),
    ("bounds", {"minCount": 1, "maxCount": 3}, "InvalidParameter", "enableAutoScaling"),
    ("count", {"enableAutoScaling": True, "minCount": 1, "maxCount": 3, "count": 5}, "InvalidParameter", "Count 5"),
    ("system", {"mode": "System", "count": 0}, "InvalidParameter", "Count 0"),
    ("system", {"mode": "System", "scaleSetPriority": "Spot"}, "InvalidParameter", "spot"),
    ("spot", {"scaleSetPriority": "Spot", "upgradeSettings": {"maxSurge": "1"}}, "InvalidParameter", "max surge"),
    ("taint", {"nodeTaints": ["nonsense"]}, "InvalidParameter", "nonsense"),
    ("size", {"vmSize": "Standard_X1"}, "BadRequest", "Standard_X1 is not allowed"),
    ("zones", {"vmSize": "Standard_NC4as_T4_v3", "availabilityZones": ["3"]}, "AvailabilityZoneNotSupported", "'3'"),
    ("disk", {"osDiskType": "Ephemeral"}, "VMSizeDoesNotSupportEphemeralOS", "Standard_D2s_v5"),
    ("disk", {"vmSize": "Standard_D2ds_v5", "osDiskType": "Ephemeral", "osDiskSizeGB": 200},
     "InvalidParameter", "greater"),
    ("version", {"orchestratorVersion": "1.29.0"}, "K8sVersionNotSupported", "1.29.0"),
    ("typo", {"vmSiz": "x"}, "InvalidRequestContent", "vmSiz"),
    ("gpu", {"vmSize": "Standard_NC4as_T4_v3", "enableAutoScaling": True, "minCount": 0, "maxCount": 1,
             "gpuProfile": {"nvidia": {"managementMode": "Managed"}}}, "InvalidParameter", "autoscaler"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "properties", "code", "words"), POOLS_REFUSED)
def test_a_pool_that_azure_would_not_make(
    aks: ContainerServiceClient, name: str, properties: dict[str, Any], code: str, words: str
) -> None:
    given = {"vmSize": "Standard_D2s_v5", "mode": "User", **properties}
    if "enableAutoScaling" not in given:
        given.setdefault("count", 1)
    status, found, message = refused(lambda: pool(aks, name, **given))
    assert (status, found) == (400, code), message
    assert words in message


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"vmSize": "Standard_D8s_v5"}, "PropertyChangeNotAllowed"),
        ({"osDiskSizeGB": 256}, "PropertyChangeNotAllowed"),
        ({"maxPods": 50}, "PropertyChangeNotAllowed"),
        ({"availabilityZones": ["1"]}, "PropertyChangeNotAllowed"),
        ({"scaleSetPriority": "Spot"}, "BadRequest"),
        ({"gpuInstanceProfile": "MIG1g"}, "PropertyChangeNotAllowed"),
    ],
)
def test_what_a_pool_keeps_for_its_life(
    aks: ContainerServiceClient, cluster: Any, change: dict[str, Any], code: str
) -> None:
    assert cluster
    status, found, _message = refused(lambda: pool(aks, "core", **change))
    assert (status, found) == (400, code)


def test_the_last_system_pool_stays(aks: ContainerServiceClient) -> None:
    for attempt in (
        lambda: aks.agent_pools.begin_delete(GROUP, CLUSTER, "core").result(),
        lambda: pool(aks, "core", mode="User"),
    ):
        _status, code, message = refused(attempt)
        assert code == "OperationNotAllowed"
        assert "at least one system agent pool" in message


def test_a_network_belongs_to_one_creation_at_a_time(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    network = stand_in.network
    space = {"addressSpace": {"addressPrefixes": ["10.200.0.0/16"]}}
    network.virtual_networks.begin_create_or_update(GROUP, "own", {"location": HERE, "properties": space}).result()
    subnet = network.subnets.begin_create_or_update(
        GROUP, "own", "nodes", {"properties": {"addressPrefix": "10.200.0.0/20"}}
    ).result()
    body = {"properties": {"vmSize": "Standard_D2s_v5", "count": 1, "mode": "User", "vnetSubnetID": subnet.id}}
    stand_in.dial("PATCH", "/latency", {"scale": 0.01})
    stand_in.dial("PATCH", "/settings", {"vnet_ownership": 50})
    try:
        first = aks.agent_pools.begin_create_or_update(GROUP, CLUSTER, "first", body)
        _status, code, message = refused(lambda: aks.agent_pools.begin_create_or_update(GROUP, CLUSTER, "second", body))
        assert code == "SetVNetOwnershipFailed"
        assert "VirtualNetworkNotInSucceededState" in message
        first.result()
    finally:
        stand_in.dial("PATCH", "/settings", {"vnet_ownership": None})
        stand_in.dial("PATCH", "/latency", {"scale": 0})
    absent = {"properties": {**body["properties"], "vnetSubnetID": str(subnet.id).replace("nodes", "nowhere")}}
    _status, code, message = refused(lambda: aks.agent_pools.begin_create_or_update(GROUP, CLUSTER, "third", absent))
    assert code == "InvalidParameter"
    assert "not found" in message
    for name in ("second", "first"):
        aks.agent_pools.begin_create_or_update(GROUP, CLUSTER, name, body).result()
        aks.agent_pools.begin_delete(GROUP, CLUSTER, name).result()


def test_the_clusters_identity_needs_a_right_on_the_subnet(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    network = stand_in.network
    space = {"addressSpace": {"addressPrefixes": ["10.201.0.0/16"]}}
    network.virtual_networks.begin_create_or_update(GROUP, "rights", {"location": HERE, "properties": space}).result()
    subnet = network.subnets.begin_create_or_update(
        GROUP, "rights", "nodes", {"properties": {"addressPrefix": "10.201.0.0/20"}}
    ).result()
    identity = stand_in.identities.user_assigned_identities.create_or_update(GROUP, "cluster", {"location": HERE})
    block = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: {}}}}
    pools = [{**SYSTEM, "vnetSubnetID": subnet.id}]
    status, code, message = refused(lambda: make(aks, "rights", block, agentPoolProfiles=pools))
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert str(identity.principal_id) in message
    definitions = f"/subscriptions/{stand_in.subscription}/providers/Microsoft.Authorization/roleDefinitions"
    role = f"{definitions}/{NETWORK_CONTRIBUTOR}"
    AuthorizationManagementClient(stand_in.credential(), stand_in.subscription).role_assignments.create(
        str(subnet.id),
        "7b3b6f10-0f5e-4c0c-9a3c-0d6f1b7c7a01",
        {
            "properties": {
                "roleDefinitionId": role,
                "principalId": identity.principal_id,
                "principalType": "ServicePrincipal",
            }
        },
    )
    found = make(aks, "rights", block, agentPoolProfiles=pools)
    assert found["identity"]["userAssignedIdentities"][identity.id]["principalId"] == identity.principal_id
    kubelet = stand_in.identities.user_assigned_identities.create_or_update(GROUP, "kubelet", {"location": HERE})
    own = {"kubeletidentity": {"resourceId": kubelet.id}}
    _status, code, _message = refused(lambda: make(aks, "kubelet", block, identityProfile=own))
    assert code == "CustomKubeletIdentityMissingPermissionError"


def test_a_failed_operation_leaves_a_failed_pool(aks: ContainerServiceClient, stand_in: StandIn) -> None:
    fault = {
        "method": "PUT",
        "type": "*/agentPools",
        "operation": True,
        "code": "AllocationFailed",
        "message": "No room.",
    }
    stand_in.dial("POST", "/faults", fault)
    _status, code, _message = refused(lambda: pool(aks, "broken", vmSize="Standard_D2s_v5", count=1, mode="User"))
    assert code == "AllocationFailed"
    assert aks.agent_pools.get(GROUP, CLUSTER, "broken").as_dict()["properties"]["provisioningState"] == "Failed"
    assert pool(aks, "broken", vmSize="Standard_D2s_v5", count=1)["provisioningState"] == "Succeeded"
    aks.agent_pools.begin_delete(GROUP, CLUSTER, "broken").result()


# ------------------------------------------------------------------------------------------------------- maintenance
def test_a_maintenance_window_gets_a_date(aks: ContainerServiceClient) -> None:
    window: dict[str, Any] = {
        "schedule": {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Sunday"}},
        "durationHours": 8,
        "startTime": "02:00",
    }
    write = aks.maintenance_configurations.create_or_update
    name = "aksManagedAutoUpgradeSchedule"
    found = write(GROUP, CLUSTER, name, {"properties": {"maintenanceWindow": window}}).as_dict()
    assert found["properties"]["maintenanceWindow"]["startDate"]
    assert found["properties"]["maintenanceWindow"]["utcOffset"] == "+00:00"
    for change, words in (({"durationHours": 2}, "Duration 2"), ({"startDate": "2020-01-01"}, "in the past")):
        body = {"properties": {"maintenanceWindow": {**window, **change}}}
        _status, _code, message = refused(lambda body=body: write(GROUP, CLUSTER, name, body))  # type: ignore[misc]
        assert words in message
    assert [one.name for one in aks.maintenance_configurations.list_by_managed_cluster(GROUP, CLUSTER)] == [name]


# ----------------------------------------------------------------------------------------------------------- compute
def test_sizes_of_a_region_come_in_pages(compute: ComputeManagementClient, stand_in: StandIn) -> None:
    sizes = {
        str(one.name): one
        for one in compute.resource_skus.list(filter=f"location eq '{HERE}'")
        if one.resource_type == "virtualMachines"
    }
    assert len([one for one in stand_in.calls() if one["type"] == "Microsoft.Compute/skus"]) > 1
    seeds = ("A4_v2", "B2s", "D2s_v3", "E4s_v3", "E8s_v3", "E8_v3", "E4s_v5", "NC4as_T4_v3", "NC24ads_A100_v4")
    assert {f"Standard_{name}" for name in seeds} <= set(sizes)
    able = {item.name: item.value for item in sizes["Standard_NC4as_T4_v3"].capabilities or []}
    assert (able["vCPUs"], able["MemoryGB"], able["GPUs"]) == ("4", "28", "1")
    assert sizes["Standard_NC4as_T4_v3"].family == "Standard NCASv3_T4 Family"
    assert {item.name: item.value for item in sizes["Standard_A4_v2"].capabilities or []}[
        "EphemeralOSDiskSupported"
    ] == "False"


def test_a_restricted_size_is_shown_and_refused(
    aks: ContainerServiceClient, compute: ComputeManagementClient, stand_in: StandIn
) -> None:
    stand_in.dial("PATCH", "/settings", {"skus": {"Standard_D8s_v5": {"restricted": [HERE]}}})
    try:
        listed = compute.resource_skus.list(filter=f"location eq '{HERE}'")
        (size,) = [one for one in listed if one.name == "Standard_D8s_v5"]
        assert [one.reason_code for one in size.restrictions or []] == ["NotAvailableForSubscription"]
        _status, code, _message = refused(lambda: pool(aks, "eight", vmSize="Standard_D8s_v5", count=1))
        assert code == "BadRequest"
    finally:
        stand_in.dial("PATCH", "/settings", {"skus": None})


def test_quotas(aks: ContainerServiceClient, compute: ComputeManagementClient, stand_in: StandIn) -> None:
    def figure(name: str) -> tuple[int, int]:
        (found,) = [one for one in compute.usage.list(HERE) if one.name.value == name]
        return found.current_value, found.limit

    stand_in.dial("PATCH", "/quota", {"standardDv3Family": 5, "lowPriorityCores": 1000000})
    try:
        assert figure("standardDv3Family") == (0, 5)
        _status, code, message = refused(lambda: pool(aks, "quota", vmSize="Standard_D4_v3", count=2, mode="User"))
        assert code == "ErrCode_InsufficientVCPUQuota"
        assert "requested 8, remaining 5 for family standardDv3Family" in message
        pool(aks, "quota", vmSize="Standard_D4_v3", count=1, mode="User")
        assert figure("standardDv3Family") == (4, 5)
        before = figure("lowPriorityCores")[0]
        pool(aks, "cheap", vmSize="Standard_D4_v3", count=2, mode="User", scaleSetPriority="Spot")
        assert figure("lowPriorityCores")[0] == before + 8
    finally:
        stand_in.dial("PATCH", "/quota", {"standardDv3Family": None, "lowPriorityCores": None})
        for name in ("quota", "cheap"):
            aks.agent_pools.begin_delete(GROUP, CLUSTER, name).result()


def test_disks_and_snapshots(compute: ComputeManagementClient) -> None:
    empty = {"location": HERE, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 10}}
    disk = compute.disks.begin_create_or_update(GROUP, "home", empty).result()
    assert (disk.disk_size_gb, disk.disk_state, disk.sku and disk.sku.name) == (10, "Unattached", "Standard_LRS")
    grown = compute.disks.begin_update(GROUP, "home", {"properties": {"diskSizeGB": 20}}).result()
    assert grown.disk_size_gb == 20
    _status, code, _message = refused(
        lambda: compute.disks.begin_update(GROUP, "home", {"properties": {"diskSizeGB": 5}}).result()
    )
    assert code == "OperationNotAllowed"
    copy = {"location": HERE, "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk.id}}}
    assert compute.snapshots.begin_create_or_update(GROUP, "copy", copy).result().disk_size_gb == 20
    assert "home" in [one.name for one in compute.disks.list()]
    assert [one.name for one in compute.snapshots.list_by_resource_group(GROUP)] == ["copy"]
    compute.snapshots.begin_delete(GROUP, "copy").result()
    compute.disks.begin_delete(GROUP, "home").result()
    assert "home" not in [one.name for one in compute.disks.list_by_resource_group(GROUP)]
