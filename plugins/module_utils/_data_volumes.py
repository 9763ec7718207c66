# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""File shares that all users see: what the inventory says, filled in, and the Azure resources that serve them."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_names as azure_names
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    number,
    quote,
    text,
    wrong,
)

KEYS = ("name", "share", "quota", "mount_path", "read_only", "existing", "storage_account_id")
ACCOUNT = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]+", re.IGNORECASE
)
# GiB of a standard share; Azure's own bounds.
QUOTA = (1, 102400)


def data_volumes(volumes: Any, storage_account_id: str) -> list[dict[str, Any]]:
    """Fill in what the volumes leave out, and refuse what cannot be.

    ``volumes``: name, mount_path; share (the name), quota in GiB (100), read_only (true), existing (false: the share is
    made), storage_account_id. ``storage_account_id``: account of the volumes that name none.
    """
    if not isinstance(volumes, list):
        raise wrong("infrastructure_data_volumes", volumes, "a list of volumes")
    filled = [
        _filled(f"infrastructure_data_volumes[{i}]", volume, storage_account_id) for i, volume in enumerate(volumes)
    ]
    for key, words in (("name", "name"), ("mount_path", "mount path")):
        seen: dict[str, int] = {}
        for index, volume in enumerate(filled):
            value = volume[key].rstrip("/")
            if value in seen:
                raise InputError(
                    f"infrastructure_data_volumes[{index}] has the {words} {quote(volume[key])}, as "
                    f"infrastructure_data_volumes[{seen[value]}] has; give it another."
                )
            seen[value] = index
    return filled


def _filled(where: str, volume: Any, storage_account_id: str) -> dict[str, Any]:
    mapping(where, volume, KEYS)
    name = text(f"{where}.name", volume.get("name"), "a name")
    where = f'{where} "{name}"'
    azure_names.check_name(f"{where}.name", name, azure_names.SHARE, "change it")
    share = volume.get("share", name)
    azure_names.check_name(f"{where}.share", share, azure_names.SHARE, "change it")
    path = text(f"{where}.mount_path", volume.get("mount_path"), "an absolute path such as /driven-data")
    if not path.startswith("/") or not path.strip("/"):
        raise wrong(f"{where}.mount_path", path, "an absolute path such as /driven-data")
    quota = number(f"{where}.quota", volume.get("quota", 100), f"GiB from {QUOTA[0]} to {QUOTA[1]}", QUOTA[0])
    if quota > QUOTA[1] or quota != int(quota):
        raise wrong(f"{where}.quota", quota, f"whole GiB from {QUOTA[0]} to {QUOTA[1]}")
    account = volume.get("storage_account_id") or storage_account_id
    if not ACCOUNT.fullmatch(account):
        raise wrong(f"{where}.storage_account_id", account, "the full id of a storage account")
    return {
        "name": name,
        "share": share,
        "quota": int(quota),
        "mount_path": path,
        "read_only": boolean(f"{where}.read_only", volume.get("read_only", True)),
        "existing": boolean(f"{where}.existing", volume.get("existing", False)),
        "storage_account_id": account,
    }


def file_shares(volumes: list[dict[str, Any]], own_account_id: str, api_version: str) -> list[dict[str, Any]]:
    """The Azure resources of filled-in volumes: their shares, and the accounts that are adopted.

    ``own_account_id``: the account that this deployment makes itself, or an empty text.
    """
    resources: list[dict[str, Any]] = []
    accounts = {volume["storage_account_id"].lower(): volume["storage_account_id"] for volume in volumes}
    accounts.pop(own_account_id.lower(), None)
    for account in accounts.values():
        name = f"storage_account_{account.rpartition('/')[2]}"
        resources.append({"name": name, "id": account, "api_version": api_version, "existing": True})
    shares: dict[str, str] = {}
    for volume in volumes:
        share_id = f"{volume['storage_account_id']}/fileServices/default/shares/{volume['share']}"
        # Two volumes may show one share at two places.
        if share_id.lower() in shares:
            continue
        shares[share_id.lower()] = volume["name"]
        resource = {"name": f"data_volume_{volume['name']}", "id": share_id, "api_version": api_version}
        if volume["existing"]:
            resources.append({**resource, "existing": True})
        else:
            body = {"properties": {"shareQuota": volume["quota"], "enabledProtocols": "SMB"}}
            resources.append({**resource, "body": body})
    return resources
