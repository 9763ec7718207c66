# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure's refusals: which pass by themselves, and what people are told about the others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import (
    AzureError,
    asked_to_wait,
    credential_sentence,
    described,
)
from ansible_collections.planetary.hub.plugins.module_utils._azure_remedies import (
    is_taken_by_deleted,
    passes,
    remedy,
    sentence,
)

DENIAL = (
    "The client '1' with object id '2' does not have authorization to perform action"
    " 'Microsoft.Network/virtualNetworks/write' over scope '/subscriptions/0/resourceGroups/g' or the scope is invalid."
    " If access was recently granted, please refresh your credentials."
)


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (409, "AnotherOperationInProgress", "Another operation is in progress.", True),
        (409, "Conflict", "The resource is being created.", True),
        (409, "OperationNotAllowed", "Operation is not allowed: another operation is in progress.", True),
        (400, "OperationNotAllowed", "The maximum number of agent pools of the cluster has been reached.", False),
        (400, "SetVNetOwnershipFailed", "Ownership was not set.", True),
        (200, "ReferencedResourceNotProvisioned", "Not provisioned.", True),
        (412, "PreconditionFailed", "The etag differs.", True),
        (409, "OperationNotAllowed", "exceeding approved standardDSv3Family Cores quota. Another operation…", False),
        (409, "StorageAccountAlreadyTaken", "The storage account named hub is already taken.", False),
        (409, "VaultAlreadyExists", "The vault name is already in use.", False),
        (400, "DnsRecordInUse", "DNS record hub is already used by another public IP.", False),
        (403, "AuthorizationFailed", DENIAL, False),
        (400, "BadRequest", "no", False),
    ],
)
def test_which_refusals_pass(status: int, code: str, message: str, expected: bool) -> None:
    error = AzureError(message, status=status, code=code)
    assert passes(error, ["SetVNetOwnershipFailed"]) is expected


def test_a_code_below_counts_too() -> None:
    error = AzureError("failed", status=400, code="BadRequest", codes=frozenset({"SetVNetOwnershipFailed"}))
    assert passes(error, ["setvnetownershipfailed"])


@pytest.mark.parametrize(
    ("code", "message", "part"),
    [
        (
            "LocationNotAvailableForResourceGroup",
            "no mars",
            "choose a region",
        ),
        ("DnsRecordInUse", "used", "choose another one"),
        ("ErrCode_InsufficientVCPUQuota", "Insufficient vcpu quota requested 8, remaining 4", "under Quotas"),
        ("StorageAccountAlreadyTaken", "taken", "choose another name"),
        ("InvalidResourceLocation", "The resource already exists in 'eastus'", "another region"),
        ("ScopeLocked", "locked", "remove the lock"),
        ("Whatever", "new", ""),
    ],
)
def test_remedies(code: str, message: str, part: str) -> None:
    found = remedy(AzureError(message, status=400, code=code))
    assert part in found
    assert bool(found) is bool(part)


def test_a_missing_right_names_principal_action_scope_and_role() -> None:
    said = sentence(AzureError(DENIAL, status=403, code="AuthorizationFailed"))
    assert said.endswith(
        'give the principal 2 the role "Network Contributor" (it holds Microsoft.Network/virtualNetworks/write)'
        " on /subscriptions/0/resourceGroups/g"
    )
    assert "recently granted" not in said


def test_rights_over_what_a_body_mentions_are_named() -> None:
    message = (
        "The client '1' with object id '2' has permission to perform action 'Microsoft.Network/virtualNetworks/write'"
        " on scope '/s'; however, it does not have permission to perform action(s)"
        " 'Microsoft.Network/networkSecurityGroups/join/action,"
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '/a,/b' (respectively)"
        " or the linked scope(s) are invalid."
    )
    assert sentence(AzureError(message, status=403, code="LinkedAuthorizationFailed")).endswith(
        'give the principal 2 the role "Network Contributor"'
        " (it holds Microsoft.Network/networkSecurityGroups/join/action) on /a"
        ' and the role "Managed Identity Operator"'
        " (it holds Microsoft.ManagedIdentity/userAssignedIdentities/assign/action) on /b"
    )


def test_a_deleted_vault_keeps_its_name() -> None:
    message = "A vault with the same name already exists in deleted state."
    assert is_taken_by_deleted(AzureError(message, status=409, code="ConflictError"))
    assert not is_taken_by_deleted(AzureError("The name is already in use.", status=409, code="VaultAlreadyExists"))


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ({"error": {"code": "A", "message": "b"}}, "A", "b"),
        ({"code": "A", "message": "b", "details": None}, "A", "b"),
        (
            {"error": {"code": "A", "message": "See details.", "details": [{"code": "B", "message": "it is\nfull."}]}},
            "A",
            "See details (it is full)",
        ),
        ({"Code": "A", "Message": "b"}, "A", "b"),
        ({"status": "Failed", "error": {"code": "A", "message": "b"}}, "A", "b"),
        ({}, "", ""),
        ([], "", ""),
        ({"error": "invalid_client"}, "", ""),
    ],
)
def test_bodies_of_errors(content: Any, code: str, message: str) -> None:
    assert described(content)[:2] == (code, message)


@pytest.mark.parametrize(("value", "seconds"), [("15", 15), ("0", 0), ("x", None), (None, None), ("-3", 0)])
def test_how_long_azure_asks_to_wait(value: str | None, seconds: float | None) -> None:
    assert asked_to_wait({} if value is None else {"Retry-After": value}) == seconds


def test_a_date_is_a_time_to_wait_too() -> None:
    assert asked_to_wait({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("AADSTS7000215: Invalid client secret provided. Ensure … Trace ID: 1", "its value is wanted, not its id"),
        ("AADSTS700016: Application with identifier 'x' was not found. Trace ID: 1", "check client_id"),
        ("AADSTS90002: Tenant 'x' not found. Check …", "there is no such tenant"),
        ("DefaultAzureCredential failed to retrieve a token from the included credentials.\n…", "az login"),
    ],
)
def test_refused_credentials(text: str, part: str) -> None:
    said = credential_sentence(f"Authentication failed: {text}", "42")
    assert part in said
    assert "Trace ID" not in said
    assert "\n" not in said
