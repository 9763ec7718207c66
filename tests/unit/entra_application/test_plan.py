# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is done about an app registration, by what it is and what it shall be."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _entra_application as entra

NOW = 1_800_000_000.0
DAY = entra.DAY
CALLBACK, OTHER = "https://hub.example.org/hub/oauth_callback", "https://other.example.org/callback"


def wanted(**more: Any) -> entra.Wanted:
    return entra.Wanted("Hub", **{"redirect_uris": [CALLBACK], "credential": "secret", "label": "ours", **more})


def secret(key: str, start: float, end: float, label: str | None = "ours") -> dict[str, Any]:
    """A secret that begins with three letters of its key, by days from now."""
    days = {"startDateTime": entra.stamp(NOW + start * DAY), "endDateTime": entra.stamp(NOW + end * DAY)}
    return {"keyId": key, "hint": key[:3], "displayName": label, **days}


def live(*secrets: dict[str, Any], **more: Any) -> dict[str, Any]:
    usual = {
        "id": "1",
        "displayName": "Given by people",
        "signInAudience": "AzureADMyOrg",
        "groupMembershipClaims": None,
    }
    return {**usual, "web": {"redirectUris": [CALLBACK]}, "passwordCredentials": list(secrets), **more}


@pytest.mark.parametrize(
    ("found", "more", "change"),
    [
        (live(), {}, {}),
        (live(web={"redirectUris": [OTHER]}), {}, {"web": {"redirectUris": [OTHER, CALLBACK]}}),
        (live(web=None), {}, {"web": {"redirectUris": [CALLBACK]}}),
        (live(signInAudience="AzureADandPersonalMicrosoftAccount"), {}, {"signInAudience": "AzureADMyOrg"}),
        (live(), {"groups": "SecurityGroup"}, {"groupMembershipClaims": "SecurityGroup"}),
        (live(groupMembershipClaims="SecurityGroup, DirectoryRole"), {"groups": "SecurityGroup"}, {}),
        (live(groupMembershipClaims="All"), {}, {}),
    ],
)
def test_differences(found: dict[str, Any], more: dict[str, Any], change: dict[str, Any]) -> None:
    assert entra.differences(found, wanted(**more)) == change


@pytest.mark.parametrize(
    ("secrets", "stored", "new", "gone"),
    [
        ([], "", "there is none yet", []),
        ([secret("aaa", -10, 100)], "aaa-kept", "", []),
        ([secret("aaa", -10, 100)], "bbb-kept", "the one kept does not belong to the application", []),
        ([secret("aaa", -10, 29)], "aaa-kept", "it expires in 29 days", []),
        ([secret("aaa", -10, 31)], "aaa-kept", "", []),
        ([secret("aaa", -200, -1)], "aaa-kept", "it has expired", []),
        # Kept by hand, under another name: it serves until its end
        ([secret("aaa", -10, 100, None)], "aaa-kept", "", []),
        # The one replaced stays for a day, those of others for ever
        ([secret("old", -100, 10), secret("new", -0.5, 180)], "new-kept", "", []),
        ([secret("old", -100, 10), secret("new", -2, 180), secret("xyz", -500, -1, "theirs")], "new-kept", "", ["old"]),
        # Two with the same first letters: the one that lasts longer
        ([secret("aaa1", -100, 10), secret("aaa2", -2, 180)], "aaa-kept", "", ["aaa1"]),
    ],
)
def test_secrets(secrets: list[dict[str, Any]], stored: str, new: str, gone: list[str]) -> None:
    plan = entra.plan(live(*secrets), [], wanted(), stored, NOW)
    assert (plan.new_secret, list(plan.expired)) == (new, gone)


HELD = {"id": "9", "name": "hub", "issuer": "https://i/", "subject": "s", "audiences": ["a"]}
ASKED = {key: HELD[key] for key in ("name", "issuer", "subject", "audiences")}


@pytest.mark.parametrize(
    ("held", "asked", "written", "gone"),
    [
        ([], [ASKED], [ASKED], []),
        ([HELD], [ASKED], [], ["aaa"]),
        ([HELD], [{**ASKED, "subject": "t"}], [{**ASKED, "subject": "t", "id": "9"}], []),
        ([{**HELD, "name": "theirs"}], [ASKED], [ASKED], []),
    ],
)
def test_federated(held: Any, asked: Any, written: Any, gone: list[str]) -> None:
    plan = entra.plan(live(secret("aaa", -10, 100)), held, wanted(credential="federated", federated=asked), "", NOW)
    assert (list(plan.federated), plan.new_secret, list(plan.expired)) == (written, "", gone)


def test_what_is_shown_holds_no_secret() -> None:
    found = live(secret("aaa", -10, 20))
    steps = entra.plan(found, [], wanted(), "aaa-kept", NOW)
    after = entra.foreseen(found, [], steps, wanted(), NOW)
    assert after["display_name"] == "Given by people"
    assert after["secrets"] == [
        f"ours, until {entra.stamp(NOW + 20 * DAY)}",
        f"ours, until {entra.stamp(NOW + 180 * DAY)}",
    ]
    assert "aaa" not in str(after)
