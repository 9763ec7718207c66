# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What the variables of the role infrastructure must fulfil, said before anything is created."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_names as azure_names
from ansible_collections.planetary.hub.plugins.module_utils import _data_volumes, _networks, _vm_sizes
from ansible_collections.planetary.hub.plugins.module_utils._node_pools import Pool, node_pools
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, kind, nearest, quote, wrong

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Older versions of Kubernetes are out of support, or are so before this release of the collection is.
OLDEST = (1, 35)
VERSION = re.compile(r"(\d+)\.(\d+)(\.\d+)?")
# Variable to the type of resource whose full id it holds.
ADOPTED = {
    "infrastructure_registry_id": "Microsoft.ContainerRegistry/registries",
    "infrastructure_workspace_id": "Microsoft.OperationalInsights/workspaces",
    "infrastructure_defender_workspace_id": "Microsoft.OperationalInsights/workspaces",
    "infrastructure_storage_account_id": "Microsoft.Storage/storageAccounts",
    "infrastructure_vault_id": "Microsoft.KeyVault/vaults",
    "infrastructure_application_gateway_id": "Microsoft.Network/applicationGateways",
}
# Variables of which at most one may be in use, with what to do.
ALTERNATIVES = (
    ("infrastructure_registry_create", "infrastructure_registry_id"),
    ("infrastructure_vault_create", "infrastructure_vault_id"),
)
SHORTEST_WINDOW = 4
CORE_POOL = "infrastructure_core_pool"
API_SERVICE = "Microsoft.ApiManagement/service"


def check_subscription(value: Any) -> None:
    """The subscription is a GUID; without one there is no id of anything."""
    if not value:
        raise InputError(
            "infrastructure_subscription_id is empty; give the id of the Azure subscription, or set "
            "AZURE_SUBSCRIPTION_ID."
        )
    if not isinstance(value, str) or not re.fullmatch(GUID, value):
        raise wrong("infrastructure_subscription_id", value, "the id of a subscription, as `az account show` says it")


def check_adopted(variables: Mapping[str, Any]) -> None:
    """What is adopted is named by its full id, of the right type; and is not made as well."""
    for name, resource_type in ADOPTED.items():
        value = variables.get(name, "")
        if value != "":
            check_id(f"{name} is", value, resource_type)
    for create, adopt in ALTERNATIVES:
        if variables.get(create) and variables.get(adopt):
            raise InputError(f"{create} is true and {adopt} is given; use one of them.")


def check_id(what: str, value: Any, resource_type: str) -> None:
    """A full id of this type. ``what``: the sentence until the value."""
    pattern = rf"/subscriptions/{GUID}/resourceGroups/[^/]+/providers/{re.escape(resource_type)}/[^/]+"
    if not (isinstance(value, str) and re.fullmatch(pattern, value, re.IGNORECASE)):
        example = f"/subscriptions/<subscription>/resourceGroups/<group>/providers/{resource_type}/<name>"
        raise InputError(f"{what} {kind(value)}; write the full id, {example}.")


def check_defender(variables: Mapping[str, Any]) -> None:
    """The workspace of Defender is said once; a secret that says it is in a vault that is there before the hub."""
    secret = variables["infrastructure_defender_workspace_secret"]
    if secret and variables["infrastructure_defender_workspace_id"]:
        raise InputError(
            "infrastructure_defender_workspace_id and infrastructure_defender_workspace_secret are both given; use one "
            "of them."
        )
    if secret and not variables["infrastructure_vault_id"]:
        raise InputError(
            f"infrastructure_defender_workspace_secret is {quote(secret)}, but infrastructure_vault_id is empty; give "
            "the id of the vault that holds the secret, or the workspace as infrastructure_defender_workspace_id."
        )


def check_version(value: Any) -> None:
    """A version is empty (Azure's default) or one that is still supported."""
    if value == "":
        return
    name = "infrastructure_kubernetes_version"
    found = VERSION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise wrong(name, value, 'a version such as "1.35", in quotes, or leave it empty')
    if (int(found[1]), int(found[2])) < OLDEST:
        raise InputError(
            f"{name} is {value}, which is out of support; choose {OLDEST[0]}.{OLDEST[1]} or newer, or leave it empty "
            "and follow infrastructure_upgrade_channel."
        )


def check_window(where: str, window: Mapping[str, Any]) -> None:
    """A maintenance window: day, start, hours, utc_offset, weeks."""
    if not window:
        return
    if "day" not in window:
        raise InputError(f"{where} has no day; name one, or write an empty mapping for any time.")
    start = window.get("start", "00:00")
    if not isinstance(start, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", start):
        raise wrong(f"{where}.start", start, 'a time such as "02:00", in quotes')
    offset = window.get("utc_offset", "+00:00")
    if not isinstance(offset, str) or not re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", offset):
        raise wrong(f"{where}.utc_offset", offset, 'an offset such as "+01:00", in quotes')
    hours = window.get("hours", SHORTEST_WINDOW)
    if not isinstance(hours, int) or not SHORTEST_WINDOW <= hours <= 24:
        raise wrong(f"{where}.hours", hours, f"hours from {SHORTEST_WINDOW} to 24")


def check_address(variables: Mapping[str, Any]) -> None:
    """The hub's name in Azure's DNS."""
    label = variables["infrastructure_dns_label"]
    if variables["infrastructure_address"] != "none" and label != "":
        azure_names.check_name("infrastructure_dns_label", label, azure_names.DNS_LABEL, "change it")
    if variables["infrastructure_address"] == "public_ip" and label == "":
        raise InputError(
            "infrastructure_dns_label is empty; give the label of the hub's address, or set infrastructure_address to "
            "none."
        )


def check_gateway(variables: Mapping[str, Any]) -> None:
    """An adopted application gateway lives in the gateway subnet, and is the only ingress."""
    if not variables["infrastructure_application_gateway_id"]:
        return
    if not variables["ranges"]["gateway_subnet"]:
        raise InputError(
            "infrastructure_application_gateway_id is given, but infrastructure_gateway_subnet_range is empty; "
            "give the range of the subnet that the gateway is in."
        )
    if variables["infrastructure_gateway_api"]:
        raise InputError(
            "infrastructure_application_gateway_id is given and infrastructure_gateway_api is true; use one of them."
        )


def check_region(variables: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    """What only Azure knows: its locations, the versions that one offers, whether the label is free, sizes and quotas.

    ``answers``: Azure's answers by name, each may be left out: subscription, locations, kubernetes_versions, label,
    public_ip and cluster (None when they are not there), skus, usages.
    """
    subscription = variables["infrastructure_subscription_id"]
    if "subscription" in answers and not answers["subscription"]:
        raise InputError(
            f"infrastructure_subscription_id is {subscription}, which these credentials do not see; correct it, or "
            "give whoever deploys a right there."
        )
    location = variables["infrastructure_location"]
    locations = [item["name"].lower() for item in answers.get("locations") or []]
    if locations and _vm_sizes.region(location) not in locations:
        raise InputError(
            f"infrastructure_location is {quote(location)}, which this subscription does not know; "
            f"{nearest(_vm_sizes.region(location), locations)}"
        )
    check_offered(variables["infrastructure_kubernetes_version"], location, answers.get("kubernetes_versions"))
    if (answers.get("label") or {}).get("available") is False and not has_label(variables, answers):
        label = variables["infrastructure_dns_label"]
        raise InputError(f"infrastructure_dns_label is {quote(label)}, which is taken in {location}; choose another.")
    skus, usages = answers.get("skus"), answers.get("usages")
    if skus is not None and usages is not None:
        sizes = _vm_sizes.vm_sizes(skus, location)
        pool = core_pool(variables["core_pool"])
        where = CORE_POOL
        _vm_sizes.check_size(where, pool, sizes, location)
        _vm_sizes.check_quotas([(where, pool, 0)], sizes, _vm_sizes.vm_quotas(usages), location)


def check_offered(version: str, location: str, answer: Mapping[str, Any] | None) -> None:
    """Refuse a version that the location does not offer. ``answer``: {values: [{version, patchVersions: {}}]}."""
    offered = {item["version"]: list(item.get("patchVersions") or {}) for item in (answer or {}).get("values") or []}
    if version and offered and version not in [*offered, *(patch for patches in offered.values() for patch in patches)]:
        raise InputError(
            f"infrastructure_kubernetes_version is {version}, which {location} does not offer; choose one of "
            f"{', '.join(sorted(offered, key=numbers))}, or leave it empty and follow infrastructure_upgrade_channel."
        )


def numbers(version: str) -> list[int]:
    """The numbers of a version, for sorting."""
    return [int(part) for part in re.findall(r"\d+", version)]


def has_label(variables: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Whether the label is taken by the hub itself: by its own IP, or by the load balancer of its cluster."""
    if variables["infrastructure_address"] == "annotation":
        return bool(answers.get("cluster"))
    own = ((answers.get("public_ip") or {}).get("properties") or {}).get("dnsSettings") or {}
    return str(own.get("domainNameLabel", "")).lower() == variables["infrastructure_dns_label"].lower()


def core_pool(pool: Any) -> Pool:
    """The core pool, checked as all pools are."""
    try:
        return node_pools([pool], variable=CORE_POOL)[0]
    except InputError as error:
        # It is one pool, not a list of them.
        raise InputError(str(error).replace(f"{CORE_POOL}[0]", CORE_POOL)) from None


def infrastructure_problem(variables: Mapping[str, Any], answers: Mapping[str, Any] | None = None) -> str:
    """One sentence for the first thing that cannot work, or an empty text.

    ``variables``: infrastructure_* variables by name, and names, given_names, ranges (see _networks.check), windows,
    core_pool, storage_account_id, api_services (ids of the API Management services that the hub asks as itself).
    ``answers``: see check_region.
    """
    try:
        check_subscription(variables["infrastructure_subscription_id"])
        azure_names.check_names(variables["names"], variables["given_names"])
        _networks.check(variables["ranges"])
        check_address(variables)
        check_adopted(variables)
        check_gateway(variables)
        check_defender(variables)
        for service in variables["api_services"]:
            check_id("a service_id of hub_user_environment_sources is", service, API_SERVICE)
        check_version(variables["infrastructure_kubernetes_version"])
        for name, window in variables["windows"].items():
            check_window(name, window)
        core_pool(variables["core_pool"])
        _data_volumes.data_volumes(variables["infrastructure_data_volumes"], variables["storage_account_id"])
        check_region(variables, answers or {})
    except InputError as error:
        return str(error)
    return ""
