# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What cannot work on Azure is said before Azure is asked, in one sentence that names the variable and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.filter.infrastructure_problem import FilterModule

from unit.infrastructure.settings import GROUP, SUBSCRIPTION, changed

problem = FilterModule().filters()["infrastructure_problem"]

VAULT = f"{GROUP}/Microsoft.KeyVault/vaults/example"
REGISTRY = f"{GROUP}/Microsoft.ContainerRegistry/registries/example"
GATEWAY = f"{GROUP}/Microsoft.Network/applicationGateways/example"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ranges": {"gateway_subnet": "10.2.0.0/24"}},
        {"ranges": {"allowed_sources": ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"]}},
        {"ranges": {"allowed_sources": ["*"]}},
        {"ranges": {"allowed_sources": ["AzureFrontDoor.Backend"]}},
        {"ranges": {"network": ["10.0.0.0/12", "192.168.0.0/24"], "gateway_subnet": "192.168.0.0/26"}},
        {"infrastructure_kubernetes_version": "1.35"},
        {"infrastructure_kubernetes_version": "1.36.2"},
        {"infrastructure_kubernetes_version": "2.0"},
        {"infrastructure_address": "none", "infrastructure_dns_label": ""},
        {"infrastructure_address": "annotation", "infrastructure_dns_label": ""},
        {"infrastructure_registry_id": REGISTRY},
        {"infrastructure_registry_id": REGISTRY.replace("resourceGroups", "resourcegroups").lower()},
        {"infrastructure_vault_id": VAULT},
        {"infrastructure_application_gateway_id": GATEWAY, "ranges": {"gateway_subnet": "10.2.0.0/24"}},
        {"windows": {"infrastructure_node_os_window": {}}},
        {"given_names": {"cluster": "pangeoCluster"}},
    ],
)
def test_what_works(changes: dict[str, Any]) -> None:
    assert problem(changed(**changes)) == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"infrastructure_subscription_id": ""},
            "infrastructure_subscription_id is empty; give the id of the Azure subscription, or set "
            "AZURE_SUBSCRIPTION_ID.",
        ),
        ({"infrastructure_subscription_id": "mine"}, "write the id of a subscription, as `az account show` says it."),
        # Ranges.
        (
            {"ranges": {"service": "10.0.0.0/16", "dns_service_ip": "10.0.0.10"}},
            "infrastructure_service_range is 10.0.0.0/16, which overlaps with infrastructure_network_ranges[0], "
            "10.0.0.0/12; "
            "choose ranges that do not overlap.",
        ),
        (
            {"ranges": {"network": ["10.0.0.0/8"]}},
            "infrastructure_service_range is 10.64.0.0/16, which overlaps with infrastructure_network_ranges[0], "
            "10.0.0.0/8; "
            "choose ranges that do not overlap.",
        ),
        (
            {"ranges": {"pod": "10.64.0.0/15"}},
            "infrastructure_pod_range is 10.64.0.0/15, which overlaps with infrastructure_service_range, 10.64.0.0/16; "
            "choose ranges that do not overlap.",
        ),
        (
            {"ranges": {"gateway_subnet": "10.1.4.0/24"}},
            "infrastructure_gateway_subnet_range is 10.1.4.0/24, which overlaps with infrastructure_node_subnet_range, "
            "10.1.0.0/16; choose ranges that do not overlap.",
        ),
        (
            {"ranges": {"node_subnet": "10.16.0.0/16"}},
            "infrastructure_node_subnet_range is 10.16.0.0/16, which is not within infrastructure_network_ranges, "
            "10.0.0.0/12; choose a part of them.",
        ),
        (
            {"ranges": {"pod": "172.30.0.0/16"}},
            "infrastructure_pod_range is 172.30.0.0/16, which overlaps with 172.30.0.0/16, a range that AKS uses "
            "itself; "
            "choose another.",
        ),
        ({"ranges": {"pod": "172.16.0.0/12"}}, "which overlaps with 172.30.0.0/16, a range that AKS uses itself"),
        ({"ranges": {"pod": "172.31.128.0/17"}}, "which overlaps with 172.31.0.0/16, a range that AKS uses itself"),
        (
            {"ranges": {"pod": "10.244.1.0/14"}},
            "infrastructure_pod_range is 10.244.1.0/14, which is not the beginning of a range; write 10.244.0.0/14.",
        ),
        (
            {"ranges": {"pod": "10.244.0.0"}},
            'infrastructure_pod_range is the text "10.244.0.0"; write an IPv4 range such as 10.1.0.0/16.',
        ),
        ({"ranges": {"network": []}}, "infrastructure_network_ranges is a list of nothing; write at least one range."),
        (
            {"ranges": {"service": "64.0.0.0/8", "dns_service_ip": "64.0.0.10"}},
            "infrastructure_service_range is 64.0.0.0/8; AKS wants it smaller than /12, so write for example "
            "64.0.0.0/16.",
        ),
        (
            {"ranges": {"dns_service_ip": "10.0.0.10"}},
            "infrastructure_dns_service_ip is 10.0.0.10, which must be in infrastructure_service_range, "
            "10.64.0.0/16, and not "
            "among its first two; write for example 10.64.0.10.",
        ),
        ({"ranges": {"dns_service_ip": "10.64.0.1"}}, "and not among its first two; write for example 10.64.0.10."),
        (
            {"ranges": {"allowed_sources": []}},
            "infrastructure_allowed_sources is a list of nothing, which cuts the hub off; write ranges, or Internet "
            "for "
            "everybody.",
        ),
        (
            {"ranges": {"allowed_sources": ["10.0.0.0/8", "Internet"]}},
            "infrastructure_allowed_sources[1] is Internet, which must stand alone; remove it or the others.",
        ),
        (
            {"ranges": {"allowed_sources": ["203.0.113.1/24"]}},
            'infrastructure_allowed_sources[0] is the text "203.0.113.1/24"; write an address, a range such as '
            "203.0.113.0/24, or a service tag such as Internet.",
        ),
        # Names.
        (
            {"names": {"cluster": "x" * 64}},
            "64 characters long; Azure allows 1 to 63, so change infrastructure_prefix, or give "
            "infrastructure_names.cluster.",
        ),
        (
            {"names": {"cluster": "x" * 64}, "given_names": {"cluster": "x" * 64}},
            "64 characters long; Azure allows 1 to 63, so change infrastructure_names.cluster.",
        ),
        (
            {"names": {"registry": "a-registry"}, "given_names": {"registry": "a-registry"}},
            'infrastructure_names.registry is "a-registry"; Azure allows letters and digits only, so change '
            "infrastructure_names.registry.",
        ),
        ({"names": {"vault": "hub--x"}}, 'The name of vault is "hub--x"; Azure allows letters, digits and single'),
        ({"names": {"resource_group": "hub."}}, "not ending with '.'"),
        (
            {"given_names": {"clutser": "x"}},
            'infrastructure_names has the unknown key "clutser"; did you mean "cluster"?',
        ),
        # The address.
        (
            {"infrastructure_dns_label": "My_Hub"},
            'infrastructure_dns_label is "My_Hub"; Azure allows lower-case letters, digits and',
        ),
        (
            {"infrastructure_dns_label": ""},
            "infrastructure_dns_label is empty; give the label of the hub's address, or set infrastructure_address "
            "to none.",
        ),
        # What is adopted.
        (
            {"infrastructure_registry_id": "example.azurecr.io"},
            'infrastructure_registry_id is the text "example.azurecr.io"; write the full id, '
            "/subscriptions/<subscription>/resourceGroups/<group>/providers/Microsoft.ContainerRegistry/registries/<name>.",
        ),
        ({"infrastructure_vault_id": REGISTRY}, "infrastructure_vault_id is the text"),
        ({"api_services": [REGISTRY]}, "a service_id of hub_user_environment_sources is the text"),
        (
            {"infrastructure_defender_workspace_secret": "pcc--workspace"},
            'infrastructure_defender_workspace_secret is "pcc--workspace", but infrastructure_vault_id is empty; give '
            "the id of the vault that holds the secret, or the workspace as infrastructure_defender_workspace_id.",
        ),
        (
            {
                "infrastructure_defender_workspace_secret": "pcc--workspace",
                "infrastructure_defender_workspace_id": REGISTRY.replace(
                    "Microsoft.ContainerRegistry/registries", "Microsoft.OperationalInsights/workspaces"
                ),
            },
            "infrastructure_defender_workspace_id and infrastructure_defender_workspace_secret are both given; use one "
            "of them.",
        ),
        (
            {"infrastructure_vault_id": VAULT, "infrastructure_vault_create": True},
            "infrastructure_vault_create is true and infrastructure_vault_id is given; use one of them.",
        ),
        (
            {"infrastructure_application_gateway_id": GATEWAY},
            "infrastructure_application_gateway_id is given, but infrastructure_gateway_subnet_range is empty; give "
            "the range "
            "of the subnet that the gateway is in.",
        ),
        (
            {
                "infrastructure_application_gateway_id": GATEWAY,
                "infrastructure_gateway_api": True,
                "ranges": {"gateway_subnet": "10.2.0.0/24"},
            },
            "infrastructure_application_gateway_id is given and infrastructure_gateway_api is true; use one of them.",
        ),
        # Versions, windows, pool.
        (
            {"infrastructure_kubernetes_version": "1.34.2"},
            "infrastructure_kubernetes_version is 1.34.2, which is out of support; choose 1.35 or newer, or leave it "
            "empty and "
            "follow infrastructure_upgrade_channel.",
        ),
        (
            {"infrastructure_kubernetes_version": "latest"},
            'write a version such as "1.35", in quotes, or leave it empty.',
        ),
        (
            {"windows": {"infrastructure_upgrade_window": {"day": "Sunday", "hours": 2}}},
            "infrastructure_upgrade_window.hours is the number 2; write hours from 4 to 24.",
        ),
        (
            {"windows": {"infrastructure_upgrade_window": {"day": "Sunday", "start": "2:00"}}},
            'infrastructure_upgrade_window.start is the text "2:00"; write a time such as "02:00", in quotes.',
        ),
        (
            {"windows": {"infrastructure_upgrade_window": {"day": "Sunday", "utc_offset": "CET"}}},
            'infrastructure_upgrade_window.utc_offset is the text "CET"',
        ),
        (
            {"windows": {"infrastructure_upgrade_window": {"hours": 8}}},
            "infrastructure_upgrade_window has no day; name one",
        ),
        (
            {"core_pool": {"name": "Core"}},
            'infrastructure_core_pool "Core": name is the text "Core"; write 1 to 12 lowercase letters and digits',
        ),
        ({"core_pool": {"count": 0}}, 'infrastructure_core_pool "core": count is the number 0'),
        # Volumes.
        (
            {
                "infrastructure_data_volumes": [
                    {"name": "data", "mount_path": "/a"},
                    {"name": "data", "mount_path": "/b"},
                ]
            },
            'infrastructure_data_volumes[1] has the name "data", as infrastructure_data_volumes[0] has; give it '
            "another.",
        ),
        (
            {
                "infrastructure_data_volumes": [
                    {"name": "one", "mount_path": "/a"},
                    {"name": "two", "mount_path": "/a/"},
                ]
            },
            'infrastructure_data_volumes[1] has the mount path "/a/", as infrastructure_data_volumes[0] has; give it '
            "another.",
        ),
        (
            {"infrastructure_data_volumes": [{"name": "data", "mount_path": "data"}]},
            'infrastructure_data_volumes[0] "data".mount_path is the text "data"; write an absolute path such as '
            "/driven-data.",
        ),
        (
            {"infrastructure_data_volumes": [{"name": "Data", "mount_path": "/data"}]},
            'infrastructure_data_volumes[0] "Data".name is "Data"; Azure allows lower-case letters',
        ),
        (
            {"infrastructure_data_volumes": [{"name": "data", "mount_path": "/data", "quota": 0}]},
            'infrastructure_data_volumes[0] "data".quota is the number 0; write GiB from 1 to 102400.',
        ),
        (
            {"infrastructure_data_volumes": [{"name": "data", "mount_path": "/data", "size": 1}]},
            'infrastructure_data_volumes[0] has the unknown key "size"',
        ),
    ],
)
def test_what_cannot_work(changes: dict[str, Any], sentence: str) -> None:
    found = problem(changed(**changes))
    assert sentence in found
    assert "\n" not in found


def test_one_question_too_many_is_said_first() -> None:
    """Of several faults the first is said: one sentence."""
    found = problem(changed(infrastructure_subscription_id="", ranges={"network": []}))
    assert found.startswith("infrastructure_subscription_id is empty")


SKU = {
    "resourceType": "virtualMachines",
    "name": "Standard_E4s_v5",
    "family": "standardESv5Family",
    "locations": ["westeurope"],
    "capabilities": [{"name": "vCPUs", "value": "4"}, {"name": "MemoryGB", "value": "32"}],
}
USAGES = [
    {
        "name": {"value": "standardESv5Family", "localizedValue": "Standard ESv5 Family vCPUs"},
        "currentValue": 96,
        "limit": 100,
    }
]
VERSIONS = {
    "values": [
        {"version": "1.36", "patchVersions": {"1.36.1": {}}},
        {"version": "1.35", "patchVersions": {"1.35.4": {}}},
    ]
}


@pytest.mark.parametrize(
    ("changes", "answers", "sentence"),
    [
        ({}, {}, ""),
        ({}, {"subscription": {"subscriptionId": SUBSCRIPTION}}, ""),
        (
            {},
            {"subscription": None},
            f"infrastructure_subscription_id is {SUBSCRIPTION}, which these credentials do not see; correct it, or "
            f"give "
            "whoever deploys a right there.",
        ),
        ({"infrastructure_location": "West Europe"}, {"locations": [{"name": "westeurope"}]}, ""),
        (
            {"infrastructure_location": "westeurop"},
            {"locations": [{"name": "westeurope"}, {"name": "northeurope"}]},
            'infrastructure_location is "westeurop", which this subscription does not know; did you mean "westeurope"?',
        ),
        ({"infrastructure_kubernetes_version": "1.35"}, {"kubernetes_versions": VERSIONS}, ""),
        ({"infrastructure_kubernetes_version": "1.35.4"}, {"kubernetes_versions": VERSIONS}, ""),
        (
            {"infrastructure_kubernetes_version": "1.35.9"},
            {"kubernetes_versions": VERSIONS},
            "infrastructure_kubernetes_version is 1.35.9, which westeurope does not offer; choose one of 1.35, 1.36, "
            "or leave it "
            "empty and follow infrastructure_upgrade_channel.",
        ),
        ({}, {"label": {"available": True}, "public_ip": None}, ""),
        (
            {},
            {"label": {"available": False}, "public_ip": None},
            'infrastructure_dns_label is "hub-x", which is taken in westeurope; choose another.',
        ),
        # Taken by the hub's own address.
        (
            {},
            {"label": {"available": False}, "public_ip": {"properties": {"dnsSettings": {"domainNameLabel": "HUB-X"}}}},
            "",
        ),
        (
            {},
            {"label": {"available": False}, "public_ip": {"properties": {"dnsSettings": {"domainNameLabel": "old"}}}},
            "which is taken in westeurope",
        ),
        ({"infrastructure_address": "annotation"}, {"label": {"available": False}, "cluster": {"id": "x"}}, ""),
        (
            {"infrastructure_address": "annotation"},
            {"label": {"available": False}, "cluster": None},
            "which is taken in",
        ),
        ({"core_pool": {"count": 1}}, {"skus": [SKU], "usages": USAGES}, ""),
        (
            {},
            {"skus": [SKU], "usages": USAGES},
            "infrastructure_core_pool needs 8 vCPUs for 2 nodes of Standard_E4s_v5, but the quota "
            '"Standard ESv5 Family vCPUs" (standardESv5Family) in westeurope leaves 4 (limit 100, used 96); raise it '
            "to at least 104",
        ),
        (
            {"core_pool": {"vm_size": "Standard_E4s_v9"}},
            {"skus": [SKU], "usages": USAGES},
            "infrastructure_core_pool has the vm_size Standard_E4s_v9, which westeurope does not offer; did you mean "
            '"Standard_E4s_v5"?',
        ),
    ],
)
def test_what_only_azure_knows(changes: dict[str, Any], answers: dict[str, Any], sentence: str) -> None:
    found = problem(changed(**changes), answers)
    assert sentence in found if sentence else found == ""
