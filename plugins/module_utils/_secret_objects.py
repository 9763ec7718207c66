# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A hub's secrets as Kubernetes Secrets: what the module kubernetes_secrets brings about."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

LATER = "(known after apply)"
TLS = "kubernetes.io/tls"
# The keys of the chart's own Secret: the proxy's token, and one that only the chart knows.
# Source: templates/hub/_helpers-passwords.tpl of the chart jupyterhub, which keeps what it finds there. What it does
# not find it makes anew for each place that asks, and the second run would restart the hub: all has to be there before.
CHART = "hub"
CHART_KEY = "hub.config.ConfigurableHTTPProxy.auth_token"
CRYPT_KEY = "hub.config.CryptKeeper.keys"
PROXY_KEY = "jupyterhub-proxy-secret-token"

Rows = Sequence[Mapping[str, Any]]


def secret_objects(
    rows: Rows,
    *,
    name: str,
    release: str,
    values: Mapping[str, str],
    generate: bool,
    required: Mapping[str, str] | None = None,
    tls_name: str = "",
    certificates: Mapping[str, Mapping[str, str]] | None = None,
    volumes: Rows = (),
    storage_keys: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The Secrets of a hub, as the option `secrets` of the module takes them.

    ``rows``: those of :func:`_secret_table.wanted_secrets`; ``values``: key to value; ``generate``: whether the Secret
    itself is where generated ones are kept; ``certificates``: key to {tls.crt, tls.key}; ``volumes``: {name,
    storage_account_id}; ``storage_keys``: account's id to its key. Values, files and keys are in base64.
    """
    plain = [row for row in rows if not row["certificate"]]
    seconds = {second: row["key"] for row in plain for second in row["second_names"]}
    main = {
        "name": name,
        "data": {row["key"]: values[row["key"]] for row in plain if row["key"] in values},
        "generate": {row["key"]: row["generate"] for row in plain if generate and row["generate"]},
        # Of a hub that somebody installed with plain Helm.
        "adopt": {key: f"{CHART}/{there}" for there, key in {CHART_KEY: PROXY_KEY, **seconds}.items()}
        if generate
        else {},
        "required": dict(required or {}),
        "copies": seconds,
    }
    token = {
        "name": CHART,
        "release": release,
        "exact": False,
        "generate": {CRYPT_KEY: 32},
        "copies": {CHART_KEY: f"{name}/{PROXY_KEY}", **{second: f"{name}/{key}" for second, key in seconds.items()}},
    }
    tls = [
        {"name": tls_name, "type": TLS, "data": dict(files)}
        for key, files in (certificates or {}).items()
        if key == "certificate"
    ]
    shares = [
        {"name": volume_secret(volume["name"]), "data": _account(volume["storage_account_id"], storage_keys or {})}
        for volume in volumes
    ]
    return [main, token, *tls, *shares]


def volume_secret(volume: str) -> str:
    """The name of a data volume's Secret.

    >>> volume_secret("driven-data")
    'driven-data-file-share'
    """
    return f"{volume}-file-share"


def data_volume_secrets(volumes: Rows) -> list[dict[str, str]]:
    """Which Secret is for which volume."""
    return [{"name": volume_secret(volume["name"]), "volume": volume["name"]} for volume in volumes]


def secret_origins(rows: Rows, source: str) -> dict[str, dict[str, Any]]:
    """Key to {vault_name, consumer, origin}, for the outputs."""
    return {
        row["key"]: {
            "vault_name": row["vault_name"] if source == "vault" and row["vault"] else None,
            "consumer": row["consumer"],
            "origin": "generated" if row["generate"] else "given",
        }
        for row in rows
    }


def _account(account_id: str, keys: Mapping[str, str]) -> dict[str, str]:
    account = account_id.rpartition("/")[2]
    later = base64.b64encode(LATER.encode()).decode()
    return {
        "azurestorageaccountname": base64.b64encode(account.encode()).decode(),
        "azurestorageaccountkey": keys.get(account_id, later),
    }
