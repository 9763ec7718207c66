# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the example inventories ``staging`` and ``prod`` find in their subscription, made by others before.

A registry, a storage account, API Management and a vault. The vault holds the secrets that only people have, and a
certificate for each hub: for every name that Azure's DNS gives in the region, issued by the authority of the stand-in,
so that whoever trusts its bundle trusts the hub.
"""

from __future__ import annotations

import datetime
import secrets
from typing import TYPE_CHECKING, Any

from .arm.operations import stamp
from .store import Record
from .vault.call import Call
from .vault.certificates import import_certificate
from .vault.content import attributes_of, put_version
from .vault.model import TYPE as VAULT
from .vault.model import Vault

if TYPE_CHECKING:
    from .cloud import Cloud

LOCATION = "westeurope"
SHARED, MANUAL = "pcc-westeurope-shared-rg", "pcc-westeurope-manual-rg"
REGISTRY = "Microsoft.ContainerRegistry/registries"
STORAGE = "Microsoft.Storage/storageAccounts"
API = "Microsoft.ApiManagement/service"
#: Name of the certificate of each hub, and of the application by which its people sign in.
CERTIFICATES = ("planetarycomputer-hub-test", "planetarycomputer-hub-prod")
CLIENTS = ("planetary-computer-hub-staging", "planetary-computer-hub")
SERVICES = ("example-staging", "example-prod")
DAYS = 90


def make(cloud: Cloud, identity_token: str) -> tuple[list[str], str]:
    """Make it all.

    :param identity_token: by which the hubs ask the identity service about people
    :returns: ids of the API Management services, and the secret of all clients of CLIENTS
    """
    groups = f"/subscriptions/{cloud.subscription}/resourceGroups"
    for group in (SHARED, MANUAL):
        put(cloud, f"{groups}/{group}", "Microsoft.Resources/resourceGroups", {})
    registry = {"sku": {"name": "Standard", "tier": "Standard"}, "properties": {"loginServer": "example.azurecr.io"}}
    put(cloud, f"{groups}/{SHARED}/providers/{REGISTRY}/example", REGISTRY, registry)
    files = {"file": "https://pccexampledata.file.core.windows.net/"}
    renewed = dict.fromkeys(("key1", "key2"), stamp(cloud.now()))
    storage = {"kind": "StorageV2", "sku": {"name": "Standard_LRS", "tier": "Standard"}}
    account = f"{groups}/{SHARED}/providers/{STORAGE}/pccexampledata"
    properties = {"primaryEndpoints": files, "keyCreationTime": renewed}
    record = put(cloud, account, STORAGE, {**storage, "properties": properties})
    # Its keys, and the service of its shares.
    with_keys = cloud.kinds[STORAGE.lower()].done
    assert with_keys is not None
    with_keys(cloud, record)
    publisher = {"publisherEmail": "api@planetary.onmicrosoft.com", "publisherName": "Planetary"}
    services = [f"{groups}/{MANUAL}/providers/{API}/{name}" for name in SERVICES]
    for service in services:
        put(cloud, service, API, {"sku": {"name": "Developer", "capacity": 1}, "properties": publisher})
    client_secret = secrets.token_urlsafe(30)
    held = {"pcc--pc-id-token": identity_token, "pcc--id-client-secret": client_secret}
    make_vault(cloud, f"{groups}/{MANUAL}", "pcc-example", held, CERTIFICATES)
    return services, client_secret


def put(cloud: Cloud, path: str, kind: str, body: dict[str, Any], **private: Any) -> Record:
    """A resource without a request."""
    now = cloud.now()
    shown = {"location": LOCATION, "tags": {}, "properties": {}, **body}
    return cloud.store.put(Record(path, kind, shown, private=private, created=now, changed=now))


def make_vault(cloud: Cloud, group: str, name: str, held: dict[str, str], certificates: tuple[str, ...] = ()) -> str:
    """A vault with secrets and certificates; its id."""
    path = f"{group}/providers/{VAULT}/{name}"
    properties = {
        "tenantId": cloud.tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "publicNetworkAccess": "Enabled",
        "vaultUri": f"https://{name}.vault.azure.net/",
    }
    content: dict[str, Any] = {}
    vault = Vault(name=name, id=path, location=LOCATION, content=content, now=int(cloud.now()))
    for secret, value in held.items():
        put_version(vault, "secrets", secret, {"value": value, "attributes": attributes_of(vault, {})})
    for one in certificates:
        body = {"value": _certificate(cloud, f"*.{LOCATION}.cloudapp.azure.com")}
        import_certificate(vault, Call("POST", ("certificates", one, "import"), {}, body, lambda *_: None), one)
    put(cloud, path, VAULT, {"properties": properties}, content=content)
    return path


def _certificate(cloud: Cloud, name: str) -> str:
    """Key and certificate of a server as PEM, issued by the authority in whose name the proxy answers."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = (cloud.path / "ca" / "mitmproxy-ca.pem").read_bytes()
    authority = x509.load_pem_x509_certificate(pem)
    signer: Any = serialization.load_pem_private_key(pem, None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(authority.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    text: bytes = key.private_bytes(serialization.Encoding.PEM, *form)
    return (text + certificate.public_bytes(serialization.Encoding.PEM)).decode()
