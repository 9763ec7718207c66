# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Storage: accounts, their keys, blob containers and file shares (management plane only).

Source: https://learn.microsoft.com/rest/api/storagerp
"""

from __future__ import annotations

import base64
import re
import secrets
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType
from ..operations import stamp
from .key_vault import taken

if TYPE_CHECKING:
    from ...cloud import Cloud

ACCOUNTS = "Microsoft.Storage/storageAccounts"
FILES = f"{ACCOUNTS}/fileServices"
BLOBS = f"{ACCOUNTS}/blobServices"
SHARES = f"{FILES}/shares"
CONTAINERS = f"{BLOBS}/containers"
VERSIONS = (
    "2019-06-01",
    "2021-04-01",
    "2021-09-01",
    "2022-09-01",
    "2023-01-01",
    "2023-05-01",
    "2024-01-01",
    "2025-01-01",
    "2025-06-01",
    "2025-08-01",
    "2026-04-01",
    "2026-06-01",
    "2026-09-01",
)
NAME = r"[a-z0-9]{3,24}"
_INVALID = (
    "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length "
    "and use "
    "numbers and lower-case letters only."
)
_PART = r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_PART_ERROR = ("InvalidResourceName", "The specifed resource name contains invalid characters.")
PAIRS = {"westeurope": "northeurope", "northeurope": "westeurope", "eastus": "westus", "westus": "eastus"}
SKUS = (
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
    "StandardV2_LRS",
    "StandardV2_GRS",
    "StandardV2_ZRS",
    "StandardV2_GZRS",
    "PremiumV2_LRS",
    "PremiumV2_ZRS",
)
KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")
LARGEST_SHARE = 102400


# ------------------------------------------------------------------------------------------------------------ accounts
def _invalid_values(names: str) -> Refusal:
    return Refusal(400, "InvalidValuesForRequestParameters", f"Values for request parameters are invalid: {names}.")


def _check(call: Call, body: Body, live: Record | None) -> None:
    name, cloud = call.target.name, call.cloud
    sku, kind = str((body.get("sku") or {}).get("name", "")), str(body.get("kind", ""))
    premium = sku.startswith("Premium")
    if kind in {"FileStorage", "BlockBlobStorage"} and not premium and not sku.startswith("StandardV2"):
        raise _invalid_values("sku")
    if kind == "BlobStorage" and premium:
        raise _invalid_values("sku")
    if live is not None:
        return
    other = next((one for one in cloud.store.of_type(ACCOUNTS) if one.name == name), None)
    if other is not None:
        message = f"The storage account named {name} already exists under the subscription."
        raise Refusal(409, "StorageAccountAlreadyExists", message)
    if taken(cloud, "storageAccounts", name):
        raise Refusal(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")


def _endpoints(name: str, kind: str) -> dict[str, str]:
    services = {
        "FileStorage": ("file",),
        "BlockBlobStorage": ("dfs", "web", "blob"),
        "BlobStorage": ("dfs", "blob", "table"),
    }
    zones = {"web": "z6.web"}
    names = services.get(kind, ("dfs", "web", "blob", "queue", "table", "file"))
    return {service: f"https://{name}.{zones.get(service, service)}.core.windows.net/" for service in names}


def _store(call: Call, body: Body, live: Record | None) -> Body:
    now, name = stamp(call.cloud.now()), call.target.name
    before: dict[str, Any] = live.properties if live else {}
    kind, sku, location = body["kind"], dict(body["sku"]), str(body["location"])
    sku["tier"] = "Premium" if sku["name"].startswith("Premium") else "Standard"
    service = {"keyType": "Account", "enabled": True, "lastEnabledTime": before.get("creationTime", now)}
    given = body.get("properties") or {}
    encryption = given.get("encryption") or {}
    rules = {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [], "defaultAction": "Allow"}
    properties: dict[str, Any] = {
        "keyCreationTime": {"key1": now, "key2": now},
        "privateEndpointConnections": [],
        "minimumTlsVersion": "TLS1_2" if call.api_version >= "2025" else "TLS1_0",
        "allowBlobPublicAccess": False,
        "supportsHttpsTrafficOnly": True,
        "creationTime": now,
        "primaryEndpoints": _endpoints(name, kind),
        "primaryLocation": location,
        "statusOfPrimary": "available",
        # What is not said keeps its value.
        **before,
        **given,
        "networkAcls": {**rules, **(before.get("networkAcls") or {}), **(given.get("networkAcls") or {})},
        "encryption": {
            "keySource": encryption.get("keySource", "Microsoft.Storage"),
            **encryption,
            "services": {
                one: {**service, **(encryption.get("services") or {}).get(one, {})} for one in ("file", "blob")
            },
        },
    }
    if kind in {"StorageV2", "BlobStorage"}:
        properties.setdefault("accessTier", "Hot")
    if "GRS" in sku["name"] or "GZRS" in sku["name"]:
        properties |= {"secondaryLocation": PAIRS.get(location, "northeurope"), "statusOfSecondary": "available"}
    return {**body, "sku": sku, "tags": body.get("tags", {}), "properties": properties}


def _child(cloud: Cloud, parent: Record, kind: str, properties: Body) -> None:
    record_id = f"{parent.id}/{kind.rpartition('/')[2]}/default"
    if cloud.store.get(record_id) is None:
        body = {"sku": dict(parent.body["sku"]), "properties": properties}
        cloud.store.put(Record(record_id, kind, body, created=cloud.now()))


def _done(cloud: Cloud, record: Record) -> None:
    """Keys and the services that every account has."""
    if "keys" not in record.private:
        record.private["keys"] = {one: _key() for one in ("key1", "key2")}
    retention = {"enabled": True, "days": 7}
    if "file" in record.properties["primaryEndpoints"]:
        _child(
            cloud,
            record,
            FILES,
            {"protocolSettings": {"smb": {}}, "cors": {"corsRules": []}, "shareDeleteRetentionPolicy": retention},
        )
    if "blob" in record.properties["primaryEndpoints"]:
        policy = {"allowPermanentDelete": False, "enabled": False}
        _child(cloud, record, BLOBS, {"cors": {"corsRules": []}, "deleteRetentionPolicy": policy})


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode()


def _keys(call: Call) -> Answer:
    assert call.live is not None
    times = call.live.properties["keyCreationTime"]
    keys = call.live.private.get("keys", {})
    value = [
        {"creationTime": times[name], "keyName": name, "value": key, "permissions": "FULL"}
        for name, key in keys.items()
    ]
    return Answer(200, {"keys": value})


def _regenerate(call: Call) -> Answer:
    assert call.live is not None
    name = str((call.body or {}).get("keyName") or "")
    if name not in call.live.private.get("keys", {}):
        raise _invalid_values("keyName")
    call.live.private["keys"][name] = _key()
    call.live.properties["keyCreationTime"] = {**call.live.properties["keyCreationTime"], name: stamp(call.cloud.now())}
    call.cloud.store.put(call.live)
    return _keys(call)


def _check_name(call: Call) -> Answer:
    name = str((call.body or {}).get("name") or "")
    if not re.fullmatch(NAME, name):
        message = _INVALID.replace("{name}", name)
        return Answer(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
    if taken(call.cloud, "storageAccounts", name) or any(
        one.name == name for one in call.cloud.store.of_type(ACCOUNTS)
    ):
        message = f"The storage account named {name} is already taken."
        return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Answer(200, {"nameAvailable": True})


# -------------------------------------------------------------------------------------------------- shares, containers
def _check_share(_call: Call, body: Body, _live: Record | None) -> None:
    quota = (body.get("properties") or {}).get("shareQuota")
    if quota is not None and not 1 <= quota <= LARGEST_SHARE:
        message = "The value for one of the HTTP headers is not in the correct format."
        raise Refusal(400, "InvalidHeaderValue", message)


def _share(call: Call, body: Body, live: Record | None) -> Body:
    now = stamp(call.cloud.now())
    before = live.properties if live else {}
    return {
        **body,
        "properties": {
            "leaseStatus": "unlocked",
            "leaseState": "available",
            "accessTier": "TransactionOptimized",
            "accessTierChangeTime": now,
            "shareQuota": 5120,
            "enabledProtocols": "SMB",
            **before,
            **(body.get("properties") or {}),
            "lastModifiedTime": now,
        },
    }


def _show_share(_cloud: Cloud, record: Record, shown: Body) -> Body:
    shown["properties"]["shareUsageBytes"] = int(record.private.get("usage", 0))
    return shown


def _container(call: Call, body: Body, live: Record | None) -> Body:
    before = live.properties if live else {}
    return {
        **body,
        "properties": {
            "defaultEncryptionScope": "$account-encryption-key",
            "denyEncryptionScopeOverride": False,
            "publicAccess": "None",
            "leaseStatus": "Unlocked",
            "leaseState": "Available",
            "hasImmutabilityPolicy": False,
            "hasLegalHold": False,
            **before,
            **(body.get("properties") or {}),
            "lastModifiedTime": stamp(call.cloud.now()),
        },
    }


def _service(kind: str, model: str) -> ResourceType:
    return ResourceType(
        kind,
        versions=VERSIONS,
        model=f"azure.mgmt.storage.models.{model}",
        methods=("GET", "PUT"),
        name_rule="default",
        shows_state=False,
    )


TYPES = (
    ResourceType(
        ACCOUNTS,
        versions=VERSIONS,
        model="azure.mgmt.storage.models.StorageAccountCreateParameters",
        tracked=True,
        name_rule=NAME,
        name_error=("AccountNameInvalid", _INVALID),
        long=("PUT",),
        poll="location",
        created=202,
        retry_after=17,
        seconds={"PUT": 20.0, "UPDATE": 2.0, "DELETE": 2.0},
        read_only=(
            "properties.primaryEndpoints",
            "properties.primaryLocation",
            "properties.creationTime",
            "properties.statusOfPrimary",
            "properties.keyCreationTime",
            "properties.privateEndpointConnections",
            "sku.tier",
        ),
        enums={
            "sku.name": SKUS,
            "kind": KINDS,
            "properties.accessTier": ("Hot", "Cool", "Premium", "Cold", "Smart"),
            "properties.minimumTlsVersion": ("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"),
            "properties.publicNetworkAccess": ("Enabled", "Disabled", "SecuredByPerimeter"),
            "properties.networkAcls.defaultAction": ("Allow", "Deny"),
        },
        check=_check,
        store=_store,
        done=_done,
    ),
    _service(FILES, "FileServiceProperties"),
    _service(BLOBS, "BlobServiceProperties"),
    ResourceType(
        SHARES,
        versions=VERSIONS,
        model="azure.mgmt.storage.models.FileShare",
        name_rule=_PART,
        name_error=_PART_ERROR,
        etag=True,
        shows_state=False,
        seconds={"PUT": 1.0},
        enums={
            "properties.enabledProtocols": ("SMB", "NFS"),
            "properties.accessTier": ("TransactionOptimized", "Hot", "Cool", "Premium"),
        },
        check=_check_share,
        store=_share,
        answer=_show_share,
    ),
    ResourceType(
        CONTAINERS,
        versions=VERSIONS,
        model="azure.mgmt.storage.models.BlobContainer",
        name_rule=r"\$?" + _PART,
        name_error=_PART_ERROR,
        etag=True,
        shows_state=False,
        seconds={"PUT": 1.0},
        enums={"properties.publicAccess": ("None", "Blob", "Container")},
        store=_container,
    ),
)

ACTIONS = {
    f"POST {ACCOUNTS}/listKeys": Action(_keys, versions=VERSIONS),
    f"POST {ACCOUNTS}/regenerateKey": Action(_regenerate, versions=VERSIONS),
    "POST Microsoft.Storage/checkNameAvailability": Action(_check_name, versions=VERSIONS, needs=False),
}
