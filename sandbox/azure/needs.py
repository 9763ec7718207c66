# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a request to Azure Resource Manager needs: an action over a scope, and rights over what its body mentions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .rbac import Need

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
JOIN_ENDPOINT = "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"
SHARED_KEYS = "Microsoft.OperationalInsights/workspaces/sharedKeys/action"
# POSTs that Azure counts as reading.
_READING_POSTS = {"checknameavailability", "checkdnsnameavailability"}


def _split(path: str) -> tuple[list[str], list[str] | None]:
    """The segments before the last ``providers``, and those after it (None when there is no provider)."""
    segments = [segment for segment in path.split("?", 1)[0].split("/") if segment]
    for index in range(len(segments) - 2, -1, -1):
        if segments[index].casefold() == "providers":
            return segments[:index], segments[index + 1 :]
    return segments, None


def _verb(method: str) -> str:
    return {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(
        method.upper(), "action"
    )


def _without_provider(base: list[str], method: str) -> Need:
    """Subscriptions, resource groups and what hangs on them."""
    names = [name.casefold() for name in base]
    verb = _verb(method)
    if names[:1] != ["subscriptions"] or len(base) == 1:
        return Need(f"Microsoft.Resources/{base[0] if base else 'operations'}/{verb}", "/")
    subscription = f"/subscriptions/{base[1]}"
    if len(base) == 2:
        return Need(f"Microsoft.Resources/subscriptions/{verb}", subscription)
    if names[2] != "resourcegroups":
        return Need(f"Microsoft.Resources/subscriptions/{base[2]}/{verb}", subscription)
    kind = "Microsoft.Resources/subscriptions/resourceGroups"
    if len(base) == 3:
        return Need(f"{kind}/{verb}", subscription)
    group = f"{subscription}/resourceGroups/{base[3]}"
    if len(base) == 4:
        return Need(f"{kind}/{verb}", group)
    return Need(f"{kind}/{base[4]}/{verb}", group)


def need(method: str, path: str) -> Need:
    """The action and scope that a request to the management plane needs.

    ``PUT …/Microsoft.Network/virtualNetworks/x`` needs ``Microsoft.Network/virtualNetworks/write`` over the network,
    ``GET …/virtualNetworks`` needs ``…/read`` over the group, ``POST …/x/listKeys`` needs ``…/listKeys/action`` over x.
    """
    base, rest = _split(path)
    if rest is None:
        return _without_provider(base, method)
    root = "/" + "/".join(base) if base else "/"
    namespace, tail = rest[0], rest[1:]
    verb = _verb(method)
    if not tail:
        return Need("Microsoft.Resources/subscriptions/providers/read", root)
    types, names = tail[0::2], tail[1::2]
    named = len(types) == len(names)
    stem = root.rstrip("/") + f"/providers/{namespace}"
    if verb == "action" and not named:
        action, types = types[-1], types[:-1]
        verb = "read" if action.casefold() in _READING_POSTS else "action"
        scope = stem + "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True)) if types else root
        return Need("/".join([namespace, *types, action, verb]), scope)
    full = "/".join([namespace, *types, verb])
    if named:
        return Need(full, stem + "/" + "/".join(tail))
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=False))
    return Need(full, stem + pairs if pairs else root)


# What a body of a type mentions, and the right over it that Azure asks for. ``*`` walks all items or values, ``~`` all
# keys.
_SUBNET_LINKS = (
    ("properties.networkSecurityGroup.id", "Microsoft.Network/networkSecurityGroups/join/action"),
    ("properties.routeTable.id", "Microsoft.Network/routeTables/join/action"),
    ("properties.natGateway.id", "Microsoft.Network/natGateways/join/action"),
)
_POOL_LINKS = (("vnetSubnetID", JOIN), ("podSubnetID", JOIN))
LINKS: dict[str, tuple[tuple[str, str], ...]] = {
    "microsoft.network/virtualnetworks/subnets": _SUBNET_LINKS,
    "microsoft.network/virtualnetworks": tuple(
        (f"properties.subnets.*.{path}", action) for path, action in _SUBNET_LINKS
    ),
    "microsoft.network/loadbalancers": (
        (
            "properties.frontendIPConfigurations.*.properties.publicIPAddress.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        ("properties.frontendIPConfigurations.*.properties.subnet.id", JOIN),
    ),
    "microsoft.network/applicationgateways": (
        (
            "properties.frontendIPConfigurations.*.properties.publicIPAddress.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        ("properties.gatewayIPConfigurations.*.properties.subnet.id", JOIN),
    ),
    "microsoft.network/networkinterfaces": (
        ("properties.ipConfigurations.*.properties.subnet.id", JOIN),
        ("properties.networkSecurityGroup.id", "Microsoft.Network/networkSecurityGroups/join/action"),
    ),
    "microsoft.network/natgateways": (
        ("properties.publicIpAddresses.*.id", "Microsoft.Network/publicIPAddresses/join/action"),
    ),
    "microsoft.containerservice/managedclusters": (
        *((f"properties.agentPoolProfiles.*.{path}", action) for path, action in _POOL_LINKS),
        ("properties.identityProfile.*.resourceId", ASSIGN),
        (
            "properties.networkProfile.loadBalancerProfile.outboundIPs.publicIPs.*.id",
            "Microsoft.Network/publicIPAddresses/join/action",
        ),
        (
            "properties.addonProfiles.*.config.logAnalyticsWorkspaceResourceID",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        ),
        (
            "properties.securityProfile.defender.logAnalyticsWorkspaceResourceId",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        ),
    ),
    "microsoft.containerservice/managedclusters/agentpools": tuple(
        (f"properties.{path}", action) for path, action in _POOL_LINKS
    ),
    "microsoft.storage/storageaccounts": (("properties.networkAcls.virtualNetworkRules.*.id", JOIN_ENDPOINT),),
    "microsoft.keyvault/vaults": (("properties.networkAcls.virtualNetworkRules.*.id", JOIN_ENDPOINT),),
    "microsoft.insights/diagnosticsettings": (("properties.workspaceId", SHARED_KEYS),),
    # The keys are documented for a workspace of another subscription, as an adopted one may be; here they are always
    # asked for.
    "microsoft.insights/components": (
        ("properties.WorkspaceResourceId", "Microsoft.OperationalInsights/workspaces/read"),
        ("properties.WorkspaceResourceId", SHARED_KEYS),
    ),
}
_EVERY_TYPE = (("identity.userAssignedIdentities.~", ASSIGN),)


def _walk(value: Any, path: list[str]) -> Iterator[str]:
    """The texts at a path of a body; keys are compared without regard to case."""
    if not path:
        if isinstance(value, str) and value:
            yield value
        return
    head, rest = path[0], path[1:]
    if head == "~" and isinstance(value, Mapping):
        yield from value
    elif head == "*" and isinstance(value, Mapping):
        for item in value.values():
            yield from _walk(item, rest)
    elif head == "*" and isinstance(value, list):
        for item in value:
            yield from _walk(item, rest)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key.casefold() == head.casefold():
                yield from _walk(item, rest)


def linked(resource_type: str, body: Any) -> list[Need]:
    """The rights over other resources that writing this body needs; each once, in the order they are mentioned."""
    found: dict[tuple[str, str], Need] = {}
    for path, action in (*LINKS.get(resource_type.casefold(), ()), *_EVERY_TYPE):
        for target in _walk(body, path.split(".")):
            found.setdefault((action, target.casefold()), Need(action, target))
    return list(found.values())
