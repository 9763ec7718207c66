# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""An app registration of Entra ID as it is and as it shall be: what to change, decided without asking anybody.

Objects are those of Microsoft Graph: https://learn.microsoft.com/graph/api/resources/application
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

DAY = 86_400.0
#: Letters of a secret that Graph shows of it.
HINT = 3


@dataclass(frozen=True)
class Wanted:
    """What the app registration shall be.

    :ivar label: name of our secrets among others; says where each is kept
    :ivar lifetime: seconds that a new secret is valid
    :ivar renew_before: seconds before its end at which a secret is replaced
    :ivar overlap: seconds for which a replaced secret stays valid, until the hub has the new one
    """

    display_name: str
    redirect_uris: Sequence[str] = ()
    audience: str = "AzureADMyOrg"
    groups: str = ""
    credential: str = "none"
    federated: Sequence[Mapping[str, Any]] = ()
    label: str = ""
    lifetime: float = 180 * DAY
    renew_before: float = 30 * DAY
    overlap: float = DAY


@dataclass(frozen=True)
class Plan:
    """What there is to do; everything empty when the registration is as it shall be.

    :ivar change: properties to write
    :ivar new_secret: why a new secret is needed, or ""
    :ivar expired: key ids of secrets that are to go
    :ivar federated: bodies of federated credentials to write, with an id where one exists
    """

    change: Mapping[str, Any] = field(default_factory=dict)
    new_secret: str = ""
    expired: Sequence[str] = ()
    federated: Sequence[Mapping[str, Any]] = ()

    def __bool__(self) -> bool:
        return bool(self.change or self.new_secret or self.expired or self.federated)


def moment(text: str) -> float:
    """A moment as Graph writes it, in seconds since 1970.

    >>> moment("2026-01-01T00:00:00.1234567Z")
    1767225600.0
    """
    return datetime.fromisoformat(re.sub(r"(\.\d+)?Z?$", "", text)).replace(tzinfo=UTC).timestamp()


def stamp(seconds: float) -> str:
    """A moment as Graph reads it.

    >>> stamp(1767225600)
    '2026-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def body(wanted: Wanted) -> dict[str, Any]:
    """What a new registration is made of."""
    new: dict[str, Any] = {
        "displayName": wanted.display_name,
        "signInAudience": wanted.audience,
        "web": {"redirectUris": list(wanted.redirect_uris)},
    }
    return {**new, "groupMembershipClaims": wanted.groups} if wanted.groups else new


def differences(live: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """The properties to write. Redirect URIs of others stay, and so does the name people gave it."""
    change: dict[str, Any] = {}
    held = list((live.get("web") or {}).get("redirectUris") or [])
    missing = [uri for uri in wanted.redirect_uris if uri not in held]
    if missing:
        change["web"] = {"redirectUris": held + missing}
    if live.get("signInAudience") != wanted.audience:
        change["signInAudience"] = wanted.audience
    # Graph knows several, separated by commas.
    claims = [claim.strip() for claim in str(live.get("groupMembershipClaims") or "").split(",")]
    if wanted.groups and wanted.groups not in claims:
        change["groupMembershipClaims"] = wanted.groups
    return change


def ours(live: Mapping[str, Any], label: str) -> list[Mapping[str, Any]]:
    """Our secrets of the registration, the one that lasts longest first."""
    held = [one for one in live.get("passwordCredentials") or [] if one.get("displayName") == label]
    return sorted(held, key=lambda one: moment(one["endDateTime"]), reverse=True)


def current(live: Mapping[str, Any], label: str, stored: str) -> Mapping[str, Any] | None:
    """The registration's secret that is the stored one, told by its first letters; None when it is not among them.

    One that somebody put there by hand has another name than ours.
    """
    every = sorted(live.get("passwordCredentials") or [], key=lambda one: moment(one["endDateTime"]), reverse=True)
    candidates = [*ours(live, label), *every] if stored else []
    return next((one for one in candidates if one.get("hint") == stored[:HINT]), None)


def why_new(live: Mapping[str, Any], wanted: Wanted, stored: str, now: float) -> str:
    """Why a new secret is needed, in a few words; empty when none is."""
    if wanted.credential != "secret":
        return ""
    if not stored:
        return "there is none yet"
    found = current(live, wanted.label, stored)
    if found is None:
        return "the one kept does not belong to the application"
    left = moment(found["endDateTime"]) - now
    if left <= 0:
        return "it has expired"
    return f"it expires in {left / DAY:.0f} days" if left < wanted.renew_before else ""


def replaced(live: Mapping[str, Any], wanted: Wanted, stored: str, now: float) -> list[str]:
    """Key ids of our secrets that nobody uses any more: replaced long enough ago, or by no secret at all."""
    kept = current(live, wanted.label, stored) if wanted.credential == "secret" else None
    if wanted.credential == "secret" and (kept is None or now - moment(kept["startDateTime"]) < wanted.overlap):
        return []
    return [str(one["keyId"]) for one in ours(live, wanted.label) if one is not kept]


def federated(live: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Federated credentials to write: new ones, and those of ours, known by their name, that differ."""
    result: list[dict[str, Any]] = []
    for one in wanted:
        found = next((held for held in live if held["name"] == one["name"]), None)
        same = ("issuer", "subject")
        if found is None:
            result.append(dict(one))
        elif any(found.get(key) != one[key] for key in same) or set(found["audiences"]) != set(one["audiences"]):
            result.append({**one, "id": found["id"]})
    return result


def plan(live: Mapping[str, Any], held: Sequence[Mapping[str, Any]], wanted: Wanted, stored: str, now: float) -> Plan:
    """What there is to do.

    :param live: the application; an empty one for none
    :param held: its federated credentials
    :param stored: the secret that the hub is given, or ""
    """
    credentials = federated(held, wanted.federated) if wanted.credential == "federated" else []
    return Plan(
        change=differences(live, wanted) if live else body(wanted),
        new_secret=why_new(live, wanted, stored, now),
        # The hub signs in with its secret until it has been told of the federated credential.
        expired=[] if credentials else replaced(live, wanted, stored, now),
        federated=credentials,
    )


def shown(live: Mapping[str, Any], held: Sequence[Mapping[str, Any]], principal: bool) -> dict[str, Any]:
    """What people see of a registration; of secrets their names and ends."""
    if not live:
        return {}
    secrets = [f"{one.get('displayName') or 'without a name'}, until {one['endDateTime']}" for one in
               live.get("passwordCredentials") or []]  # fmt: skip
    return {
        "display_name": live.get("displayName"),
        "sign_in_audience": live.get("signInAudience"),
        "group_claims": live.get("groupMembershipClaims"),
        "redirect_uris": list((live.get("web") or {}).get("redirectUris") or []),
        "service_principal": principal,
        "secrets": secrets,
        "federated_credentials": [
            {key: one[key] for key in ("name", "issuer", "subject", "audiences")} for one in held
        ],
    }


def foreseen(
    live: Mapping[str, Any], held: Sequence[Mapping[str, Any]], steps: Plan, wanted: Wanted, now: float
) -> dict[str, Any]:
    """What people will see once a plan is done."""
    after = {**live, **steps.change}
    kept = [one for one in live.get("passwordCredentials") or [] if one["keyId"] not in steps.expired]
    if steps.new_secret:
        kept = [*kept, {"displayName": wanted.label, "endDateTime": stamp(now + wanted.lifetime)}]
    names = [one["name"] for one in steps.federated]
    credentials = [one for one in held if one["name"] not in names] + list(steps.federated)
    return shown({**after, "passwordCredentials": kept}, credentials, True)
