# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Whatever the roles can send to Azure is what Azure's official packages know; planted faults are seen."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contracts import request_bodies

INVENTORIES = [
    *sorted(path for path in (request_bodies.ROOT / "inventories").glob("*") if path.is_dir()),
    request_bodies.RENDER / "everything.yml",
]
# Nobody would notice if the rendering rendered little.
ALWAYS = {"group", "network", "node_subnet", "cluster", "core_pool", "hub_identity", "hub_credential"}


Rendered = dict[str, dict[str, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """Inventory -> host -> role -> resources."""
    folder = tmp_path_factory.mktemp("bodies")
    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lambda inventory: request_bodies.render(inventory, folder / inventory.stem), INVENTORIES)
        return {inventory.stem: hosts for inventory, hosts in zip(INVENTORIES, found, strict=True)}


@pytest.mark.parametrize("inventory", [path.stem for path in INVENTORIES])
def test_bodies_are_what_azures_packages_know(inventory: str, rendered: dict[str, Rendered]) -> None:
    assert rendered[inventory]
    for host, roles in rendered[inventory].items():
        names = {resource["name"] for resource in roles["infrastructure"]}
        assert names >= ALWAYS, host
        wrong = [
            f"{host}: {role}: {sentence}"
            for role, resources in roles.items()
            for resource in resources
            # What is no part of a deployment is not sent; "everything" has each of them.
            if resource.get("condition", True)
            for sentence in request_bodies.problems(resource)
        ]
        assert wrong == []


def test_everything_and_adopted_send_all_that_can_be_sent(rendered: dict[str, Rendered]) -> None:
    hosts = rendered["everything"].values()
    all_of_them = [(role, resource) for roles in hosts for role, resources in roles.items() for resource in resources]
    sent = {(role, resource["name"]) for role, resource in all_of_them if resource.get("condition", True)}
    assert {(role, resource["name"]) for role, resource in all_of_them} - sent == set()


POOL: dict[str, Any] = {
    "name": "pool",
    "id": "${cluster.id}/providers/Microsoft.ContainerService/managedClusters/c/agentPools/user",
    "api_version": "2026-08-01",
    "body": {"properties": {"vmSize": "Standard_D2s_v5", "count": 1, "mode": "User", "nodeLabels": {"a": "b"}}},
}
CREDENTIAL: dict[str, Any] = {
    "name": "credential",
    "id": "${hub.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i/federatedIdentityCredentials/c",
    "api_version": "2024-11-30",
    "body": {"properties": {"issuer": "https://issuer.example.org/", "subject": "s", "audiences": ["a"]}},
}
RIGHT: dict[str, Any] = {
    "name": "right",
    "id": "${vault.id}/providers/Microsoft.Authorization/roleAssignments",
    "api_version": "2022-04-01",
    "body": {"properties": {"roleDefinitionId": "r", "principalId": "p", "principalType": "ServicePrincipal"}},
}
SOUND = {"pool": POOL, "credential": CREDENTIAL, "right": RIGHT}


@pytest.mark.parametrize("name", SOUND)
def test_sound_resources_have_no_problem(name: str) -> None:
    assert request_bodies.problems(SOUND[name]) == []


# A fault of each kind, in both kinds of packages: resource, path, value (None: leave it out), what is said.
FAULTS = [
    ("pool", "body.properties.vmSiz", "Standard_D2s_v5", "(unknown)"),
    ("pool", "body.propertys", {}, "(unknown)"),
    ("pool", "body.properties.count", "1", "(type)"),
    ("pool", "body.properties.enableAutoScaling", "true", "(type)"),
    ("pool", "body.properties.nodeTaints", "a=b:NoSchedule", "(type)"),
    ("pool", "body.properties.nodeLabels", {"a": 1}, "(type)"),
    ("pool", "body.properties.currentOrchestratorVersion", "1.35.4", "(read_only)"),
    ("pool", "body.properties.provisioningState", "Succeeded", "(read_only)"),
    ("pool", "body.properties.scaleSetPriority", "Spott", "(enum)"),
    ("pool", "body.properties.gpuProfile", {"driver": "Instal"}, "(enum)"),
    ("pool", "api_version", "2026-07-01", "is not the package's"),
    ("pool", "id", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Example/things/x", "there is no model"),
    ("credential", "body.properties.audience", ["a"], "(unknown)"),
    ("credential", "body.issuer", "https://issuer.example.org/", "(unknown)"),
    ("credential", "body.properties.audiences", "a", "(type)"),
    ("credential", "body.systemData", {"createdBy": "me"}, "(read_only)"),
    ("credential", "api_version", "2023-01-31", "is not the package's"),
    ("right", "body.properties.principalId", None, "(required)"),
    ("right", "body.properties.createdBy", "me", "(read_only)"),
    ("right", "body.properties.principalType", "Robot", "(enum)"),
]


@pytest.mark.parametrize(("name", "path", "value", "said"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_planted_fault_is_seen(name: str, path: str, value: Any, said: str) -> None:
    resource = copy.deepcopy(SOUND[name])
    *above, last = path.split(".")
    place = resource
    for part in above:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    (sentence,) = request_bodies.problems(resource)
    assert said in sentence
    assert name in sentence


@pytest.mark.parametrize(
    ("resource_id", "kind"),
    [
        ("/subscriptions/s/resourceGroups/g", "Microsoft.Resources/resourceGroups"),
        ("/subscriptions/s/providers/Microsoft.Authorization/locks/l", "Microsoft.Authorization/locks"),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/x",
         "Microsoft.Network/virtualNetworks/subnets"),
        ("${cluster.id}/providers/Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleAssignments"),
    ],
)  # fmt: skip
def test_the_type_of_an_id(resource_id: str, kind: str) -> None:
    assert request_bodies.type_of(resource_id) == kind
