# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Variables of the role infrastructure that work, to be spoilt one by one."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_names

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shared/providers"
ACCOUNT = f"{GROUP}/Microsoft.Storage/storageAccounts/example"

NAMES = dict.fromkeys(_azure_names.RULES, "hub-x") | {"registry": "hubx1", "storage_account": "hubx"}

RANGES: dict[str, Any] = {
    "network": ["10.0.0.0/12"],
    "node_subnet": "10.1.0.0/16",
    "gateway_subnet": "",
    "service": "10.64.0.0/16",
    "pod": "10.244.0.0/14",
    "dns_service_ip": "10.64.0.10",
    "allowed_sources": ["Internet"],
}

SETTINGS: dict[str, Any] = {
    "infrastructure_subscription_id": SUBSCRIPTION,
    "infrastructure_location": "westeurope",
    "infrastructure_address": "public_ip",
    "infrastructure_dns_label": "hub-x",
    "infrastructure_registry_create": False,
    "infrastructure_registry_id": "",
    "infrastructure_workspace_id": "",
    "infrastructure_defender_workspace_id": "",
    "infrastructure_defender_workspace_secret": "",
    "infrastructure_storage_account_id": "",
    "infrastructure_vault_create": False,
    "infrastructure_vault_id": "",
    "infrastructure_gateway_api": False,
    "infrastructure_application_gateway_id": "",
    "infrastructure_kubernetes_version": "",
    "infrastructure_data_volumes": [],
    "names": NAMES,
    "given_names": {},
    "ranges": RANGES,
    "windows": {"infrastructure_upgrade_window": {"day": "Sunday", "start": "02:00", "hours": 8}},
    "core_pool": {"name": "core", "purpose": "core", "vm_size": "Standard_E4s_v5", "count": 2},
    "storage_account_id": ACCOUNT,
    "api_services": [],
}


def changed(**changes: Any) -> dict[str, Any]:
    """The settings with some changed; a mapping changes single keys of the one that is there."""
    settings = copy.deepcopy(SETTINGS)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(settings.get(key), dict)
        settings[key] = {**settings[key], **value} if both else value
    return settings
