# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.ContainerRegistry: registries, imports, and builds as far as ``az acr build`` asks.

No image is ever moved or built: an import or a build notes the names it would have made. What a build uploads is taken
and
thrown away, its log is one line (:mod:`sandbox.azure.blobs`).
Source: https://learn.microsoft.com/rest/api/containerregistry
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any

from ...store import Operation, Record
from ...web import Answer, Refusal
from ..kinds import Action, Body, Call, ResourceType
from ..operations import stamp
from .key_vault import taken

if TYPE_CHECKING:
    from ...cloud import Cloud

TYPE = "Microsoft.ContainerRegistry/registries"
VERSIONS = (
    "2019-05-01",
    "2021-09-01",
    "2022-12-01",
    "2023-07-01",
    "2023-11-01-preview",
    "2024-11-01-preview",
    "2025-04-01",
    "2025-05-01-preview",
    "2025-11-01",
    "2026-01-01-preview",
    "2026-09-01-preview",
)
TASKS = ("2018-09-01", "2019-04-01", "2019-06-01-preview", "2025-03-01-preview")
NAME = r"[A-Za-z0-9]{5,50}"
_INVALID = (
    "The registry name '{name}' must be between 5 and 50 characters and may contain alpha numeric characters only."
)
# Bytes and counts of each tier.
USAGE = {"Basic": (10, 2), "Standard": (100, 10), "Premium": (500, 500)}
BLOB_HOST = "acrtaskprodweu.blob.core.windows.net"


def _in_use(name: str) -> str:
    return (
        f"The registry DNS name {name.lower()}.azurecr.io is already in use. You can check if the name is already "
        "claimed using "
        "following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
    )


def _is_taken(cloud: Cloud, name: str) -> bool:
    return taken(cloud, "registries", name) or any(
        one.name.lower() == name.lower() for one in cloud.store.of_type(TYPE)
    )


def _check(call: Call, body: Body, live: Record | None) -> None:
    if live is None and _is_taken(call.cloud, call.target.name):
        raise Refusal(409, "AlreadyInUse", _in_use(call.target.name))
    properties, sku = body.get("properties") or {}, str((body.get("sku") or {}).get("name", ""))
    if sku != "Premium":
        for key, off in (
            ("publicNetworkAccess", "Enabled"),
            ("zoneRedundancy", "Disabled"),
            ("dataEndpointEnabled", False),
        ):
            if properties.get(key, off) != off:
                message = (
                    f"The property {key} is not supported for the SKU {sku}. Upgrade the registry to the SKU Premium."
                )
                raise Refusal(400, "SkuNotSupported", message)


def _store(call: Call, body: Body, live: Record | None) -> Body:
    now = stamp(call.cloud.now())
    before: dict[str, Any] = live.properties if live else {}
    given = body.get("properties") or {}
    off = {"status": "disabled"}
    policies = {
        "quarantinePolicy": off,
        "trustPolicy": {"type": "Notary", **off},
        "retentionPolicy": {"days": 7, "lastUpdatedTime": now, **off},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        **(before.get("policies") or {}),
    }
    for name, policy in (given.get("policies") or {}).items():
        policies[name] = {**policies.get(name, {}), **policy}
    properties = {
        "creationDate": now,
        "adminUserEnabled": False,
        "encryption": off,
        "dataEndpointEnabled": False,
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        "networkRuleBypassAllowedForTasks": False,
        "zoneRedundancy": "Disabled",
        "anonymousPullEnabled": False,
        "roleAssignmentMode": "LegacyRegistryPermissions",
        **before,
        **given,
        "loginServer": f"{call.target.name.lower()}.azurecr.io",
        "dataEndpointHostNames": [],
        "policies": policies,
    }
    sku = dict(body["sku"])
    return {**body, "sku": {**sku, "tier": sku["name"]}, "tags": body.get("tags", {}), "properties": properties}


def _check_name(call: Call) -> Answer:
    name = str((call.body or {}).get("name") or "")
    if not re.fullmatch(NAME, name):
        return Answer(200, {"nameAvailable": False, "reason": "Invalid", "message": _INVALID.replace("{name}", name)})
    if _is_taken(call.cloud, name):
        return Answer(
            200,
            {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The registry {name} is already in use."},
        )
    return Answer(200, {"nameAvailable": True})


def _credentials(call: Call) -> Answer:
    assert call.live is not None
    if not call.live.properties.get("adminUserEnabled"):
        raise Refusal(
            400,
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {call.live.id} as admin user is disabled. Kindly enable admin "
            "user as per "
            "docs: "
            "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account",
        )
    words = call.live.private.setdefault("passwords", {})
    asked = str((call.body or {}).get("name") or "") if call.target.types[-1].lower() == "regeneratecredential" else ""
    for name in ("password", "password2"):
        if name not in words or name == asked:
            words[name] = secrets.token_urlsafe(39)
            call.cloud.store.put(call.live)
    passwords = [{"name": name, "value": words[name]} for name in ("password", "password2")]
    return Answer(200, {"username": call.live.name, "passwords": passwords})


def _usages(call: Call) -> Answer:
    assert call.live is not None
    size, hooks = USAGE[call.live.body["sku"]["name"]]
    value = [
        {"name": "Size", "limit": size * 1024**3, "currentValue": 0, "unit": "Bytes"},
        {"name": "Webhooks", "limit": hooks, "currentValue": 0, "unit": "Count"},
    ]
    return Answer(200, {"value": value})


# -------------------------------------------------------------------------------------------------------------- images
def images(record: Record) -> dict[str, str]:
    """The images of a registry: ``repository:tag`` to digest."""
    found: dict[str, str] = record.private.setdefault("images", {})
    return found


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _import(call: Call) -> Answer:
    assert call.live is not None
    body = call.body or {}
    source = body.get("source") or {}
    if not source.get("sourceImage") or not (source.get("registryUri") or source.get("resourceId")):
        raise Refusal(
            400, "InvalidParameters", "The source of the import needs a sourceImage and a registryUri or resourceId."
        )
    tags = list(body.get("targetTags") or [])
    for tag in tags:
        if tag in images(call.live) and str(body.get("mode", "NoForce")).lower() != "force":
            message = f"Tag {call.live.properties['loginServer']}/{tag} already exists in target registry."
            raise Refusal(409, "Conflict", message)
    return Answer(202, {"source": source, "tags": tags})


def _imported(cloud: Cloud, operation: Operation) -> None:
    record = cloud.store.get(operation.resource)
    if record is not None:
        digest = _digest(str(operation.arguments["source"]["sourceImage"]))
        images(record).update(dict.fromkeys(operation.arguments["tags"], digest))
        cloud.store.put(record)


# ----------------------------------------------------------------------------------------------------------------
# builds
def _upload_url(call: Call) -> Answer:
    path = f"source/{call.cloud.now():.0f}/{uuid.uuid4().hex}.tar.gz"
    assert call.live is not None
    url = (
        f"https://{BLOB_HOST}/{call.live.name.lower()}/{path}?sv=2024-11-04&sr=b&sig={secrets.token_urlsafe(16)}&sp=cw"
    )
    return Answer(200, {"uploadUrl": url, "relativePath": path})


def _schedule(call: Call) -> Answer:
    assert call.live is not None
    body = call.body or {}
    runs = call.live.private.setdefault("runs", {})
    name = f"ca{len(runs) + 1}"
    runs[name] = {
        "created": call.cloud.now(),
        "until": call.cloud.now() + call.cloud.dials.seconds("POST", f"{TYPE}/scheduleRun", 60.0),
        "images": list(body.get("imageNames") or []) if body.get("isPushEnabled", True) else [],
        "platform": body.get("platform") or {"os": "linux", "architecture": "amd64"},
    }
    call.cloud.store.put(call.live)
    return Answer(200, _run(call.cloud, call.live, name))


def _run(cloud: Cloud, record: Record, name: str) -> dict[str, Any]:
    """A run as it is now; one whose time is over has put its images into the registry."""
    run = record.private["runs"][name]
    over = run["until"] <= cloud.now()
    if over and run["images"] and not run.get("pushed"):
        run["pushed"] = True
        images(record).update({image: _digest(image + name) for image in run["images"]})
        cloud.store.put(record)
    properties: dict[str, Any] = {
        "runId": name,
        "status": "Succeeded" if over else "Running",
        "lastUpdatedTime": stamp(cloud.now()),
        "runType": "QuickRun",
        "createTime": stamp(run["created"]),
        "startTime": stamp(run["created"]),
        "platform": run["platform"],
        "isArchiveEnabled": False,
        "provisioningState": "Succeeded",
    }
    if over:
        properties["finishTime"] = stamp(run["until"])
        properties["outputImages"] = [
            {
                "registry": record.properties["loginServer"],
                "repository": image.partition(":")[0],
                "tag": image.partition(":")[2] or "latest",
                "digest": _digest(image + name),
            }
            for image in run["images"]
        ]
    return {"id": f"{record.id}/runs/{name}", "name": name, "type": f"{TYPE}/runs", "properties": properties}


def _runs(call: Call) -> Answer:
    record = call.cloud.store.get("/".join(call.target.path.split("/")[:9]))
    if record is None:
        raise Refusal(404, "ResourceNotFound", f"The Resource '{TYPE}/{call.target.names[0]}' was not found.")
    known = record.private.get("runs", {})
    if not call.target.named:
        return Answer(200, {"value": [_run(call.cloud, record, name) for name in reversed(known)]})
    if call.target.name not in known:
        raise Refusal(404, "ResourceNotFound", f"The run {call.target.name} was not found.")
    return Answer(200, _run(call.cloud, record, call.target.name))


def _log_url(call: Call) -> Answer:
    registry, run = call.target.names[0].lower(), call.target.names[1]
    return Answer(
        200, {"logLink": f"https://{BLOB_HOST}/{registry}/logs/{run}/rawtext.log?sv=2024-11-04&sig={uuid.uuid4().hex}"}
    )


TYPES = (
    ResourceType(
        TYPE,
        versions=VERSIONS,
        model="azure.mgmt.containerregistry.models.Registry",
        tracked=True,
        name_rule=NAME,
        name_error=("InvalidResourceName", _INVALID),
        long=("PUT",),
        seconds={"PUT": 15.0, "UPDATE": 4.0, "DELETE": 4.0},
        read_only=(
            "sku.tier",
            "properties.loginServer",
            "properties.creationDate",
            "properties.status",
            "properties.dataEndpointHostNames",
            "properties.privateEndpointConnections",
        ),
        enums={
            "sku.name": ("Basic", "Standard", "Premium"),
            "properties.publicNetworkAccess": ("Enabled", "Disabled"),
            "properties.zoneRedundancy": ("Enabled", "Disabled"),
            "properties.networkRuleBypassOptions": ("AzureServices", "None"),
        },
        check=_check,
        store=_store,
    ),
)

ACTIONS = {
    f"POST {TYPE}/listCredentials": Action(_credentials, versions=VERSIONS),
    f"POST {TYPE}/regenerateCredential": Action(_credentials, versions=VERSIONS),
    f"GET {TYPE}/listUsages": Action(_usages, versions=VERSIONS),
    f"POST {TYPE}/importImage": Action(
        _import, versions=VERSIONS, seconds=30.0, long=True, poll="location", done=_imported
    ),
    f"POST {TYPE}/listBuildSourceUploadUrl": Action(_upload_url, versions=TASKS),
    f"POST {TYPE}/scheduleRun": Action(_schedule, versions=TASKS),
    f"GET {TYPE}/runs": Action(_runs, versions=TASKS, needs=False),
    f"POST {TYPE}/runs/listLogSasUrl": Action(_log_url, versions=TASKS, needs=False),
    "POST Microsoft.ContainerRegistry/checkNameAvailability": Action(_check_name, versions=VERSIONS, needs=False),
}
