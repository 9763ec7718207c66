# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The role infrastructure against the stand-in: from nothing, again, what it gives, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils._role_assignments import role_assignments
from azure.keyvault.secrets import SecretClient

from azure_modules import Cloud
from stand_in import StandIn

ROOT = Path(__file__).resolve().parents[2]

# All that can be had, in one deployment; the registry and the storage account lie in another group.
VARIABLES: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_stack": "pcc",
    "infrastructure_environment": "staging",
    "infrastructure_tags": {"stack": "pcc"},
    "infrastructure_namespace": "staging",
    "infrastructure_gateway_subnet_range": "10.2.0.0/24",
    "infrastructure_vault_create": True,
    "infrastructure_registry_id": "{{ shared }}/Microsoft.ContainerRegistry/registries/pccshared",
    "infrastructure_storage_account_id": "{{ shared }}/Microsoft.Storage/storageAccounts/pccshared",
    "infrastructure_data_volumes": [{"name": "driven-data", "mount_path": "/driven-data", "quota": 100}],
    "shared": "/subscriptions/{{ infrastructure_subscription_id }}/resourceGroups/shared-rg/providers",
}

# The role, its outputs, and, when asked for, what its entry point outputs makes of what exists.
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: planetary.hub.infrastructure
    - ansible.builtin.debug:
        var: infrastructure_outputs
    - ansible.builtin.include_role:
        name: planetary.hub.infrastructure
        tasks_from: outputs
      when: read
    - ansible.builtin.debug:
        var: infrastructure_outputs
      when: read
"""
UNKNOWN = "(known after apply)"


class Hub:
    """A hub's inventory, and runs of the role for it."""

    def __init__(self, stand_in: StandIn, directory: Path) -> None:
        self.stand_in = stand_in
        self.directory = directory
        self.play = directory / "play.yml"
        self.play.write_text(PLAY, encoding="utf-8")
        #: What the last run has said, and what was read after it.
        self.outputs: list[dict[str, Any]] = []

    def inventory(self, hosts: dict[str, dict[str, Any]]) -> str:
        """Write the hosts, each with VARIABLES and its own."""
        path = self.directory / "hosts.yml"
        content = {"all": {"vars": VARIABLES, "hosts": hosts}}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    def run(self, *words: str, read: bool = False, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the role for one hub with variables changed; ``read``: its entry point outputs too."""
        inventory = self.inventory({"hub": {**variables, "read": read}})
        done = self.stand_in.playbook(str(self.play), "-i", inventory, *words, ANSIBLE_CALLBACK_RESULT_FORMAT="json")
        shown = re.findall(r"^ok: \[hub\] => (\{\n.*?^\})$", done.stdout, flags=re.MULTILINE | re.DOTALL)
        self.outputs = [json.loads(text)["infrastructure_outputs"] for text in shown]
        return done


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What a run has printed, in one line."""
    return " ".join((done.stdout + done.stderr).replace('\\"', '"').split())


def succeeded(done: subprocess.CompletedProcess[str], changed: int) -> None:
    """The run has gone through and says how many tasks have changed something."""
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert f" changed={changed} " in done.stdout, done.stdout


def writes(stand_in: StandIn, since: float) -> list[str]:
    """What was written since a moment."""
    calls = stand_in.dial("GET", f"/calls?since={since}")
    return [
        f"{call['method']} {call.get('path', call.get('id', ''))}"
        for call in calls
        if call["kind"] == "request" and call["method"] in ("PUT", "PATCH", "DELETE")
    ]


@pytest.fixture(scope="module")
def hub(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A hub of which nothing exists, and the shared resources of others."""
    stand_in.arm.resource_groups.create_or_update("shared-rg", {"location": "northeurope"})
    shared = f"/subscriptions/{stand_in.subscription}/resourceGroups/shared-rg/providers"
    for resource, version, body in (
        (
            "Microsoft.ContainerRegistry/registries/pccshared",
            "2025-11-01",
            {"location": "northeurope", "sku": {"name": "Standard"}},
        ),
        (
            "Microsoft.Storage/storageAccounts/pccshared",
            "2026-09-01",
            {"location": "northeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
        ),
    ):
        poller = stand_in.arm.resources.begin_create_or_update_by_id(f"{shared}/{resource}", body, api_version=version)
        poller.result()
    return Hub(stand_in, tmp_path_factory.mktemp("hub"))


def reachable(stand_in: StandIn, outputs: dict[str, Any], port: int, source: str, subnet: str = "node") -> bool:
    """Whether Azure's firewall lets a packet to the subnet."""
    question = {"subnet": outputs["network"][f"{subnet}_subnet_id"], "port": port, "source": source}
    return bool(stand_in.dial("POST", "/reachable", question)["allowed"])


def test_check_mode_before_anything_exists(hub: Hub) -> None:
    begin = time.time()
    succeeded(hub.run("--check", "--diff", read=True), changed=1)
    assert writes(hub.stand_in, begin) == []
    outputs, read = hub.outputs
    assert outputs["cluster"]["name"] == "pcc-staging-cluster"
    assert outputs["cluster"]["issuer_url"] == UNKNOWN
    assert outputs["identities"]["kubelet"]["principal_id"] == UNKNOWN
    assert outputs["address"]["ip"] == UNKNOWN
    assert outputs["address"]["host"].startswith("pcc-staging-")
    # What is adopted exists already.
    assert outputs["registry"]["login_server"] == "pccshared.azurecr.io"
    assert read["cluster"] is None


def test_from_nothing(hub: Hub) -> None:
    succeeded(hub.run(), changed=1)


def test_again_changes_nothing(hub: Hub) -> None:
    begin = time.time()
    succeeded(hub.run(read=True), changed=0)
    assert writes(hub.stand_in, begin) == []
    # The outputs of a run are those of reading alone.
    outputs, read = hub.outputs
    assert outputs == read
    assert UNKNOWN not in json.dumps(outputs)
    assert outputs["resource_group"]["name"] == "pcc-staging-rg"
    assert outputs["cluster"]["node_resource_group"] == "pcc-staging-node-rg"
    assert outputs["cluster"]["local_accounts"] is False
    assert outputs["cluster"]["entra_rbac"] is True
    assert outputs["address"]["annotations"] == {
        "service.beta.kubernetes.io/azure-pip-name": "pcc-staging-ip",
        "service.beta.kubernetes.io/azure-load-balancer-resource-group": "pcc-staging-rg",
    }
    assert outputs["core_pool"]["labels"] == {"hub.jupyter.org/node-purpose": "core"}


def test_the_hub_can_be_reached(hub: Hub) -> None:
    outputs = hub.outputs[0]
    for port in (80, 443):
        assert reachable(hub.stand_in, outputs, port, "20.50.1.9")
        assert reachable(hub.stand_in, outputs, port, "20.50.1.9", "gateway")
    assert not reachable(hub.stand_in, outputs, 22, "20.50.1.9")
    assert reachable(hub.stand_in, outputs, 65210, "GatewayManager", "gateway")
    assert not reachable(hub.stand_in, outputs, 65210, "20.50.1.9", "gateway")


def test_a_hub_that_was_cut_off_is_reached_again(hub: Hub) -> None:
    """Somebody takes the rule away, and adds one of their own; at the same time only some may reach the hub."""
    network = hub.stand_in.network
    group, firewall = "pcc-staging-rg", "pcc-staging-security-group"
    network.security_rules.begin_delete(group, firewall, "allow-web").result()
    own = {
        "properties": {
            "priority": 200,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "sourceAddressPrefix": "20.60.1.0/24",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "22",
        }
    }
    network.security_rules.begin_create_or_update(group, firewall, "ssh-of-somebody", own).result()
    outputs = hub.outputs[0]
    assert not reachable(hub.stand_in, outputs, 443, "20.50.1.9")
    succeeded(hub.run(infrastructure_allowed_sources=["20.50.1.0/24", "20.70.1.1"]), changed=1)
    assert reachable(hub.stand_in, outputs, 443, "20.50.1.9")
    assert not reachable(hub.stand_in, outputs, 443, "20.60.1.7")
    assert reachable(hub.stand_in, outputs, 22, "20.60.1.7")
    succeeded(hub.run(), changed=1)
    assert reachable(hub.stand_in, outputs, 443, "20.60.1.7")


def test_rights_are_those_of_the_table(hub: Hub) -> None:
    """Each right of the table is there, on its scope, and no other was given."""
    outputs = hub.outputs[0]
    rights = {
        (item["properties"]["principalId"], item["properties"]["roleDefinitionId"].rpartition("/")[2])
        for item in hub.stand_in.dial("GET", "/resources")
        if item["type"].lower() == "microsoft.authorization/roleassignments"
        # Above the groups there is what the deployer came with; in the group of the nodes AKS gives its own.
        and "/resourcegroups/" in (scope := item["properties"]["scope"].lower())
        and "/pcc-staging-node-rg" not in scope
    }
    table = yaml.safe_load((ROOT / "roles/infrastructure/vars/main/permissions.yml").read_text(encoding="utf-8"))
    roles = {row["name"]: row["role_id"] for row in table["__infrastructure_permissions"]}
    identities = {name: value["principal_id"] for name, value in outputs["identities"].items()}
    deployer = {who for who, _role in rights} - set(identities.values())
    assert len(deployer) == 1
    assert rights == {
        (identities["cluster"], roles["cluster_network"]),
        (identities["kubelet"], roles["registry_pull"]),
        (identities["hub"], roles["vault_hub"]),
        *((*deployer, roles[name]) for name in ("vault_deployer", "cluster_user_deployer", "cluster_admin_deployer")),
    }


# Host by host: what is wrong, and the sentence. Nothing of it reaches the point where something is created.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ranges": (
        {"infrastructure_network_ranges": ["10.0.0.0/8"]},
        "infrastructure_service_range is 10.64.0.0/16, which overlaps with infrastructure_network_ranges[0], "
        "10.0.0.0/8",
    ),
    "name": (
        {"infrastructure_environment": "x" * 60},
        "characters long; Azure allows 1 to 63, so change infrastructure_prefix, or give infrastructure_names.cluster.",
    ),
    "volumes": (
        {"infrastructure_data_volumes": [{"name": "data", "mount_path": "/a"}, {"name": "data", "mount_path": "/b"}]},
        'infrastructure_data_volumes[1] has the name "data", as infrastructure_data_volumes[0] has; give it another.',
    ),
    "location": (
        {"infrastructure_location": "westeurop", "infrastructure_environment": "new"},
        'infrastructure_location is "westeurop", which this subscription does not know; did you mean "westeurope"?',
    ),
    "version": (
        {"infrastructure_kubernetes_version": "1.99", "infrastructure_environment": "new"},
        "infrastructure_kubernetes_version is 1.99, which westeurope does not offer; choose one of",
    ),
    "label": (
        {"infrastructure_environment": "new", "infrastructure_dns_label": "taken"},
        'infrastructure_dns_label is "taken", which is taken in westeurope; choose another.',
    ),
    "quota": (
        {
            "infrastructure_environment": "new",
            "infrastructure_core_pool": {"name": "core", "vm_size": "Standard_E4s_v5", "count": 500},
        },
        "infrastructure_core_pool needs 2000 vCPUs for 500 nodes of Standard_E4s_v5, but the quota",
    ),
    "immutable": (
        {"infrastructure_service_range": "10.65.0.0/16", "infrastructure_dns_service_ip": "10.65.0.10"},
        "serviceCidr",
    ),
    "elsewhere": ({"infrastructure_location": "northeurope", "infrastructure_dns_label": "free"}, "location"),
    "adopted": (
        {
            "infrastructure_environment": "new",
            "infrastructure_registry_id": "{{ shared }}/Microsoft.ContainerRegistry/registries/nosuch",
        },
        "nosuch",
    ),
}


def test_what_cannot_work_is_said_before_anything_is_created(hub: Hub) -> None:
    stand_in = hub.stand_in
    label = {"location": "westeurope", "sku": {"name": "Standard"}}
    label["properties"] = {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "taken"}}  # type: ignore[assignment]
    stand_in.network.public_ip_addresses.begin_create_or_update("shared-rg", "other", label).result()
    begin = time.time()
    hosts = {name: variables for name, (variables, _sentence) in REFUSED.items()}
    done = stand_in.playbook("playbooks/infrastructure.yml", "-i", hub.inventory(hosts))
    assert writes(stand_in, begin) == []
    assert "Traceback" not in done.stdout + done.stderr
    fatal = {name: part for part in said(done).split("fatal: [")[1:] if (name := part.partition("]")[0])}
    assert set(fatal) == set(REFUSED), done.stdout
    for name, (_variables, sentence) in REFUSED.items():
        assert sentence in fatal[name], name


def test_a_right_that_is_missing_is_named(hub: Hub) -> None:
    """The deployer without one action: the error names it, before the cluster that needs the rights is asked for."""
    action = "Microsoft.Authorization/roleAssignments/write"
    hub.stand_in.dial("PATCH", "/rights", {"taken": [action]})
    begin = time.time()
    done = hub.run(
        infrastructure_environment="poor",
        infrastructure_container_insights=False,
        infrastructure_vault_create=False,
        infrastructure_retry_timeout=1,
    )
    hub.stand_in.dial("PATCH", "/rights", {"taken": []})
    assert done.returncode != 0
    assert action in said(done)
    assert "Traceback" not in said(done)
    assert [write for write in writes(hub.stand_in, begin) if "/managedClusters/" in write] == []


def test_wrong_credentials(hub: Hub) -> None:
    wrong = {"AZURE_CLIENT_SECRET": "wrong", "AZURE_SECRET": "wrong"}
    done = hub.stand_in.playbook("playbooks/infrastructure.yml", "-i", hub.inventory({"hub": {}}), **wrong)
    assert done.returncode != 0
    assert "AADSTS7000215" in said(done) or "secret" in said(done)
    assert "Traceback" not in said(done)


def test_without_azure(hub: Hub) -> None:
    begin = time.time()
    succeeded(hub.run(infrastructure_enabled=False, read=True), changed=0)
    assert hub.stand_in.dial("GET", f"/calls?since={begin}") == []
    outputs, read = hub.outputs
    assert outputs == read
    assert outputs["cluster"] is None
    assert outputs["address"] == {"kind": "none", "host": "", "ip": "", "annotations": {}}
    assert outputs["namespace"] == "staging"


@pytest.fixture(scope="module")
def vault(hub: Hub, cloud: Cloud) -> str:
    """The id of a vault of others, whose secrets the deployer may write."""
    found = f"{cloud.subscription}/resourceGroups/shared-rg/providers/Microsoft.KeyVault/vaults/pccshared"
    properties = {"tenantId": hub.stand_in.env["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}}
    right = {
        "name": "officer",
        # Key Vault Secrets Officer
        "role_id": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "scope_id": found,
        "principal_id": "${deployer.objectId}",
    }
    body = {"location": "northeurope", "properties": {**properties, "enableRbacAuthorization": True}}
    one = {"name": "vault", "id": found, "api_version": "2026-05-15", "body": body}
    made = cloud.run([one, *role_assignments([right], "2022-04-01")])
    assert not made.get("failed"), made
    return found


WORKSPACE = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/soc/providers"
    "/Microsoft.OperationalInsights/workspaces/defender"
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "full id of the workspace of Defender"),
        ("e7a91c55-no-id", "holds something else than the full id of a workspace; set it to /subscriptions/"),
        (WORKSPACE, WORKSPACE),
    ],
)
def test_defender_reports_where_the_vault_says(hub: Hub, vault: str, value: str | None, expected: str) -> None:
    name = "pcc--microsoft-defender-log-analytics-workspace-id"
    if value:
        with SecretClient("https://pccshared.vault.azure.net", hub.stand_in.credential()) as client:
            client.set_secret(name, value)
    defender: dict[str, Any] = {"infrastructure_defender": True, "infrastructure_defender_workspace_secret": name}
    adopted: dict[str, Any] = {"infrastructure_vault_create": False, "infrastructure_vault_id": vault}
    done = hub.run("--check", "--diff", **defender, **adopted)
    assert expected in said(done) and "Traceback" not in said(done)
    assert (done.returncode == 0) is (value == WORKSPACE)
    assert "e7a91c55" not in said(done)
