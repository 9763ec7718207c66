# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Rights in the stand-in for Azure, seen by the official clients: roles, assignments, links, locks, Microsoft Graph."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.core import ARMPipelineClient

from stand_in import StandIn

ARM, GRAPH = "https://management.azure.com", "https://graph.microsoft.com"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
GROUP = "rights"
FAST = {"polling_interval": 0.05}
JOIN = "Microsoft.Network/networkSecurityGroups/join/action"

Ask = Callable[..., tuple[int, Any]]


def _definition(guid: str) -> str:
    return f"/providers/Microsoft.Authorization/roleDefinitions/{guid}"


def _assignment(principal: str, guid: str = ACR_PULL, **more: str) -> dict[str, Any]:
    return {"properties": {"principalId": principal, "roleDefinitionId": _definition(guid), **more}}


def _code(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)


@pytest.fixture(scope="module")
def rights(stand_in: StandIn) -> AuthorizationManagementClient:
    """The official client of rights, and a group to give some in."""
    stand_in.arm.resource_groups.create_or_update(GROUP, {"location": "westeurope"})
    return AuthorizationManagementClient(stand_in.credential(), stand_in.subscription)


@pytest.fixture
def group(stand_in: StandIn) -> str:
    """The id of the group."""
    return f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}"


@pytest.fixture
def dial(stand_in: StandIn) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Turn the dial of rights; it is turned back behind the test."""
    yield lambda change: stand_in.dial("PATCH", "/rights", change)
    stand_in.dial("PATCH", "/rights", {"taken": None, "assignments": None})
    stand_in.dial("PATCH", "/spread", {"assignments": None})


def _asker(base: str, credential: ClientSecretCredential) -> Ask:
    client: ARMPipelineClient = ARMPipelineClient(base, policies=[RetryPolicy.no_retries()])

    def ask(
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        audience: str = base,
        **query: str,
    ) -> tuple[int, Any]:
        token = credential.get_token(f"{audience}/.default").token
        head = {"Authorization": f"Bearer {token}", **(headers or {})}
        answer = client.send_request(HttpRequest(method, base + path, json=body, headers=head, params=query))
        return answer.status_code, answer.json() if answer.content else None

    return ask


@pytest.fixture
def graph(stand_in: StandIn) -> Ask:
    """Ask Microsoft Graph as the deployer."""
    return _asker(GRAPH, stand_in.credential())


@pytest.fixture
def arm(stand_in: StandIn) -> Ask:
    """Ask Azure Resource Manager as the deployer."""
    return _asker(ARM, stand_in.credential())


# ---------------------------------------------------------------------------------------------------------- definitions
def test_built_in_roles_have_azures_ids_and_actions(rights: AuthorizationManagementClient, group: str) -> None:
    found = {role.role_name: role for role in rights.role_definitions.list(group)}
    assert found["Owner"].name == OWNER
    assert found["AcrPull"].permissions[0].actions == ["Microsoft.ContainerRegistry/registries/pull/read"]
    assert found["Contributor"].permissions[0].not_actions[:2] == [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
    ]
    assert {role.role_type for role in found.values()} == {"BuiltInRole"}


def test_a_role_is_found_by_its_name(rights: AuthorizationManagementClient, group: str) -> None:
    (role,) = rights.role_definitions.list(group, filter="roleName eq 'key vault secrets officer'")
    assert role.name == "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"


def test_a_custom_role_counts_and_cannot_go_while_it_is_used(
    rights: AuthorizationManagementClient, stand_in: StandIn, group: str
) -> None:
    name, scope = str(uuid.uuid4()), f"/subscriptions/{stand_in.subscription}"
    permissions = [{"actions": ["Microsoft.ApiManagement/service/subscriptions/read"]}]
    body = {
        "properties": {
            "roleName": "Reads keys",
            "permissions": permissions,
            "assignableScopes": [scope],
            "type": "CustomRole",
        }
    }
    for _again in range(2):
        rights.role_definitions.create_or_update(scope, name, body)
    (found,) = rights.role_definitions.list(scope, filter="type eq 'CustomRole'")
    assert (found.name, found.role_type) == (name, "CustomRole")
    body_of_use = _assignment(str(uuid.uuid4()), name, principalType="ServicePrincipal")
    used = rights.role_assignments.create(group, str(uuid.uuid4()), body_of_use)
    with pytest.raises(HttpResponseError) as refused:
        rights.role_definitions.delete(scope, name)
    assert _code(refused.value) == "RoleDefinitionHasAssignments"
    rights.role_assignments.delete_by_id(used.id)
    rights.role_definitions.delete(scope, name)
    assert not list(rights.role_definitions.list(scope, filter="type eq 'CustomRole'"))


# ---------------------------------------------------------------------------------------------------------- assignments
def test_a_definition_comes_back_below_the_subscription(
    rights: AuthorizationManagementClient, stand_in: StandIn, group: str
) -> None:
    principal = str(uuid.uuid4())
    body = _assignment(principal.upper(), ACR_PULL.upper(), principalType="ServicePrincipal")
    made = rights.role_assignments.create(group, str(uuid.uuid4()), body)
    assert made.role_definition_id == f"/subscriptions/{stand_in.subscription}{_definition(ACR_PULL)}"
    assert (made.scope, made.principal_id) == (group, principal)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"principalId": "hub"}, "InvalidPrincipalId"),
        ({"principalId": str(uuid.uuid4()), "principalType": None}, "PrincipalNotFound"),
        ({"roleDefinitionId": _definition(str(uuid.uuid4()))}, "RoleDefinitionDoesNotExist"),
    ],
)
def test_bad_assignments_are_refused(
    rights: AuthorizationManagementClient, group: str, change: dict[str, Any], code: str
) -> None:
    body = _assignment(str(uuid.uuid4()), principalType="ServicePrincipal")
    body["properties"].update(change)
    with pytest.raises(HttpResponseError) as refused:
        rights.role_assignments.create(group, str(uuid.uuid4()), body)
    assert _code(refused.value) == code


def test_a_principals_type_must_be_its_own(
    rights: AuthorizationManagementClient, stand_in: StandIn, group: str, graph: Ask
) -> None:
    wanted = f"appId eq '{stand_in.env['AZURE_CLIENT_ID']}'"
    deployer = graph("GET", "/v1.0/servicePrincipals", **{"$filter": wanted})[1]["value"][0]["id"]
    with pytest.raises(HttpResponseError) as refused:
        rights.role_assignments.create(group, str(uuid.uuid4()), _assignment(deployer, principalType="User"))
    assert _code(refused.value) == "UnmatchedPrincipalType"


def test_one_right_is_given_once_and_never_changed(rights: AuthorizationManagementClient, group: str) -> None:
    name, principal = str(uuid.uuid4()), str(uuid.uuid4())
    body = _assignment(principal, principalType="ServicePrincipal")
    rights.role_assignments.create(group, name, body)
    rights.role_assignments.create(group, name, body)
    with pytest.raises(ResourceExistsError) as again:
        rights.role_assignments.create(group, str(uuid.uuid4()), body)
    assert _code(again.value) == "RoleAssignmentExists"
    assert name.replace("-", "") in again.value.message
    with pytest.raises(HttpResponseError) as other:
        rights.role_assignments.create(group, name, _assignment(str(uuid.uuid4()), principalType="ServicePrincipal"))
    assert _code(other.value) == "RoleAssignmentUpdateNotPermitted"


def test_lists_look_up_and_down_as_asked(rights: AuthorizationManagementClient, stand_in: StandIn, group: str) -> None:
    principal, subscription = str(uuid.uuid4()), f"/subscriptions/{stand_in.subscription}"
    body = _assignment(principal, principalType="ServicePrincipal")
    here = rights.role_assignments.create(group, str(uuid.uuid4()), body)
    above = rights.role_assignments.create(subscription, str(uuid.uuid4()), body)

    def names(scope: str, wanted: str) -> set[str]:
        return {one.name for one in rights.role_assignments.list_for_scope(scope, filter=wanted)}

    assert names(group, f"principalId eq '{principal}'") == {here.name, above.name}
    assert names(subscription, f"principalId eq '{principal}'") == {here.name, above.name}
    assert names(subscription, f"atScope() and assignedTo('{principal}')") == {above.name}
    owners = rights.role_assignments.list_for_scope(subscription, filter="atScope()")
    assert OWNER in {one.role_definition_id.rpartition("/")[2] for one in owners}


# ----------------------------------------------------------------------------------------------------------- evaluation
def test_an_action_taken_away_is_refused_in_azures_words(
    stand_in: StandIn, group: str, dial: Callable[[dict[str, Any]], None]
) -> None:
    dial({"taken": ["Microsoft.Network/virtualNetworks/write"]})
    with pytest.raises(HttpResponseError) as refused:
        stand_in.network.virtual_networks.begin_create_or_update(GROUP, "v", {"location": "westeurope"})
    assert refused.value.status_code == 403
    assert _code(refused.value) == "AuthorizationFailed"
    scope = f"{group}/providers/Microsoft.Network/virtualNetworks/v"
    assert f"The client '{stand_in.env['AZURE_CLIENT_ID']}' with object id '" in refused.value.message
    assert (
        f"action 'Microsoft.Network/virtualNetworks/write' over scope '{scope}' or the scope" in refused.value.message
    )


def test_what_a_body_mentions_needs_a_right_too(stand_in: StandIn, dial: Callable[[dict[str, Any]], None]) -> None:
    network, place = stand_in.network, {"location": "westeurope"}
    rules = network.network_security_groups.begin_create_or_update(GROUP, "nsg", place, **FAST).result()
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}
    network.virtual_networks.begin_create_or_update(GROUP, "net", {**place, "properties": space}, **FAST).result()
    subnet = {"properties": {"addressPrefix": "10.1.0.0/16", "networkSecurityGroup": {"id": rules.id}}}
    dial({"taken": [JOIN]})
    with pytest.raises(HttpResponseError) as refused:
        network.subnets.begin_create_or_update(GROUP, "net", "nodes", subnet)
    assert _code(refused.value) == "LinkedAuthorizationFailed"
    assert f"action(s) '{JOIN}' on the linked scope(s) '{rules.id}'" in refused.value.message
    dial({"taken": []})
    assert network.subnets.begin_create_or_update(GROUP, "net", "nodes", subnet, **FAST).result().name == "nodes"


@pytest.mark.parametrize(
    ("role", "may_read", "may_write", "may_assign"),
    [
        ("Owner", True, True, True),
        ("Contributor", True, True, False),
        ("Reader", True, False, False),
        ("Role Based Access Control Administrator", True, False, True),
        ("AcrPull", False, False, False),
    ],
)
def test_roles_give_what_azure_says(
    arm: Ask,
    group: str,
    dial: Callable[[dict[str, Any]], None],
    role: str,
    may_read: bool,
    may_write: bool,
    may_assign: bool,
) -> None:
    dial({"assignments": [{"role": role, "scope": group}]})
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{role.replace(' ', '-')}"
    body = _assignment(str(uuid.uuid4()), principalType="ServicePrincipal")
    target = f"{group}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    place = {"location": "westeurope"}
    read, _ = arm("GET", group, **{"api-version": "2021-04-01"})
    wrote, _ = arm("PUT", identity, place, **{"api-version": "2023-01-31"})
    assigned, _ = arm("PUT", target, body, **{"api-version": "2022-04-01"})
    assert (read != 403, wrote != 403, assigned != 403) == (may_read, may_write, may_assign)


def test_a_role_ends_at_its_scope(
    arm: Ask, stand_in: StandIn, group: str, dial: Callable[[dict[str, Any]], None]
) -> None:
    dial({"assignments": [{"role": "Owner", "scope": group}]})
    other = f"/subscriptions/{stand_in.subscription}/resourceGroups/{GROUP}-2"
    status, answer = arm("PUT", other, {"location": "westeurope"}, **{"api-version": "2021-04-01"})
    assert (status, answer["error"]["code"]) == (403, "AuthorizationFailed")


def test_a_new_right_takes_its_time_to_spread(
    stand_in: StandIn,
    rights: AuthorizationManagementClient,
    arm: Ask,
    graph: Ask,
    group: str,
    dial: Callable[[dict[str, Any]], None],
) -> None:
    wanted = f"appId eq '{stand_in.env['AZURE_CLIENT_ID']}'"
    deployer = graph("GET", "/v1.0/servicePrincipals", **{"$filter": wanted})[1]["value"][0]["id"]
    dial({"assignments": [{"role": "User Access Administrator", "scope": group}]})
    stand_in.dial("PATCH", "/spread", {"assignments": 1.5})
    body = _assignment(deployer, NETWORK_CONTRIBUTOR, principalType="ServicePrincipal")
    rights.role_assignments.create(group, str(uuid.uuid4()), body)
    began = time.monotonic()
    target = f"{group}/providers/Microsoft.Network/networkSecurityGroups/late"
    version = {"api-version": "2024-05-01"}
    status, _ = arm("PUT", target, {"location": "westeurope"}, **version)
    assert status == 403
    while status == 403 and time.monotonic() < began + 10:
        time.sleep(0.05)
        status, _ = arm("PUT", target, {"location": "westeurope"}, **version)
    assert status == 201
    assert time.monotonic() - began >= 1


def test_a_locked_group_stays(arm: Ask, group: str) -> None:
    lock = f"{group}/providers/Microsoft.Authorization/locks/keep"
    arm("PUT", lock, {"properties": {"level": "CanNotDelete"}}, **{"api-version": "2020-05-01"})
    status, answer = arm("DELETE", group, **{"api-version": "2021-04-01"})
    assert (status, answer["error"]["code"]) == (409, "ScopeLocked")
    assert arm("DELETE", lock, **{"api-version": "2020-05-01"})[0] == 200


# ---------------------------------------------------------------------------------------------------------------- Graph
def test_graph_wants_a_token_of_its_own(graph: Ask) -> None:
    status, answer = graph("GET", "/v1.0/users", audience=ARM)
    assert (status, answer["error"]["code"]) == (401, "InvalidAuthenticationToken")
    status, answer = graph("GET", "/v1.0/me")
    assert (status, answer["error"]["message"]) == (
        400,
        "/me request is only valid with delegated authentication flow.",
    )


def test_an_application_signs_in_with_a_secret_that_graph_gave(stand_in: StandIn, graph: Ask) -> None:
    status, app = graph("POST", "/v1.0/applications", {"displayName": "hub"})
    assert status == 201
    one = f"/v1.0/applications/{app['id']}"
    _, secret = graph("POST", f"{one}/addPassword", {"passwordCredential": {"displayName": "first"}})
    assert graph("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]})[0] == 201
    assert graph("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]})[0] == 409
    client = stand_in.credential(client_id=app["appId"], client_secret=secret["secretText"])
    assert client.get_token(f"{ARM}/.default").token
    _, shown = graph("GET", one)
    assert shown["passwordCredentials"][0]["secretText"] is None
    assert graph("DELETE", one)[0] == 204
    assert graph("GET", one)[0] == 404


def test_redirect_addresses_and_federated_credentials_of_an_application(graph: Ask) -> None:
    path, create = "/v1.0/applications(uniqueName='hub-prod')", {"Prefer": "create-if-missing"}
    assert graph("PATCH", path, {"displayName": "prod"}, create)[0] == 201
    assert (
        graph("PATCH", path, {"web": {"redirectUris": ["https://hub.example.org/hub/oauth_callback"]}}, create)[0]
        == 204
    )
    _, app = graph("GET", path, **{"$select": "web,id,uniqueName"})
    assert app["web"]["redirectUris"] == ["https://hub.example.org/hub/oauth_callback"]
    assert app["web"]["implicitGrantSettings"]["enableIdTokenIssuance"] is False
    assert "displayName" not in app
    assert graph("PATCH", path, {"web": {"redirectUris": ["http://hub.example.org"]}})[0] == 400
    credentials = f"/v1.0/applications/{app['id']}/federatedIdentityCredentials"
    body = {
        "name": "github",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:a/b:environment:prod",
    }
    assert graph("POST", credentials, body)[0] == 400
    body["audiences"] = ["api://AzureADTokenExchange"]  # type: ignore[assignment]
    assert graph("POST", credentials, body)[0] == 201
    assert graph("POST", credentials, body)[0] == 409
    assert [one["name"] for one in graph("GET", credentials)[1]["value"]] == ["github"]


def test_graph_filters_and_pages(graph: Ask) -> None:
    for number in range(3):
        graph("POST", "/v1.0/applications", {"displayName": f"page {number}"})
    query = {"$filter": "startswith(displayName,'page')", "$top": "2"}
    _, first = graph("GET", "/v1.0/applications", **query)
    assert len(first["value"]) == 2
    rest = first["@odata.nextLink"].removeprefix(GRAPH)
    assert [one["displayName"] for one in graph("GET", rest)[1]["value"]] == ["page 2"]
    status, answer = graph("GET", "/v1.0/applications", **{"$filter": "contains(displayName,'x')"})
    assert (status, answer["error"]["code"]) == (400, "Request_UnsupportedQuery")


def test_a_person_is_found_by_name_and_given_a_right(
    graph: Ask, rights: AuthorizationManagementClient, group: str
) -> None:
    body = {
        "accountEnabled": True,
        "displayName": "Ada Example",
        "userPrincipalName": "ada@example.org",
        "mailNickname": "ada",
        "passwordProfile": {"password": str(uuid.uuid4())},
    }
    assert graph("POST", "/v1.0/users", body)[0] == 201
    assert graph("POST", "/v1.0/users", body)[0] == 400
    _, found = graph("GET", "/v1.0/users/ADA@example.org", **{"$select": "id,displayName"})
    assert found["displayName"] == "Ada Example"
    assert "passwordProfile" not in graph("GET", f"/v1.0/users/{found['id']}")[1]
    made = rights.role_assignments.create(group, str(uuid.uuid4()), _assignment(found["id"]))
    assert made.principal_type == "User"


def test_who_may_not_write_the_directory_is_told(stand_in: StandIn, graph: Ask) -> None:
    stand_in.dial("PATCH", "/settings", {"graph": "read"})
    status, answer = graph("POST", "/v1.0/applications", {"displayName": "no"})
    stand_in.dial("PATCH", "/settings", {"graph": None})
    assert (status, answer["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_an_assignment_that_is_gone_is_gone(rights: AuthorizationManagementClient, group: str) -> None:
    name = str(uuid.uuid4())
    rights.role_assignments.create(group, name, _assignment(str(uuid.uuid4()), principalType="ServicePrincipal"))
    rights.role_assignments.delete(group, name)
    rights.role_assignments.delete(group, name)
    with pytest.raises(ResourceNotFoundError):
        rights.role_assignments.get(group, name)
