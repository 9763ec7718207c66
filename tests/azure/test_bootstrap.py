# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""playbooks/bootstrap.yml: what an owner makes is enough to deploy a hub, without a secret and by no owner."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from azure_modules import Cloud
from stand_in import StandIn

SUBJECT = "repo:example/hub:environment:prod"
VARIABLES: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "infrastructure_stack": "boot",
    "infrastructure_dns_label": "boot-hub",
    "infrastructure_bootstrap_github_repository": "example/hub",
    "infrastructure_bootstrap_github_branches": ["main"],
    "infrastructure_bootstrap_awx_issuer": "https://awx.example.org",
    "api_service": (
        "/subscriptions/{{ infrastructure_subscription_id }}/resourceGroups/api/providers/"
        "Microsoft.ApiManagement/service/boot-api"
    ),
    "hub_user_environment_sources": [{"source": "api_management", "service_id": "{{ api_service }}"}],
}


class Owner:
    """A hub's inventory and playbooks run for it."""

    def __init__(self, stand_in: StandIn, directory: Path) -> None:
        self.stand_in = stand_in
        self.directory = directory
        self.deploy_group = f"/subscriptions/{stand_in.subscription}/resourceGroups/boot-deploy-rg"

    def play(
        self, name: str, *words: str, environment: dict[str, str] | None = None, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook; said values instead of those of VARIABLES."""
        path = self.directory / "hosts.yml"
        path.write_text(yaml.safe_dump({"all": {"hosts": {"prod": {**VARIABLES, **variables}}}}), encoding="utf-8")
        secrets = ("AZURE_CLIENT_SECRET", "AZURE_SECRET") if environment else ()
        with pytest.MonkeyPatch.context() as patch:
            # A job that has a token of its own has no secret.
            for secret in secrets:
                patch.delenv(secret, raising=False)
                patch.delitem(self.stand_in.env, secret)
            return self.stand_in.playbook(f"playbooks/{name}.yml", "-i", str(path), *words, **(environment or {}))

    def identity(self) -> Any:
        """The deployment identity."""
        return self.stand_in.identities.user_assigned_identities.get("boot-deploy-rg", "boot-deploy")

    def job(self, subject: str) -> dict[str, str]:
        """The environment of a job whose token has this subject, instead of any secret."""
        key = (self.stand_in.directory / "state" / "signing-key.pem").read_text(encoding="ascii")
        issuer, audience = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"
        claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(time.time()) + 600}
        token = self.directory / "token"
        token.write_text(jwt.encode(claims, key, algorithm="RS256"), encoding="ascii")
        return {"AZURE_CLIENT_ID": self.identity().client_id, "AZURE_FEDERATED_TOKEN_FILE": str(token)}


@pytest.fixture(scope="module")
def owner(stand_in: StandIn, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Owner:
    group = f"{cloud.subscription}/resourceGroups/api"
    publisher = {"publisherEmail": "a@example.org", "publisherName": "A"}
    service = {"location": "westeurope", "sku": {"name": "Developer", "capacity": 1}, "properties": publisher}
    identity = f"{group}/providers/Microsoft.ApiManagement/service/boot-api"
    made = cloud.run(
        [
            {"name": "group", "id": group, "api_version": "2025-04-01", "body": {"location": "westeurope"}},
            {"name": "service", "id": identity, "api_version": "2024-05-01", "body": service},
        ]
    )
    assert not made.get("failed"), made
    return Owner(stand_in, tmp_path_factory.mktemp("bootstrap"))


def succeeded(done: subprocess.CompletedProcess[str], changed: int) -> str:
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert f" changed={changed} " in done.stdout, done.stdout[-6000:]
    return done.stdout


def test_made_once(owner: Owner) -> None:
    planned = succeeded(owner.play("bootstrap", "--check", "--diff"), changed=1)
    assert "AZURE_CLIENT_ID=(known after apply)" in planned
    assert not owner.stand_in.arm.resource_groups.check_existence("boot-deploy-rg")
    said = succeeded(owner.play("bootstrap"), changed=1)
    assert f"AZURE_CLIENT_ID={owner.identity().client_id}" in said
    assert f"infrastructure_vault_id: {owner.deploy_group}/providers/Microsoft.KeyVault/vaults/boot-" in said
    # As one writes into the inventory what it has said.
    vault = said.split("infrastructure_vault_id: ")[1].split()[0]
    succeeded(owner.play("bootstrap", "--diff", infrastructure_vault_id=vault), changed=0)


def test_who_may_become_it(owner: Owner) -> None:
    client = owner.stand_in.identities.federated_identity_credentials
    found = {one.name: (one.issuer, one.subject) for one in client.list("boot-deploy-rg", "boot-deploy")}
    github = "https://token.actions.githubusercontent.com"
    assert found == {
        "github-environment-prod": (github, SUBJECT),
        "github-branch-main": (github, "repo:example/hub:ref:refs/heads/main"),
        "awx": ("https://awx.example.org", "system:serviceaccount:awx:default"),
    }


def test_it_deploys_the_hub_without_a_secret(owner: Owner) -> None:
    succeeded(owner.play("infrastructure", environment=owner.job(SUBJECT)), changed=1)


def test_it_gives_the_hub_its_right_but_may_not_widen_it(owner: Owner, cloud: Cloud) -> None:
    below = f"{cloud.subscription}/resourceGroups/api/providers/Microsoft.ApiManagement/service/boot-api/providers"
    asked = {"name": "rights", "id": f"{below}/Microsoft.Authorization/roleAssignments", "api_version": "2022-04-01"}
    found = cloud.begin("azure_resources_info", resources=[asked]).result()["resources"]["rights"]
    hub = owner.stand_in.identities.user_assigned_identities.get("boot-rg", "boot-hub-identity").principal_id
    (role,) = {one["properties"]["roleDefinitionId"] for one in found if one["properties"]["principalId"] == hub}
    asked = {"name": "role", "id": role, "api_version": "2022-04-01"}
    definition = cloud.begin("azure_resources_info", resources=[asked]).result()["resources"]["role"]
    (permission,) = definition["properties"]["permissions"]
    permission["actions"] = ["*"]
    wider = {**asked, "body": {"properties": {**definition["properties"], "permissions": [permission]}}}
    without_secret = {key: value for key, value in cloud.environment.items() if not key.endswith("_SECRET")}
    job = Cloud({**without_secret, **owner.job(SUBJECT)})
    refused = job.run([wider], retry_timeout=1)
    assert "Microsoft.Authorization/roleDefinitions/write" in refused["msg"]


def test_it_is_no_owner(owner: Owner) -> None:
    job = owner.job(SUBJECT)
    other = {"infrastructure_stack": "other", "infrastructure_address": "none", "infrastructure_retry_timeout": 5}
    refused = owner.play("infrastructure", environment=job, **other)
    assert refused.returncode != 0
    assert "AuthorizationFailed" in refused.stdout and "Traceback" not in refused.stdout


def test_others_do_not_become_it(owner: Owner) -> None:
    refused = owner.play("infrastructure", environment=owner.job("repo:somebody/else:environment:prod"))
    assert refused.returncode != 0
    assert "check issuer and subject of the identity's federated credential" in " ".join(refused.stdout.split())


def test_a_mistake_is_one_sentence(owner: Owner) -> None:
    refused = owner.play("bootstrap", infrastructure_bootstrap_github_repository="https://github.com/example/hub")
    assert refused.returncode != 0
    assert "write it as owner/name, as in example/hub." in " ".join((refused.stdout + refused.stderr).split())


def test_the_roles_that_it_may_give_are_limited(owner: Owner, cloud: Cloud) -> None:
    scope = f"/subscriptions/{owner.stand_in.subscription}/resourceGroups/boot-rg"
    rights = {
        "name": "rights",
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments",
        "api_version": "2022-04-01",
    }
    found = cloud.begin("azure_resources_info", resources=[rights]).result()["resources"]["rights"]
    identity = owner.identity().principal_id
    own = [one["properties"] for one in found if one["properties"]["principalId"] == identity]
    (here,) = [one for one in own if one["scope"].lower() == scope.lower()]
    assert "ForAnyOfAnyValues:GuidEquals" in here["condition"]
