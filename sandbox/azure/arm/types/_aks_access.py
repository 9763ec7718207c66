# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The kubeconfigs that AKS hands out.

Sources: https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials,
https://learn.microsoft.com/azure/aks/kubelogin-authentication
"""

from __future__ import annotations

import base64
import datetime
import io
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ruamel.yaml import YAML

from ...kubernetes_api import SERVER_APPLICATION, local_token
from ...store import Record
from ...web import Answer
from ..kinds import Call, look
from ._aks_versions import AksRefusal

if TYPE_CHECKING:
    from ...cloud import Cloud

#: AKS's client application in Entra ID.
CLIENT_APPLICATION = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"
FORMATS = ("azure", "exec")


def authority(cloud: Cloud) -> bytes:
    """The certificate that signs the API servers' ones."""
    path = cloud.path / "ca" / "mitmproxy-ca-cert.pem"
    return path.read_bytes() if path.is_file() else b""


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _certificate(user: str) -> tuple[bytes, bytes]:
    """A client certificate and its key, such as a local account has."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, user),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=10))
        .not_valid_after(now + datetime.timedelta(days=730))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), pem


def _gate(cloud: Cloud, cluster: Record) -> dict[str, Any]:
    """The address of a cluster that is only its gate."""
    server = f"https://{cluster.properties['fqdn']}:443"
    return {"certificate-authority-data": _text(authority(cloud)), "server": server}


def _local(cloud: Cloud, cluster: Record, account: str) -> dict[str, Any]:
    if cloud.real_cluster:
        return cloud.real_cluster.user
    kept = cluster.private.get(f"certificate {account}")
    if kept is None:
        certificate, key = _certificate("masterclient")
        kept = [_text(certificate), _text(key)]
        cluster.private[f"certificate {account}"] = kept
    token = local_token(cloud, cluster.id, account)
    return {"client-certificate-data": kept[0], "client-key-data": kept[1], "token": token}


def _entra(cloud: Cloud, cluster: Record, way: str) -> dict[str, Any]:
    tenant = look(cluster.body, "properties.aadProfile.tenantID", cloud.tenant)
    if way == "azure":
        config = {
            "apiserver-id": SERVER_APPLICATION,
            "client-id": CLIENT_APPLICATION,
            "config-mode": "1",
            "environment": "AzurePublicCloud",
            "tenant-id": tenant,
        }
        return {"auth-provider": {"name": "azure", "config": config}}
    words = [
        "get-token",
        "--environment",
        "AzurePublicCloud",
        "--server-id",
        SERVER_APPLICATION,
        "--client-id",
        CLIENT_APPLICATION,
    ]
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "args": [*words, "--tenant-id", tenant, "--login", "devicecode"],
            "command": "kubelogin",
            "env": None,
            "installHint": (
                "\nkubelogin is not installed which is required to connect to AAD enabled cluster.\n\nTo learn more,"
                " please go to https://aka.ms/aks/kubelogin\n"
            ),
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": False,
        }
    }


def _kubeconfig(call: Call, cluster: Record, account: str) -> dict[str, Any]:
    cloud, name, real = call.cloud, cluster.name, call.cloud.real_cluster
    group = cluster.id.split("/")[4]
    user = f"{account}_{group}_{name}"
    entra = isinstance(cluster.properties.get("aadProfile"), dict) and account != "clusterAdmin"
    way = call.query.get("format", "exec").lower()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [
            {
                "name": name,
                "cluster": real.cluster if real else _gate(cloud, cluster),
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
        "users": [{"name": user, "user": _entra(cloud, cluster, way) if entra else _local(cloud, cluster, account)}],
    }


def _answer(call: Call, account: str) -> Answer:
    cluster = call.live
    assert cluster is not None
    if call.query.get("format", "exec").lower() not in FORMATS:
        raise AksRefusal(
            400, "BadRequest", f"The format {call.query['format']} of the kubeconfig is not supported.", "format"
        )
    if cluster.state == "Creating":
        message = f"Managed cluster {cluster.name} is being created: its credentials are not available yet."
        raise AksRefusal(409, "OperationNotAllowed", message)
    local = account != "clusterUser" or not isinstance(cluster.properties.get("aadProfile"), dict)
    if local and cluster.properties.get("disableLocalAccounts"):
        message = "Getting static credential is not allowed because this cluster is set to disable local accounts."
        raise AksRefusal(400, "BadRequest", message)
    stream, writer = io.BytesIO(), YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = False, 10**6
    writer.dump(_kubeconfig(call, cluster, account), stream)
    return Answer(200, {"kubeconfigs": [{"name": account, "value": _text(stream.getvalue())}]})


def user(call: Call) -> Answer:
    """``listClusterUserCredential``: with Entra ID without any secret."""
    return _answer(call, "clusterUser")


def admin(call: Call) -> Answer:
    """``listClusterAdminCredential``."""
    return _answer(call, "clusterAdmin")


def monitoring(call: Call) -> Answer:
    """``listClusterMonitoringUserCredential``."""
    return _answer(call, "clusterMonitoringUser")
