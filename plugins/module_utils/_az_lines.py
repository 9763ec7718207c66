# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The lines of the az command line that make the same as a list of resources.

Types with a command of their own are a table; all others are written as they are, with ``az rest``.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MANAGEMENT = "https://management.azure.com"
REFERENCE = re.compile(r"\$\{([^{}.\s]+)\.([^{}\s]+)\}")

Words = list[str]


def az_lines(resources: Iterable[Mapping[str, Any]], management: str = MANAGEMENT) -> list[str]:
    """One line for each resource, and one before that for each output of another that it needs.

    :param resources: resources of the module azure_resources: ``name``, ``id``, ``api_version``, ``body``
    :param management: address of Azure Resource Manager, for ``az rest``
    """
    wanted = [one for one in resources if one.get("condition", True) is True and not one.get("existing")]
    ids = {one["name"]: one["id"] for one in wanted}
    versions = {one["name"]: one["api_version"] for one in wanted}
    asked: dict[tuple[str, str], str] = {}
    lines: list[str] = []
    for one in wanted:
        words = _words(_known(one, ids), management)
        for name, path in REFERENCE.findall(" ".join(words)):
            if (name, path) not in asked:
                asked[name, path] = variable(name, path)
                look = ["az", "resource", "show", "--ids", ids.get(name, name), "--api-version", versions.get(name, "")]
                look += ["--query", path, "--output", "tsv"]
                lines.append(f"{asked[name, path]}=$({quoted(look)})")
        lines.append(quoted(words))
    return lines


def variable(name: str, path: str) -> str:
    """The shell's name of an output.

    >>> variable("identity", "properties.principalId")
    'identity_principalId'
    """
    return re.sub(r"\W", "_", f"{name}_{path.removeprefix('properties.')}")


def _known(one: Mapping[str, Any], ids: Mapping[str, str]) -> Any:
    """The resource with the ids of others filled in, which are known before anything is made."""

    def fill(match: re.Match[str]) -> str:
        known = match[2] == "id" and match[1] in ids
        return ids[match[1]] if known else match[0]

    return json.loads(REFERENCE.sub(fill, json.dumps(one)))


def quoted(words: Words) -> str:
    """A command line; outputs of others as the shell's variables."""
    return " ".join(_quote(word) for word in words)


def _quote(word: str) -> str:
    if not REFERENCE.search(word):
        return shlex.quote(word)
    # Inside double quotes only the variables are to be seen by the shell.
    safe = re.sub(r'([\\"`])', r"\\\1", word)
    safe = re.sub(r"\$(?!\{)", r"\\$", safe)
    return f'"{REFERENCE.sub(lambda match: f"${variable(match[1], match[2])}", safe)}"'


def _words(one: Mapping[str, Any], management: str) -> Words:
    parts = [part for part in str(one["id"]).split("/") if part]
    kind = _type(parts)
    body = one.get("body") or {}
    command = COMMANDS.get(kind.lower())
    if command:
        return ["az", *command(parts, body), *_tags(body)]
    url = f"{management}{one['id']}?api-version={one['api_version']}"
    return ["az", "rest", "--method", "put", "--url", url, "--body", json.dumps(body)]


def _type(parts: Words) -> str:
    """The type that an id's segments name; a group's own without a provider."""
    if "providers" not in parts:
        return "resourceGroups" if len(parts) == 4 else ""
    start = len(parts) - 1 - parts[::-1].index("providers")
    return "/".join([parts[start + 1], *parts[start + 2 :: 2]])


def _tags(body: Mapping[str, Any]) -> Words:
    tags = body.get("tags") or {}
    return ["--tags", *(f"{name}={value}" for name, value in tags.items())] if tags else []


def _in_group(parts: Words) -> Words:
    return ["--subscription", parts[1], "--resource-group", parts[3]]


def _group(parts: Words, body: Mapping[str, Any]) -> Words:
    return ["group", "create", "--subscription", parts[1], "--name", parts[3], "--location", body["location"]]


def _identity(parts: Words, body: Mapping[str, Any]) -> Words:
    return ["identity", "create", *_in_group(parts), "--name", parts[-1], "--location", body["location"]]


def _credential(parts: Words, body: Mapping[str, Any]) -> Words:
    found = body["properties"]
    words = ["identity", "federated-credential", "create", *_in_group(parts), "--identity-name", parts[-3]]
    words += ["--name", parts[-1], "--issuer", found["issuer"], "--subject", found["subject"]]
    return [*words, "--audiences", *found["audiences"]]


def _vault(parts: Words, body: Mapping[str, Any]) -> Words:
    found = body["properties"]
    words = ["keyvault", "create", *_in_group(parts), "--name", parts[-1], "--location", body["location"]]
    words += ["--sku", found["sku"]["name"], "--retention-days", str(found.get("softDeleteRetentionInDays", 90))]
    words += ["--enable-rbac-authorization", "true" if found.get("enableRbacAuthorization") else "false"]
    return [*words, *(["--enable-purge-protection", "true"] if found.get("enablePurgeProtection") else [])]


def _assignment(parts: Words, body: Mapping[str, Any]) -> Words:
    found = body["properties"]
    scope = "/" + "/".join(parts[: len(parts) - 1 - parts[::-1].index("providers")])
    words = ["role", "assignment", "create", "--scope", scope, "--role", _last(found["roleDefinitionId"])]
    words += ["--assignee-object-id", found["principalId"], "--assignee-principal-type", found["principalType"]]
    if found.get("condition"):
        words += ["--condition", found["condition"], "--condition-version", found["conditionVersion"]]
    return [*words, *(["--description", found["description"]] if found.get("description") else [])]


def _last(role_id: str) -> str:
    """The command line knows a role by its GUID; an output of another resource stays as it is."""
    return role_id if REFERENCE.search(role_id) else role_id.rpartition("/")[2]


COMMANDS: dict[str, Callable[[Words, Mapping[str, Any]], Words]] = {
    "resourcegroups": _group,
    "microsoft.managedidentity/userassignedidentities": _identity,
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials": _credential,
    "microsoft.keyvault/vaults": _vault,
    "microsoft.authorization/roleassignments": _assignment,
}
