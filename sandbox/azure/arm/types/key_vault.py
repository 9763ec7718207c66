# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.KeyVault: vaults and what is left of deleted ones. The data plane is :mod:`sandbox.azure.vault`.

Source: https://learn.microsoft.com/rest/api/keyvault/keyvault
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...store import Operation, Record
from ...vault.model import TYPE
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType, find_key, look
from ..operations import stamp

if TYPE_CHECKING:
    from ...cloud import Cloud

VERSIONS = (
    "2019-09-01",
    "2021-10-01",
    "2022-07-01",
    "2022-11-01",
    "2023-02-01",
    "2023-07-01",
    "2024-11-01",
    "2024-12-01-preview",
    "2025-05-01",
    "2026-02-01",
    "2026-05-15",
)
# From this version on a new vault that says nothing uses roles, before it access policies.
ROLES_SINCE = "2026-02-01"
NAME = r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]"
DELETED = "deleted vaults"
DAY = 86400
_INVALID = (
    "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must "
    "begin with a "
    "letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: "
    "https://go.microsoft.com/fwlink/?linkid=2147742"
)
_TAKEN = (
    "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is "
    "already "
    "taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was "
    "recently "
    "deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the "
    "vault "
    "will need to be purged before reusing the name. For more information about VaultAlreadyExists, soft delete and "
    "purging a "
    "vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
)
_DELETED_SAME = (
    "A vault with the same name already exists in deleted state. You need to either recover or purge existing key "
    "vault. "
    "Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."
)


def deleted_vaults(cloud: Cloud) -> dict[str, Any]:
    """Deleted vaults that may be recovered, by lower-case name; those past their time are gone."""
    found = cloud.store.fact(DELETED)
    for name in [name for name, one in found.items() if one["purge"] <= cloud.now()]:
        del found[name]
        cloud.store.touch(DELETED)
    return found


def taken(cloud: Cloud, kind: str, name: str) -> bool:
    """Whether a name of a globally unique kind belongs to somebody else's resource: a setting of the dials."""
    return name.lower() in [str(one).lower() for one in cloud.dials.settings.get("taken_names", {}).get(kind, ())]


def _same_name(cloud: Cloud, name: str) -> Record | None:
    return next((one for one in cloud.store.of_type(TYPE) if one.name.lower() == name.lower()), None)


def _bad(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)


def _recovering(call: Call) -> bool:
    mode = look(call.body, "properties.createMode", "")
    return isinstance(mode, str) and mode.lower() == "recover"


def _check_new(call: Call) -> None:
    name, gone = call.target.name, deleted_vaults(call.cloud).get(call.target.name.lower())
    if _same_name(call.cloud, name) or taken(call.cloud, "vaults", name):
        raise Refusal(409, "VaultAlreadyExists", _TAKEN.replace("{name}", name))
    if gone and not _recovering(call):
        raise Refusal(409, "ConflictError", _DELETED_SAME)
    if _recovering(call) and not gone:
        message = (
            f"A deleted vault with the name '{name}' does not exist. To create a new vault use createMode 'default'."
        )
        raise Refusal(404, "DeletedVaultNotFound", message)


def _check(call: Call, body: Body, live: Record | None) -> None:
    if live is None:
        _check_new(call)
        if _recovering(call):
            return
    properties = body.get("properties") or {}
    if properties.get("enablePurgeProtection") is False:
        raise _bad(
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a '
            "vault is an irreversible action."
        )
    if properties.get("enableSoftDelete") is False:
        raise _bad(
            'The property "enableSoftDelete" can be set to false only for creating new vault. Enabling the '
            "'soft delete' functionality is an irreversible action."
        )
    days = properties.get("softDeleteRetentionInDays")
    if days is not None and not 7 <= days <= 90:
        raise _bad(
            f'The property "softDeleteRetentionInDays" has an invalid value {days}. It must be between 7 and 90.'
        )
    if live and days is not None and days != live.properties["softDeleteRetentionInDays"]:
        raise _bad('The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.')
    if not _by_roles(call, properties, live) and "accessPolicies" not in properties and live is None:
        raise _bad("The parameter accessPolicies is not specified.")


def _by_roles(call: Call, properties: Body, live: Record | None) -> bool:
    said = properties.get("enableRbacAuthorization")
    if said is not None:
        return bool(said)
    if live is not None:
        return bool(live.properties.get("enableRbacAuthorization"))
    return call.api_version >= ROLES_SINCE


def _store(call: Call, body: Body, live: Record | None) -> Body:
    if live is None and _recovering(call):
        gone = deleted_vaults(call.cloud).pop(call.target.name.lower())
        call.cloud.store.touch(DELETED)
        # The data plane's content comes back with it; `done` puts it there.
        call.cloud.store.fact("recovered vaults")[call.target.path.lower()] = gone["content"]
        recovered: Body = gone["body"]
        return recovered
    properties = dict(body.get("properties") or {})
    properties.pop(find_key(properties, "createMode") or "createMode", None)
    before = live.properties if live else {}
    properties["enableRbacAuthorization"] = _by_roles(call, properties, live)
    properties.setdefault("accessPolicies", [])
    properties.setdefault("enabledForDeployment", False)
    properties["enableSoftDelete"] = True
    properties.setdefault("softDeleteRetentionInDays", before.get("softDeleteRetentionInDays", 90))
    if before.get("enablePurgeProtection"):
        properties["enablePurgeProtection"] = True
    properties.setdefault("publicNetworkAccess", before.get("publicNetworkAccess", "Enabled"))
    properties["vaultUri"] = f"https://{call.target.name.lower()}.vault.azure.net/"
    return {**body, "tags": body.get("tags", {}), "properties": properties}


def _done(cloud: Cloud, record: Record) -> None:
    content = cloud.store.fact("recovered vaults").pop(record.key, None)
    if content is not None:
        record.private["content"] = content
        cloud.store.touch("recovered vaults")
        cloud.store.put(record)


def _deleted(cloud: Cloud, record: Record) -> None:
    days = int(record.properties.get("softDeleteRetentionInDays", 90))
    cloud.store.fact(DELETED)[record.name.lower()] = {
        "id": record.id,
        "name": record.name,
        "body": record.body,
        "content": record.private.get("content", {}),
        "deleted": cloud.now(),
        "purge": cloud.now() + days * DAY,
    }
    cloud.store.touch(DELETED)


# ------------------------------------------------------------------------------------------------------- deleted vaults
def _shown(cloud: Cloud, one: dict[str, Any]) -> dict[str, Any]:
    location = one["body"]["location"]
    base = f"/subscriptions/{cloud.subscription}/providers/Microsoft.KeyVault"
    return {
        "id": f"{base}/locations/{location}/deletedVaults/{one['name']}",
        "name": one["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": one["id"],
            "location": location,
            "tags": one["body"].get("tags", {}),
            "deletionDate": stamp(one["deleted"]),
            "scheduledPurgeDate": stamp(one["purge"]),
            **({"purgeProtectionEnabled": True} if one["body"]["properties"].get("enablePurgeProtection") else {}),
        },
    }


def _deleted_of(call: Call) -> dict[str, Any]:
    location, name = call.target.names[0], call.target.names[1]
    found = deleted_vaults(call.cloud).get(name.lower())
    if found is None or found["body"]["location"] != location.replace(" ", "").lower():
        raise Refusal(
            404,
            "DeletedVaultNotFound",
            f"A deleted vault with the name '{name}' was not found in location '{location}'.",
        )
    return dict(found)


def _purge(call: Call) -> Answer:
    found = _deleted_of(call)
    if found["body"]["properties"].get("enablePurgeProtection"):
        raise Refusal(
            400,
            "MethodNotAllowed",
            "Operation 'DeletedVaultPurge' is not allowed because purge protection is enabled for the vault "
            f"'{found['name']}'.",
        )
    return Answer(202, found["name"])


def _purged(cloud: Cloud, operation: Operation) -> None:
    deleted_vaults(cloud).pop(str(operation.arguments).lower(), None)
    cloud.store.touch(DELETED)


def _nothing(call: Call) -> Answer:
    if call.target.named:
        raise Refusal(404, "ResourceNotFound", f"The Resource '{call.target.path}' was not found.")
    return Answer(200, {"value": []})


def _check_name(call: Call) -> Answer:
    name = str((call.body or {}).get("name") or "")
    if not re.fullmatch(NAME, name):
        message = _INVALID.replace("{name}", name)
        return Answer(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
    cloud = call.cloud
    if _same_name(cloud, name) or taken(cloud, "vaults", name) or name.lower() in deleted_vaults(cloud):
        message = _TAKEN.replace("{name}", name)
        return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Answer(200, {"nameAvailable": True})


TYPES = (
    ResourceType(
        TYPE,
        versions=VERSIONS,
        model="azure.mgmt.keyvault.models.VaultCreateOrUpdateParameters",
        tracked=True,
        name_rule=NAME,
        name_error=("VaultNameNotValid", _INVALID),
        # The vault itself says how far it is; there is no operation to look at.
        poll="resource",
        long=("PUT",),
        seconds={"PUT": 25.0, "UPDATE": 2.0, "DELETE": 3.0},
        read_only=("properties.vaultUri", "properties.hsmPoolResourceId", "properties.privateEndpointConnections"),
        enums={
            "properties.sku.name": ("standard", "premium"),
            "properties.sku.family": ("A",),
            "properties.networkAcls.defaultAction": ("Allow", "Deny"),
            "properties.networkAcls.bypass": ("AzureServices", "None"),
            "properties.publicNetworkAccess": ("Enabled", "Disabled"),
        },
        check=_check,
        store=_store,
        done=_done,
        deleted=_deleted,
    ),
)

ACTIONS = {
    "GET Microsoft.KeyVault/deletedVaults": Action(
        lambda call: Answer(200, {"value": [_shown(call.cloud, one) for one in deleted_vaults(call.cloud).values()]}),
        versions=VERSIONS,
        needs=False,
    ),
    # There are no hardware security modules here; ordinary clients ask for them in one breath with vaults.
    "GET Microsoft.KeyVault/deletedManagedHSMs": Action(_nothing, versions=VERSIONS, needs=False),
    "GET Microsoft.KeyVault/managedHSMs": Action(_nothing, versions=VERSIONS, needs=False),
    "GET Microsoft.KeyVault/locations/deletedVaults": Action(
        lambda call: Answer(200, _shown(call.cloud, _deleted_of(call))), versions=VERSIONS, needs=False
    ),
    "POST Microsoft.KeyVault/locations/deletedVaults/purge": Action(
        _purge, versions=VERSIONS, seconds=10.0, long=True, needs=False, poll="location", done=_purged
    ),
    "POST Microsoft.KeyVault/checkNameAvailability": Action(_check_name, versions=VERSIONS, needs=False),
}
