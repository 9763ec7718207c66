# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""entra_application: registrations made, adopted, renewed and removed through Graph, secrets kept in a vault."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from azure_modules import Cloud
from stand_in import StandIn

OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"  # Key Vault Secrets Officer
CALLBACK = "https://hub.example.org/hub/oauth_callback"
OTHER = "https://other.example.org/callback"
NAME = "id-client-secret"
SCOPE = "https://graph.microsoft.com/.default"
SUBJECT = {"issuer": "https://oidc.example.org/1/", "subject": "system:serviceaccount:dhub:hub"}


class Graph:
    """The stand-in's directory as an administrator sees it."""

    def __init__(self, stand_in: StandIn) -> None:
        self._session = requests.Session()
        token = stand_in.credential().get_token(SCOPE).token
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"https://graph.microsoft.com/v1.0{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def application(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", f"/applications(uniqueName='{name}')")
        return found


@pytest.fixture(scope="module")
def vault(cloud: Cloud) -> str:
    """A vault whose secrets the deployer may write."""
    properties = {"tenantId": cloud.environment["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}}
    group = {"name": "group", "id": f"{cloud.subscription}/resourceGroups/entra", "api_version": "2025-04-01"}
    result = cloud.run(
        [
            {**group, "body": {"location": "westeurope"}},
            {
                "name": "vault",
                "id": "${group.id}/providers/Microsoft.KeyVault/vaults/entra-vault",
                "api_version": "2026-02-01",
                "body": {"location": "westeurope", "properties": {**properties, "enableRbacAuthorization": True}},
            },
            {
                "name": "right",
                "id": "${vault.id}/providers/Microsoft.Authorization/roleAssignments",
                "api_version": "2022-04-01",
                "body": {"properties": {"roleDefinitionId": OFFICER, "principalId": "${deployer.objectId}"}},
            },
        ]
    )
    assert not result.get("failed"), result
    return "https://entra-vault.vault.azure.net/"


@pytest.fixture(scope="module")
def graph(stand_in: StandIn) -> Graph:
    return Graph(stand_in)


@pytest.fixture
def kept(stand_in: StandIn, vault: str) -> Any:
    """The secret that the vault keeps now; None for none."""
    client = SecretClient(vault, stand_in.credential())

    def read(name: str = NAME) -> Any:
        try:
            return client.get_secret(name)
        except ResourceNotFoundError:
            return None

    return read


@pytest.fixture
def register(cloud: Cloud, vault: str, kept: Any) -> Any:
    """Run the module."""

    def run(check: bool = False, **arguments: Any) -> dict[str, Any]:
        place = {} if {"secret_file", "credential"} & set(arguments) else {"vault_uri": vault, "secret_name": NAME}
        running = cloud.begin("entra_application", check, **{**place, **arguments})
        result = running.result()
        secret = kept()
        assert secret is None or secret.value not in running.output
        return result

    return run


def signs_in(stand_in: StandIn, client: str, secret: str) -> bool:
    """Whether Entra ID takes a secret for an application."""
    try:
        ClientSecretCredential(stand_in.env["AZURE_TENANT_ID"], client, secret).get_token(SCOPE)
    except ClientAuthenticationError:
        return False
    return True


def test_made_found_again_changed_and_removed(stand_in: StandIn, graph: Graph, register: Any, kept: Any) -> None:
    wanted = {"unique_name": "hub-matrix", "display_name": "The hub", "redirect_uris": [CALLBACK]}
    foreseen = register(check=True, **wanted)
    assert foreseen["changed"] and foreseen["application"]["client_id"] == "(known after apply)"
    assert foreseen["diff"]["before"] == {} and foreseen["diff"]["after"]["redirect_uris"] == [CALLBACK]
    assert kept() is None

    made = register(**wanted)
    assert made["changed"] and made["secret"] == "made: there is none yet"
    live, secret = graph.application("hub-matrix"), kept()
    assert live["signInAudience"] == "AzureADMyOrg"
    assert made["application"] == {
        "client_id": live["appId"],
        "object_id": live["id"],
        "tenant_id": stand_in.env["AZURE_TENANT_ID"],
        "redirect_uris": [CALLBACK],
    }
    assert signs_in(stand_in, live["appId"], secret.value)
    end = secret.properties.expires_on
    assert timedelta(days=179) < end - datetime.now(UTC) < timedelta(days=181)
    assert secret.properties.tags == {"entra-key-id": live["passwordCredentials"][0]["keyId"]}

    for check in (True, False):
        again = register(check=check, **wanted)
        assert not again["changed"] and again["application"] == made["application"]

    graph("PATCH", f"/applications/{live['id']}", {"web": {"redirectUris": [CALLBACK, OTHER]}})
    more = {**wanted, "redirect_uris": [f"{CALLBACK}2"], "group_claims": "SecurityGroup"}
    assert register(check=True, **more)["changed"]
    assert graph.application("hub-matrix")["web"]["redirectUris"] == [CALLBACK, OTHER]
    assert register(**more)["application"]["redirect_uris"] == [CALLBACK, OTHER, f"{CALLBACK}2"]
    assert graph.application("hub-matrix")["groupMembershipClaims"] == "SecurityGroup"
    assert not register(**more)["changed"]
    assert kept().value == secret.value

    gone = {"unique_name": "hub-matrix", "state": "absent", "credential": "none"}
    assert register(check=True, **gone)["changed"] and graph.application("hub-matrix")
    assert register(**gone)["changed"]
    assert not register(**gone)["changed"] and not register(check=True, **gone)["changed"]


def test_a_secret_is_renewed_before_its_end_and_the_old_one_stays_for_a_while(
    stand_in: StandIn, graph: Graph, register: Any, kept: Any
) -> None:
    wanted = {"unique_name": "hub-renewed", "label": "planetary.hub renewed"}
    client = register(secret_days=20, renew_days=10, **wanted)["application"]["client_id"]
    first = kept().value
    live = graph.application("hub-renewed")
    # Somebody else's, which nobody may touch
    other = {"passwordCredential": {"displayName": "somebody else"}}
    graph("POST", f"/applications/{live['id']}/addPassword", other)

    foreseen = register(check=True, **wanted)
    assert foreseen["changed"] and foreseen["secret"] == "would be made: it expires in 20 days"
    assert kept().value == first
    renewed = register(**wanted)
    assert renewed["changed"] and renewed["secret"] == "made: it expires in 20 days"
    second = kept().value
    assert second != first
    assert signs_in(stand_in, client, second) and signs_in(stand_in, client, first)
    assert not register(**wanted)["changed"]

    over = register(overlap_hours=0, **wanted)
    assert over["changed"] and over["secret"] == "1 replaced removed"
    assert signs_in(stand_in, client, second) and not signs_in(stand_in, client, first)
    names = [one["displayName"] for one in graph.application("hub-renewed")["passwordCredentials"]]
    assert sorted(names) == ["planetary.hub renewed", "somebody else"]
    assert not register(overlap_hours=0, **wanted)["changed"]


def test_adopted_by_client_id_never_by_display_name(graph: Graph, register: Any, tmp_path: Path) -> None:
    theirs = graph("POST", "/applications", {"displayName": "Their hub", "web": {"redirectUris": [OTHER]}})
    file = tmp_path / "secrets" / NAME
    adopted = register(application_id=theirs["appId"], redirect_uris=[CALLBACK], secret_file=str(file))
    assert adopted["changed"] and adopted["application"]["redirect_uris"] == [OTHER, CALLBACK]
    assert adopted["application"]["object_id"] == theirs["id"]
    assert graph("GET", f"/applications/{theirs['id']}")["displayName"] == "Their hub"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert file.read_text().strip() not in json.dumps(adopted)
    assert not register(application_id=theirs["appId"], redirect_uris=[CALLBACK], secret_file=str(file))["changed"]
    # A secret that does not belong to it is replaced, wherever it came from.
    file.write_text("wrong\n")
    anew = register(application_id=theirs["appId"], secret_file=str(file))
    assert anew["secret"] == "made: the one kept does not belong to the application"

    made = register(unique_name="hub-same-name", display_name="Their hub", credential="none")
    assert made["application"]["object_id"] != theirs["id"]


def test_without_a_secret_by_a_federated_credential(graph: Graph, register: Any, tmp_path: Path) -> None:
    wanted = {"unique_name": "hub-federated"}
    register(secret_file=str(tmp_path / "secret"), **wanted)
    federated = {**wanted, "credential": "federated", "federated_credentials": [{"name": "hub", **SUBJECT}]}
    assert register(check=True, **federated)["changed"]
    assert register(**federated)["changed"]
    # The hub needed its secret until now; whatever comes after it goes.
    assert register(**federated)["secret"] == "1 replaced removed"
    assert not register(**federated)["changed"]
    live = graph.application("hub-federated")
    assert live["passwordCredentials"] == []
    moved = {**SUBJECT, "subject": "system:serviceaccount:moved:hub"}
    assert register(**{**federated, "federated_credentials": [{"name": "hub", **moved}]})["changed"]
    (held,) = graph("GET", f"/applications/{live['id']}/federatedIdentityCredentials")["value"]
    assert (held["subject"], held["audiences"]) == (moved["subject"], ["api://AzureADTokenExchange"])


@pytest.fixture
def dials(cloud: Cloud) -> Any:
    yield cloud.dial
    cloud.dial("DELETE", "/faults")
    cloud.dial("PATCH", "/settings", {"graph": None})


def test_a_secret_that_cannot_be_kept_is_taken_back(graph: Graph, register: Any, dials: Any, kept: Any) -> None:
    before = kept()
    dials("POST", "/faults", {"method": "PUT", "id": "*/secrets/*", "status": 403, "code": "Forbidden", "times": 0})
    failed = register(unique_name="hub-unkept", label="planetary.hub unkept")
    assert failed["msg"].startswith(f"The secret {NAME} cannot be written: the vault entra-vault refuses"), failed
    assert graph.application("hub-unkept")["passwordCredentials"] == []
    assert kept() == before or kept().value == before.value


def test_the_directory_may_not_know_yet_what_was_just_made(graph: Graph, register: Any, dials: Any) -> None:
    for method, path in (("POST", "/v1.0/servicePrincipals"), ("POST", "*/addPassword")):
        late = {"method": method, "id": path, "status": 404, "code": "Request_ResourceNotFound", "message": "Unknown."}
        dials("POST", "/faults", late)
    made = register(unique_name="hub-late", label="planetary.hub late")
    assert made.get("changed"), made
    assert graph("GET", f"/servicePrincipals(appId='{made['application']['client_id']}')")


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"),
    [
        ("read", {"unique_name": "hub-refused"}, "permission Application.ReadWrite.OwnedBy with admin consent"),
        (
            "none",
            {"unique_name": "hub-refused"},
            "Microsoft Graph does not allow it for hub-refused: give whoever runs",
        ),
        (
            None,
            {"application_id": "11111111-2222-3333-4444-555555555555"},
            "There is no app registration with client id",
        ),
        (None, {"unique_name": "x", "renew_days": 180}, "renew_days is 180 and secret_days 180"),
        (None, {"unique_name": "x", "credential": "secret", "state": "present"}, "nothing says where it is kept"),
        (None, {"unique_name": "x", "redirect_uris": ["http://hub.example.org/"]}, "must start with 'https'"),
    ],
)
def test_one_sentence(settings: Any, arguments: Any, sentence: str, register: Any, dials: Any) -> None:
    dials("PATCH", "/settings", {"graph": settings})
    failed = register(**arguments)
    assert failed["failed"] and sentence in failed["msg"]
    assert failed["msg"].endswith(".") and "\n" not in failed["msg"]
