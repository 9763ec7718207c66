# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real Kubernetes cluster behind the stand-in's clusters of AKS.

Somebody's kubeconfig names it. Clients then reach its API server directly, past the proxy, with its own certificate
authority, so that watches, exec and port forwarding are as real as all else. What they present as Entra's token is a
token of a service account there, one account for each principal, bound to the role that its rights in Azure amount to.

A server gives no token for less than ten minutes. A shorter life is enforced by the server all the same: the token is
bound to a Secret, and the stand-in deletes that when the life is over. The server remembers tokens for ten seconds, so
long one may outlast its Secret.
Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

NAMESPACE = "azure-stand-in"
OWNED = {"app.kubernetes.io/managed-by": "azure-stand-in"}
PRINCIPAL = "azure-stand-in/principal"
ENDS = "azure-stand-in/ends"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
#: The shortest life of a token that an API server gives, in seconds.
SHORTEST = 600
#: Seconds for one request, and between tries to end a token.
LIMIT = 15.0
AGAIN = 5.0
#: Entries of a kubeconfig that name a file, each with the one that holds the same as base64.
FILES = ("certificate-authority", "client-certificate", "client-key")


class Unusable(Exception):
    """Why the cluster cannot be used; one sentence."""


class Refused(Exception):
    """The API server's refusal of a request."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _entry(document: Any, kind: str, name: str, path: Path) -> dict[str, Any]:
    """One cluster, user or context of a kubeconfig by its name."""
    for one in document.get(f"{kind}s") or []:
        if one.get("name") == name:
            return dict(one.get(kind) or {})
    raise Unusable(f"The kubeconfig {path} has no {kind} {name!r}; give one whose current-context is whole.")


def _embedded(entry: dict[str, Any], path: Path) -> dict[str, Any]:
    """The entry with what its files hold, so that it can be read elsewhere."""
    found = {key: value for key, value in entry.items() if key not in FILES}
    for name in FILES:
        if name in entry and f"{name}-data" not in entry:
            found[f"{name}-data"] = base64.b64encode((path.parent / entry[name]).read_bytes()).decode()
    return found


def _message(error: urllib.error.HTTPError) -> str:
    """What the Status of a refusal says."""
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, LookupError, TypeError):
        return f"HTTP {error.code} {text}".strip()


class RealCluster:
    """A cluster by the current context of a kubeconfig.

    :ivar cluster: the kubeconfig's cluster entry, with nothing left in files; ``user`` likewise
    :ivar host: of the API server
    """

    def __init__(self, path: Path) -> None:
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            context = _entry(document, "context", document["current-context"], path)
            self.cluster = _embedded(_entry(document, "cluster", context["cluster"], path), path)
            self.user = _embedded(_entry(document, "user", context["user"], path), path)
            self.server = str(self.cluster["server"]).rstrip("/")
            self._opener = self._connect()
        except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise Unusable(f"The kubeconfig {path} cannot be used ({error or type(error).__name__}).") from error
        self.host = urlsplit(self.server).hostname or ""
        self._ends: set[asyncio.Task[None]] = set()

    def _connect(self) -> urllib.request.OpenerDirector:
        authority = self.cluster.get("certificate-authority-data")
        trusted = ssl.create_default_context(cadata=base64.b64decode(authority).decode() if authority else None)
        if self.cluster.get("insecure-skip-tls-verify"):
            trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        if "client-certificate-data" in self.user:
            pair = [base64.b64decode(self.user[f"client-{part}-data"]) for part in ("certificate", "key")]
            # Python takes a client's certificate from files only; these are private to this user.
            with tempfile.TemporaryDirectory() as directory:
                certificate, key = Path(directory, "certificate"), Path(directory, "key")
                certificate.write_bytes(pair[0])
                key.write_bytes(pair[1])
                trusted.load_cert_chain(certificate, key)
        # A proxy in this environment may well be the stand-in itself.
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )

    def _bearer(self) -> str:
        """The token of the kubeconfig's user; empty for one with a certificate."""
        if "exec" in self.user:
            call = self.user["exec"]
            extra = {one["name"]: one["value"] for one in call.get("env") or []}
            information = {"apiVersion": call["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
            done = subprocess.run(
                [call["command"], *(call.get("args") or [])],
                env={**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(information), **extra},
                capture_output=True,
                check=True,
                timeout=LIMIT,
            )
            return str(json.loads(done.stdout)["status"]["token"])
        if "tokenFile" in self.user:
            return Path(self.user["tokenFile"]).read_text(encoding="utf-8").strip()
        return str(self.user.get("token") or "")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the API server.

        :raises Refused: when it refuses
        :raises Unusable: when it is not reached
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            token = self._bearer()
            headers |= {"Authorization": f"Bearer {token}"} if token else {}
            request = urllib.request.Request(f"{self.server}{path}", data, headers, method=method)  # noqa: S310
            with self._opener.open(request, timeout=LIMIT) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Refused(error.code, _message(error)) from error
        except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
            raise Unusable(
                f"The API server {self.server} is not reached ({getattr(error, 'reason', error)})."
            ) from error

    def _create(self, path: str, kind: str, metadata: dict[str, Any], **more: Any) -> Any:
        """Make an object; None when there is one of this name."""
        version = "rbac.authorization.k8s.io/v1" if path == BINDINGS else "v1"
        metadata = {"labels": OWNED, **metadata}
        try:
            return self.ask("POST", path, {"apiVersion": version, "kind": kind, "metadata": metadata, **more})
        except Refused as refused:
            if refused.code != 409:
                raise
        return None

    def _delete(self, path: str) -> None:
        try:
            self.ask("DELETE", path)
        except Refused as refused:
            if refused.code != 404:
                raise

    def _account(self, principal: str) -> None:
        """The service account of a principal, made when there is none."""
        try:
            self._create(ACCOUNTS, "ServiceAccount", {"name": principal})
        except Refused as refused:
            if refused.code != 404:
                raise
            self._create("/api/v1/namespaces", "Namespace", {"name": NAMESPACE})
            self._create(ACCOUNTS, "ServiceAccount", {"name": principal})

    def _bind(self, principal: str, role: str) -> None:
        """Let the account have this role and no other; "" is none."""
        wanted = f"{NAMESPACE}:{principal}:{role}" if role else ""
        selector = quote(f"{PRINCIPAL}={principal}")
        found = {one["metadata"]["name"] for one in self.ask("GET", f"{BINDINGS}?labelSelector={selector}")["items"]}
        for name in found - {wanted}:
            self._delete(f"{BINDINGS}/{quote(name)}")
        if wanted and wanted not in found:
            self._create(
                BINDINGS,
                "ClusterRoleBinding",
                {"name": wanted, "labels": {**OWNED, PRINCIPAL: principal}},
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                subjects=[{"kind": "ServiceAccount", "name": principal, "namespace": NAMESPACE}],
            )

    def _issue(self, principal: str, role: str, lifetime: float) -> tuple[str, str, float]:
        """A token; name of the Secret that it lives with and when that ends, if it is to live shortly."""
        self._account(principal)
        self._bind(principal, role)
        spec: dict[str, Any] = {"expirationSeconds": max(SHORTEST, int(lifetime))}
        secret, ends = "", time.time() + lifetime
        if lifetime < SHORTEST:
            secret = f"token-{uuid.uuid4()}"
            made = self._create(SECRETS, "Secret", {"name": secret, "annotations": {ENDS: f"{ends:.1f}"}})
            uid = made["metadata"]["uid"]
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Secret", "name": secret, "uid": uid}
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.ask("POST", f"{ACCOUNTS}/{principal}/token", request)["status"]["token"]), secret, ends

    async def token(self, principal: str, role: str, lifetime: float) -> str:
        """A token by which the principal has this role of the cluster, for so many seconds.

        :param principal: object id in Entra ID
        :param role: name of a ClusterRole; "" for nothing but to be known
        :raises Refused, Unusable: when the API server gives none
        """
        token, secret, ends = await asyncio.to_thread(self._issue, principal, role, lifetime)
        if secret:
            self._end_later(secret, ends)
        return token

    async def subject(self, token: str, audience: str) -> str:
        """Whose token of the cluster's own this is, such as ``system:serviceaccount:dhub:hub``; "" when it is none.

        :param audience: for whom it has to be made
        :raises Refused, Unusable: when the API server does not say
        """
        spec = {"token": token, "audiences": [audience]}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        found = (await asyncio.to_thread(self.ask, "POST", REVIEWS, review))["status"]
        known = found.get("authenticated") and audience in found.get("audiences", ())
        return str(found["user"]["username"]) if known else ""

    def _end_later(self, secret: str, ends: float) -> None:
        task = asyncio.get_running_loop().create_task(self._end(secret, ends))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _end(self, secret: str, ends: float) -> None:
        """End a token when it is time, as soon as the API server can be reached."""
        await asyncio.sleep(max(0.0, ends - time.time()))
        while True:
            try:
                return await asyncio.to_thread(self._delete, f"{SECRETS}/{secret}")
            except (Refused, Unusable) as error:
                logging.warning("The token of Secret %s/%s cannot be ended yet: %s", NAMESPACE, secret, error)
            await asyncio.sleep(AGAIN)

    def _left(self) -> list[tuple[str, float]]:
        """Secrets of tokens that an earlier process gave, and when they end; also whether the server answers at all."""
        self.ask("GET", "/version")
        found = self.ask("GET", f"{SECRETS}?labelSelector={quote('app.kubernetes.io/managed-by=azure-stand-in')}")
        texts = {
            one["metadata"]["name"]: one["metadata"].get("annotations", {}).get(ENDS, "0") for one in found["items"]
        }
        return [(name, float(text)) for name, text in texts.items()]

    async def open(self) -> None:
        """See that the API server answers, and end what has to end.

        :raises Unusable: when it does not
        """
        try:
            left = await asyncio.to_thread(self._left)
        except Refused as refused:
            raise Unusable(
                f"The API server {self.server} refuses the kubeconfig's user ({refused}); it needs cluster-admin."
            ) from refused
        for secret, ends in left:
            self._end_later(secret, ends)
