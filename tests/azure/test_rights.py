# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The table of rights of the role infrastructure: every right is needed, its error names it, and no other is needed.

A deployer without any right is given, run by run, what the errors name and nothing else, until the hub stands. So each
right is missing once, while all that was named before it is there; what was named is the table.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientAssertionCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.apimanagement import ApiManagementClient
from azure.mgmt.authorization import AuthorizationManagementClient

from azure_modules import ROOT, Cloud
from stand_in import StandIn

TABLE = yaml.safe_load((ROOT / "roles/infrastructure/vars/main/permissions.yml").read_text(encoding="utf-8"))
ACTIONS: list[dict[str, Any]] = TABLE["__infrastructure_deployer_actions"]
#: What the engine says to do about a right that is missing.
REMEDY = re.compile(r'the role "([^"]+)" \(it holds ([^)]+)\) on (\S+?)(?:\.$| and )')
RUNS = 40
JOINING = {"cluster_network", "cluster_address"}

# Two hubs: one makes all that can be made, one adopts all that can be adopted.
COMMON: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_kubernetes_version": "1.35",
    "infrastructure_gateway_subnet_range": "10.2.0.0/24",
    "infrastructure_data_volumes": [{"name": "data", "mount_path": "/data", "quota": 100}],
    "around": "/subscriptions/{{ infrastructure_subscription_id }}/resourceGroups",
    "others": "{{ around }}/others/providers",
    "edge": "{{ around }}/edge/providers/Microsoft.Network",
}
HOSTS: dict[str, dict[str, Any]] = {
    "own": {
        "infrastructure_stack": "own",
        "infrastructure_dns_label": "own-hub",
        "infrastructure_address": "public_ip",
        "infrastructure_registry_create": True,
        "infrastructure_vault_create": True,
        "infrastructure_insights": True,
        "infrastructure_defender": True,
    },
    "adopting": {
        "infrastructure_stack": "adopting",
        "infrastructure_dns_label": "adopting-hub",
        "infrastructure_registry_id": "{{ others }}/Microsoft.ContainerRegistry/registries/shared",
        "infrastructure_workspace_id": "{{ others }}/Microsoft.OperationalInsights/workspaces/shared",
        "infrastructure_storage_account_id": "{{ others }}/Microsoft.Storage/storageAccounts/shared",
        "infrastructure_vault_id": "{{ others }}/Microsoft.KeyVault/vaults/shared-vault",
        "infrastructure_application_gateway_id": "{{ edge }}/applicationGateways/edge",
        "hub_user_environment_sources": [
            {"source": "api_management", "service_id": "{{ others }}/Microsoft.ApiManagement/service/rights"},
            # Read as a service principal, whose rights are not the hub's.
            {
                "source": "api_management",
                "service_id": "{{ others }}/Microsoft.ApiManagement/service/elsewhere",
                "credential": {"type": "service_principal"},
            },
        ],
    },
}
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Name everything
      ansible.builtin.include_role:
        name: planetary.hub.infrastructure
        tasks_from: names
        public: true
    - name: Write down what the role asks and sends
      ansible.builtin.copy:
        content: "{{ rendered | to_json }}"
        dest: "{{ results }}/{{ inventory_hostname }}.json"
        mode: "0600"
      vars:
        __infrastructure_compared: {plan: [{name: cluster, action: create}]}
        rendered:
          resources: "{{ __infrastructure_resources }}"
          questions: "{{ __infrastructure_questions }}"
          group: "{{ __infrastructure_ids['group'] }}"
          vault: "{{ __infrastructure_names['vault'] }}"
          gives: "{{ __infrastructure_role_assignments | map(attribute='name') }}"
"""


def others(cloud: Cloud, tenant: str) -> list[dict[str, Any]]:
    """What is there before the hubs."""
    api = {
        "sku": {"name": "Developer", "capacity": 1},
        "properties": {"publisherEmail": "a@example.org", "publisherName": "A"},
    }
    vault = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("others", "2025-04-01", {}),
        ("edge", "2025-04-01", {}),
        ("others/providers/Microsoft.ContainerRegistry/registries/shared", "2025-11-01", {"sku": {"name": "Basic"}}),
        ("others/providers/Microsoft.OperationalInsights/workspaces/shared", "2025-07-01", {"properties": {}}),
        (
            "others/providers/Microsoft.Storage/storageAccounts/shared",
            "2026-09-01",
            {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
        ),
        ("others/providers/Microsoft.KeyVault/vaults/shared-vault", "2026-05-15", {"properties": vault}),
        ("others/providers/Microsoft.ApiManagement/service/rights", "2024-05-01", api),
        ("edge/providers/Microsoft.Network/applicationGateways/edge", "2025-05-01", {"properties": {}}),
    ]
    return [
        {
            "name": path.replace("/", "_").replace(".", "_"),
            "id": f"{cloud.subscription}/resourceGroups/{path}",
            "api_version": version,
            "body": {"location": "westeurope", **body},
        }
        for path, version, body in rows
    ]


def render(cloud: Cloud, directory: Path) -> dict[str, dict[str, Any]]:
    """What the role asks and sends for the hosts; Azure is asked nothing."""
    play, inventory = directory / "play.yml", directory / "hosts.yml"
    play.write_text(PLAY, encoding="utf-8")
    inventory.write_text(yaml.safe_dump({"all": {"vars": COMMON, "hosts": HOSTS}}), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **cloud.environment}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible-playbook")), str(play), "-i", str(inventory)),
            *("-e", f"results={directory}"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {host: json.loads((directory / f"{host}.json").read_text(encoding="utf-8")) for host in HOSTS}


@dataclass
class Deployer:
    """Somebody who deploys a hub with the rights given here, and is given more."""

    cloud: Cloud
    host: str
    hub: dict[str, Any]
    directory: Path
    #: Row of the table to the ids that it is about.
    scopes: dict[str, list[str]]
    #: Row of the table to the actions that were given.
    given: dict[str, set[str]] = field(default_factory=dict)
    #: Rights of others that were found missing, by their name in the role.
    missed: set[str] = field(default_factory=set)
    #: Actions to the built-in role that the error has recommended.
    advice: dict[str, str] = field(default_factory=dict)
    #: Rights that the cluster's own identity is not given at first; each of them lets nodes join the subnet.
    without: set[str] = field(default_factory=lambda: set(JOINING))

    def give(self) -> None:
        """Have exactly the rights given."""
        kind = "Microsoft.Authorization/roleDefinitions"
        rows = [row for row in self.given if self.given[row]]
        definitions = [
            {
                "name": f"role_{index}",
                "id": f"{self.cloud.subscription}/providers/{kind}/00000000-0000-4000-8000-0000000000{index:02d}",
                "api_version": "2022-04-01",
                "body": {
                    "properties": {
                        "roleName": f"{self.host}: {row}",
                        "type": "CustomRole",
                        "permissions": [{"actions": sorted(self.given[row])}],
                        "assignableScopes": [self.cloud.subscription],
                    }
                },
            }
            for index, row in enumerate(rows)
        ]
        owner(self.cloud)
        result = self.cloud.run(definitions)
        assert not result.get("failed"), result
        assignments = [{"role": f"{self.host}: {row}", "scope": scope} for row in rows for scope in self.scopes[row]]
        self.cloud.dial("PATCH", "/rights", {"assignments": assignments})

    def resources(self) -> list[dict[str, Any]]:
        """What the role sends, rights withheld left out."""
        return [
            {**one, "depends_on": [name for name in one.get("depends_on", []) if name not in self.without]}
            for one in self.hub["resources"]
            if one["name"] not in self.without
        ]

    def ask(self) -> dict[str, Any]:
        """Look at the region, as the role does before it makes anything."""
        return self.cloud.begin("azure_resources_info", resources=self.hub["questions"]).result()

    def deploy(self) -> dict[str, Any]:
        """Have everything made."""
        return self.cloud.run(self.resources(), retry_timeout=1)

    def keys(self) -> dict[str, Any]:
        """Read the keys with which the cluster mounts the data volumes."""
        accounts = {one["id"].split("/fileServices/")[0] for one in self.hub["resources"] if "/shares/" in one["id"]}
        return self.cloud.begin("storage_account_keys_info", accounts=sorted(accounts)).result()

    def get(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Try until it works, each time with the rights that the last errors named."""
        for _run in range(RUNS):
            self.give()
            result = work()
            if not result.get("failed"):
                return result
            assert "Traceback" not in result["msg"]
            self.learn(result.get("problems") or [result["msg"]])
        raise AssertionError(result["msg"])

    def learn(self, problems: list[str]) -> None:
        """Be given what errors name."""
        named = {right for problem in problems for right in self._named(problem)}
        for row, action in named:
            assert action not in self.given.setdefault(row, set()), f"{action} was given on {row}: {problems}"
            self.given[row].add(action)

    def _named(self, problem: str) -> list[tuple[str, str]]:
        """Rows of the table, and their actions, that an error names."""
        found = REMEDY.findall(problem)
        assert found and "; give the principal " in problem, f"this names no right: {problem}"
        if "cluster identity has the Network Contributor role" in problem:
            self.missed |= self.without
            self.without = set()
            return []
        self.advice |= {action: role for role, action, _scope in found}
        return [self._row(action, scope, problem) for _role, action, scope in found]

    def _row(self, action: str, scope: str, problem: str) -> tuple[str, str]:
        """The narrowest row that has the action on the scope, and the action as it is written there."""
        rows = [
            (len(above), str(row["scope"]), str(written))
            for row in ACTIONS
            for above in self.scopes[row["scope"]]
            for written in row["actions"]
            if written.lower() == action.lower() and f"{scope}/".lower().startswith(f"{above}/".lower())
        ]
        assert rows, f"the table does not have what is needed: {problem}"
        return max(rows)[1:]


def owner(cloud: Cloud) -> None:
    """Be the owner again."""
    cloud.dial("PATCH", "/rights", {"assignments": None})


@pytest.fixture(scope="module")
def deployers(stand_in: StandIn, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deployer]:
    result = cloud.run(others(cloud, stand_in.env["AZURE_TENANT_ID"]))
    assert not result.get("failed"), result
    directory = tmp_path_factory.mktemp("rights")
    found = {}
    for host, hub in render(cloud, directory).items():
        there = f"{cloud.subscription}/resourceGroups/others/providers"
        adopts = host == "adopting"
        scopes = {
            "subscription": [cloud.subscription],
            "resource group": [hub["group"]],
            "adopted registry": [f"{there}/Microsoft.ContainerRegistry/registries/shared"] * adopts,
            "adopted workspace": [f"{there}/Microsoft.OperationalInsights/workspaces/shared"] * adopts,
            "adopted storage account": [f"{there}/Microsoft.Storage/storageAccounts/shared"] * adopts,
            "adopted vault": [f"{there}/Microsoft.KeyVault/vaults/shared-vault"] * adopts,
            "adopted application gateway and its group": [f"{cloud.subscription}/resourceGroups/edge"] * adopts,
            "API Management service": [f"{there}/Microsoft.ApiManagement/service/rights"] * adopts,
            "subscription of an API Management service": [cloud.subscription] * adopts,
        }
        # The custom role is there before: an owner has made it.
        result = cloud.run([one for one in hub["resources"] if one["name"] == "api_keys_role"])
        assert not result.get("failed"), result
        found[host] = Deployer(cloud, host, hub, directory, scopes)
    return found


@pytest.fixture
def own(deployers: dict[str, Deployer]) -> Deployer:
    return deployers["own"]


def test_every_right_is_named_when_it_is_missing(own: Deployer) -> None:
    own.get(own.ask)
    own.get(own.deploy)
    # The cluster was refused while its own identity might not join the subnet.
    assert own.missed == JOINING
    # With these rights, and nothing else, there is nothing left to do.
    assert own.deploy()["changed"] is False
    own.get(own.keys)


def test_rights_over_what_is_adopted(deployers: dict[str, Deployer]) -> None:
    own, adopting = deployers.values()
    adopting.given = {row: set(actions) for row, actions in own.given.items()}
    adopting.get(adopting.deploy)
    adopting.get(adopting.keys)
    assert adopting.missed == JOINING
    assert adopting.deploy()["changed"] is False


def test_rights_that_only_a_change_misses(own: Deployer) -> None:
    own.give()
    (pool,) = [one for one in own.hub["resources"] if one["name"] == "core_pool"]
    pool["body"]["properties"]["tags"] = {"changed": "yes"}
    assert own.get(own.deploy)["changed"] is True


def test_what_was_named_is_the_table(deployers: dict[str, Deployer]) -> None:
    table = {(row["scope"], action) for row in ACTIONS for action in row["actions"]}
    named = {(row, action) for one in deployers.values() for row in one.given for action in one.given[row]}
    assert named == table


def test_the_roles_that_errors_recommend_hold_the_right(deployers: dict[str, Deployer], stand_in: StandIn) -> None:
    owner(deployers["own"].cloud)
    client = AuthorizationManagementClient(stand_in.credential(), stand_in.subscription)
    roles = {role.role_name: role for role in client.role_definitions.list(f"/subscriptions/{stand_in.subscription}")}
    advice = {pair for one in deployers.values() for pair in one.advice.items()}

    def holds(name: str, action: str) -> bool:
        # Azure reads the pattern a/*/b as a/b, too.
        patterns = [pattern.replace("/*/", "/*") for each in roles[name].permissions for pattern in each.actions]
        return any(fnmatch.fnmatch(action.lower(), pattern.lower()) for pattern in patterns)

    assert not {(action, name) for action, name in advice if not holds(name, action)}


def without(one: Deployer, right: str) -> None:
    """Take away a right that the role has given; the deployer has those of the table."""
    owner(one.cloud)
    (resource,) = [each for each in one.hub["resources"] if each["name"] == right]
    known = {key: each for each in one.hub["resources"] if (key := each["name"]) != right}
    # What it refers to is only looked up.
    names = {*re.findall(r"\$\{(\w+)", json.dumps(resource)), *resource.get("depends_on", [])}
    listed = [{**known[name], "existing": True} for name in names & known.keys()]
    closure = {part for each in listed for part in re.findall(r"\$\{(\w+)", each["id"])} - names
    listed += [{**known[name], "existing": True} for name in closure & known.keys()]
    result = one.cloud.run([*listed, resource], state="absent")
    assert not result.get("failed") and result["changed"], result
    one.give()


def restored(one: Deployer) -> None:
    """Run the deployment again: the right is back."""
    result = one.deploy()
    assert not result.get("failed"), result["msg"]
    assert len([each for each in result["plan"] if each["action"] == "create"]) == 1, result["plan"]


def secrets(own: Deployer, credential: Any) -> SecretClient:
    return SecretClient(f"https://{own.hub['vault']}.vault.azure.net", credential)


def test_the_deployer_writes_secrets_by_its_right(own: Deployer, stand_in: StandIn) -> None:
    without(own, "vault_deployer")
    with secrets(own, stand_in.credential()) as client:
        with pytest.raises(HttpResponseError, match=r"Microsoft\.KeyVault/vaults/secrets/setSecret/action"):
            client.set_secret("one", "value")
        restored(own)
        client.set_secret("one", "value")


def become_hub(one: Deployer, stand_in: StandIn) -> ClientAssertionCredential:
    """The hub's identity, as its pod is it: by the token of the service account."""
    live = one.cloud.run(one.hub["resources"], check=True)["resources"]
    (who,) = [each["properties"] for each in live.values() if "/federatedIdentityCredentials/" in each["id"]]
    asked = {"issuer": who["issuer"], "subject": who["subject"]}
    token = stand_in.dial("POST", "/assertions", asked)["token"]
    client_id = live["hub_identity"]["properties"]["clientId"]
    return ClientAssertionCredential(stand_in.env["AZURE_TENANT_ID"], client_id, lambda: token)


def test_the_hub_reads_secrets_by_its_right(own: Deployer, stand_in: StandIn) -> None:
    hub = become_hub(own, stand_in)
    without(own, "vault_hub")
    with secrets(own, hub) as client:
        with pytest.raises(HttpResponseError, match=r"Microsoft\.KeyVault/vaults/secrets/getSecret/action"):
            client.get_secret("one")
        restored(own)
        assert client.get_secret("one").value == "value"


def test_the_hub_reads_users_keys_by_its_right(deployers: dict[str, Deployer], stand_in: StandIn) -> None:
    adopting = deployers["adopting"]
    owner(adopting.cloud)
    service = adopting.scopes["API Management service"][0]
    user = f"{service}/subscriptions/7-planetarycomputer"
    body = {"properties": {"scope": "/apis", "displayName": "ada", "state": "active", "primaryKey": "ada-5f0c"}}
    made = adopting.cloud.run([{"name": "user", "id": user, "api_version": "2024-05-01", "body": body}])
    assert not made.get("failed"), made
    adopting.give()
    hub = become_hub(adopting, stand_in)
    client = ApiManagementClient(hub, stand_in.subscription)
    words = ("others", "rights", "7-planetarycomputer")
    without(adopting, "api_keys_hub")
    with pytest.raises(HttpResponseError, match=r"Microsoft\.ApiManagement/service/subscriptions/listSecrets/action"):
        client.subscription.list_secrets(*words)
    restored(adopting)
    assert client.subscription.get(*words).state == "active"
    assert client.subscription.list_secrets(*words).primary_key == "ada-5f0c"
    # And nothing else there.
    for refused in (client.subscription.regenerate_primary_key, client.user.get):
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            refused(*words)


def test_the_deployer_gets_at_the_cluster_by_its_rights(own: Deployer, tmp_path: Path) -> None:
    (cluster,) = [each["id"] for each in own.hub["resources"] if each["name"] == "cluster"]

    def access() -> dict[str, Any]:
        path = str(tmp_path / "config")
        return own.cloud.begin("aks_kubeconfig", path=path, cluster_id=cluster, auth="token").result()

    # Each of the two roles lets the kubeconfig be fetched; without both nobody does.
    without(own, "cluster_admin_deployer")
    assert not access().get("failed")
    assert inside(own.cloud, tmp_path / "config") == 403
    without(own, "cluster_user_deployer")
    refused = access()["msg"]
    assert "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action" in refused
    assert refused.endswith("it needs the role 'Azure Kubernetes Service Cluster User Role' there.")
    assert own.deploy()["changed"] is True
    assert not access().get("failed")
    # Let in; there is only nothing behind the stand-in's gate.
    assert inside(own.cloud, tmp_path / "config") == 503


def inside(cloud: Cloud, path: Path) -> int:
    """The status of a look at the cluster's secrets."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    cluster, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": cloud.environment["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=authority)),
    )
    request = urllib.request.Request(
        f"{cluster['server']}/api/v1/secrets", headers={"Authorization": f"Bearer {token}"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(request, timeout=30)
    return refused.value.code
