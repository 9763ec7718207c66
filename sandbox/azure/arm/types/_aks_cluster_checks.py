# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Managed clusters: what AKS refuses.

Sources: https://learn.microsoft.com/azure/aks/configure-azure-cni,
https://learn.microsoft.com/azure/aks/use-managed-identity
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from ... import rbac
from ...needs import ASSIGN, JOIN
from ...store import Record
from ..kinds import Body, Call, look, merged
from ..locations import normal
from . import _aks_nodes as nodes
from . import _aks_pools as pools
from . import _aks_versions as versions
from ._aks_clusters import READ_ONLY, Properties, network_profile
from ._aks_versions import AksRefusal, invalid

if TYPE_CHECKING:
    from ...cloud import Cloud

#: Azure keeps these ranges for itself.
RESERVED_RANGES = ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
#: dotted path -> what AKS calls it: not to be changed in the life of a cluster.
IMMUTABLE = {
    "dnsPrefix": "dnsPrefix",
    "fqdnSubdomain": "fqdnSubdomain",
    "nodeResourceGroup": "nodeResourceGroup",
    "enableRBAC": "enableRBAC",
    "networkProfile.serviceCidr": "networkProfile.serviceCidr",
    "networkProfile.dnsServiceIP": "networkProfile.dnsServiceIP",
    "networkProfile.podCidr": "networkProfile.podCidr",
    "networkProfile.loadBalancerSku": "networkProfile.loadBalancerSku",
    "apiServerAccessProfile.enablePrivateCluster": "apiServerAccessProfile.enablePrivateCluster",
    "diskEncryptionSetID": "diskEncryptionSetID",
}
_DNS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?")


def check(call: Call, body: Body, live: Record | None) -> None:
    """Refuse a cluster that AKS would refuse."""
    given = body.get("properties", {})
    if live is None:
        _check_new(given)
    else:
        _check_change(given, live)
    _check_together(given, live)
    _check_ranges(given.get("networkProfile") or {})
    _check_pools(call, body, live)
    _check_identity(call, body, live)


def _missing(name: str) -> AksRefusal:
    return AksRefusal(400, "InvalidParameter", f"Required parameter {name} is missing (null).", name)


def _check_new(given: Properties) -> None:
    prefix = given.get("dnsPrefix") or given.get("fqdnSubdomain")
    if not prefix:
        raise _missing("dnsPrefix")
    if not _DNS.fullmatch(str(prefix)):
        raise invalid("dnsPrefix", f"DNS prefix '{prefix}' is invalid: 1 to 54 letters, digits and hyphens")
    profiles = given.get("agentPoolProfiles") or []
    if not profiles:
        raise _missing("agentPoolProfiles")
    if not any(str(one.get("mode", "")).lower() == "system" for one in profiles):
        raise AksRefusal(400, "InvalidParameter", "Must define at least one system pool.", "agentPoolProfiles")
    if given.get("kubernetesVersion"):
        versions.supported(str(given["kubernetesVersion"]))


def _check_change(given: Properties, live: Record) -> None:
    old = live.properties
    if look(old, "powerState.code") == "Stopped":
        message = (
            "Managed cluster is in stopped state: only start and delete are allowed. Please start the cluster first."
        )
        raise AksRefusal(400, "OperationNotAllowed", message)
    for path, name in IMMUTABLE.items():
        new, before = look(given, path), look(old, path)
        if new is None or str(new).lower() == str(before).lower() or (not new and not before):
            continue
        message = f"Changing property 'properties.{name}' is not allowed."
        raise AksRefusal(400, "PropertyChangeNotAllowed", message, f"properties.{name}")
    if look(old, "oidcIssuerProfile.enabled") and look(given, "oidcIssuerProfile.enabled") is False:
        raise AksRefusal(400, "BadRequest", "OIDC issuer feature cannot be disabled.", "oidcIssuerProfile.enabled")
    plugin = look(given, "networkProfile.networkPlugin")
    if plugin and plugin != look(old, "networkProfile.networkPlugin"):
        message = "Changing property 'networkProfile.networkPlugin' is not allowed."
        raise AksRefusal(400, "PropertyChangeNotAllowed", message, "networkProfile.networkPlugin")
    _check_version(given, old)


def _check_version(given: Properties, old: Properties) -> None:
    """A new version of the control plane comes alone."""
    wanted = given.get("kubernetesVersion")
    if wanted is None or wanted == old["kubernetesVersion"]:
        return
    if versions.moved(str(wanted), old["currentKubernetesVersion"]) == old["currentKubernetesVersion"]:
        return
    ignored = {"kubernetesVersion", "agentPoolProfiles", *READ_ONLY}
    said = {key: value for key, value in given.items() if key not in ignored}
    both = merged({key: value for key, value in old.items() if key not in ignored}, said)
    changed = [key for key, value in both.items() if key in said and not _alike(value, old.get(key))]
    if changed:
        message = (
            f"Upgrade and other changes of a managed cluster are mutually exclusive: {', '.join(sorted(changed))}."
            " Change the Kubernetes version in an operation of its own."
        )
        raise AksRefusal(400, "OperationNotAllowed", message, "kubernetesVersion")


def _alike(new: Any, old: Any) -> bool:
    """Equal but for the case of texts and for what is empty."""
    if isinstance(new, dict) and isinstance(old, dict):
        low = {key.lower(): value for key, value in old.items()}
        return all(_alike(value, low.get(key.lower())) for key, value in new.items())
    if isinstance(new, str) and isinstance(old, str):
        return new.lower() == old.lower()
    return bool(new == old) or (new in (None, {}, [], False) and old in (None, {}, [], False))


def _check_together(given: Properties, live: Record | None) -> None:
    """What must not stand alone."""
    both = merged(live.properties if live else {}, given)
    if look(both, "securityProfile.workloadIdentity.enabled") and not look(both, "oidcIssuerProfile.enabled"):
        message = "Workload identity requires the OIDC issuer to be enabled."
        raise AksRefusal(400, "BadRequest", message, "securityProfile.workloadIdentity")
    if both.get("disableLocalAccounts") and not isinstance(both.get("aadProfile"), dict):
        message = "Disabling local accounts is only supported on clusters with Microsoft Entra integration."
        raise AksRefusal(400, "BadRequest", message, "disableLocalAccounts")
    network = both.get("networkProfile") or {}
    if network.get("networkPolicy") == "cilium" and network.get("networkDataplane") != "cilium":
        raise invalid("networkProfile.networkPolicy", "Network policy cilium requires network dataplane cilium")
    if network.get("networkDataplane") == "cilium" and network.get("networkPolicy") not in (None, "cilium", "none"):
        raise invalid("networkProfile.networkPolicy", "Network dataplane cilium requires network policy cilium")
    if network.get("networkPluginMode") == "overlay" and network.get("networkPlugin", "azure") != "azure":
        raise invalid("networkProfile.networkPluginMode", "Overlay requires network plugin azure")
    plan = both.get("supportPlan")
    if plan == "AKSLongTermSupport" and str(look(given, "sku.tier", "Premium")).lower() != "premium":
        raise AksRefusal(400, "BadRequest", "AKSLongTermSupport requires the Premium tier.", "supportPlan")


def _range(name: str, text: str) -> Any:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise invalid(f"networkProfile.{name}", f"'{text}' is not a valid CIDR") from None


def _check_ranges(network: Properties) -> None:
    found = {name: _range(name, network[name]) for name in ("podCidr", "serviceCidr") if network.get(name)}
    for name, one in found.items():
        for reserved in RESERVED_RANGES:
            if one.overlaps(ipaddress.ip_network(reserved)):
                raise invalid(f"networkProfile.{name}", f"{one} overlaps the reserved range {reserved}")
    if len(found) == 2 and found["podCidr"].overlaps(found["serviceCidr"]):
        message = (
            f"The specified service CIDR {network['serviceCidr']} is conflicted with pod CIDR {network['podCidr']}."
        )
        raise AksRefusal(400, "ServiceCidrOverlapExistingSubnetsCidr", message, "networkProfile.serviceCidr")
    address = network.get("dnsServiceIP")
    if address and "serviceCidr" in found:
        service = found["serviceCidr"]
        number = ipaddress.ip_address(address)
        if number not in service or number in (service.network_address, service.network_address + 1):
            raise invalid("networkProfile.dnsServiceIP", f"{address} is not in {service}, or the first address of it")


def check_subnet(call: Call, subnet_id: str, service: str | None, pod: str | None = None) -> None:
    """Refuse a subnet that is not there or overlaps the cluster's own ranges."""
    record = call.cloud.store.get(subnet_id)
    if record is None:
        raise AksRefusal(
            400, "InvalidParameter", f"Resource {subnet_id} was not found.", "agentPoolProfile.vnetSubnetID"
        )
    properties = record.properties
    prefixes = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    for prefix in filter(None, prefixes):
        for name, text in (("service", service), ("pod", pod)):
            if text and ipaddress.ip_network(prefix).overlaps(ipaddress.ip_network(text)):
                message = f"The specified {name} CIDR {text} is conflicted with an existing subnet CIDR {prefix}."
                code = (
                    "ServiceCidrOverlapExistingSubnetsCidr"
                    if name == "service"
                    else "PodCidrOverlapExistingSubnetsCidr"
                )
                raise AksRefusal(400, code, message, f"networkProfile.{name}Cidr")


def _check_pools(call: Call, body: Body, live: Record | None) -> None:
    """The pools inside the body: at creation all of them, later only those that are there already."""
    given = body.get("properties", {})
    where = normal(body["location"])
    cluster = merged(
        live.properties if live else {}, {**given, "networkProfile": network_profile(given.get("networkProfile") or {})}
    )
    base = live.id if live else call.target.path
    running = versions.supported(str(given.get("kubernetesVersion") or versions.DEFAULT)) if live is None else ""
    wanted_all, names = [], set()
    for one in given.get("agentPoolProfiles") or []:
        name = str(one.get("name", ""))
        record = call.cloud.store.get(f"{base}/agentPools/{name}") if live else None
        pools.check_name(name)
        if name in names:
            raise invalid("agentPoolProfiles", f"Agent pool name '{name}' is used twice")
        names.add(name)
        if live is not None and record is None:
            message = (
                "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through"
                " managed cluster operations. For agent pool specific change, please use per agent pool operations:"
                " https://aka.ms/agent-pool-rest-api"
            )
            raise AksRefusal(400, "BadRequest", message, "agentPoolProfiles")
        said = {key: value for key, value in one.items() if key != "name"}
        before = record.properties if record else None
        if before is not None:
            pools.check_change(said, before)
        wanted = pools.fill(said, before, cluster, running or str(cluster.get("currentKubernetesVersion")))
        pools.check(call, where, said, wanted, before)
        if record is None and said.get("vnetSubnetID"):
            network = cluster["networkProfile"]
            check_subnet(call, said["vnetSubnetID"], network["serviceCidr"], network.get("podCidr"))
        wanted_all.append((f"{base}/agentPools/{name}", wanted))
    pools.check_quota(call.cloud, where, wanted_all)


def may(cloud: Cloud, principal: str, action: str, scope: str) -> bool:
    """Whether a principal may do something, by Azure RBAC."""
    caller = rbac.Caller(principal, principal)
    return rbac.allowed(caller, rbac.Need(action, scope), rbac.grants(cloud), now=cloud.now(), taken=rbac.taken(cloud))


def _principals(cloud: Cloud, block: Body) -> list[tuple[str, str]]:
    """Client and object ids of the user-assigned identities of a body."""
    found = []
    for resource_id in block.get("userAssignedIdentities") or {}:
        record = cloud.store.get(resource_id)
        if record is not None and record.type == nodes.IDENTITY:
            found.append((record.properties["clientId"], record.properties["principalId"]))
    return found


def check_join(cloud: Cloud, identity: Body, subnet_id: str) -> None:
    """Refuse a subnet that the cluster's own identity may not join nodes to.

    A system-assigned identity is made with the cluster: nobody could have given it a right before.
    """
    for client, principal in _principals(cloud, identity):
        if not may(cloud, principal, JOIN, subnet_id):
            message = (
                f"The client '{client}' with object id '{principal}' does not have permission to perform action(s)"
                f" '{JOIN}' on the linked scope(s) '{subnet_id}' (respectively) or the linked scope(s) are invalid."
                " Please make sure the cluster identity has the Network Contributor role on the subnet, see"
                " https://aka.ms/aks/custom-vnet."
            )
            raise AksRefusal(403, "LinkedAuthorizationFailed", message, "agentPoolProfile.vnetSubnetID")


def _check_identity(call: Call, body: Body, live: Record | None) -> None:
    identity = body.get("identity") or (live.body.get("identity") if live else None) or {}
    given = body.get("properties", {})
    if live is None:
        if not identity and not look(given, "servicePrincipalProfile.clientId"):
            message = "Provisioning of a cluster needs an identity or a service principal."
            raise AksRefusal(400, "BadRequest", message, "identity")
        subnets = {one.get("vnetSubnetID") for one in given.get("agentPoolProfiles") or []}
        for subnet_id in sorted(filter(None, subnets)):
            check_join(call.cloud, identity, subnet_id)
    kubelet = look(given, "identityProfile.kubeletidentity.resourceId")
    if not kubelet or (live and _alike(kubelet, look(live.properties, "identityProfile.kubeletidentity.resourceId"))):
        return
    record = call.cloud.store.get(kubelet)
    if record is None:
        raise AksRefusal(
            400, "InvalidParameter", f"Resource {kubelet} was not found.", "identityProfile.kubeletidentity"
        )
    users = _principals(call.cloud, identity)
    if not users:
        message = "Custom kubelet identity is only supported on clusters with a user-assigned managed identity."
        raise AksRefusal(400, "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster", message)
    for _client, principal in users:
        if not may(call.cloud, principal, ASSIGN, kubelet):
            message = (
                "The cluster using user-assigned managed identity must be granted 'Managed Identity Operator' role to"
                " assign kubelet identity. You can run 'az role assignment create --assignee"
                ' <control-plane-identity-principal-id> --scope <kubelet-identity-resource-id> --role "Managed'
                " Identity Operator\"' to grant the permission. See"
                " https://learn.microsoft.com/azure/aks/use-managed-identity#add-role-assignment"
            )
            raise AksRefusal(400, "CustomKubeletIdentityMissingPermissionError", message)
