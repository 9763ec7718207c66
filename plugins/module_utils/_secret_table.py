# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The table of a hub's secrets: rows as people write them, checked, filled in, and reduced to those that are wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    nearest,
    number,
    plain,
    quote,
    text,
    texts,
    wrong,
)

KEYS = (
    "key",
    "consumer",
    "generate",
    "scope",
    "vault_name",
    "condition",
    "certificate",
    "services",
    "second_names",
    "rotates",
    "vault",
)
# A file's name, a data key of a Kubernetes Secret and a part of a vault's name, all three.
_KEY = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
_VAULT_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


def wanted_secrets(rows: Any, prefixes: Mapping[str, str], variable: str = "secrets_extra") -> list[dict[str, Any]]:
    """The rows whose condition holds, with all keys.

    Args:
        rows: list of {key, consumer; generate (random bytes; 0: only people have it), scope (a key of prefixes, the
            first one), vault_name (<prefix>--<key>), condition (true), certificate (false), services (which restart
            when it changes), second_names (further data keys in the cluster), rotates (whether it is generated),
            vault (true; false: it stays where the hub runs, and is of use nowhere else)}.
        prefixes: scope to the prefix of names in a vault.
        variable: where people write rows, for errors.

    Raises:
        InputError: one sentence that names the row.
    """
    if not isinstance(rows, list):
        raise wrong(variable, rows, "a list of rows")
    found: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for row in plain(rows):
        filled = _filled(row, prefixes, variable)
        if filled["key"] in found:
            raise InputError(f"{variable} has the key {quote(filled['key'])} twice; give one of them another name.")
        if not filled["condition"]:
            continue
        found[filled["key"]] = filled
        other = names.setdefault(filled["vault_name"].casefold(), filled["key"])
        if other != filled["key"]:
            raise InputError(
                f"{variable}: {filled['key']} and {other} have the same name in a vault, {filled['vault_name']};"
                " give one of them a vault_name of its own."
            )
    return list(found.values())


def _filled(row: Any, prefixes: Mapping[str, str], variable: str) -> dict[str, Any]:
    mapping(f"a row of {variable}", row, KEYS)
    key = text(f"{variable}: key", row.get("key"), "the name of a secret")
    where = f"{variable}: {key}"
    if not _KEY.fullmatch(key):
        raise wrong(f"{where}: key", key, "lowercase letters, digits and hyphens")
    scope = row.get("scope", next(iter(prefixes), ""))
    if scope not in prefixes:
        raise InputError(f"{where}: scope is {quote(scope)}; {nearest(scope, prefixes)}")
    generate = number(f"{where}: generate", row.get("generate", 0), "a number of random bytes, such as 32", 0)
    if 0 < generate < 16 or generate != int(generate):
        raise wrong(f"{where}: generate", generate, "0, or 16 random bytes or more")
    name = row.get("vault_name") or f"{prefixes[scope]}--{key}"
    if not _VAULT_NAME.fullmatch(name):
        raise wrong(f"{where}: its name in a vault", name, "at most 127 letters, digits and hyphens")
    return {
        "key": key,
        "consumer": text(f"{where}: consumer", row.get("consumer"), "who reads it"),
        "generate": int(generate),
        "scope": scope,
        "vault_name": name,
        "condition": boolean(f"{where}: condition", row.get("condition", True)),
        "certificate": boolean(f"{where}: certificate", row.get("certificate", False)),
        "services": texts(f"{where}: services", row.get("services", []), "services, such as hub"),
        "second_names": texts(f"{where}: second_names", row.get("second_names", []), "data keys"),
        "rotates": boolean(f"{where}: rotates", row.get("rotates", generate > 0)),
        "vault": boolean(f"{where}: vault", row.get("vault", True)),
    }


def service_keys(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Service to the secrets whose change restarts it, a random one first.

    >>> rows = [{"key": "p", "generate": 0, "services": ["hub"]}, {"key": "t", "generate": 32, "services": ["hub"]}]
    >>> service_keys(rows)
    {'hub': ['t', 'p']}
    """
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda one: not one["generate"]):
        for service in row["services"]:
            found.setdefault(service, []).append(row["key"])
    return found


def source_secrets(sources: Any) -> dict[str, str]:
    """The secrets that the sources of users' environments read: key to who reads it.

    Args:
        sources: hub_user_environment_sources; whether they are written right is for the role daskhub to say.

    >>> source_secrets([{"source": "static", "name": "shared", "variables": {"KEY": "shared-api-key"}}])
    {'shared-api-key': 'users, from the source shared'}
    """
    found: dict[str, str] = {}
    for source in plain(sources) if isinstance(sources, list) else []:
        kind = source.get("source")
        credential = source.get("credential") or {}
        reader = f"users, from the source {source.get('name') or kind}"
        if kind == "api_management" and source.get("identity_url"):
            found[source.get("identity_token") or "pc-id-token"] = reader
        if kind == "static":
            found |= dict.fromkeys((source.get("variables") or {}).values(), reader)
        if credential.get("type") == "service_principal":
            found[credential.get("secret") or "azure-client-secret"] = reader
    return found


def with_sources(rows: Any, sources: Any) -> list[Any]:
    """A table, and rows for what sources read that no row has."""
    known = {row.get("key") for row in rows if isinstance(row, dict)}
    read = source_secrets(sources)
    return [*rows, *({"key": key, "consumer": reader} for key, reader in read.items() if key not in known)]
