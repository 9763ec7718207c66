# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The directory as Graph shows it, and what the sign-in learns of its changes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..directory import Principal
from . import applications, service_principals, users
from .call import COLLECTIONS

if TYPE_CHECKING:
    from ..cloud import Cloud


def _adopt(cloud: Cloud, directory: dict[str, Any], principal: Principal) -> None:
    """Give a principal that the sign-in knows its objects here."""
    if principal.kind in {"User", "Group"}:
        collection = "users" if principal.kind == "User" else "groups"
        objects = directory[collection]
        if principal.object_id not in objects:
            name = str(principal.more.get("userPrincipalName") or principal.name)
            new = users.blank(name, principal.name, principal.object_id)
            objects[principal.object_id] = (
                new if principal.kind == "User" else {"id": new["id"], "displayName": principal.name}
            )
        return
    objects = directory["servicePrincipals"]
    if principal.object_id not in objects:
        objects[principal.object_id] = service_principals.blank(
            principal.app_id,
            principal.name,
            cloud.tenant,
            kind=principal.kind,
            object_id=principal.object_id,
            now=cloud.now(),
        )
        if principal.resource:
            objects[principal.object_id]["alternativeNames"] = ["isExplicit=True", principal.resource]
    held = directory["applications"]
    if principal.kind == "Application" and principal.app_object_id and principal.app_object_id not in held:
        app = applications.blank(principal.name, directory["domain"], cloud.now())
        app |= {"id": principal.app_object_id, "appId": principal.app_id}
        held[principal.app_object_id] = app
    if principal.app_object_id in held:
        # The sign-in's own word counts.
        app = held[principal.app_object_id]
        app["__secrets"] = dict(principal.secrets)
        app["__federated"] = [{"id": str(uuid.uuid4()), "description": None, **one} for one in principal.federated]


def load(cloud: Cloud) -> dict[str, Any]:
    """The directory as Graph shows it, with everybody whom the sign-in knows."""
    directory = cloud.store.fact("graph")
    for collection in COLLECTIONS:
        directory.setdefault(collection, {})
    directory["tenant"] = cloud.tenant
    directory.setdefault("domain", "planetary.onmicrosoft.com")
    for principal in cloud.directory:
        _adopt(cloud, directory, principal)
    for object_id in [key for collection in COLLECTIONS[1:] for key in directory[collection]]:
        if cloud.directory.by_object_id(object_id) is None:
            for collection in COLLECTIONS[1:]:
                directory[collection].pop(object_id, None)
    return directory


def keep(cloud: Cloud, directory: dict[str, Any]) -> None:
    """Tell the sign-in what has changed: applications' secrets and federated credentials, principals come and gone."""
    apps = {one["appId"]: one for one in directory["applications"].values()}
    for object_id, item in directory["servicePrincipals"].items():
        app = apps.get(item["appId"])
        if app is None:
            continue
        known = cloud.directory.by_object_id(object_id)
        principal = known or Principal(object_id, item["appId"], item["displayName"], app_object_id=app["id"])
        principal.secrets = dict(app.get("__secrets", {}))
        principal.federated = [dict(one) for one in app.get("__federated", [])]
        cloud.directory.save(principal)
    for object_id, item in directory["users"].items():
        if cloud.directory.by_object_id(object_id) is None:
            more = {"userPrincipalName": item["userPrincipalName"], "password": item.pop("__password", "")}
            cloud.directory.save(Principal(object_id, "", item["displayName"], kind="User", more=more))
    held = {"Application": "servicePrincipals", "User": "users"}
    for principal in cloud.directory:
        if principal.kind in held and principal.object_id not in directory[held[principal.kind]]:
            cloud.directory.remove(principal.object_id)
    cloud.store.touch("graph")
