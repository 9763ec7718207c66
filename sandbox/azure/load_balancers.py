# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Names of Azure's DNS, ``<label>.<region>.cloudapp.azure.com``, as far as a service of the real cluster has one.

Azure gives a label to a load balancer in two ways: by an annotation of the service, or on an address that the service
names. Either leads here to the address that the real cluster has given the service, whatever is asked there.
Source: https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .arm.kinds import look
from .arm.types.network_addresses import ADDRESS
from .real_cluster import Refused, Unusable

if TYPE_CHECKING:
    from .cloud import Cloud

SUFFIX = ".cloudapp.azure.com"
LABEL = "service.beta.kubernetes.io/azure-dns-label-name"
NAMED = "service.beta.kubernetes.io/azure-pip-name"


def is_name(host: str) -> bool:
    """Whether Azure's DNS would know it."""
    return host.lower().endswith(SUFFIX)


async def address(cloud: Cloud, host: str) -> str:
    """The address of the service that a name belongs to; "" when there is none."""
    if cloud.real_cluster is None:
        return ""
    try:
        services = await asyncio.to_thread(cloud.real_cluster.ask, "GET", "/api/v1/services")
    except (Refused, Unusable):
        return ""
    label = host.lower().removesuffix(SUFFIX).partition(".")[0]
    ours = {
        record.id.rpartition("/")[2].lower()
        for record in cloud.store.of_type(ADDRESS)
        if str(look(record.body, "properties.dnsSettings.fqdn", "")).lower() == host.lower()
    }
    for service in services["items"]:
        annotations = service["metadata"].get("annotations") or {}
        if annotations.get(LABEL, "").lower() == label or annotations.get(NAMED, "").lower() in ours:
            return _given(service)
    return ""


def _given(service: dict[str, Any]) -> str:
    """The address of a service of type LoadBalancer, "" as long as it has none."""
    found = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return str(found[0].get("ip") or found[0].get("hostname") or "")
