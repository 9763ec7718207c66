# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""aks_kubeconfig: real clients, at API servers that check their tokens."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_modules import Cloud

CLUSTERS = "2026-08-01"
ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"  # Azure Kubernetes Service RBAC Cluster Admin
# Asks an API server, as a release does: with one client, for as long as it takes.
CLIENT = """
import json, sys, time
from kubernetes import client, config
config.load_kube_config(sys.argv[1])
api = client.ApiClient()
core = client.CoreV1Api(api)
asks = {
    "version": lambda: client.VersionApi(api).get_code().git_version,
    "secrets": lambda: len(core.list_namespaced_secret("hub").items),
    "nodes": lambda: len(core.list_node().items),
}
seen, keys, end = [], set(), time.monotonic() + float(sys.argv[3])
while True:
    try:
        seen.append([200, asks[sys.argv[2]]()])
    except client.ApiException as error:
        seen.append([error.status, json.loads(error.body)])
    keys.add(str(api.configuration.api_key))
    if time.monotonic() > end:
        break
    time.sleep(0.1)
print(json.dumps([seen, len(keys)]))
"""


def cluster(name: str, **properties: Any) -> dict[str, Any]:
    """A small cluster."""
    pool = {"name": "core", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}
    return {
        "name": name,
        "id": f"${{group.id}}/providers/Microsoft.ContainerService/managedClusters/{name}",
        "api_version": CLUSTERS,
        "body": {
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {"dnsPrefix": name, "agentPoolProfiles": [pool], **properties},
        },
    }


@pytest.fixture(scope="module")
def ids(cloud: Cloud) -> dict[str, str]:
    """Clusters: with Entra ID (rights given, none given), with local accounts beside, without Entra ID."""
    cloud.reset()
    entra = {"aadProfile": {"managed": True, "enableAzureRBAC": True}, "disableLocalAccounts": True}
    me = "${deployer.objectId}"
    result = cloud.run(
        [
            {
                "name": "group",
                "id": f"{cloud.subscription}/resourceGroups/access",
                "api_version": "2025-04-01",
                "body": {"location": "westeurope"},
            },
            cluster("entra", **entra),
            cluster("closed", **entra),
            cluster("both", **entra | {"disableLocalAccounts": False}),
            cluster("plain"),
            {
                "name": "right",
                "id": "${entra.id}/providers/Microsoft.Authorization/roleAssignments",
                "api_version": "2022-04-01",
                "body": {"properties": {"roleDefinitionId": ADMIN, "principalId": me}},
            },
        ]
    )
    assert not result.get("failed"), result
    return {name: one["id"] for name, one in result["resources"].items()}


@pytest.fixture
def access(cloud: Cloud, tmp_path: Path) -> Any:
    """Run the module; the kubeconfig is ``tmp_path / "new" / "config"``."""

    def run(cluster_id: str = "", check: bool = False, **arguments: Any) -> dict[str, Any]:
        arguments = {"path": str(tmp_path / "new" / "config"), **arguments}
        if cluster_id:
            arguments["cluster_id"] = cluster_id
        running = cloud.begin("aks_kubeconfig", check, **arguments)
        result = running.result()
        # No token and no key is ever told.
        for secret in secrets(Path(arguments["path"])):
            assert secret not in running.output
        return result

    return run


def secrets(path: Path) -> list[str]:
    """What of a kubeconfig must not be seen."""
    if not path.exists():
        return []
    user = yaml.safe_load(path.read_text())["users"][0]["user"]
    return [user[name] for name in ("token", "client-key-data", "client-certificate-data") if name in user]


def ask_for(cloud: Cloud, path: Path, what: str = "version", seconds: float = 0) -> tuple[list[list[Any]], int]:
    """Status and body of each answer that Python's Kubernetes client gets, and how many tokens it used."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(path), what, str(seconds)],
        env={**os.environ, **cloud.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: tuple[list[list[Any]], int] = tuple(json.loads(done.stdout))
    return answers


def ask(cloud: Cloud, path: Path, what: str = "version") -> list[Any]:
    """Status and body of one answer."""
    return ask_for(cloud, path, what)[0][0]


@pytest.fixture
def lifetime(cloud: Cloud) -> Any:
    """Let tokens live for so many seconds; as long as usual afterwards."""

    def change(seconds: int) -> None:
        cloud.dial("PATCH", "/tokens", {"lifetime": seconds})

    yield change
    change(3600)


def test_written_once_and_privately(ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    first = access(ids["entra"], check=True)
    assert first["changed"] and not path.parent.exists()
    seen = [access(ids["entra"], check=check)["changed"] for check in (False, True, False)]
    assert seen == [True, False, False]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    path.chmod(0o644)
    assert [access(ids["entra"])["changed"] for _ in range(2)] == [True, False]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert access(ids["entra"], context="hub")["changed"]
    assert [access(state="absent", check=check)["changed"] for check in (True, False, True)] == [True, True, False]
    assert list(path.parent.iterdir()) == []


def test_what_it_answers(ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    result = access(ids["entra"])
    assert result["server"].startswith("https://entra") and result["server"].endswith(".azmk8s.io:443")
    assert (result["context"], result["auth"], result["expiry"]) == ("entra", "exec", None)
    config = yaml.safe_load((tmp_path / "new" / "config").read_text())
    assert config["users"][0]["user"]["exec"]["env"] is None
    assert config["users"][0]["user"]["exec"]["command"] == sys.executable


def test_by_name(ids: dict[str, str], access: Any) -> None:
    assert ids["entra"].endswith("/entra")
    assert access(resource_group="access", cluster_name="entra")["context"] == "entra"


def test_a_cluster_that_is_not_there(cloud: Cloud, access: Any, tmp_path: Path) -> None:
    absent = f"{cloud.subscription}/resourceGroups/none/providers/Microsoft.ContainerService/managedClusters/later"
    planned = access(absent, check=True)
    assert planned["changed"] and planned["server"] == planned["auth"] == "(known after apply)"
    assert "server: (known after apply)" in planned["diff"]["after"]
    refused = access(absent)
    assert refused["msg"].startswith("There is no AKS cluster later at /subscriptions/") and refused["failed"]
    assert not (tmp_path / "new").exists()


def test_a_client_outlasts_its_tokens(
    cloud: Cloud, ids: dict[str, str], access: Any, lifetime: Any, tmp_path: Path
) -> None:
    access(ids["entra"])
    lifetime(3)
    seen, used = ask_for(cloud, tmp_path / "new" / "config", seconds=5)
    assert {status for status, _ in seen} == {200}
    assert seen[0][1].startswith("v1.")
    # Renewed when it was time, not at every call.
    assert 2 <= used < len(seen)


def test_many_calls_share_a_token(cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    access(ids["entra"])
    path = tmp_path / "new" / "config"
    seen = set()
    for _ in range(2):
        assert ask(cloud, path)[0] == 200
        seen.add((path.parent / "config.token.json").read_text())
    assert len(seen) == 1


@pytest.mark.parametrize("command", [name for name in ("kubectl",) if shutil.which(name)])
def test_programs_get_in_as_well(cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path, command: str) -> None:
    access(ids["entra"])
    done = subprocess.run(
        [command, f"--kubeconfig={tmp_path / 'new' / 'config'}", "get", "--raw", "/version"],
        env={**os.environ, **cloud.environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gitVersion"].startswith("v1.")


def test_rights_in_the_cluster_are_asked(cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    where = "secrets"
    access(ids["entra"])
    # Let in; there is only nothing behind the stand-in's gate.
    assert ask(cloud, path, where)[0] == 503
    access(ids["closed"])
    status, body = ask(cloud, path, where)
    assert (status, body["reason"]) == (403, "Forbidden")
    assert 'cannot list resource "secrets"' in body["message"]


def test_a_fixed_token(cloud: Cloud, ids: dict[str, str], access: Any, lifetime: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    result = access(ids["entra"], auth="token")
    assert result["expiry"] and not result.get("warnings")
    assert ask(cloud, path)[0] == 200
    first = secrets(path)
    lifetime(2)
    again = access(ids["entra"], auth="token")
    assert not again["changed"] and secrets(path) != first
    assert "a release that takes longer needs auth exec" in str(again["warnings"])
    # The gate lets nobody in whose token has ended.
    assert ask_for(cloud, path, seconds=2.5)[0][-1][0] == 401


def test_the_administrator_only_where_local_accounts_are_allowed(
    cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path
) -> None:
    refused = access(ids["entra"], auth="admin")
    assert refused["msg"] == (
        "auth is admin, but cluster entra has its local accounts switched off; use auth exec with an identity that has"
        " a role in the cluster."
    )
    assert access(ids["both"], auth="admin")["auth"] == "certificate"
    assert ask(cloud, tmp_path / "new" / "config", "nodes")[0] == 503
    # Back to one's own rights: the certificate is gone, and so are the rights.
    assert access(ids["both"])["changed"]
    assert ask(cloud, tmp_path / "new" / "config", "nodes")[0] == 403


def test_a_cluster_without_entra(cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    seen = [access(ids["plain"], auth=auth) for auth in ("exec", "exec", "token")]
    assert [one["changed"] for one in seen] == [True, False, False]
    assert {one["auth"] for one in seen} == {"certificate"}
    assert not (tmp_path / "new" / "config.token.py").exists()
    assert ask(cloud, tmp_path / "new" / "config")[0] == 200
    # The diff tells no secret.
    shown = seen[0]["diff"]["after"]
    assert "token: (hidden)" in shown and "client-key-data: (hidden)" in shown


def test_without_the_right_it_names_the_role(cloud: Cloud, ids: dict[str, str], access: Any) -> None:
    cloud.dial(
        "PATCH", "/rights", {"taken": ["Microsoft.ContainerService/managedClusters/listClusterUserCredential/*"]}
    )
    try:
        refused = access(ids["entra"])
    finally:
        cloud.dial("PATCH", "/rights", {"taken": None})
    assert "No access to AKS cluster entra: AuthorizationFailed" in refused["msg"]
    assert refused["msg"].endswith("it needs the role 'Azure Kubernetes Service Cluster User Role' there.")


def test_wrong_credentials_are_one_sentence(cloud: Cloud, ids: dict[str, str], access: Any, tmp_path: Path) -> None:
    refused = access(ids["entra"], client_secret="wrong")
    assert "AADSTS7000215" in refused["msg"] and "Traceback" not in str(refused)
    # A secret that only the task knows does not reach the script.
    secret = cloud.environment["AZURE_CLIENT_SECRET"]
    running = cloud.begin(
        "aks_kubeconfig",
        environment={"AZURE_CLIENT_SECRET": "", "AZURE_SECRET": ""},
        path=str(tmp_path / "config"),
        cluster_id=ids["entra"],
        client_secret=secret,
    )
    assert "client_secret stands only in the task" in str(running.result()["warnings"])
    assert secret not in "".join(file.read_text() for file in tmp_path.iterdir() if file.is_file())
