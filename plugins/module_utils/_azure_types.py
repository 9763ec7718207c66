# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The table of Azure's types of resources: rules as data, looked up by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_ids as ids
from ansible_collections.planetary.hub.plugins.module_utils._azure_resource_type import ResourceType
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_access import ACCESS
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_cluster import CLUSTER
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_data import DATA
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_monitor import MONITOR
from ansible_collections.planetary.hub.plugins.module_utils._azure_types_network import NETWORK
from ansible_collections.planetary.hub.plugins.module_utils._azure_values import get

TYPES: dict[str, ResourceType] = {kind.name.casefold(): kind for kind in (*ACCESS, *NETWORK, *CLUSTER, *DATA, *MONITOR)}


def of(resource_id: str) -> ResourceType:
    """The rules of the type of an id; of a type without rules, the generic ones.

    Raises:
        IdError: the text is no id.
    """
    name = ids.resource_type(resource_id)
    return TYPES.get(name.casefold(), ResourceType(name=name))


def locks(resource_id: str, body: Mapping[str, Any]) -> frozenset[str]:
    """What a write of this resource must have for itself: folded ids, each held by one write at a time."""
    places = {"id": resource_id, "parent": ids.parse(resource_id).parent}
    found = (places.get(path) or get(body, path) for path in of(resource_id).locks)
    return frozenset(ids.folded(value) for value in found if isinstance(value, str))


def turn(resource_id: str, body: Mapping[str, Any]) -> str:
    """Of which only one may be begun at a time: the folded id of what they share; empty when it does not matter."""
    value = get(body, of(resource_id).turns) if of(resource_id).turns else None
    return ids.folded(ids.parse(value).parent) if isinstance(value, str) else ""
