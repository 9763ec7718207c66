# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""App registrations: a new one with what Graph fills in, and what Graph refuses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from .call import READ_ONLY, Call, merged
from .filters import same
from .refusals import bad, refuse, stamp


def blank(display_name: str, domain: str, now: float) -> dict[str, Any]:
    """A new app registration with what Graph fills in."""
    return {
        "id": str(uuid.uuid4()),
        "deletedDateTime": None,
        "appId": str(uuid.uuid4()),
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": stamp(now),
        "displayName": display_name,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": None,
        "notes": None,
        "publisherDomain": domain,
        "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": None,
        "uniqueName": None,
        "samlMetadataUrl": None,
        "defaultRedirectUri": None,
        "optionalClaims": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None},
        "keyCredentials": [],
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "redirectUriSettings": [],
        },
        "spa": {"redirectUris": []},
    }


def new(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The app registration that a body asks for."""
    domain = str(call.directory.get("domain", "example.onmicrosoft.com"))
    given = {key: value for key, value in body.items() if key not in READ_ONLY}
    item = merged(blank(str(body.get("displayName") or ""), domain, call.now), given)
    item["__federated"] = []
    check(call, item)
    return item


def check(call: Call, item: Mapping[str, Any]) -> None:
    """Refuse an app registration that Graph would not keep."""
    if not str(item.get("displayName") or "").strip():
        raise bad("Property displayName is required.")
    redirects = (item.get("web") or {}).get("redirectUris") or []
    for uri in redirects:
        local = re.match(r"http://(localhost|127\.0\.0\.1)([:/]|\Z)", str(uri))
        if "*" in str(uri) or not (str(uri).startswith("https://") or local):
            raise bad(
                "One or more properties contains invalid values: redirectUris must start with 'https' or "
                "'http://localhost'."
            )
    if len(set(redirects)) != len(redirects):
        raise bad("Request contains a property with duplicate values.")
    unique = item.get("uniqueName")
    for other in call.directory.get("applications", {}).values():
        if unique and other["id"] != item["id"] and same(other.get("uniqueName"), unique):
            text = "Another object with the same value for property uniqueName already exists."
            raise refuse(
                400, "Request_BadRequest", text, [{"code": "ObjectConflict", "message": text, "target": "uniqueName"}]
            )
