# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Environment variables of users' servers, before each start.

Those of everybody come from user_environment.json and reach the notebook as written, whatever is on their way:
KubeSpawner formats them as Python templates, and Kubernetes expands $(NAME) and turns $$ into $.

A user's own, such as an API key, come from the sources of user_environment_sources.json. They go into the user's
store (see user_secrets), to which the server refers.

In jupyterhub_config.d::

    c.Spawner.pre_spawn_hook = user_environment.before_start
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any
from weakref import WeakValueDictionary

from jupyterhub.spawner import LocalProcessSpawner
from kubespawner import KubeSpawner
from tornado import web

from hub_extensions.data_files import DataFile
from hub_extensions.kubernetes_store import KubernetesStore
from hub_extensions.user_environment_sources.azure_token import import_libraries
from hub_extensions.user_environment_sources.base import SourceError
from hub_extensions.user_environment_sources.gather import Gatherer
from hub_extensions.user_secrets import SOURCES, FileStore, StoreError, local_store, references

log = logging.getLogger(__name__)

USER_ENVIRONMENT = DataFile("user_environment.json", dict)


def notebook_environment() -> dict[str, str]:
    """The variables for notebooks, values as written."""
    return dict(USER_ENVIRONMENT.read().get("notebook", {}))


def set_environment(spawner: Any) -> None:
    """Put the variables into a spawner's environment; to be called before each start.

    They win over the environment configured for everybody; a profile's own are applied later and win over them.
    """
    variables = for_kubernetes(spawner, for_kubespawner(spawner, notebook_environment()))
    spawner.environment = {**spawner.environment, **variables}


def for_kubespawner(spawner: Any, variables: dict[str, str]) -> dict[str, str]:
    """Write values so that they come out of KubeSpawner, on either platform, as they went in."""
    if not isinstance(spawner, KubeSpawner):
        return variables
    return {name: value.replace("{", "{{").replace("}", "}}") for name, value in variables.items()}


def for_kubernetes(spawner: Any, variables: dict[str, str]) -> dict[str, str]:
    """Write values so that they come out of Kubernetes as they went in; processes get them as they are."""
    if isinstance(spawner, LocalProcessSpawner):
        return variables
    return {name: value.replace("$", "$$") for name, value in variables.items()}


async def before_start(spawner: Any) -> None:
    """Prepare a server's environment; nothing in here keeps the hub from serving others.

    Raises:
        tornado.web.HTTPError: 503, a source without which no server may start has no variables for this user. The user
            sees its text.
    """
    set_environment(spawner)
    sources = SOURCES.read()
    if not sources:
        return
    user = spawner.user.name
    found = await gatherer(sources).gather(user)
    refused = list(found.refused)
    try:
        await keep(store_of(spawner), user, found)
    except StoreError as error:
        log.error("The variables of the user %s are not kept: %s", user, error)
        refused += [source["name"] for source in sources if source["on_failure"] == "refuse"]
    if refused:
        raise refusal(spawner, refused)
    refer(spawner, user)


async def keep(store: FileStore | KubernetesStore, user: str, found: Any) -> None:
    """Write what was found into a user's store, if it is something else; two servers of one user in turn."""
    lock = _locks.setdefault(user, asyncio.Lock())
    async with lock:
        known = await store.read(user)
        wanted = found.merged(known)
        if known != wanted:
            await store.write(user, wanted)


def refer(spawner: Any, user: str) -> None:
    """Have a pod take the user's variables from its Secret; a local process takes them from their file itself."""
    if isinstance(spawner, LocalProcessSpawner):
        return
    wanted = references(user)
    config = dict(spawner.extra_container_config or {})
    name = "env_from" if "env_from" in config else "envFrom"
    others = [entry for entry in config.get(name) or [] if entry not in wanted]
    spawner.extra_container_config = {**config, name: [*others, *wanted]}


def refusal(spawner: Any, sources: list[str]) -> web.HTTPError:
    """The error that ends a start, with a sentence for the user."""
    sentence = (
        f"Your server was not started, because {' and '.join(dict.fromkeys(sources))} could not be asked for what it"
        " needs, or has nothing for you. Try again in a minute; if it stays so, ask the administrators of this hub."
    )
    # It says nothing about the hub, which ends itself after too many failures in a row (consecutive_failure_limit).
    settings = getattr(spawner.user, "settings", {})
    settings["failure_count"] = settings.get("failure_count", 0) - 1
    error = web.HTTPError(503, "%s", sentence)
    error.jupyterhub_message = sentence  # type: ignore[attr-defined]
    return error


def store_of(spawner: Any) -> FileStore | KubernetesStore:
    """Where the variables of a spawner's user are kept."""
    if isinstance(spawner, LocalProcessSpawner):
        return local_store()
    return KubernetesStore(spawner.api, spawner.namespace)


async def forget(spawner: Any) -> None:
    """Remove what is kept for a user who is being deleted."""
    # A named server goes alone, the default one with its user.
    if spawner.name:
        return
    user = spawner.user.name
    try:
        await store_of(spawner).forget(user)
    except StoreError as error:
        log.error("The variables of the deleted user %s are still there: %s", user, error)


def gatherer(sources: list[dict[str, Any]]) -> Gatherer:
    """The sources in use; new ones when the data file has changed."""
    global _gatherer
    loop = asyncio.get_running_loop()
    if _gatherer is None or _gatherer[0] is not loop or _gatherer[1].entries is not sources:
        new = Gatherer(sources)
        _gatherer = (loop, new)
        task = loop.create_task(_close_with_the_hub(new))
        _closing.add(task)
        task.add_done_callback(_closing.discard)
    return _gatherer[1]


def import_early() -> None:
    """Import what takes long before the hub serves, where a source needs it."""
    sources = SOURCES.read()
    if any("credential" in source for source in sources):
        try:
            import_libraries()
        except SourceError as error:
            log.error("%s.", error)


async def _close_with_the_hub(old: Gatherer) -> None:
    """Close connections when the hub ends, or some time after other sources have taken their place."""
    with contextlib.suppress(asyncio.CancelledError):
        # The hub cancels all tasks at its end.
        while _gatherer is not None and _gatherer[1] is old:
            await asyncio.sleep(60)
    await old.close()


_gatherer: tuple[asyncio.AbstractEventLoop, Gatherer] | None = None
_closing: set[asyncio.Task[None]] = set()
# Those that nobody holds go by themselves.
_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
