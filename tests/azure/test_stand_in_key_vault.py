# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Key Vault in the stand-in for Azure, seen by the official clients: vaults, deleted vaults, secrets, certificates."""

from __future__ import annotations

import base64
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from stand_in import StandIn

GROUP, NAME = "vaults", "hub-vault-one"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
READS_SECRETS = "4633458b-17de-408a-b874-0445c86b69e6"
FAST = {"polling_interval": 0.05}


def _body(stand_in: StandIn, **more: Any) -> dict[str, Any]:
    properties = {"tenantId": stand_in.env["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}, **more}
    return {"location": "West Europe", "properties": properties}


def _code(error: HttpResponseError) -> str:
    assert error.error is not None
    return str(error.error.code)


@pytest.fixture(scope="module")
def vaults(stand_in: StandIn) -> KeyVaultManagementClient:
    """The official client of vaults, and a vault."""
    stand_in.arm.resource_groups.create_or_update(GROUP, {"location": "westeurope"})
    client = KeyVaultManagementClient(stand_in.credential(), stand_in.subscription)
    client.vaults.begin_create_or_update(GROUP, NAME, _body(stand_in), **FAST).result()
    return client


def _allow(stand_in: StandIn, vault: str, role: str) -> str:
    """Give the deployer a role over a vault; the id of the assignment."""
    client = AuthorizationManagementClient(stand_in.credential(), stand_in.subscription)
    scope = f"/subscriptions/{stand_in.subscription}"
    owner = next(one for one in client.role_assignments.list_for_scope(scope, filter="atScope()"))
    target = f"{scope}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{vault}"
    definition = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    body = {"properties": {"principalId": owner.principal_id, "roleDefinitionId": definition}}
    return str(client.role_assignments.create(target, str(uuid.uuid4()), body).id)


@pytest.fixture(scope="module")
def secrets(stand_in: StandIn, vaults: KeyVaultManagementClient) -> Iterator[SecretClient]:
    """The official client of the vault's secrets, with every right."""
    _allow(stand_in, vaults.vaults.get(GROUP, NAME).name, ADMINISTRATOR)
    with SecretClient(f"https://{NAME}.vault.azure.net", stand_in.credential()) as client:
        yield client


# ----------------------------------------------------------------------------------------------------- the vault itself
def test_a_vault_comes_back_with_what_azure_fills_in(vaults: KeyVaultManagementClient) -> None:
    vault = vaults.vaults.get(GROUP, NAME)
    properties = vault.properties
    assert vault.location == "westeurope"
    assert properties.vault_uri == f"https://{NAME}.vault.azure.net/"
    assert (properties.enable_soft_delete, properties.soft_delete_retention_in_days) == (True, 90)
    assert properties.enable_rbac_authorization is True
    assert "enablePurgeProtection" not in properties


def test_before_2026_access_policies_were_the_default(stand_in: StandIn, vaults: KeyVaultManagementClient) -> None:
    old = KeyVaultManagementClient(stand_in.credential(), stand_in.subscription, api_version="2024-11-01")
    with pytest.raises(HttpResponseError, match="accessPolicies is not specified"):
        old.vaults.begin_create_or_update(GROUP, "hub-vault-old", _body(stand_in))
    body = _body(stand_in, accessPolicies=[])
    made = old.vaults.begin_create_or_update(GROUP, "hub-vault-old", body, **FAST).result()
    assert made.properties.enable_rbac_authorization is False
    vaults.vaults.delete(GROUP, "hub-vault-old")


@pytest.mark.parametrize("name", ["ab", "1vault", "a--b", "ends-", "x" * 25])
def test_names_that_no_vault_may_have(stand_in: StandIn, vaults: KeyVaultManagementClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in))
    assert _code(refused.value) == "VaultNameNotValid"
    asked = vaults.vaults.check_name_availability({"name": name, "type": "Microsoft.KeyVault/vaults"})
    assert asked.name_available is False


def test_a_name_that_somebody_else_has(stand_in: StandIn, vaults: KeyVaultManagementClient) -> None:
    stand_in.dial("PATCH", "/settings", {"taken_names": {"vaults": ["theirs"]}})
    with pytest.raises(ResourceExistsError) as refused:
        vaults.vaults.begin_create_or_update(GROUP, "theirs", _body(stand_in))
    assert _code(refused.value) == "VaultAlreadyExists"
    stand_in.dial("PATCH", "/settings", {"taken_names": None})


def test_protections_cannot_be_taken_back(stand_in: StandIn, vaults: KeyVaultManagementClient) -> None:
    name = "hub-vault-kept"
    body = _body(stand_in, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    vaults.vaults.begin_create_or_update(GROUP, name, body, **FAST).result()
    again = vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in), **FAST).result()
    assert again.properties.enable_purge_protection is True
    for change in ({"enablePurgeProtection": False}, {"enableSoftDelete": False}, {"softDeleteRetentionInDays": 30}):
        with pytest.raises(HttpResponseError) as refused:
            vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in, **change))
        assert refused.value.status_code == 400
    vaults.vaults.delete(GROUP, name)
    with pytest.raises(HttpResponseError, match="purge protection is enabled"):
        vaults.vaults.begin_purge_deleted(name, "westeurope")


def test_a_deleted_vault_keeps_its_name_and_its_secrets(stand_in: StandIn, vaults: KeyVaultManagementClient) -> None:
    name = "hub-vault-gone"
    vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in), **FAST).result()
    _allow(stand_in, name, ADMINISTRATOR)
    client = SecretClient(f"https://{name}.vault.azure.net", stand_in.credential())
    client.set_secret("kept", "value")
    vaults.vaults.delete(GROUP, name)
    assert name in [one.name for one in vaults.vaults.list_deleted()]
    assert vaults.vaults.get_deleted(name, "westeurope").properties.location == "westeurope"
    with pytest.raises(ResourceExistsError) as refused:
        vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in))
    assert _code(refused.value) == "ConflictError"
    vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in, createMode="recover"), **FAST).result()
    # Rights over a vault do not come back with it.
    with pytest.raises(HttpResponseError, match="not authorized"):
        client.get_secret("kept")
    _allow(stand_in, name, ADMINISTRATOR)
    assert client.get_secret("kept").value == "value"
    vaults.vaults.delete(GROUP, name)
    vaults.vaults.begin_purge_deleted(name, "westeurope", **FAST).result()
    with pytest.raises(ResourceNotFoundError):
        vaults.vaults.get_deleted(name, "westeurope")


# ------------------------------------------------------------------------------------------------------------- its data
def test_the_vault_challenges_who_brings_no_token(stand_in: StandIn, secrets: SecretClient) -> None:
    proxy, context = ProxyHandler({"https": stand_in.env["HTTPS_PROXY"]}), ssl.create_default_context()
    context.load_verify_locations(stand_in.env["SSL_CERT_FILE"])
    with pytest.raises(HTTPError) as refused:
        build_opener(proxy, HTTPSHandler(context=context)).open(f"{secrets.vault_url}/secrets?api-version=7.6")
    assert refused.value.code == 401
    tenant = stand_in.env["AZURE_TENANT_ID"]
    assert refused.value.headers["WWW-Authenticate"] == (
        f'Bearer authorization="https://login.microsoftonline.com/{tenant}", resource="https://vault.azure.net"'
    )


def test_owner_of_a_vault_may_not_read_it(stand_in: StandIn, vaults: KeyVaultManagementClient) -> None:
    name = "hub-vault-closed"
    vaults.vaults.begin_create_or_update(GROUP, name, _body(stand_in), **FAST).result()
    client = SecretClient(f"https://{name}.vault.azure.net", stand_in.credential())
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("x")
    assert refused.value.status_code == 403
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'" in refused.value.message
    _allow(stand_in, name, READS_SECRETS)
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("x")
    with pytest.raises(HttpResponseError) as refused:
        client.set_secret("x", "y")
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'" in refused.value.message
    vaults.vaults.delete(GROUP, name)


def test_a_secret_has_versions(secrets: SecretClient) -> None:
    first = secrets.set_secret("pcc--id-client-secret", "one")
    secrets.set_secret("pcc--id-client-secret", "two", content_type="text/plain", tags={"who": "hub"})
    assert secrets.get_secret("pcc--id-client-secret").value == "two"
    assert secrets.get_secret("pcc--id-client-secret", first.properties.version).value == "one"
    assert len(list(secrets.list_properties_of_secret_versions("pcc--id-client-secret"))) == 2
    with pytest.raises(HttpResponseError) as refused:
        secrets.set_secret("under_score", "x")
    assert refused.value.status_code == 400


def test_lists_come_in_pages_and_without_values(stand_in: StandIn, secrets: SecretClient) -> None:
    names = {f"listed-{number}" for number in range(7)}
    for name in names:
        secrets.set_secret(name, "x")
    stand_in.dial("PATCH", "/settings", {"vault_page": 3})
    pages = [list(page) for page in secrets.list_properties_of_secrets().by_page()]
    stand_in.dial("PATCH", "/settings", {"vault_page": None})
    assert names <= {one.name for page in pages for one in page}
    assert {len(page) for page in pages[:-1]} == {3}


def test_a_disabled_secret_is_not_read(secrets: SecretClient) -> None:
    secrets.set_secret("off", "x", enabled=False)
    with pytest.raises(HttpResponseError, match="disabled secret") as refused:
        secrets.get_secret("off")
    assert refused.value.status_code == 403
    secrets.update_secret_properties("off", enabled=True)
    assert secrets.get_secret("off").value == "x"


def test_an_expired_secret_is_still_read(secrets: SecretClient) -> None:
    secrets.set_secret("old", "x", expires_on=datetime(2020, 1, 1, tzinfo=UTC))
    assert secrets.get_secret("old").properties.expires_on == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_deleted_secret_is_recovered_or_purged(secrets: SecretClient) -> None:
    secrets.set_secret("dropped", "x")
    secrets.begin_delete_secret("dropped").result()
    with pytest.raises(ResourceNotFoundError):
        secrets.get_secret("dropped")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable state"):
        secrets.set_secret("dropped", "y")
    assert [one.name for one in secrets.list_deleted_secrets()] == ["dropped"]
    secrets.begin_recover_deleted_secret("dropped").result()
    assert secrets.get_secret("dropped").value == "x"
    secrets.begin_delete_secret("dropped").result()
    secrets.purge_deleted_secret("dropped")
    assert secrets.set_secret("dropped", "y").value == "y"


def test_a_throttled_vault_is_waited_out_by_its_client(stand_in: StandIn, secrets: SecretClient) -> None:
    secrets.set_secret("busy", "x")
    fault = {
        "type": "Microsoft.KeyVault/vaults/secrets",
        "method": "GET",
        "status": 429,
        "code": "Throttled",
        "retry_after": 0,
    }
    stand_in.dial("POST", "/faults", fault)
    assert secrets.get_secret("busy").value == "x"
    stand_in.dial("DELETE", "/faults")


def _pfx(password: bytes) -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub.example.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hub.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(b"hub", key, certificate, None, BestAvailableEncryption(password))


def test_an_imported_certificate_is_read_back_as_a_secret(stand_in: StandIn, secrets: SecretClient) -> None:
    certificates = pytest.importorskip(
        "azure.keyvault.certificates", reason="azure-keyvault-certificates is not installed"
    )
    client = certificates.CertificateClient(secrets.vault_url, stand_in.credential())
    with pytest.raises(HttpResponseError, match="PKCS#12"):
        client.import_certificate("planetarycomputer-hub-test", _pfx(b"right"), password="wrong")
    client.import_certificate("planetarycomputer-hub-test", _pfx(b"right"), password="right")
    found = client.get_certificate("planetarycomputer-hub-test")
    assert (found.policy.subject, found.policy.san_dns_names) == ("CN=hub.example.org", ["hub.example.org"])
    secret = secrets.get_secret("planetarycomputer-hub-test")
    assert (secret.properties.content_type, secret.properties.managed) == ("application/x-pkcs12", True)
    key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.value or ""), None)
    assert key is not None and certificate is not None
    assert certificate.public_bytes(Encoding.DER) == bytes(found.cer)
    assert [one.name for one in client.list_properties_of_certificates()] == ["planetarycomputer-hub-test"]
