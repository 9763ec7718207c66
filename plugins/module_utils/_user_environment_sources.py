# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is fetched for each user before a start: daskhub_user_environment_sources, checked and with all defaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import CLOUDS, Cloud
from ansible_collections.planetary.hub.plugins.module_utils._user_environment import (
    user_environment,
    variable_name,
)
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    mapping,
    nearest,
    number,
    plain,
    quote,
    text,
    wrong,
)

VARIABLE = "daskhub_user_environment_sources"
ON_FAILURE = ("start_without", "refuse")
CREDENTIALS = ("workload_identity", "service_principal")
#: Keys of each source besides those of all.
KEYS: dict[str, tuple[str, ...]] = {
    "api_management": (
        "identity_url",
        "identity_token",
        "service_id",
        "subscription",
        "credential",
        "cloud",
    ),
    "key_vault": ("vault", "credential", "cloud"),
    "static": (),
    "callable": ("function",),
}
COMMON = ("source", "name", "variables", "on_failure", "timeout", "cache")
# What a value of variables says, by source.
_MEANINGS = {
    "api_management": "primaryKey or secondaryKey",
    "key_vault": "the name of the vault's secret, with {slug} for the user, such as {slug}--api-key",
    "static": "the key of a secret, such as shared-api-key",
    "callable": "a key of what the function returns",
}
_SERVICE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.ApiManagement/service/[^/]+", re.IGNORECASE
)
_SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VAULT_SECRET = re.compile(r"([0-9A-Za-z-]|\{slug\})+")
_FIELD = re.compile(r"\{([^{}]*)\}")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
# Variables that would change how a server or a cluster runs rather than what its user computes with.
_RESERVED = re.compile(r"(JUPYTERHUB|JPY|DASK)_.*|PATH|HOME|USER|SHELL|PYTHONPATH|LD_.*")


def user_environment_sources(entries: Any, variables: Any = ()) -> list[dict[str, Any]]:
    """What the hub reads: the entries with all defaults, and with the addresses of their cloud.

    Args:
        entries: daskhub_user_environment_sources.
        variables: daskhub_user_environment, whose names must be others.

    Raises:
        InputError: one sentence that names the entry.
    """
    entries = plain(entries)
    if not isinstance(entries, list):
        raise wrong(VARIABLE, entries, "a list of sources")
    taken = {name: "daskhub_user_environment" for part in user_environment(list(variables)).values() for name in part}
    result: list[dict[str, Any]] = []
    for index, entry in enumerate(entries):
        where = f"{VARIABLE}[{index}]"
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            where += f" {quote(entry['name'])}"
        source = _source(where, entry)
        if any(source["name"] == other["name"] for other in result):
            raise InputError(f"{where}: another source has this name; give each a name of its own.")
        for name in source["variables"]:
            if name in taken:
                raise InputError(f"{where}: {name} is set in {taken[name]} too; keep one of the two.")
            taken[name] = f"the source {quote(source['name'])}"
        result.append(source)
    return result


def needs_image(sources: list[dict[str, Any]]) -> bool:
    """Whether a source needs packages that the stock hub image lacks."""
    return any("credential" in source for source in sources)


def _source(where: str, entry: Any) -> dict[str, Any]:
    """One entry with all defaults."""
    kind = entry.get("source") if isinstance(entry, dict) else None
    if isinstance(entry, dict) and kind not in KEYS:
        raise InputError(f"{where}: source is {quote(kind)}; {nearest(kind, KEYS)}")
    entry = mapping(where, entry, (*COMMON, *KEYS.get(str(kind), ())))
    on_failure = entry.get("on_failure", "start_without")
    if on_failure not in ON_FAILURE:
        raise InputError(f"{where}: on_failure is {quote(on_failure)}; write {' or '.join(ON_FAILURE)}.")
    seconds = "seconds, a number above 0"
    source = {
        "source": kind,
        "name": text(f"{where}: name", entry.get("name"), "a name for logs and messages, such as planetary-computer"),
        "variables": _variables(where, str(kind), entry.get("variables")),
        "on_failure": on_failure,
        "timeout": number(f"{where}: timeout", entry.get("timeout", 15), seconds, 0.1),
        "cache": number(f"{where}: cache", entry.get("cache", 60), "seconds, or 0 for none", 0),
    }
    return {**source, **_READERS[str(kind)](where, entry)}


def _variables(where: str, kind: str, value: Any) -> dict[str, str]:
    where = f"{where}: variables"
    if not isinstance(value, dict) or not value:
        raise wrong(where, value, f"a mapping of the variables' names, each with {_MEANINGS[kind]}")
    for name, what in value.items():
        variable_name(f"{where}: the name {quote(name)}", name)
        if _RESERVED.fullmatch(name):
            raise InputError(f"{where}: {name} belongs to the hub and to Dask; choose another name.")
        text(f"{where}: {name}", what, _MEANINGS[kind])
        if not _MEANT[kind](what):
            raise wrong(f"{where}: {name}", what, _MEANINGS[kind])
    return dict(value)


def _api_management(where: str, entry: dict[str, Any]) -> dict[str, Any]:
    url = entry.get("identity_url", "")
    if url:
        _address(f"{where}: identity_url", url, "https://id.example.org/users/{user}/")
        if "{user}" not in url:
            raise wrong(f"{where}: identity_url", url, "{user} where the user's name goes")
    subscription = text(
        f"{where}: subscription", entry.get("subscription", "{pk}-planetarycomputer"), "a pattern such as {pk}-hub"
    )
    if not _FIELD.search(subscription):
        raise wrong(f"{where}: subscription", subscription, "a field in braces, or all users would get the same key")
    if not url and set(_FIELD.findall(subscription)) != {"user"}:
        raise wrong(f"{where}: subscription", subscription, "{user} only, or set identity_url too")
    service = text(f"{where}: service_id", entry.get("service_id"), "the ARM id of the API Management service")
    if not _SERVICE.fullmatch(service):
        raise wrong(f"{where}: service_id", service, "an id as /subscriptions/…/Microsoft.ApiManagement/service/<name>")
    cloud = _cloud(where, entry)
    return {
        "identity_url": url,
        "identity_token": _secret_key(f"{where}: identity_token", entry.get("identity_token", "pc-id-token")),
        "service_id": service,
        "subscription": subscription,
        "resource_manager": cloud.management,
        "scope": cloud.management_scope,
        **_credential(where, entry, cloud),
    }


def _key_vault(where: str, entry: dict[str, Any]) -> dict[str, Any]:
    cloud = _cloud(where, entry)
    vault = text(f"{where}: vault", entry.get("vault"), "the vault's address, such as https://users.vault.azure.net")
    _address(f"{where}: vault", vault, f"https://users.{cloud.vault_suffix}")
    return {
        "vault": vault.rstrip("/"),
        "scope": f"https://{cloud.vault_suffix}/.default",
        **_credential(where, entry, cloud),
    }


def _callable(where: str, entry: dict[str, Any]) -> dict[str, Any]:
    function = text(f"{where}: function", entry.get("function"), "module:function")
    if not _FUNCTION.fullmatch(function):
        raise wrong(f"{where}: function", function, "module:function")
    return {"function": function}


def _cloud(where: str, entry: dict[str, Any]) -> Cloud:
    name = entry.get("cloud", "AzureCloud")
    if name not in CLOUDS:
        raise InputError(f"{where}: cloud is {quote(name)}; {nearest(name, CLOUDS)}")
    return CLOUDS[name]


def _credential(where: str, entry: dict[str, Any], cloud: Cloud) -> dict[str, Any]:
    """How the hub signs in to Azure."""
    where = f"{where}: credential"
    given = mapping(where, entry.get("credential", {}), ("type", "tenant_id", "client_id", "secret"))
    kind = given.get("type", "workload_identity")
    if kind not in CREDENTIALS:
        raise InputError(f"{where}: type is {quote(kind)}; {nearest(kind, CREDENTIALS)}")
    found = {"type": kind, "tenant_id": given.get("tenant_id", ""), "client_id": given.get("client_id", "")}
    if kind == "service_principal":
        for name in ("tenant_id", "client_id"):
            text(f"{where}: {name}", found[name], f"the {name} of the service principal")
        found["secret"] = _secret_key(f"{where}: secret", given.get("secret", "azure-client-secret"))
    elif "secret" in given:
        raise InputError(f"{where}: a workload identity has no secret; remove it, or say type: service_principal.")
    return {"credential": found, "authority": cloud.authority}


def _secret_key(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise wrong(where, value, "the key of a secret, such as pc-id-token")
    return value


def _address(where: str, value: Any, example: str) -> None:
    parts = urlsplit(text(where, value, f"an address such as {example}"))
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.username or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise wrong(where, value, f"an address such as {example}")


_READERS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "api_management": _api_management,
    "key_vault": _key_vault,
    "static": lambda _where, _entry: {},
    "callable": _callable,
}
_MEANT: dict[str, Callable[[str], object]] = {
    "api_management": lambda what: what in ("primaryKey", "secondaryKey"),
    # Without the user's slug it would be everybody's: that is what static is for.
    "key_vault": lambda what: _VAULT_SECRET.fullmatch(what) and "{slug}" in what,
    "static": _SECRET.fullmatch,
    "callable": bool,
}
