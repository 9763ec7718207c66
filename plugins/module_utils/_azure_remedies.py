# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What to do about Azure's refusals: wait and try again, or what to tell a person. Tables over data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError

# Codes of refusals that pass by themselves.
# Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
PASSING = frozenset(
    code.casefold()
    for code in (
        "AnotherOperationInProgress",
        "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
        "ConcurrentModificationError",
        "EtagMismatch",
        "OperationPreempted",
        "PreconditionFailed",
        "ReferencedResourceNotProvisioned",
        "ResourceGroupBeingDeleted",
        "RetryableError",
        "RetryableErrorDueToAnotherOperation",
        "StorageAccountOperationInProgress",
        "TooManyRequests",
        "VirtualNetworkNotInSucceededState",
    )
)
_BUSY = re.compile(
    r"in progress|another operation|is being|being (created|updated|deleted)|concurrent|not in .{0,20}succeeded"
    r"|not been provisioned|try again|retry (the|your|after|later)|preempted",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"quota|cores limit|limit reached|CountLimit", re.IGNORECASE)
DENIED = frozenset({"authorizationfailed", "linkedauthorizationfailed", "forbidden", "forbiddenbyrbac"})
# A refusal for a linked resource says first what the principal may do.
_DENIAL = re.compile(
    r"object id '(?P<who>[^']+)'.*?not have (?:authorization|permission) to perform"
    r" action(?:\(s\))? '(?P<actions>[^']+)'"
    r".*?(?:over|on|at) (?:the )?(?:linked )?scope(?:\(s\))? '(?P<scopes>[^']+)'",
    re.IGNORECASE | re.DOTALL,
)

# The smallest built-in role that holds the actions that begin so; the first that fits counts.
ROLES = {
    "microsoft.authorization/roleassignments/": "Role Based Access Control Administrator",
    "microsoft.authorization/locks/": "User Access Administrator",
    "microsoft.network/": "Network Contributor",
    "microsoft.containerservice/": "Azure Kubernetes Service Contributor Role",
    "microsoft.managedidentity/userassignedidentities/assign/": "Managed Identity Operator",
    "microsoft.managedidentity/": "Managed Identity Contributor",
    "microsoft.keyvault/": "Key Vault Contributor",
    "microsoft.storage/": "Storage Account Contributor",
    "microsoft.operationalinsights/": "Log Analytics Contributor",
    "microsoft.insights/": "Monitoring Contributor",
}

_LOCATION = "choose a region that az account list-locations -o table names"
_NAME = "choose another name"
_ELSEWHERE = "one of this name lives in another region: choose another name or that region"
# Code to what to do about it.
REMEDIES = {
    code.casefold(): remedy
    for code, remedy in {
        "LocationNotAvailableForResourceType": _LOCATION,
        "LocationNotAvailableForResourceGroup": _LOCATION,
        "LocationNotFound": _LOCATION,
        "InvalidLocation": _LOCATION,
        "InvalidResourceLocation": _ELSEWHERE,
        "InvalidResourceGroupLocation": _ELSEWHERE,
        "NoRegisteredProviderFound": "check api_version and location",
        "DnsRecordInUse": "the DNS label belongs to somebody else: choose another one",
        "InvalidResourceName": _NAME,
        "InvalidParameter": "check the value that Azure names",
        "ReservedResourceName": _NAME,
        "AccountNameInvalid": _NAME,
        "VaultNameNotValid": _NAME,
        "StorageAccountAlreadyTaken": f"the name is taken, worldwide: {_NAME}",
        "AlreadyInUse": f"the name is taken, worldwide: {_NAME}",
        "VaultAlreadyExists": f"the name is taken, worldwide: {_NAME}",
        "MissingSubscriptionRegistration": "register the provider: az provider register --namespace <its namespace>",
        "RequestDisallowedByPolicy": "a policy of the subscription forbids it: ask whoever owns the policy",
        "ScopeLocked": "remove the lock, or leave the resource alone",
        "SkuNotAvailable": "choose another size or region: az vm list-skus",
        "SubscriptionNotFound": "check subscription_id and the credentials",
        "InvalidAuthenticationTokenTenant": "check tenant_id: the subscription belongs to another tenant",
        "PrincipalNotFound": "check principal_id: Entra ID does not know it",
        "PropertyChangeNotAllowed": "Azure cannot change it: create it under another name, then remove this one",
        "InUseSubnetCannotBeDeleted": "remove what is connected to the subnet first",
        "PublicIPAddressCannotBeDeleted": "remove what uses the address first",
    }.items()
}
_QUOTA_REMEDY = "ask for more in the Azure portal under Quotas, or choose less, another size or another region"


def codes(error: AzureError) -> frozenset[str]:
    """All codes of an error, folded."""
    return frozenset(code.casefold() for code in error.codes if code)


def is_denied(error: AzureError) -> bool:
    """Whether a right is missing (or not yet known everywhere)."""
    return error.status == 403 or bool(codes(error) & DENIED)


def is_quota(error: AzureError) -> bool:
    """Whether there is no more to be had."""
    return bool(_QUOTA.search(f"{' '.join(error.codes)} {error.message}")) and "taken" not in error.message


def passes(error: AzureError, put_again: Iterable[str]) -> bool:
    """Whether the same request may succeed a little later.

    :param put_again: further codes for which that is so, those of the resource's type
    """
    if is_quota(error):
        return False
    if error.status == 412 or codes(error) & {code.casefold() for code in put_again}:
        return True
    if codes(error) & PASSING:
        return True
    # The one code stands for "busy" and for "never".
    unclear = error.status == 409 or "operationnotallowed" in codes(error)
    return unclear and bool(_BUSY.search(error.message))


def is_taken_by_deleted(error: AzureError) -> bool:
    """Whether a deleted resource keeps the name, from which it can be brought back."""
    return error.status == 409 and bool(re.search(r"deleted state|soft.?deleted", error.message, re.IGNORECASE))


def remedy(error: AzureError) -> str:
    """What to do about a refusal; empty when nobody knows.

    >>> remedy(AzureError("x", status=409, code="DnsRecordInUse"))
    'the DNS label belongs to somebody else: choose another one'
    """
    denial = _DENIAL.search(error.message)
    if is_denied(error) and denial:
        return f"give the principal {denial['who']} {' and '.join(_roles(denial['actions'], denial['scopes']))}"
    known = next((REMEDIES[code] for code in sorted(codes(error)) if code in REMEDIES), "")
    return known or (_QUOTA_REMEDY if is_quota(error) else "")


def _roles(actions: str, scopes: str) -> Iterator[str]:
    """The role for each action, both of them lists with commas, on its scope."""
    for action, scope in zip(actions.split(","), scopes.split(","), strict=False):
        role = next((role for prefix, role in ROLES.items() if action.casefold().startswith(prefix)), "Contributor")
        yield f'the role "{role}" (it holds {action}) on {scope}'


def sentence(error: AzureError) -> str:
    """A refusal with what to do about it, without a full stop."""
    # Azure repeats the right that is missing, and how to refresh a login, at length.
    said = re.sub(r"\.? If access was recently granted.*", "", str(error)).rstrip(". ")
    way_out = remedy(error)
    return f"{said}; {way_out}" if way_out else said
