# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The tenant's people: users of the directory with their passwords, who sign in by a form.

``POST /people`` of the dials adds one or changes one: ``{"email": "ann@example.org", "password": "…", "name": "Ann",
"groups": ["Scientists"], "pk": 7}``; groups that are not there are made. ``pk`` is the number in the identity service.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from .dials import dial
from .directory import Principal
from .web import Answer, Refusal, Request

if TYPE_CHECKING:
    from .cloud import Cloud


def named(cloud: Cloud, name: str) -> Principal | None:
    """The person of a user principal name, which is the e-mail too."""
    wanted = name.strip().casefold()
    people = (one for one in cloud.directory if one.kind == "User")
    return next((one for one in people if email_of(one).casefold() == wanted), None)


def email_of(person: Principal) -> str:
    return str(person.more.get("userPrincipalName") or person.name)


def signed_in(cloud: Cloud, name: str, password: str) -> Principal | None:
    """The person whose password this is; nobody without one can sign in."""
    person = named(cloud, name)
    known = str(person.more.get("password") or "") if person else ""
    return person if known and secrets.compare_digest(known.encode(), password.encode()) else None


def shown(cloud: Cloud) -> dict[str, str]:
    """Names and passwords that the form of the sign-in shows: those of people made for trying the sandbox."""
    found = (one for one in cloud.directory if one.more.get("shown") and one.more.get("password"))
    return {email_of(one): str(one.more["password"]) for one in found}


def _group(cloud: Cloud, name: str) -> Principal:
    groups = (one for one in cloud.directory if one.kind == "Group" and one.name == name)
    return next(groups, None) or cloud.directory.add(name, "Group")


@dial("POST /people")
def add(cloud: Cloud, request: Request) -> Answer:
    """Add a person, or change one: {email, password, name, groups, pk}."""
    asked = request.json() or {}
    email = str(asked.get("email") or "")
    if not email:
        raise Refusal(400, "BadDial", "A person needs an email.")
    person = named(cloud, email)
    if person is None:
        numbers = [int(one.more.get("pk", 0)) for one in cloud.directory if one.kind == "User"]
        more = {"userPrincipalName": email, "pk": max(numbers, default=0) + 1}
        person = cloud.directory.add(str(asked.get("name") or email.partition("@")[0]), "User", more=more)
    person.name = str(asked.get("name") or person.name)
    person.more |= {key: asked[key] for key in ("password", "pk") if key in asked}
    if "groups" in asked:
        person.more["groups"] = [_group(cloud, str(name)).object_id for name in asked["groups"]]
    cloud.directory.save(person)
    rest = {key: value for key, value in person.more.items() if key != "password"}
    return Answer(200, {"id": person.object_id, "name": person.name, **rest})
