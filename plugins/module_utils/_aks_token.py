# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A Kubernetes client's credential plugin for AKS with Entra ID: print a token, renew it shortly before it ends.

The module aks_kubeconfig puts this file beside a kubeconfig, whose user starts it. So it stands alone: Python's own
library, and azure-identity only when a token has to be fetched.
Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

API_VERSION = "client.authentication.k8s.io/v1"
# A token is not used any more when this part of its life is left, but no more than so many seconds before its end.
RESERVE = 0.2
RESERVE_MOST = 300.0


def usable_until(expires: float, now: float) -> float:
    """When a token that is got now has to be replaced, so that no request with it arrives after its end.

    >>> usable_until(expires=4600, now=1000), usable_until(expires=1060, now=1000)
    (4300.0, 1048.0)
    """
    return expires - min(RESERVE_MOST, RESERVE * max(0.0, expires - now))


def document(token: Mapping[str, Any]) -> dict[str, Any]:
    """The ExecCredential of a token; clients come back when it is to be replaced."""
    until = datetime.datetime.fromtimestamp(int(token["until"]), datetime.UTC)
    status = {"token": token["token"], "expirationTimestamp": until.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"apiVersion": API_VERSION, "kind": "ExecCredential", "status": status}


def read(cache: Path, key: Mapping[str, str], now: float) -> dict[str, Any] | None:
    """The token that an earlier call left, unless it is someone else's or too old."""
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
        if found["key"] == key and found["until"] > now and found["token"]:
            return dict(found)
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


def write(cache: Path, content: Mapping[str, Any]) -> None:
    """Keep a token for the calls that follow, for this user alone; a reader sees a whole one or none."""
    temporary = cache.with_name(f"{cache.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file)
    os.replace(temporary, cache)


def cached(cache: Path, key: Mapping[str, str], fetch: Callable[[], tuple[str, float]]) -> dict[str, Any]:
    """The token of the cache, or a new one; many calls at once fetch one token.

    :param fetch: gives a token and when it expires (seconds since 1970)
    """
    found = read(cache, key, time.time())
    if found:
        return found
    with os.fdopen(os.open(f"{cache}.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever held the lock may have fetched it.
        found = read(cache, key, time.time())
        if found:
            return found
        token, expires = fetch()
        new = {"key": dict(key), "token": token, "until": usable_until(expires, time.time())}
        write(cache, new)
        return new


def fetch_token(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, float]:
    """A token from Entra ID, as the collection's modules get theirs: with a secret when there is one."""
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    client = client_id(options, environment)
    # The second names are AWX's.
    secret = environment.get("AZURE_CLIENT_SECRET") or environment.get("AZURE_SECRET")
    credential: Any
    if secret and client:
        credential = ClientSecretCredential(options.tenant_id, client, secret, authority=options.authority)
    else:
        chosen = dict.fromkeys(("managed_identity_client_id", "workload_identity_client_id"), client) if client else {}
        credential = DefaultAzureCredential(
            authority=options.authority, workload_identity_tenant_id=options.tenant_id, **chosen
        )
    token = credential.get_token(f"{options.server_id}/.default")
    return str(token.token), float(token.expires_on)


def client_id(options: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Whose token it is; empty for whoever signed in with az login and the like."""
    return str(options.client_id or environment.get("AZURE_CLIENT_ID") or "")


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What the kubeconfig says; nothing of it is secret."""
    parser = argparse.ArgumentParser(description="Print a token for AKS as a Kubernetes client's credential.")
    parser.add_argument("--tenant-id", required=True, help="tenant that the cluster trusts")
    parser.add_argument("--server-id", required=True, help="application id of AKS's server: the token's audience")
    parser.add_argument("--authority", required=True, help="host that gives tokens")
    parser.add_argument("--client-id", default="", help="the identity, unless AZURE_CLIENT_ID names it")
    parser.add_argument("--cache", required=True, type=Path, help="file that keeps the token")
    return parser.parse_args(words)


def main() -> int:
    """Print the credential; one sentence on standard error when there is none."""
    options = arguments()
    key = {name: getattr(options, name) for name in ("tenant_id", "server_id", "authority")}
    key["client_id"] = client_id(options, os.environ)
    try:
        token = cached(options.cache, key, lambda: fetch_token(options, os.environ))
    except ImportError:
        sys.stderr.write(f"azure-identity is missing; install it: {sys.executable} -m pip install azure-identity\n")
        return 1
    # What azure-identity and the operating system raise has no common base but this.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        sys.stderr.write(f"Entra ID gives no token for AKS: {lines[0]}\n")
        return 1
    sys.stdout.write(json.dumps(document(token)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
