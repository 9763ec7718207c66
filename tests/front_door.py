# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What somebody else has in front of a hub: Traefik as the controller of an Ingress class and of a Gateway class."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certificates import Authority

# The image of the dask-gateway chart, which a cluster for a hub has to get anyway.
IMAGE = os.environ.get("E2E_TRAEFIK", "docker.io/library/traefik:3.3.5")
PORTS = {"web": 8000, "websecure": 8443}
ARGUMENTS = [
    "--entrypoints.web.address=:8000",
    "--entrypoints.web.http.redirections.entrypoint.to=:443",
    "--entrypoints.websecure.address=:8443",
    "--entrypoints.websecure.http.tls=true",
    "--global.checknewversion=false",
]
READ = ["get", "list", "watch"]
RULES: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["services", "secrets", "nodes", "namespaces", "configmaps"], "verbs": READ},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
    {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["*"], "verbs": [*READ, "update", "patch"]},
]
Kubectl = Callable[..., str]


def certificate(authority: Authority, host: str, name: str) -> dict[str, Any]:
    """A Secret with a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    files = {
        "tls.crt": authority.issue(key, host).public_bytes(Encoding.PEM).decode(),
        "tls.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": name},
        "stringData": files,
    }


class FrontDoor:
    """Traefik, in a namespace of its own after which its classes are named.

    :param kubectl: of the cluster's administrator
    """

    def __init__(self, kubectl: Kubectl, gateways: bool = False) -> None:
        self.kubectl = kubectl
        self.name = f"e2e-front-{os.urandom(3).hex()}"
        self.gateways = gateways

    def apply(self, *objects: dict[str, Any]) -> None:
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubectl("apply", "--namespace", self.name, "-f", "-", given=given)

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.kubectl("create", "namespace", self.name)
        ingress = [f"--providers.kubernetesingress.ingressclass={self.name}"]
        gateway = ["--providers.kubernetesgateway"] if self.gateways else []
        labels = {"app": "front"}
        container = {
            "name": "traefik",
            "image": IMAGE,
            "args": [*ARGUMENTS, *ingress, *gateway],
            "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
            "readinessProbe": {"tcpSocket": {"port": PORTS["websecure"]}, "periodSeconds": 1},
        }
        subject = {"kind": "ServiceAccount", "name": "front", "namespace": self.name}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.name}
        pod = {
            "serviceAccountName": "front",
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
        }
        rights = "rbac.authorization.k8s.io/v1"
        self.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "front"}},
            {"apiVersion": rights, "kind": "ClusterRole", "metadata": {"name": self.name}, "rules": RULES},
            {
                "apiVersion": rights,
                "kind": "ClusterRoleBinding",
                "metadata": {"name": self.name},
                "roleRef": role,
                "subjects": [subject],
            },
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {"name": self.name},
                "spec": {"controller": "traefik.io/ingress-controller"},
            },
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "front"},
                "spec": {
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                },
            },
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "front"},
                "spec": {
                    "type": "NodePort",
                    "selector": labels,
                    "ports": [{"name": name, "port": port} for name, port in PORTS.items()],
                },
            },
        )
        self.kubectl("rollout", "status", "deployment/front", "--namespace", self.name, "--timeout=150s")

    def serve_gateway(self, secret: dict[str, Any]) -> dict[str, str]:
        """A Gateway with a certificate, open to routes of all namespaces; how a route names it."""
        kind = {"apiVersion": "gateway.networking.k8s.io/v1"}
        listener = {
            "name": "https",
            "protocol": "HTTPS",
            "port": PORTS["websecure"],
            "tls": {"certificateRefs": [{"name": secret["metadata"]["name"]}]},
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
        self.apply(
            secret,
            {
                **kind,
                "kind": "GatewayClass",
                "metadata": {"name": self.name},
                "spec": {"controllerName": "traefik.io/gateway-controller"},
            },
            {
                **kind,
                "kind": "Gateway",
                "metadata": {"name": "shared"},
                "spec": {"gatewayClassName": self.name, "listeners": [listener]},
            },
        )
        return {"name": "shared", "namespace": self.name, "sectionName": "https"}

    def ways(self) -> dict[str, tuple[str, int]]:
        """Where its entrances are reached from here, by name."""
        addresses = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"][0]["status"]["addresses"]
        (address,) = (one["address"] for one in addresses if one["type"] == "InternalIP")
        service = json.loads(self.kubectl("get", "service", "front", "--namespace", self.name, "-o", "json"))
        return {port["name"]: (address, port["nodePort"]) for port in service["spec"]["ports"]}

    def remove(self) -> None:
        """Delete all of it."""
        self.kubectl("delete", "namespace", self.name, "--wait=false", "--ignore-not-found")
        kinds = ["ingressclass", "clusterrole", "clusterrolebinding", *(["gatewayclass"] if self.gateways else [])]
        for kind in kinds:
            self.kubectl("delete", kind, self.name, "--ignore-not-found")
