# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The gate of AKS's API servers (``<fqdn>:443``): who asks, may they, and what a cluster without nodes can say.

A token of Entra ID is checked (signature, audience, end) as AKS does, then the caller's roles by Azure RBAC where the
cluster has it. Behind the gate there are only the version and the discovery; all else is answered with 503. With a real
cluster (:mod:`real_cluster`) nobody comes here: clients ask its own API server, and what the caller may do there
follows from the same roles.
Source: https://learn.microsoft.com/azure/aks/manage-azure-rbac
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import rbac, real_cluster
from .web import Answer, Request

if TYPE_CHECKING:
    from .cloud import Cloud
    from .store import Record

SERVER_APPLICATION = "6dae42f8-4368-4678-94ff-3960e28e3630"
CLUSTER = "Microsoft.ContainerService/managedClusters"
#: What every signed-in user may read in any cluster.
OPEN = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")
VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
#: Roles of Kubernetes, each with an action that shows who has it by Azure RBAC; the first that fits counts.
ROLES = (
    ("cluster-admin", "namespaces/write"),
    ("admin", "rbac.authorization.k8s.io/rolebindings/write"),
    ("edit", "secrets/write"),
    ("view", "pods/read"),
)
#: Azure RBAC knows fewer verbs than Kubernetes.
ACTIONS = {"get": "read", "list": "read", "watch": "read", "create": "write", "update": "write", "patch": "write"}


def status(code: int, reason: str, message: str) -> Answer:
    """An error as Kubernetes says it."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return Answer(code, {**body, "message": message, "reason": reason, "code": code})


def cluster_at(cloud: Cloud, host: str) -> Record | None:
    """The cluster whose API server has this name."""
    name = host.partition(":")[0].lower()
    found = (record for record in cloud.store.of_type(CLUSTER) if record.properties.get("fqdn", "").lower() == name)
    return next(found, None)


def local_token(cloud: Cloud, cluster_id: str, account: str) -> str:
    """The fixed token of a local account (``clusterUser``, ``clusterAdmin``), which its kubeconfig holds."""
    text = f"{cloud.key.sign({'account': account, 'cluster': cluster_id.lower()})}"
    return hashlib.sha256(text.encode()).hexdigest() * 2


@dataclass(frozen=True)
class Asked:
    """A request in the words of Kubernetes."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def data_action(self) -> str:
        """The same in Azure's words."""
        action = ACTIONS.get(self.verb, self.verb)
        kind = "/".join(part for part in (self.group, self.resource or self.path.strip("/")) if part)
        return f"{CLUSTER}/{kind}/{action}"

    def forbidden(self, user: str) -> Answer:
        """The 403 of Azure's authorizer."""
        if self.resource:
            what = f'resource "{self.resource}" in API group "{self.group}"'
            what += f' in the namespace "{self.namespace}"' if self.namespace else " at the cluster scope"
        else:
            what = f'path "{self.path}"'
        subject = f"{self.resource} is forbidden" if self.resource else "forbidden"
        return status(
            403,
            "Forbidden",
            f'{subject}: User "{user}" cannot {self.verb} {what}: User does not have access to the resource in Azure. '
            "Update role assignment to allow access.",
        )


def asked(request: Request) -> Asked:
    """Take a request apart.

    >>> asked(Request("GET", "x", "/apis/apps/v1/namespaces/hub/deployments")).data_action
    'Microsoft.ContainerService/managedClusters/apps/deployments/read'
    """
    path = request.path.partition("?")[0]
    parts = [part for part in path.split("/") if part]
    verb = VERBS.get(request.method, request.method.lower())
    if parts[:1] == ["api"] and len(parts) > 2:
        group, rest = "", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, rest = parts[1], parts[3:]
    else:
        return Asked(verb, path=path)
    namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 2 else ""
    rest = rest[2:] if namespace else rest
    if verb == "get" and len(rest) == 1:
        verb = "watch" if request.query.get("watch") in ("1", "true") else "list"
    resource = rest[0] + (f"/{rest[2]}" if len(rest) > 2 else "")
    return Asked(verb, group, resource, namespace, path)


def _gate(cloud: Cloud, cluster: Record, request: Request) -> Answer | None:
    """A refusal, or None for who may come in."""
    word, _, token = request.headers.get("authorization", "").partition(" ")
    unauthorized = status(401, "Unauthorized", "Unauthorized")
    if word.lower() != "bearer" or not token:
        return unauthorized
    if not cluster.properties.get("disableLocalAccounts") and token in (
        local_token(cloud, cluster.id, "clusterUser"),
        local_token(cloud, cluster.id, "clusterAdmin"),
    ):
        return None
    entra = cluster.properties.get("aadProfile") or {}
    claims = cloud.key.claims(token) if entra else None
    if not claims or claims.get("aud") != SERVER_APPLICATION or float(claims.get("exp", 0)) <= cloud.now():
        return unauthorized
    what = asked(request)
    discovery = not what.resource and f"{what.path}/".startswith(tuple(f"{one}/" for one in OPEN))
    if discovery or not entra.get("enableAzureRBAC") or _granted(cloud, cluster, str(claims["oid"]), what):
        return None
    return what.forbidden(str(claims["oid"]))


def _granted(cloud: Cloud, cluster: Record, object_id: str, what: Asked) -> bool:
    scope = cluster.id + (f"/namespaces/{what.namespace}" if what.namespace else "")
    return _may(cloud, object_id, what.data_action, scope)


def _may(cloud: Cloud, object_id: str, data_action: str, scope: str) -> bool:
    need = rbac.Need(data_action, scope, data=True)
    who = rbac.Caller(object_id, object_id)
    return rbac.allowed(who, need, rbac.grants(cloud), now=cloud.now(), taken=rbac.taken(cloud))


def cluster_role(cloud: Cloud, object_id: str) -> str:
    """The ClusterRole that somebody's rights over the clusters amount to; "" for none.

    All clusters are one real cluster, so the rights over any of them count. Those over a namespace do not.
    """
    ids = [
        one.id
        for one in cloud.store.of_type(CLUSTER)
        if (one.properties.get("aadProfile") or {}).get("enableAzureRBAC")
    ]
    found = (role for role, action in ROLES if any(_may(cloud, object_id, f"{CLUSTER}/{action}", one) for one in ids))
    return next(found, "")


async def exchanged(cloud: Cloud, object_id: str, body: dict[str, Any]) -> Answer:
    """The answer of the sign-in, with a token of the real cluster in place of Entra's."""
    assert cloud.real_cluster is not None
    role = cluster_role(cloud, object_id)
    try:
        token = await cloud.real_cluster.token(object_id, role, float(body["expires_in"]))
    except (real_cluster.Refused, real_cluster.Unusable) as error:
        text = f"The real cluster gives no token: {error}"
        return Answer(503, {"error": "temporarily_unavailable", "error_description": text})
    return Answer(200, {**body, "access_token": token})


async def vouched(cloud: Cloud, assertion: str, audience: str) -> dict[str, Any] | None:
    """The claims of a token of the real cluster, as if the issuer of a cluster of AKS had made it; None for others."""
    if cloud.real_cluster is None or not assertion:
        return None
    try:
        subject = await cloud.real_cluster.subject(assertion, audience)
    except (real_cluster.Refused, real_cluster.Unusable):
        return None
    profiles = [one.properties.get("oidcIssuerProfile") or {} for one in cloud.store.of_type(CLUSTER)]
    issuers = [str(profile["issuerURL"]) for profile in profiles if profile.get("issuerURL")]
    # The server has said that it is in its time.
    return {"sub": subject, "aud": audience, "iss": issuers, "exp": cloud.now() + 1} if subject else None


def _version(cluster: Record) -> dict[str, str]:
    """All that the version says; clients insist on each of these."""
    found = cluster.properties
    text = str(found.get("currentKubernetesVersion") or found.get("kubernetesVersion") or "1.35.0")
    major, minor = [*text.split("."), "0"][:2]
    made = {"buildDate": "2026-04-15T00:00:00Z", "goVersion": "go1.25.8", "compiler": "gc", "platform": "linux/amd64"}
    git = {
        "gitVersion": f"v{text}",
        "gitCommit": hashlib.sha256(text.encode()).hexdigest()[:40],
        "gitTreeState": "clean",
    }
    return {"major": major, "minor": minor, **git, **made}


def _empty(cluster: Record, path: str) -> Any:
    """What an API server says before anything is in it; None for all that needs one."""
    if path == "/version":
        return _version(cluster)
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
    if path == "/api/v1":
        return {"kind": "APIResourceList", "groupVersion": "v1", "resources": []}
    return None


def answer(cloud: Cloud, request: Request) -> Answer:
    """One request to an API server."""
    cluster = cluster_at(cloud, request.host)
    if cluster is None or (cluster.properties.get("powerState") or {}).get("code") == "Stopped":
        # There is no such name in the DNS, or nobody listens.
        return Answer(reset=True)
    refused = _gate(cloud, cluster, request)
    if refused is not None:
        return refused
    found = _empty(cluster, request.path.partition("?")[0].rstrip("/"))
    if found is not None:
        return Answer(200, found)
    return status(
        503, "ServiceUnavailable", "There is no cluster behind this API server: the stand-in has only its gate."
    )
