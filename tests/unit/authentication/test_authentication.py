# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""daskhub_authentication: who gets in how, and what is refused with which sentence."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._authentication import authentication
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

URL = "https://hub.example.org/compute/"
ID = "6f0f0d4a-0c34-4b0e-9d62-8d5d3f9a5f4b"
GROUP = "0b7a1c9e-33f2-4d5c-9a5d-3a1f0a6f2a10"
ENTRA = {"type": "azuread", "tenant_id": ID, "client_id": ID}
GENERIC = {
    "type": "generic-oauth",
    "client_id": "hub",
    "authorize_url": "https://id.example.org/o/authorize/",
    "token_url": "https://id.example.org/o/token/",
    "userdata_url": "https://id.example.org/users/userdata",
}


def made(value: Any, **more: Any) -> dict[str, Any]:
    return authentication(value, URL, **{"test_user": "smoke-test", **more})


def test_entra() -> None:
    found = made({**ENTRA, "allowed_groups": [GROUP], "admin_users": ["Ada@Example.org"]})
    address = f"https://login.microsoftonline.com/{ID}/oauth2/v2.0"
    assert found["authenticator"] == "hub_extensions.providers.EntraAuthenticator"
    assert found["credential"] == "secret"
    assert found["traits"] == {
        "allow_all": False,
        "allow_existing_users": False,
        "allowed_users": [],
        "admin_users": ["ada@example.org"],
        "manage_groups": True,
        "allowed_groups": [GROUP],
        "auth_state_groups_key": "user.groups",
        "login_service": "Microsoft Entra ID",
        "username_claim": "preferred_username",
        "scope": ["openid", "profile", "email"],
        "auto_login": False,
        "oauth_callback_url": "https://hub.example.org/compute/hub/oauth_callback",
        "reserved_user": "smoke-test",
        "tenant_id": ID,
        "authorize_url": f"{address}/authorize",
        "token_url": f"{address}/token",
        "client_id": ID,
    }
    assert list(found["traits"]).index("manage_groups") < list(found["traits"]).index("allowed_groups")


def test_the_app_registration_says_what_the_inventory_leaves_out() -> None:
    other = "1d5a9d4e-6c0a-4a8e-8a37-2f0a5a4a7c11"
    application = {"client_id": other, "tenant_id": other}
    assert made({"type": "azuread", "allow_all": True}, application=application)["traits"]["client_id"] == other
    assert made({**ENTRA, "allow_all": True}, application=application)["traits"]["client_id"] == ID
    later = {"client_id": "(known after apply)", "tenant_id": ID}
    assert made({"type": "azuread", "allow_all": True}, application=later)["traits"]["client_id"] == later["client_id"]


def test_a_sovereign_cloud_signs_in_at_its_own_address() -> None:
    found = made({**ENTRA, "allow_all": True}, cloud="AzureUSGovernment")["traits"]
    assert found["token_url"] == f"https://login.microsoftonline.us/{ID}/oauth2/v2.0/token"


def test_any_other_provider() -> None:
    found = made({**GENERIC, "allowed_users": ["ann"], "allowed_groups": ["hub"], "groups_claim": "roles"})
    traits = found["traits"]
    assert found["authenticator"] == "hub_extensions.providers.ProviderAuthenticator"
    assert (traits["username_claim"], traits["scope"]) == ("email", ["openid"])
    assert traits["auth_state_groups_key"] == "oauth_user.roles"
    without = {key: value for key, value in GENERIC.items() if key != "userdata_url"}
    assert made({**without, "allow_all": True})["traits"]["userdata_from_id_token"] is True


def test_passwords_let_the_test_user_in_as_all_others() -> None:
    found = made({"type": "shared-password", "allowed_users": ["user"], "admin_users": ["admin"]})
    assert found["traits"]["allowed_users"] == ["smoke-test", "user"]
    assert found["users"] == [
        {"name": "admin", "admin": True},
        {"name": "smoke-test", "admin": False},
        {"name": "user", "admin": False},
    ]


def test_dummy_is_for_this_machine_unless_it_is_asked_for() -> None:
    anybody = {"type": "dummy", "allow_all": True}
    assert made(anybody, public=False)["traits"]["allow_all"] is True
    assert made({**anybody, "on_public_address": True})["credential"] == "none"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "daskhub_authentication is a mapping of nothing; say how people sign in with type, one of azuread,"),
        (None, "daskhub_authentication is empty; say how people sign in with type"),
        ("azuread", 'daskhub_authentication is the text "azuread"; say how'),
        ({"allow_all": True}, "daskhub_authentication has no type; say how people sign in"),
        ({"type": "azure-ad"}, 'type is the text "azure-ad"; did you mean "azuread"?'),
        ({**ENTRA, "allowed": ["a"]}, 'has the unknown key "allowed"; did you mean "allowed_users"?'),
        (ENTRA, "lets nobody enter; name them in allowed_users, allowed_groups, admin_users or admin_groups, or write"),
        ({**ENTRA, "allow_all": False, "allowed_users": []}, "lets nobody enter"),
        ({"type": "shared-password"}, "lets nobody enter; name them in allowed_users or admin_users, or write"),
        (
            {**ENTRA, "allow_all": True, "allowed_users": ["a"]},
            "allow_all: true and allowed_users too, which would keep",
        ),
        ({**ENTRA, "allow_all": "yes"}, 'allow_all is the text "yes"; write true or false.'),
        ({**ENTRA, "allowed_users": "ann"}, 'allowed_users is the text "ann"; write a list of user names.'),
        ({**ENTRA, "allowed_groups": ["Researchers"]}, 'names "Researchers"; write the group\'s object id'),
        (
            {**ENTRA, "allow_all": True, "tenant_id": "common"},
            'tenant_id is "common", with which people of any organization',
        ),
        (
            {**ENTRA, "allow_all": True, "client_id": "hub"},
            "write the application (client) id of the app registration.",
        ),
        ({"type": "azuread", "allow_all": True}, "has no tenant_id, and there is no app registration of this hub"),
        ({**ENTRA, "allow_all": True, "client_credential": "none"}, 'client_credential is the text "none"; known are'),
        ({**ENTRA, "allowed_users": ["Smoke-Test"]}, '"smoke-test" is the user of the smoke test (daskhub_test_user)'),
        ({**GENERIC, "allow_all": True, "token_url": "http://id/o/"}, "tokens must not travel in clear"),
        ({**GENERIC, "allow_all": True, "authorize_url": None}, "authorize_url is empty; write the provider's address"),
        ({"type": "dummy", "allow_all": True}, "others than this machine reach the hub; choose another type"),
        ({"type": "dummy", "allow_all": True, "admin_users": ["ann"]}, 'has the unknown key "admin_users"'),
    ],
)
def test_one_sentence(value: Any, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        made(value)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value) and str(error.value).endswith((".", "?"))
