# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub that gets its certificate by itself, from an ACME server in the cluster: Let's Encrypt's own for tests.

HUB_CHARTS names a folder with the packaged charts where the public ones cannot be had, E2E_PEBBLE an image of Pebble.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import Authority
from cluster_hub import ClusterHub, until
from detour import Detour
from front_door import certificate

IMAGE = os.environ.get("E2E_PEBBLE", "ghcr.io/letsencrypt/pebble:2.10.1")
PORT, ASIDE = 14000, 15000
WRONG = "hub.example.org"
SETTINGS = {
    "pebble": {
        "listenAddress": f"0.0.0.0:{PORT}",
        "managementListenAddress": f"0.0.0.0:{ASIDE}",
        "certificate": "/etc/pebble/tls.crt",
        "privateKey": "/etc/pebble/tls.key",
        "httpPort": 80,
        "tlsPort": 443,
    }
}
AUTHORITY = "/etc/acme-authority/ca.pem"


class Hub(ClusterHub):
    """A hub with an address of its own, and an ACME server beside it.

    :ivar bundle: the authorities of people outside
    """

    def __init__(self, owner: Path, directory: Path, detour: Detour) -> None:
        super().__init__(owner, directory)
        self.detour = detour
        self.bundle = directory / "authorities.pem"
        # A name that leads to the hub in the cluster's DNS: there the server looks whether it is the hub's.
        self.host = f"proxy-public.{self.namespace}.svc.cluster.local"
        server = json.loads(self.kubectl("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]
        past = ("127.0.0.1", urlsplit(server["cluster"]["server"]).hostname or "")
        self.variables |= {
            "hub_url": f"https://{self.host}/",
            "hub_task_environment": {
                "HTTPS_PROXY": detour.url,
                "NO_PROXY": ",".join(past),
                "REQUESTS_CA_BUNDLE": str(self.bundle),
            },
            "daskhub_https": "letsencrypt",
            "daskhub_https_contact_email": "ada@planetary.onmicrosoft.com",
            "daskhub_https_acme_server": f"https://acme.{self.namespace}.svc.cluster.local:{PORT}/dir",
        }
        self.variables["daskhub_values"]["jupyterhub"]["proxy"] = {
            "traefik": {
                "extraEnv": {"LEGO_CA_CERTIFICATES": AUTHORITY},
                "extraVolumes": [{"name": "acme-authority", "configMap": {"name": "acme-authority"}}],
                "extraVolumeMounts": [{"name": "acme-authority", "mountPath": str(Path(AUTHORITY).parent)}],
            }
        }

    def start_acme(self) -> None:
        """Start the ACME server, and wait until it is ready."""
        authority = Authority.root("Whoever runs the ACME server")
        root = authority.certificate.public_bytes(Encoding.PEM).decode()
        tls = certificate(authority, f"acme.{self.namespace}.svc.cluster.local", "acme")
        tls["stringData"]["config.json"] = json.dumps(SETTINGS)
        labels = {"app": "acme"}
        container: dict[str, Any] = {
            "name": "pebble",
            "image": IMAGE,
            "args": ["-config", "/etc/pebble/config.json"],
            "env": [{"name": "PEBBLE_VA_NOSLEEP", "value": "1"}],
            "volumeMounts": [{"name": "files", "mountPath": "/etc/pebble", "readOnly": True}],
            "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        }
        pod = {"containers": [container], "volumes": [{"name": "files", "secret": {"secretName": "acme"}}]}
        ports = [{"name": "acme", "port": PORT}, {"name": "aside", "port": ASIDE}]
        items = [
            tls,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "acme-authority"},
                "data": {Path(AUTHORITY).name: root},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "acme"},
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                },
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "acme"},
                "spec": {"selector": labels, "ports": ports},
            },
        ]
        self.kubectl("create", "namespace", self.namespace)
        self.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        self.kubectl("rollout", "status", "deployment/acme", "--timeout=150s")
        # What it issues is good for those who know its root, which is another one at each start.
        self.bundle.write_text(self.aside("roots/0"), encoding="ascii")

    def aside(self, path: str) -> str:
        """What the ACME server says to its owner."""
        return self.kubectl(
            "get", "--raw", f"/api/v1/namespaces/{self.namespace}/services/https:acme:{ASIDE}/proxy/{path}"
        )

    def open(self, host: str) -> None:
        """Let the name lead to the hub from here."""
        (service,) = self.objects("services", "--field-selector=metadata.name=proxy-public")
        (port,) = (one["nodePort"] for one in service["spec"]["ports"] if one["name"] == "https")
        addresses = self.objects("nodes")[0]["status"]["addresses"]
        (address,) = (one["address"] for one in addresses if one["type"] == "InternalIP")
        self.detour.ways = {**self.detour.ways, host: (address, port)}

    def fails(self, name: str, **variables: Any) -> str:
        """Run a playbook that fails; what it says, on one line."""
        with pytest.raises(AssertionError) as failure:
            self.play(name, "-e", json.dumps(variables))
        return " ".join(str(failure.value).split())


@pytest.fixture(scope="module")
def hub(owner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """With a name that leads nowhere for the ACME server."""
    with Detour({}) as detour:
        found = Hub(owner, tmp_path_factory.mktemp("certificate"), detour)
        try:
            found.start_acme()
            found.play("secrets")
            found.play("daskhub", "-e", json.dumps({"hub_url": f"https://{WRONG}/", "daskhub_verify_timeout": 0}))
            found.open(WRONG)
            yield found
        finally:
            found.remove()


def test_a_certificate_that_is_not_issued_is_explained(hub: Hub) -> None:
    said = hub.fails("daskhub", hub_url=f"https://{WRONG}/", daskhub_verify_timeout=10)
    assert f"Let's Encrypt has to reach port 80 under the name {WRONG}" in said
    said = until(lambda: diagnosis(hub), "the diagnosis finds it")
    assert f"no certificate for {WRONG} (" in said and "kubectl delete pod autohttps-" in said


def diagnosis(hub: Hub) -> str:
    """What playbooks/diagnose.yml says of the certificate; empty when it finds nothing."""
    said = " ".join(hub.play("diagnose").stdout.split())
    return said if "certificate" in said else ""


def test_a_certificate_is_issued(hub: Hub) -> None:
    hub.play("daskhub", "-e", '{"daskhub_verify_timeout": 0}')
    hub.open(hub.host)
    # Does not end well before the hub has shown it.
    hub.play("daskhub")
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": hub.detour.url}
    answer = session.get(f"https://{hub.host}/hub/login", verify=str(hub.bundle), timeout=10)
    assert answer.ok and all(cookie.secure for cookie in session.cookies)
    assert "max-age" in answer.headers["Strict-Transport-Security"]
