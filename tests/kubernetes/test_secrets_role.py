# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The role secrets with a vault and a real API server: the certificate for HTTPS and the keys of data volumes."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from certificates import Authority
from kubernetes_api_server import ApiServer
from real_aks import Aks, real_aks

ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"  # Key Vault Administrator
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - ansible.builtin.include_role:
        name: planetary.hub.secrets
    - ansible.builtin.debug:
        msg: "tls: {{ secrets_outputs['digests']['tls'] }}"
"""


class Hub:
    """A vault, a storage account and a namespace; and runs of the role."""

    def __init__(self, aks: Aks, directory: Path) -> None:
        self.aks = aks
        self.play = directory / "play.yml"
        self.play.write_text(PLAY, encoding="utf-8")
        providers = f"{aks.id.split('/providers/')[0]}/providers"
        self.vault = f"{providers}/Microsoft.KeyVault/vaults/hub-tls-test"
        self.account = f"{providers}/Microsoft.Storage/storageAccounts/hubdata"
        tenant = {"tenantId": aks.stand_in.env["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}}
        right = {"roleDefinitionId": ADMINISTRATOR, "principalId": "${deployer.objectId}"}
        rows: list[tuple[str, str, dict[str, Any]]] = [
            (self.vault, "2026-05-15", {"properties": {**tenant, "enableRbacAuthorization": True}}),
            (self.account, "2026-09-01", {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
        ]
        wanted: list[dict[str, Any]] = [
            {"name": f"r{number}", "id": row[0], "api_version": row[1], "body": {"location": "westeurope", **row[2]}}
            for number, row in enumerate(rows)
        ]
        assignment = f"{self.vault}/providers/Microsoft.Authorization/roleAssignments"
        wanted.append({"name": "right", "id": assignment, "api_version": "2022-04-01", "body": {"properties": right}})
        made = aks.cloud.run(wanted)
        assert not made.get("failed"), made
        self.authority = Authority.root("Root")
        self.certificates = CertificateClient("https://hub-tls-test.vault.azure.net", aks.stand_in.credential())

    def renew(self) -> None:
        """Put a new certificate into the vault."""
        key = rsa.generate_private_key(65537, 2048)
        certificate = self.authority.issue(key, "hub.example.org", 90)
        bundle = pkcs12.serialize_key_and_certificates(b"hub", key, certificate, self.authority.chain(), NoEncryption())
        self.certificates.import_certificate("hub-example-org", bundle, policy=CertificatePolicy("Unknown"))

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        variables = {
            "hub_platform": "kubernetes",
            "hub_namespace": "secrets",
            "secrets_prefix": "hub",
            "secrets_kubeconfig": str(self.aks.owner),
            "secrets_vault_uri": "https://hub-tls-test.vault.azure.net/",
            "secrets_vault_id": self.vault,
            "secrets_certificate_name": "hub-example-org",
            "secrets_data_volumes": [{"name": "driven-data", "storage_account_id": self.account}],
            **more,
        }
        return self.aks.stand_in.playbook(str(self.play), "-i", "localhost,", "-e", json.dumps(variables), *words)

    def digest(self, *words: str, **more: Any) -> str:
        """Run the role; the digest of the certificate, which restarts the proxy."""
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stdout[-4000:]
        found = re.search(r"tls: (\w+)", done.stdout)
        assert found, done.stdout[-2000:]
        return found[1]

    def secret(self, name: str) -> dict[str, str]:
        """The values of a Secret."""
        (found,) = [
            one for one in self.aks.objects("secrets", "--namespace=secrets") if one["metadata"]["name"] == name
        ]
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


@pytest.fixture(scope="module")
def hub(api_server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with (
        real_aks(api_server.kubeconfig(), tmp_path_factory.mktemp("azure")) as aks,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in aks.stand_in.env.items():
            patch.setenv(name, value)
        yield Hub(aks, tmp_path_factory.mktemp("role"))


def test_a_certificate_that_was_renewed_in_the_vault_is_renewed_here(hub: Hub) -> None:
    hub.renew()
    first = hub.digest()
    before = hub.secret("hub-tls")
    assert before["tls.crt"].startswith("-----BEGIN CERTIFICATE") and "PRIVATE KEY" in before["tls.key"]
    assert hub.digest() == first
    hub.renew()
    done = hub.run("--check", "--diff")
    assert "Secret secrets/hub-tls (kubernetes.io/tls): change" in done.stdout and "PRIVATE KEY" not in done.stdout
    assert hub.secret("hub-tls") == before
    assert hub.digest() != first
    after = hub.secret("hub-tls")
    assert after["tls.crt"] != before["tls.crt"] and after["tls.key"] != before["tls.key"]


def test_the_key_of_a_data_volume_follows_the_switch_to_the_other_key(hub: Hub) -> None:
    asked = hub.aks.cloud.begin("storage_account_keys_info", accounts=[hub.account], key_name="key2").result()
    second = base64.b64decode(asked["account_keys"][hub.account]).decode()
    hub.digest()
    before = hub.secret("driven-data-file-share")
    assert before["azurestorageaccountname"] == "hubdata" and before["azurestorageaccountkey"] != second
    hub.digest(secrets_storage_key="key2")
    assert hub.secret("driven-data-file-share") == {**before, "azurestorageaccountkey": second}
