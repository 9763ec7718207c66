# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Access tokens: for which resources, and what they say."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..directory import Principal
from .refusals import LoginError

if TYPE_CHECKING:
    from ..cloud import Cloud

#: Resources that tokens are given for: what is asked (without a slash at the end) -> application id.
RESOURCES = {
    "https://management.azure.com": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://management.core.windows.net": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "https://management.usgovcloudapi.net": "40a69793-8fe6-4db1-9591-dbc5c57b17d8",
    "https://management.core.usgovcloudapi.net": "40a69793-8fe6-4db1-9591-dbc5c57b17d8",
    "https://management.chinacloudapi.cn": "f5798e7d-4d2e-4dbf-b1ba-1b3f8eb3e4ac",
    "https://management.core.chinacloudapi.cn": "f5798e7d-4d2e-4dbf-b1ba-1b3f8eb3e4ac",
    "https://vault.azure.net": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "https://graph.microsoft.com": "00000003-0000-0000-c000-000000000000",
    "https://storage.azure.com": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "https://containerregistry.azure.net": "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26",
    "https://api.loganalytics.io": "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",
    "https://monitor.azure.com": "be14bf7e-8ab4-49b0-9dc6-a0eddd6fa73e",
    "6dae42f8-4368-4678-94ff-3960e28e3630": "6dae42f8-4368-4678-94ff-3960e28e3630",
}  # fmt: skip


def audience_of(form: dict[str, str]) -> tuple[str, str]:
    """What the token is for, and the resource's application id."""
    asked = form.get("resource") or ""
    if not asked:
        scope = next((part for part in form.get("scope", "").split() if part.endswith("/.default")), "")
        if not scope:
            message = (
                f"The provided request must include a 'scope' input parameter that ends with /.default: "
                f"'{form.get('scope', '')}' is not valid."
            )
            raise LoginError(400, "invalid_scope", 1002012, message)
        asked = scope.removesuffix("/.default")
    resource = RESOURCES.get(asked.rstrip("/").lower())
    if resource is None:
        message = (
            f"The resource principal named {asked} was not found in the tenant named planetary. This can happen if the "
            "application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant. "
            "You might have sent your authentication request to the wrong tenant."
        )
        raise LoginError(400, "invalid_resource", 500011, message)
    return asked, resource


def token_for(cloud: Cloud, principal: Principal, audience: str, **more: Any) -> tuple[str, int]:
    """A token and its lifetime in seconds."""
    now, lifetime = int(cloud.now()), int(cloud.dials.tokens.get("lifetime", 3600))
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{cloud.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "appid": principal.app_id,
        "appidacr": "1",
        "idp": f"https://sts.windows.net/{cloud.tenant}/",
        "idtyp": "app",
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": cloud.tenant,
        "uti": uuid.uuid4().hex[:22],
        "ver": "1.0",
        **more,
    }
    return cloud.key.sign(claims), lifetime
