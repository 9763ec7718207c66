# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How people sign in and who may enter: daskhub_authentication, checked and turned into what the hub reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import CLOUDS
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    kind,
    mapping,
    nearest,
    plain,
    quote,
    text,
    texts,
    wrong,
)

VARIABLE = "daskhub_authentication"
WHO = ("allow_all", "allowed_users", "allowed_groups", "admin_users", "admin_groups")
_PASSWORDS = ("allow_all", "allowed_users", "admin_users")
_OAUTH = (*WHO, "client_id", "username_claim", "groups_claim", "scopes", "login_service", "auto_login")
#: Keys of each type besides `type`.
KEYS: dict[str, tuple[str, ...]] = {
    "azuread": (*_OAUTH, "tenant_id", "client_credential"),
    "generic-oauth": (*_OAUTH, "authorize_url", "token_url", "userdata_url", "authorize_params", "token_params"),
    "shared-password": _PASSWORDS,
    "dummy": ("allow_all", "allowed_users", "on_public_address"),
}
OAUTH_TYPES = ("azuread", "generic-oauth")
CREDENTIALS = ("secret", "federated")
# Tenants that are none: everybody with a Microsoft account of some kind.
_EVERY_TENANT = ("common", "organizations", "consumers")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_TENANT = re.compile(rf"({_GUID.pattern})|([a-z0-9-]+\.)+[a-z]{{2,}}", re.I)
#: What is not known yet in check mode, as the modules say it.
LATER = "(known after apply)"


def authentication(
    value: Any,
    url: str,
    application: Mapping[str, Any] | None = None,
    test_user: str = "",
    public: bool = True,
    cloud: str = "AzureCloud",
) -> dict[str, Any]:
    """What the hub reads to sign people in; no secret is in it.

    Args:
        value: daskhub_authentication.
        url: the hub's address with its base URL and a slash at the end.
        application: the app registration, {client_id, tenant_id}; what is written in value wins.
        test_user: nobody signs in as this user through a provider.
        public: others than this machine reach the hub.
        cloud: the Azure cloud by name, for the address where Entra ID signs in.

    Returns:
        {"type", "authenticator": a name or class of JupyterHub, "credential": "secret" | "federated" | "passwords" |
        "none", "traits": {trait: value} of the authenticator, "users": those with a password as {"name", "admin"},
        "test_user"}.

    Raises:
        InputError: one sentence that names the key.
    """
    given = plain(value)
    if not given or not isinstance(given, dict) or "type" not in given:
        found = f"{VARIABLE} has no type" if isinstance(given, dict) and given else f"{VARIABLE} is {kind(given)}"
        raise InputError(
            f"{found}; say how people sign in with type, one of {', '.join(KEYS)}, and who may enter with"
            f" {', '.join(WHO[:-1])} or {WHO[-1]}."
        )
    chosen = given["type"]
    if chosen not in KEYS:
        raise InputError(f"{VARIABLE}: type is {kind(chosen)}; {nearest(chosen, KEYS)}")
    given = mapping(f"{VARIABLE} (type {chosen})", given, ("type", *KEYS[chosen]))
    who = _who(given)
    if chosen == "dummy":
        return {**_dummy(given, who, public), "test_user": test_user}
    if chosen == "shared-password":
        traits = _with_test_user(who, test_user)
        users = [
            {"name": name, "admin": key == "admin_users"}
            for key in ("admin_users", "allowed_users")
            for name in traits[key]
        ]
        made = {"type": chosen, "authenticator": chosen, "credential": "passwords", "traits": traits, "users": users}
        return {**made, "test_user": test_user}
    common = {**who, **_oauth(given, chosen, url), "reserved_user": test_user.lower()}
    if test_user and test_user.lower() in [*who["allowed_users"], *who["admin_users"]]:
        raise InputError(
            f"{VARIABLE}: {quote(test_user)} is the user of the smoke test (daskhub_test_user), who gets in by a token"
            " and not through the provider; remove it from the list."
        )
    made = _azuread(given, common, dict(application or {}), cloud) if chosen == "azuread" else _generic(given, common)
    return {**made, "users": [], "test_user": test_user}


def _who(given: Mapping[str, Any]) -> dict[str, Any]:
    """Who may enter, as traits; somebody must."""
    everybody = boolean(f"{VARIABLE}: allow_all", given.get("allow_all", False))
    lists = {
        key: texts(f"{VARIABLE}: {key}", given.get(key, []), "groups" if key.endswith("groups") else "user names")
        for key in WHO[1:]
    }
    if not everybody and not any(lists.values()):
        known = [key for key in WHO[1:] if key in KEYS[given["type"]]]
        raise InputError(
            f"{VARIABLE} lets nobody enter; name them in {', '.join(known[:-1])} or {known[-1]}, or write"
            " allow_all: true for everybody who can sign in."
        )
    for key in ("allowed_users", "allowed_groups"):
        if everybody and lists[key]:
            raise InputError(
                f"{VARIABLE} has allow_all: true and {key} too, which would keep nobody out; remove one of the two."
            )
    # JupyterHub keeps names in lower case, whatever the provider says.
    for key in ("allowed_users", "admin_users"):
        lists[key] = sorted({name.strip().lower() for name in lists[key]})
    groups = {key: sorted(set(lists[key])) for key in ("allowed_groups", "admin_groups") if lists[key]}
    users = {key: lists[key] for key in ("allowed_users", "admin_users")}
    # Groups are read only when this is on; traitlets wants it before them.
    managed = {"manage_groups": True} if groups else {}
    # Otherwise whoever was let in once would be let in for ever.
    return {"allow_all": everybody, "allow_existing_users": False, **users, **managed, **groups}


def _with_test_user(who: dict[str, Any], test_user: str) -> dict[str, Any]:
    """With passwords the test user signs in as all others do, so it is one of them, also where all may enter."""
    allowed = sorted({*who["allowed_users"], test_user.lower()} - {""})
    return {**who, "allowed_users": allowed}


def _dummy(given: Mapping[str, Any], who: dict[str, Any], public: bool) -> dict[str, Any]:
    asked = boolean(f"{VARIABLE}: on_public_address", given.get("on_public_address", False))
    if public and not asked:
        raise InputError(
            f"{VARIABLE} has type dummy, with which anybody signs in as anybody without a password, and others than"
            " this machine reach the hub; choose another type, or write on_public_address: true if that is wanted."
        )
    traits = {name: value for name, value in who.items() if name != "admin_users"}
    return {"type": "dummy", "authenticator": "dummy", "credential": "none", "traits": traits, "users": []}


def _oauth(given: Mapping[str, Any], chosen: str, url: str) -> dict[str, Any]:
    """Traits that all providers have in common."""
    services = {"azuread": "Microsoft Entra ID", "generic-oauth": "OAuth 2.0"}
    claims = {"azuread": "preferred_username", "generic-oauth": "email"}
    scopes = {"azuread": ["openid", "profile", "email"], "generic-oauth": ["openid"]}
    states = {"azuread": "user", "generic-oauth": "oauth_user"}
    claim = text(
        f"{VARIABLE}: groups_claim", given.get("groups_claim", "groups"), "the name of a claim, such as groups"
    )
    username = given.get("username_claim", claims[chosen])
    traits = {
        "login_service": text(f"{VARIABLE}: login_service", given.get("login_service", services[chosen])),
        "username_claim": text(f"{VARIABLE}: username_claim", username, "the name of a claim, such as email"),
        "scope": texts(f"{VARIABLE}: scopes", given.get("scopes", scopes[chosen]), "scopes, such as openid"),
        "auto_login": boolean(f"{VARIABLE}: auto_login", given.get("auto_login", False)),
        "oauth_callback_url": callback_url(url),
    }
    if given.get("allowed_groups") or given.get("admin_groups"):
        traits["auth_state_groups_key"] = f"{states[chosen]}.{claim}"
    return traits


def callback_url(url: str) -> str:
    """Where a provider sends people back to.

    >>> callback_url("https://hub.example.org/compute/")
    'https://hub.example.org/compute/hub/oauth_callback'
    """
    return f"{url.rstrip('/')}/hub/oauth_callback"


def _azuread(
    given: Mapping[str, Any], common: dict[str, Any], application: dict[str, Any], cloud: str
) -> dict[str, Any]:
    tenant = given.get("tenant_id") or application.get("tenant_id")
    client = given.get("client_id") or application.get("client_id")
    if str(tenant).lower() in _EVERY_TENANT:
        raise InputError(
            f"{VARIABLE}: tenant_id is {quote(tenant)}, with which people of any organization sign in; write the id of"
            " your tenant."
        )
    for key, found in (("tenant_id", tenant), ("client_id", client)):
        if not found:
            raise InputError(
                f"{VARIABLE} has no {key}, and there is no app registration of this hub that says it; run the stage"
                f" secrets, which makes one (secrets_application_manage), or write {key}."
            )
    if tenant != LATER and not _TENANT.fullmatch(str(tenant)):
        raise wrong(f"{VARIABLE}: tenant_id", tenant, "the id of your tenant, or a domain of it")
    if client != LATER and not _GUID.fullmatch(str(client)):
        raise wrong(f"{VARIABLE}: client_id", client, "the application (client) id of the app registration")
    for key in ("allowed_groups", "admin_groups"):
        for group in common.get(key, []):
            if not _GUID.fullmatch(group):
                raise InputError(
                    f"{VARIABLE}: {key} names {quote(group)}; write the group's object id, which Entra ID sends and"
                    " which no other group can take."
                )
    credential = given.get("client_credential", "secret")
    if credential not in CREDENTIALS:
        raise InputError(f"{VARIABLE}: client_credential is {kind(credential)}; {nearest(credential, CREDENTIALS)}")
    address = f"https://{CLOUDS[cloud].authority}/{tenant}/oauth2/v2.0"
    ours = {"tenant_id": tenant, "authorize_url": f"{address}/authorize", "token_url": f"{address}/token"}
    return {
        "type": "azuread",
        "authenticator": "hub_extensions.providers.EntraAuthenticator",
        "credential": credential,
        "traits": {**common, **ours, "client_id": client},
    }


def _generic(given: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    traits = dict(common)
    for key in ("authorize_url", "token_url", "userdata_url"):
        if key == "userdata_url" and key not in given:
            # What the provider says of the user is then read from its ID token.
            traits["userdata_from_id_token"] = True
            continue
        found = text(f"{VARIABLE}: {key}", given.get(key), "the provider's address, such as https://id.example.org/…")
        if urlsplit(found).scheme != "https":
            raise InputError(
                f"{VARIABLE}: {key} is {quote(found)}, and tokens must not travel in clear; write an address with"
                " https://."
            )
        traits[key] = found
    for key, trait in (("authorize_params", "extra_authorize_params"), ("token_params", "token_params")):
        found = given.get(key, {})
        if not isinstance(found, dict):
            raise wrong(f"{VARIABLE}: {key}", found, "a mapping of parameters")
        if found:
            traits[trait] = {str(name): str(item) for name, item in found.items()}
    traits["client_id"] = text(f"{VARIABLE}: client_id", given.get("client_id"), "the id the provider gave the hub")
    return {
        "type": "generic-oauth",
        "authenticator": "hub_extensions.providers.ProviderAuthenticator",
        "credential": "secret",
        "traits": traits,
    }
