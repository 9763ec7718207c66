# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""azure_resources when Azure refuses, fails, is slow or is not there: what it waits out, and what it says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from azure_modules import COLLECTIONS, Cloud, actions, listener
from module_server import Server

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
NETWORKS = "Microsoft.Network/virtualNetworks"
DENIAL = (
    "The client 'c' with object id 'someone' does not have authorization to perform action"
    " 'Microsoft.Network/virtualNetworks/write' over scope '/subscriptions/0/resourceGroups/faults' or the scope is"
    " invalid."
)
QUOTA = "Operation could not be completed as it results in exceeding approved Cores quota."


def site(cloud: Cloud, location: str = "westeurope", principal: str = "${identity.properties.principalId}") -> Any:
    """A group, a network that waits for a right, an identity; a subnet last."""
    ids = {
        "group": (f"{cloud.subscription}/resourceGroups/faults", "2025-04-01"),
        "identity": ("${group.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/faults", "2024-11-30"),
        "right": ("${group.id}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01"),
        "network": ("${group.id}/providers/Microsoft.Network/virtualNetworks/faults-network", "2025-05-01"),
        "subnet": ("${network.id}/subnets/nodes", "2025-05-01"),
    }
    bodies: dict[str, dict[str, Any]] = {
        "group": {"location": location},
        "identity": {"location": location},
        "right": {"properties": {"roleDefinitionId": READER, "principalId": principal}},
        "network": {"location": location, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
        "subnet": {"properties": {"addressPrefix": "10.0.0.0/20"}},
    }
    return [
        {
            "name": name,
            "id": text,
            "api_version": version,
            "body": bodies[name],
            "depends_on": ["right"] if name == "network" else [],
        }
        for name, (text, version) in ids.items()
    ]


@pytest.fixture(autouse=True)
def _fresh(cloud: Cloud) -> None:
    cloud.reset()


PASSING = {
    "throttled, with Retry-After": {"method": "PUT", "type": NETWORKS, "status": 429, "retry_after": 0},
    "throttled while reading": {"method": "GET", "type": NETWORKS, "status": 429, "retry_after": 0, "times": 2},
    "fails twice": {"method": "PUT", "type": NETWORKS, "status": 503, "code": "ServiceUnavailable", "times": 2},
    "fails while reading": {"method": "GET", "type": NETWORKS, "status": 500},
    "the connection breaks before": {"method": "PUT", "type": NETWORKS, "reset": True},
    "the connection breaks after": {"method": "PUT", "type": NETWORKS, "reset": True, "after": True},
    "busy": {
        "method": "PUT",
        "type": NETWORKS,
        "status": 409,
        "code": "AnotherOperationInProgress",
        "message": "Another operation on this or dependent resource is in progress.",
    },
    "busy without a code of its own": {
        "method": "PUT",
        "type": NETWORKS,
        "status": 409,
        "code": "Conflict",
        "message": "The resource is being updated.",
        "times": 2,
    },
    "changed meanwhile": {"method": "PUT", "type": f"{NETWORKS}/subnets", "status": 412, "code": "PreconditionFailed"},
    "to be written again": {
        "method": "PUT",
        "type": f"{NETWORKS}/subnets",
        "status": 400,
        "code": "ReferencedResourceNotProvisioned",
        "message": "Cannot proceed with operation because the network is not provisioned.",
    },
    "an operation to be started again": {
        "method": "PUT",
        "type": NETWORKS,
        "operation": True,
        "code": "ReferencedResourceNotProvisioned",
        "message": "Not provisioned.",
    },
    "a right that has to spread": {
        "method": "PUT",
        "type": NETWORKS,
        "status": 403,
        "code": "AuthorizationFailed",
        "message": DENIAL,
        "times": 2,
    },
    "a principal that is so new that Entra ID does not know it everywhere": {
        "method": "PUT",
        "type": "Microsoft.Authorization/roleAssignments",
        "status": 400,
        "code": "PrincipalNotFound",
        "message": "Principal 0 does not exist in the directory 1.",
        "times": 2,
    },
    "the role assignment is there already": {
        "method": "PUT",
        "type": "Microsoft.Authorization/roleAssignments",
        "status": 409,
        "code": "RoleAssignmentExists",
        "message": "The role assignment already exists.",
        "after": True,
    },
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_out(cloud: Cloud, name: str) -> None:
    cloud.dial("POST", "/faults", PASSING[name])
    result = cloud.run(site(cloud))
    assert not result.get("failed"), result["msg"]
    assert set(actions(result)) == {"group", "identity", "right", "network", "subnet"}
    seen = cloud.dial("GET", "/faults")[0]["seen"]
    assert seen >= PASSING[name].get("times", 1), "the fault was never met"
    assert actions(cloud.run(site(cloud))) == {}


REFUSED = {
    "quota": (
        {"status": 409, "code": "OperationNotAllowed", "message": QUOTA},
        ["OperationNotAllowed", QUOTA.rstrip("."), "under Quotas"],
    ),
    "no right": (
        {"status": 403, "code": "AuthorizationFailed", "message": DENIAL, "type": "*resourceGroups"},
        [
            'give the principal someone the role "Network Contributor"',
            "Microsoft.Network/virtualNetworks/write",
            "/subscriptions/0/resourceGroups/faults",
        ],
    ),
    "a policy": (
        {"status": 403, "code": "RequestDisallowedByPolicy", "message": "Disallowed.", "type": "*resourceGroups"},
        ["RequestDisallowedByPolicy", "ask whoever owns the policy"],
    ),
    "the operation fails": (
        {"operation": True, "code": "NoLuckToday", "message": "It did not work out."},
        ["NoLuckToday: It did not work out."],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_said(cloud: Cloud, name: str) -> None:
    fault, parts = REFUSED[name]
    cloud.dial("POST", "/faults", {"method": "PUT", "type": NETWORKS, "times": 0, **fault})
    result = cloud.run(site(cloud))
    assert result["failed"]
    broken = "group" if "type" in fault else "network"
    (problem,) = result["problems"]
    assert problem.startswith(f'resource "{broken}" ({cloud.subscription}/resourceGroups/faults')
    for part in parts:
        assert part in problem
    if broken == "network":
        assert sorted(result["done"]) == ["group", "identity", "right"]
        assert result["not_started"] == ["subnet"]
        assert result["msg"].endswith("Done before: group, identity, right. Not started: subnet.")
    # The next run finishes what this one could not.
    cloud.dial("DELETE", "/faults")
    assert not cloud.run(site(cloud)).get("failed")
    assert actions(cloud.run(site(cloud))) == {}


def test_a_refusal_that_never_passes_ends_in_time(cloud: Cloud) -> None:
    busy = {**PASSING["busy"], "times": 0}
    cloud.dial("POST", "/faults", busy)
    start = time.monotonic()
    result = cloud.run(site(cloud), retry_timeout=1)
    assert time.monotonic() - start < 8
    assert "AnotherOperationInProgress: Another operation on this or dependent resource is in progress" in result["msg"]


def test_the_whole_run_ends_in_time_and_the_next_goes_on(cloud: Cloud) -> None:
    cloud.dial("PATCH", "/latency", {"scale": 0.1, "seconds": {f"PUT {NETWORKS}": 80}})
    result = cloud.run(site(cloud), timeout=4)
    (problem,) = result["problems"]
    assert problem.startswith('resource "network"')
    assert "run it again" in problem
    cloud.dial("PATCH", "/latency", {"scale": 0.1})
    assert not cloud.run(site(cloud)).get("failed")
    assert actions(cloud.run(site(cloud))) == {}


def test_unknown_region(cloud: Cloud) -> None:
    result = cloud.run(site(cloud, location="mars"))
    assert result["problems"][0].startswith('resource "group"')
    assert "mars" in result["msg"]
    assert "choose a region" in result["msg"]
    assert result["done"] == []


def test_what_cannot_be_is_said_all_at_once_before_anything_is_written(cloud: Cloud) -> None:
    cloud.run(site(cloud))
    start = time.time()
    resources = site(cloud, location="northeurope")
    resources[2]["existing"] = False
    resources.append(
        {
            "name": "adopted",
            "id": f"{cloud.subscription}/resourceGroups/nowhere",
            "api_version": "2025-04-01",
            "existing": True,
        }
    )
    result = cloud.run(resources)
    assert result["failed"]
    assert sorted(text.split('"')[1] for text in result["problems"]) == ["adopted", "group", "identity", "network"]
    assert all("northeurope" in problem or "does not exist" in problem for problem in result["problems"])
    assert cloud.writes(start) == []


@pytest.mark.parametrize(
    ("options", "environment", "part"),
    [
        pytest.param({"client_secret": "wrong"}, {}, "check client_secret", id="wrong secret"),
        pytest.param({"client_id": "00000000-0000-0000-0000-00000000dead"}, {}, "check client_id", id="wrong client"),
        pytest.param({"tenant_id": "00000000-0000-0000-0000-00000000dead"}, {}, "check tenant_id", id="wrong tenant"),
        pytest.param(
            {},
            {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
            "name the proxy's CA bundle in REQUESTS_CA_BUNDLE",
            id="authority not trusted",
        ),
        pytest.param(
            {},
            {"HTTPS_PROXY": "http://127.0.0.1:9"},
            "The proxy 127.0.0.1:9 cannot be reached: connection refused",
            id="proxy out of reach",
        ),
        pytest.param(
            {},
            {"AZURE_TENANT_ID": "", "AZURE_TENANT": ""},
            "client_secret is given, but tenant_id not",
            id="half a credential",
        ),
    ],
)
def test_no_way_to_azure(cloud: Cloud, options: dict[str, str], environment: dict[str, str], part: str) -> None:
    running = cloud.begin("azure_resources", False, environment, resources=site(cloud), **options)
    result = running.result()
    assert result["failed"]
    assert len(result["problems"]) == 1
    assert part in result["msg"]
    assert "Traceback" not in running.output


def test_a_missing_library_is_named(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['azure.identity'] = None\n")
    poor = Cloud(cloud.environment, Server(COLLECTIONS, {"PYTHONPATH": str(tmp_path)}))
    assert poor.run(site(cloud))["msg"].endswith("install it there: pip install azure-identity.")


def test_awx_names_of_the_credential(cloud: Cloud) -> None:
    names = {"AZURE_CLIENT_SECRET": "AZURE_SECRET", "AZURE_TENANT_ID": "AZURE_TENANT"}
    awx = {names[key]: cloud.environment[key] for key in names}
    environment = {key: value for key, value in cloud.environment.items() if key not in names} | awx
    other = Cloud(environment)
    assert actions(other.run(site(cloud)[:1])) == {"group": "create"}


def test_waits_are_said(cloud: Cloud, tmp_path: Path) -> None:
    cloud.dial("POST", "/faults", PASSING["a right that has to spread"])
    with listener(tmp_path / "progress") as path:
        cloud.run(site(cloud), progress_file=str(path))
        lines = path.read_text(encoding="utf-8")
    assert "network: waits, a new role assignment does not count everywhere yet" in lines
    assert "(AuthorizationFailed)" in lines
    assert "network: created in 0 s" in lines or "network: created in 1 s" in lines


def test_an_unknown_principal_is_named(cloud: Cloud) -> None:
    """One that nobody has just made is not waited for as long as a new one."""
    principal = "0a0b0c0d-0000-4000-8000-00000000000e"
    fault = {
        "method": "PUT",
        "type": "Microsoft.Authorization/roleAssignments",
        "status": 400,
        "code": "PrincipalNotFound",
        "message": f"Principal {principal.replace('-', '')} does not exist in the directory.",
        "times": 0,
    }
    cloud.dial("POST", "/faults", fault)
    result = cloud.run(site(cloud, principal=principal), retry_timeout=1)
    assert result["failed"]
    assert principal.replace("-", "") in result["msg"]
    assert "check principal_id: Entra ID does not know it" in result["msg"]
