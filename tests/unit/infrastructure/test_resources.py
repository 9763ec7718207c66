# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Data volumes and rights, written as Azure resources."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.planetary.hub.plugins.filter.data_volumes import FilterModule as DataVolumes
from ansible_collections.planetary.hub.plugins.filter.file_shares import FilterModule as FileShares
from ansible_collections.planetary.hub.plugins.filter.role_assignments import FilterModule as RoleAssignments

from unit.infrastructure.settings import ACCOUNT

data_volumes = DataVolumes().filters()["data_volumes"]
file_shares = FileShares().filters()["file_shares"]
role_assignments = RoleAssignments().filters()["role_assignments"]

OTHER = ACCOUNT.replace("/example", "/other")
VOLUME = {"name": "driven-data", "mount_path": "/driven-data"}
FILLED = {
    "name": "driven-data",
    "share": "driven-data",
    "quota": 100,
    "mount_path": "/driven-data",
    "read_only": True,
    "existing": False,
    "storage_account_id": ACCOUNT,
}


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({}, {}),
        ({"share": "driven"}, {"share": "driven"}),
        ({"quota": 5.0}, {"quota": 5}),
        ({"read_only": False}, {"read_only": False}),
        ({"storage_account_id": OTHER}, {"storage_account_id": OTHER}),
    ],
)
def test_what_a_volume_leaves_out(volume: dict[str, Any], expected: dict[str, Any]) -> None:
    assert data_volumes([{**VOLUME, **volume}], ACCOUNT) == [{**FILLED, **expected}]


def test_a_volume_that_cannot_be() -> None:
    with pytest.raises(AnsibleFilterError, match="write the full id of a storage account"):
        data_volumes([{**VOLUME, "storage_account_id": "example"}], ACCOUNT)


SHARE = {
    "name": "data_volume_driven-data",
    "id": f"{ACCOUNT}/fileServices/default/shares/driven-data",
    "api_version": "1",
    "body": {"properties": {"shareQuota": 100, "enabledProtocols": "SMB"}},
}
ADOPTED = {"name": "storage_account_example", "id": ACCOUNT, "api_version": "1", "existing": True}


@pytest.mark.parametrize(
    ("volumes", "own", "expected"),
    [
        ([], "", []),
        ([{}], ACCOUNT, [SHARE]),
        # Adopted: read once, however many volumes it has.
        ([{}], "", [ADOPTED, SHARE]),
        ([{}, {"name": "again", "mount_path": "/again", "share": "driven-data"}], "", [ADOPTED, SHARE]),
        # A share that is there already is read, never written.
        (
            [{"existing": True}],
            "",
            [ADOPTED, {key: SHARE[key] for key in ("name", "id", "api_version")} | {"existing": True}],
        ),
    ],
)
def test_shares(volumes: list[dict[str, Any]], own: str, expected: list[dict[str, Any]]) -> None:
    assert file_shares(data_volumes([{**VOLUME, **volume} for volume in volumes], ACCOUNT), own, "1") == expected


def test_two_accounts() -> None:
    volumes = data_volumes(
        [VOLUME, {"name": "b", "mount_path": "/b", "storage_account_id": OTHER} | {"name": "bbb"}], ACCOUNT
    )
    names = [resource["name"] for resource in file_shares(volumes, ACCOUNT, "1")]
    assert names == ["storage_account_other", "data_volume_driven-data", "data_volume_bbb"]


RIGHT = {
    "name": "pull",
    "role_id": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "scope_id": ACCOUNT,
    "principal_id": "${x.y}",
}


@pytest.mark.parametrize(
    ("rows", "properties"),
    [
        ([], None),
        ([{"condition": False}], None),
        ([{}], {"principalType": "ServicePrincipal", "description": None}),
        ([{"principal_type": "User", "why": "Because."}], {"principalType": "User", "description": "Because."}),
    ],
)
def test_rights(rows: list[dict[str, Any]], properties: dict[str, Any] | None) -> None:
    found = role_assignments([{**RIGHT, **row} for row in rows], "2022-04-01")
    role = "/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d"
    body = {"properties": {"roleDefinitionId": role, "principalId": "${x.y}", **(properties or {})}}
    scope = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments"
    expected = [{"name": "pull", "id": scope, "api_version": "2022-04-01", "body": body}]
    assert found == (expected if properties else [])


def test_a_custom_role_on_several_scopes() -> None:
    other = ACCOUNT.replace("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")
    row = {**RIGHT, "custom": True, "scope_ids": [ACCOUNT, other], "depends_on": ["role"]}
    del row["scope_id"]
    one, two = role_assignments([row], "2022-04-01")
    assert [one["name"], two["name"]] == ["pull", "pull_2"]
    for found, account in ((one, ACCOUNT), (two, other)):
        subscription = "/".join(account.split("/")[:3])
        assert found["id"].startswith(f"{account}/")
        assert found["body"]["properties"]["roleDefinitionId"].startswith(f"{subscription}/providers/")
        assert found["depends_on"] == ["role"]
