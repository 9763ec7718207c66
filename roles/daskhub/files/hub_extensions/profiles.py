# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a user may choose when starting a server, read anew from profiles.json.

In jupyterhub_config.d::

    c.KubeSpawner.profile_list = profiles.profile_list
    c.Spawner.apply_user_options = profiles.check_user_options
"""

from __future__ import annotations

import copy
from typing import Any

from tornado import web

from hub_extensions.data_files import DataFile
from hub_extensions.user_environment import for_kubernetes

PROFILES = DataFile("profiles.json", list)


def profile_list(spawner: Any) -> list[dict[str, Any]]:
    """The profiles that the spawner's user may see, one of them the default.

    It is the default of all, where the user sees that, otherwise the first one seen; KubeSpawner starts it when nothing
    is chosen.
    """
    visible = [copy.deepcopy(profile) for profile in PROFILES.read() if _is_visible(profile, spawner.user)]
    if visible and not any(profile.get("default") for profile in visible):
        visible[0]["default"] = True
    for profile in visible:
        override = profile["kubespawner_override"]
        override["environment"] = for_kubernetes(spawner, override.get("environment", {}))
    return visible


def check_user_options(spawner: Any, user_options: Any) -> None:
    """Refuse a choice that cannot be had, with a sentence for the user; nothing chosen is fine.

    Options come from the form, from the API, or from the user's last start, so that they can be anything. What is
    refused is forgotten: JupyterHub has remembered it already and would try it again at each start without a choice.

    Raises:
        tornado.web.HTTPError: 400. JupyterHub replaces the text of every other exception by "Invalid user options".
    """
    sentence = _problem([profile["slug"] for profile in profile_list(spawner)], user_options)
    if not sentence:
        return
    spawner.user_options = {}
    if spawner.orm_spawner:
        spawner.orm_spawner.user_options = {}
    # Tornado formats log_message with %; pages show jupyterhub_message, the API shows log_message.
    error = web.HTTPError(400, "%s", sentence)
    error.jupyterhub_message = sentence  # type: ignore[attr-defined]
    raise error


def _problem(slugs: list[str], user_options: Any) -> str:
    """One sentence that says what is wrong with a choice among the profiles seen; empty when nothing is."""
    choices = ", ".join(f'"{slug}"' for slug in slugs)
    if not slugs:
        return "No profile is open to you; ask the administrators of this hub for one."
    if user_options is None:
        return ""
    if not isinstance(user_options, dict):
        return f"The options are no mapping but {_short(user_options)}; choose a profile: {choices}."
    unknown = [key for key in user_options if key != "profile"]
    if unknown:
        return f"The option {_short(unknown[0])} is unknown; the only option is profile, one of {choices}."
    chosen = user_options.get("profile")
    if chosen is None or chosen == "":
        return ""
    if not isinstance(chosen, str):
        return f"The profile is no text but {_short(chosen)}; choose one of {choices}."
    if chosen not in slugs:
        return f"There is no profile {_short(chosen)} for you (any more); choose one of {choices}."
    return ""


def _is_visible(profile: dict[str, Any], user: Any) -> bool:
    """Whether one of the users or groups named is the user's; nobody named means everyone."""
    visible_to = profile.get("visible_to") or {}
    users, groups = visible_to.get("users") or [], visible_to.get("groups") or []
    if not users and not groups:
        return True
    # JupyterHub keeps user names in lower case, whatever the identity provider says.
    if user.name.lower() in [name.lower() for name in users]:
        return True
    return any(getattr(group, "name", group) in groups for group in user.groups)


def _short(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= 60 else f"{text[:59]}…"
