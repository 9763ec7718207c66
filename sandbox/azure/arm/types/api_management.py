# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.ApiManagement, as far as a look-up of subscription keys needs it: services, users, products, subscriptions.

Source: https://learn.microsoft.com/rest/api/apimanagement
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ...store import Record
from ...web import Answer, Refusal
from .. import answers
from ..kinds import Action, Body, Call, ResourceType
from ..operations import stamp
from .key_vault import taken

if TYPE_CHECKING:
    from ...cloud import Cloud

TYPE = "Microsoft.ApiManagement/service"
SUBSCRIPTIONS = f"{TYPE}/subscriptions"
USERS = f"{TYPE}/users"
VERSIONS = (
    "2019-12-01",
    "2020-12-01",
    "2021-08-01",
    "2022-08-01",
    "2023-05-01-preview",
    "2023-09-01-preview",
    "2024-05-01",
    "2024-06-01-preview",
)
_DATES = ("createdDate", "startDate", "expirationDate", "endDate", "notificationDate", "stateComment")
KEYS = ("primaryKey", "secondaryKey")


def _given(body: Body) -> dict[str, Any]:
    found = body.get("properties")
    return dict(found) if isinstance(found, dict) else {}


def _check_service(call: Call, _body: Body, live: Record | None) -> None:
    name = call.target.name.lower()
    known = any(one.name.lower() == name for one in call.cloud.store.of_type(TYPE))
    if live is None and (known or taken(call.cloud, "service", name)):
        raise Refusal(409, "ServiceAlreadyExists", f"Api service already exists: {call.target.name}")


def _service(call: Call, body: Body, live: Record | None) -> Body:
    name = call.target.name.lower()
    hosts = {
        "gatewayUrl": "",
        "portalUrl": ".portal",
        "developerPortalUrl": ".developer",
        "managementApiUrl": ".management",
        "scmUrl": ".scm",
    }
    properties = {
        "targetProvisioningState": "",
        "createdAtUtc": stamp(call.cloud.now()),
        "notificationSenderEmail": "apimgmt-noreply@mail.windowsazure.com",
        "virtualNetworkType": "None",
        "publicNetworkAccess": "Enabled",
        "platformVersion": "stv2.1",
        **(live.properties if live else {}),
        **_given(body),
        **{key: f"https://{name}{part or '.'}{'' if part == '' else '.'}azure-api.net" for key, part in hosts.items()},
    }
    return {**body, "tags": body.get("tags", {}), "properties": properties}


# -------------------------------------------------------------------------------------------------------- subscriptions
def _scope(call: Call, text: str) -> str:
    """``/products/x`` and ``/apis`` come back as whole ids of the service."""
    service = call.parent().id
    return text if text.lower().startswith("/subscriptions/") else f"{service}/{text.strip('/')}"


def _subscription(call: Call, body: Body, live: Record | None) -> Body:
    given, now = _given(body), stamp(call.cloud.now())
    for name in ("scope", "displayName"):
        if not given.get(name):
            details = [{"code": "ValidationError", "target": name, "message": f"{name} is required"}]
            raise Refusal(400, "ValidationError", "One or more fields contain incorrect values:", details=details)
    owner = given.get("ownerId")
    if owner:
        given["ownerId"] = f"{call.parent().id}/users/{str(owner).rpartition('/')[2]}"
        if call.cloud.store.get(given["ownerId"]) is None:
            details = [{"code": "ValidationError", "target": "userId", "message": "User cannot be found"}]
            raise Refusal(400, "ValidationError", "One or more fields contain incorrect values:", details=details)
    properties = {
        "state": "submitted",
        "createdDate": now,
        "startDate": None,
        "expirationDate": None,
        "endDate": None,
        "notificationDate": None,
        "stateComment": None,
        "allowTracing": False,
        **(live.properties if live else {}),
        **given,
        "scope": _scope(call, str(given["scope"])),
    }
    return {"properties": properties}


def _subscribed(cloud: Cloud, record: Record) -> None:
    """Both keys: those that were sent, else new ones."""
    held = record.private.setdefault("keys", {})
    for name in KEYS:
        sent = record.private.pop(f"properties.{name}", None)
        if sent or name not in held:
            held[name] = sent or secrets.token_hex(16)
    cloud.store.put(record)


def _secrets(call: Call) -> Answer:
    assert call.live is not None
    return Answer(200, dict(call.live.private.get("keys", {})))


def _renew(call: Call) -> Answer:
    assert call.live is not None
    which = "primaryKey" if call.target.types[-1].lower() == "regenerateprimarykey" else "secondaryKey"
    call.live.private["keys"][which] = secrets.token_hex(16)
    call.cloud.store.put(call.live)
    return Answer(204)


def _matching(call: Call, records: list[Record]) -> list[Record]:
    """``$filter`` over properties and the name: ``email eq 'a@b'``, ``startswith(displayName,'x')``."""
    if not call.query.get("$filter"):
        return records
    found = records
    for operator, field, value in answers.terms(call.query["$filter"]):

        def fits(record: Record, operator: str = operator, field: str = field, value: str = value) -> bool:
            here = record.name if field.lower() == "name" else str(record.properties.get(field.rpartition("/")[2], ""))
            equal = here.lower() == value.lower()
            return here.lower().startswith(value.lower()) if operator == "startswith" else equal == (operator == "eq")

        found = [record for record in found if fits(record)]
    return found


# --------------------------------------------------------------------------------------------------- users and products
def _user(call: Call, body: Body, live: Record | None) -> Body:
    given = _given(body)
    for name in ("email", "firstName", "lastName"):
        if not given.get(name):
            details = [{"code": "ValidationError", "target": name, "message": f"{name} is required"}]
            raise Refusal(400, "ValidationError", "One or more fields contain incorrect values:", details=details)
    for other in call.cloud.store.of_type(USERS, call.target.parent):
        if other.name != call.target.name and other.properties["email"].lower() == given["email"].lower():
            raise Refusal(409, "ValidationError", "User with the same email already exists.")
    given.pop("password", None)
    properties = {
        "state": "active",
        "note": None,
        "registrationDate": stamp(call.cloud.now()),
        "groups": [],
        "identities": [{"provider": "Basic", "id": given["email"]}],
        **(live.properties if live else {}),
        **given,
    }
    return {"properties": properties}


def _user_subscriptions(call: Call) -> Answer:
    service, user = call.target.path.rsplit("/users/", 1)
    owner = f"{service}/users/{user.partition('/')[0]}".lower()
    records = call.cloud.store.of_type(SUBSCRIPTIONS, service)
    found = [one for one in records if str(one.properties.get("ownerId", "")).lower() == owner]
    return answers.page(call, [answers.show(call.cloud, one) for one in found])


def _product(_call: Call, body: Body, live: Record | None) -> Body:
    properties = {
        "subscriptionRequired": True,
        "approvalRequired": False,
        "state": "notPublished",
        "terms": None,
        **(live.properties if live else {}),
        **_given(body),
    }
    return {"properties": properties}


TYPES = (
    ResourceType(
        TYPE,
        versions=VERSIONS,
        model="azure.mgmt.apimanagement.models.ApiManagementServiceResource",
        tracked=True,
        name_rule=r"[A-Za-z](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?",
        etag=True,
        long=("PUT", "DELETE"),
        seconds={"PUT": 1800.0, "UPDATE": 60.0, "DELETE": 600.0},
        enums={
            "sku.name": (
                "Developer",
                "Basic",
                "Standard",
                "Premium",
                "Consumption",
                "BasicV2",
                "StandardV2",
                "PremiumV2",
            )
        },
        check=_check_service,
        store=_service,
    ),
    ResourceType(
        SUBSCRIPTIONS,
        versions=VERSIONS,
        missing=("ResourceNotFound", "Subscription not found."),
        model="azure.mgmt.apimanagement.models.SubscriptionCreateParameters",
        name_rule=r"[^*#&+:<>?]{1,256}",
        etag=True,
        shows_state=False,
        read_only=tuple(f"properties.{name}" for name in _DATES),
        write_only=("properties.primaryKey", "properties.secondaryKey"),
        store=_subscription,
        done=_subscribed,
        select=_matching,
    ),
    ResourceType(
        USERS,
        versions=VERSIONS,
        missing=("ResourceNotFound", "User not found."),
        model="azure.mgmt.apimanagement.models.UserCreateParameters",
        name_rule=r"[^*#&+:<>?]{1,80}",
        etag=True,
        shows_state=False,
        read_only=("properties.registrationDate", "properties.groups"),
        store=_user,
        select=_matching,
    ),
    ResourceType(
        f"{TYPE}/products",
        versions=VERSIONS,
        missing=("ResourceNotFound", "Product not found."),
        model="azure.mgmt.apimanagement.models.ProductContract",
        name_rule=r"[^*#&+:<>?]{1,256}",
        etag=True,
        shows_state=False,
        store=_product,
        select=_matching,
    ),
)

ACTIONS = {
    f"POST {SUBSCRIPTIONS}/listSecrets": Action(_secrets, versions=VERSIONS),
    f"POST {SUBSCRIPTIONS}/regeneratePrimaryKey": Action(_renew, versions=VERSIONS),
    f"POST {SUBSCRIPTIONS}/regenerateSecondaryKey": Action(_renew, versions=VERSIONS),
    f"GET {USERS}/subscriptions": Action(_user_subscriptions, versions=VERSIONS),
}
