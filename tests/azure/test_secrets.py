# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""key_vault_secrets against the stand-in's vaults, and the role with a vault and files."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from azure.keyvault.secrets import SecretClient
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from azure_modules import Cloud, listener
from certificates import Authority
from stand_in import StandIn

OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"  # Key Vault Secrets Officer
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"  # Key Vault Administrator
RIGHT = "7a1c9e0b-33f2-4d5c-9a5d-3a1f0a6f2a10"
TOKEN = {"key": "token", "name": "hub--token", "generate": 32}
PEOPLE = {"key": "pc-id-token", "name": "pcc--pc-id-token", "meaning": "token of the identity service"}


class Vault:
    """A vault, the module at it, and its owner's official client."""

    def __init__(self, stand_in: StandIn, cloud: Cloud, name: str, role: str = OFFICER) -> None:
        self.cloud, self.name = cloud, name
        group = f"{cloud.subscription}/resourceGroups/secrets"
        self.id = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
        self.uri = f"https://{name}.vault.azure.net/"
        tenant = cloud.environment["AZURE_TENANT_ID"]
        properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
        made = cloud.run(
            [
                {"name": "group", "id": group, "api_version": "2025-04-01", "body": {"location": "westeurope"}},
                {
                    "name": "vault",
                    "id": self.id,
                    "api_version": "2026-02-01",
                    "body": {"location": "westeurope", "properties": properties},
                },
            ]
        )
        assert not made.get("failed"), made
        self.assign(role)
        self.secrets = SecretClient(self.uri, stand_in.credential(), retry_total=0)
        self.certificates = CertificateClient(self.uri, stand_in.credential(), retry_total=0)

    def assign(self, role: str) -> None:
        """Give the deployer a role on the vault."""
        made = self.cloud.run(
            [
                {
                    "name": "right",
                    "id": f"{self.id}/providers/Microsoft.Authorization/roleAssignments/{RIGHT}",
                    "api_version": "2022-04-01",
                    "body": {
                        "properties": {
                            "roleDefinitionId": (
                                f"{self.cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
                            ),
                            "principalId": "${deployer.objectId}",
                            "principalType": "ServicePrincipal",
                        }
                    },
                }
            ]
        )
        assert not made.get("failed"), made

    def run(self, *wanted: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run the module; values in clear."""
        chosen = {"vault_uri": self.uri, "vault_id": self.id, "rights_timeout": 0, **arguments}
        result = self.cloud.begin("key_vault_secrets", check, secrets=list(wanted), **chosen).result()
        for values in (result.get("secrets", {}), *result.get("certificates", {}).values()):
            values.update({key: base64.b64decode(value).decode() for key, value in values.items()})
        return result


@pytest.fixture(scope="module")
def vault(stand_in: StandIn, cloud: Cloud) -> Vault:
    return Vault(stand_in, cloud, "hub-secrets-test", ADMINISTRATOR)


def test_what_is_missing_is_generated_once(vault: Vault) -> None:
    wanted = [{"key": f"k{number}", "name": f"once--k{number}", "generate": 32} for number in range(12)]
    planned = vault.run(*wanted, check=True)
    assert planned["changes"] == {f"k{number}": "generated" for number in range(12)}
    assert set(planned["secrets"].values()) == {"(known after apply)"}
    assert not [one for one in vault.secrets.list_properties_of_secrets() if one.name.startswith("once--")]
    done = vault.run(*wanted)
    assert done["changes"] == planned["changes"] and len({*done["secrets"].values()}) == 12
    assert all(len(bytes.fromhex(value)) == 32 for value in done["secrets"].values())
    assert vault.secrets.get_secret("once--k3").value == done["secrets"]["k3"]
    assert not any(value in json.dumps([done["diff"], done["said"]]) for value in done["secrets"].values())
    start = time.monotonic()
    again = vault.run(*wanted)
    assert not again["changed"] and again["secrets"] == done["secrets"]
    # Side by side: twelve requests take no longer than a few.
    print(f"12 secrets, nothing to change: {again['seconds']} s in the module, {time.monotonic() - start:.2f} s in all")
    assert again["seconds"] < 3


def test_a_changed_value_arrives_and_rotation_makes_a_new_one(vault: Vault) -> None:
    vault.run({"key": "token", "name": "changed--token", "generate": 32})
    vault.secrets.set_secret("changed--token", "by hand\n")
    wanted = {"key": "token", "name": "changed--token", "generate": 32}
    assert vault.run(wanted)["secrets"]["token"] == "by hand"
    assert vault.run(wanted, rotate=["token"], check=True)["changes"] == {"token": "rotated"}
    rotated = vault.run(wanted, rotate=["token"])
    assert vault.secrets.get_secret("changed--token").value == rotated["secrets"]["token"] != "by hand"
    refused = vault.run(wanted, rotate=["other"])
    assert refused["msg"] == "other cannot be rotated: it is not among those generated, token."


def test_all_that_people_have_to_do_is_one_error_and_nothing_is_written(vault: Vault) -> None:
    vault.secrets.set_secret("people--gone", "x")
    vault.secrets.begin_delete_secret("people--gone").result()
    vault.secrets.set_secret("people--off", "x", enabled=False)
    refused = vault.run(
        {"key": "token", "name": "people--token", "generate": 32},
        PEOPLE,
        {"key": "gone", "name": "people--gone"},
        {"key": "off", "name": "people--off", "generate": 32},
        {"key": "certificate", "name": "people-tls", "certificate": True},
    )
    first, *commands = refused["msg"].splitlines()
    assert first == (
        f"The vault {vault.name} lacks 4 secrets that the hub needs and that cannot be generated; run what follows, and"
        " then this again:"
    )
    target = f"--vault-name {vault.name} --name"
    assert commands == [
        f"  az keyvault secret set {target} 'pcc--pc-id-token' --value '<token of the identity service>'",
        f"  az keyvault secret recover {target} 'people--gone'",
        f"  az keyvault secret set-attributes {target} 'people--off' --enabled true",
        f"  az keyvault certificate import {target} 'people-tls' --file <certificate.pfx>",
    ]
    assert "people--token" not in {one.name for one in vault.secrets.list_properties_of_secrets()}


def test_a_deleted_one_that_is_generated_comes_back(vault: Vault) -> None:
    wanted = {"key": "token", "name": "deleted--token", "generate": 32}
    value = vault.run(wanted)["secrets"]["token"]
    vault.secrets.begin_delete_secret("deleted--token").result()
    assert vault.run(wanted, check=True)["changes"] == {"token": "recovered"}
    back = vault.run(wanted)
    assert back["changes"] == {"token": "recovered"} and back["secrets"]["token"] == value


def test_a_value_that_the_deployer_has_too_is_not_masked(vault: Vault, cloud: Cloud) -> None:
    secret = cloud.environment["AZURE_CLIENT_SECRET"]
    vault.secrets.set_secret("same--azure-client-secret", secret)
    wanted = {"key": "azure-client-secret", "name": "same--azure-client-secret"}
    assert vault.run(wanted)["secrets"]["azure-client-secret"] == secret


def test_a_certificate_arrives_and_so_does_its_successor(vault: Vault) -> None:
    authority = Authority.root("Root").below("Intermediate")
    wanted = {"key": "certificate", "name": "hub-tls", "certificate": True}
    seen = []
    for days in (90, 10):
        key = rsa.generate_private_key(65537, 2048)
        certificate = authority.issue(key, "hub.example.org", days)
        bundle = pkcs12.serialize_key_and_certificates(b"hub", key, certificate, authority.chain(), NoEncryption())
        vault.certificates.import_certificate("hub-tls", bundle, policy=CertificatePolicy("Unknown"))
        result = vault.run(wanted)
        assert "certificate" not in result["secrets"] and not result["changed"]
        seen.append(result["certificates"]["certificate"]["tls.crt"])
        assert result["certificates"]["certificate"]["tls.key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert seen[0] != seen[1] and seen[0].count("BEGIN CERTIFICATE") == 2
    assert "The certificate certificate ends on" in str(result["warnings"][0])


def test_a_missing_right_is_said_at_once_with_the_role(vault: Vault, cloud: Cloud) -> None:
    cloud.dial("PATCH", "/rights", {"taken": ["Microsoft.KeyVault/vaults/secrets/setSecret/action"]})
    try:
        start = time.monotonic()
        refused = vault.run({"key": "token", "name": "denied--token", "generate": 32}, rights_timeout=0)
        assert time.monotonic() - start < 10
        assert 'the role "Key Vault Secrets Officer" on' in refused["msg"] and vault.id in refused["msg"]
        cloud.dial("PATCH", "/rights", {"taken": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]})
        refused = vault.run(TOKEN)
        assert refused["msg"].startswith(f"The vault {vault.name} does not allow getSecret/action: give the principal ")
        assert 'the role "Key Vault Secrets User" on' in refused["msg"] and "\n" not in refused["msg"]
    finally:
        cloud.dial("PATCH", "/rights", {"taken": None})


def test_a_right_that_was_just_given_is_waited_for(stand_in: StandIn, cloud: Cloud, tmp_path: Path) -> None:
    cloud.dial("PATCH", "/spread", {"assignments": 4})
    cloud.dial("PATCH", "/rights", {"assignments": [{"role": "Owner", "scope": cloud.subscription}]})
    try:
        late = Vault(stand_in, cloud, "hub-secrets-late")
        with listener(tmp_path / "progress") as path:
            result = late.run(TOKEN, rights_timeout=60, progress_file=str(path))
        assert result["changes"] == {"token": "generated"} and 1 < result["seconds"] < 30
        assert "was just given: waiting until it is known" in path.read_text()
    finally:
        cloud.dial("PATCH", "/spread", {"assignments": None})
        cloud.dial("PATCH", "/rights", {"assignments": None})


def test_the_keys_of_storage_wait_aloud_and_not_for_ever(cloud: Cloud, tmp_path: Path) -> None:
    account = f"{cloud.subscription}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/shared"
    fault = {"method": "POST", "type": "Microsoft.Storage/*", "times": 0, "status": 500, "code": "Later"}
    cloud.dial("POST", "/faults", fault)
    start = time.monotonic()
    try:
        with listener(tmp_path / "progress") as path:
            given: dict[str, Any] = {"accounts": [account], "retry_timeout": 2, "progress_file": str(path)}
            result = cloud.begin("storage_account_keys_info", **given).result()
    finally:
        cloud.dial("DELETE", "/faults")
    assert result["msg"].startswith("The key of a storage account cannot be had: shared: ") and "Later" in result["msg"]
    assert "waits, Azure answered 500" in path.read_text() and time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        (
            "https://nothing-here-at-all.vault.azure.net/",
            "nothing-here-at-all.vault.azure.net",
        ),
        ("http://x.vault.azure.net/", "write the address of a vault of AzureCloud"),
        ("https://x.example.org/", "write the address of a vault of AzureCloud"),
    ],
)
def test_a_wrong_vault_is_one_sentence(vault: Vault, uri: str, sentence: str) -> None:
    refused = vault.run(TOKEN, vault_uri=uri)
    assert sentence in refused["msg"] and "\n" not in refused["msg"]


def test_the_role_with_a_vault_keeps_files_and_shows_no_value(vault: Vault, stand_in: StandIn, tmp_path: Path) -> None:
    variables = {
        "hub_azure": False,
        "hub_local_directory": str(tmp_path / "hub"),
        "secrets_vault_uri": vault.uri,
        "secrets_vault_id": vault.id,
        "secrets_prefix": "role",
        "secrets_shared_prefix": "role",
        "secrets_extra": [{"key": "weather-key", "consumer": "weather", "scope": "shared"}],
    }
    vault.secrets.set_secret("role--weather-key", "recognisable-weather")

    def play(*words: str) -> str:
        extra = json.dumps(variables)
        done = stand_in.playbook("playbooks/secrets.yml", "-i", "inventories/sandbox", "-e", extra, "-vvv", *words)
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout + done.stderr

    said = play("--diff")
    files = {path.name: path.read_text().strip() for path in (tmp_path / "hub/secrets").iterdir()}
    assert files["weather-key"] == "recognisable-weather" and len(files) == 9
    assert files["user-password"] == vault.secrets.get_secret("role--user-password").value
    vault.secrets.set_secret("role--weather-key", "recognisable-rain")
    said += play("--diff")
    assert (tmp_path / "hub/secrets/weather-key").read_text() == "recognisable-rain\n"
    for value in [*files.values(), "recognisable-rain"]:
        assert value not in said and base64.b64encode(value.encode()).decode() not in said
