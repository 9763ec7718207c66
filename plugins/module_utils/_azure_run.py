# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A task of the engine: a module's options in, its result out."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _azure_plan as planning
from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import CredentialProblem, LibraryMissing
from ansible_collections.planetary.hub.plugins.module_utils._azure_client import AzureClient
from ansible_collections.planetary.hub.plugins.module_utils._azure_engine import Engine, Settings
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._azure_problems import EngineError, as_sentence, unreadable
from ansible_collections.planetary.hub.plugins.module_utils._azure_references import (
    Listing,
    ReferencesError,
    Wanted,
    references,
)
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress

SUBSCRIPTION = "subscription"
SUBSCRIPTION_VERSION = "2022-12-01"


class Interrupted(BaseException):
    """The task was told to end."""


def listing_of(resources: Iterable[Mapping[str, Any]], subscription: str) -> Listing:
    """The resources of a module's option, checked.

    :param subscription: its id; what refers to it by this name gets its properties, as by Bicep's subscription()
    :raises ReferencesError: with every problem found
    """
    entries = list(resources)
    wanted = [
        Wanted(
            name=entry["name"],
            id=entry["id"],
            api_version=entry["api_version"],
            body=entry.get("body") or {},
            existing=bool(entry.get("existing")),
            depends_on=tuple(entry.get("depends_on") or ()),
            headers={str(key): str(value) for key, value in (entry.get("headers") or {}).items()},
        )
        for entry in entries
        if entry.get("condition", True)
    ]
    names = {one.name for one in wanted}
    referred = {reference.name for one in wanted for reference in references([one.id, one.body])}
    if SUBSCRIPTION in referred - names and subscription:
        path = f"/subscriptions/{subscription}"
        wanted.append(Wanted(SUBSCRIPTION, path, SUBSCRIPTION_VERSION, existing=True))
    return Listing(wanted, left_out=[entry["name"] for entry in entries if not entry.get("condition", True)])


def run(
    options: Mapping[str, Any],
    check: bool,
    hide: Callable[[Iterable[str]], None],
    warn: Callable[[str], None],
) -> dict[str, Any]:
    """Do what the options of module azure_resources say; its result.

    :param hide: told the secrets in the options, before anything is said
    """
    hide(set(planning.secrets(options["resources"])))
    for option in ("parallel", "timeout", "retry_timeout"):
        if options[option] < 1:
            return _failure([f"{option} is {options[option]}; give a number above 0."])
    progress = Progress(options.get("progress_file") or "")
    try:
        listing = listing_of(options["resources"], options.get("subscription_id") or "")
        client = AzureClient(options, options["parallel"], options["retry_timeout"])
    except ReferencesError as error:
        return _failure(error.problems)
    except (LibraryMissing, CredentialProblem) as error:
        return _failure([str(error)])
    settings = Settings(
        options["parallel"], options["timeout"], options["retry_timeout"], tuple(options["ignore_tags"])
    )
    engine = Engine(client, listing, settings, progress, warn)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        return _worked(engine, options["state"], check)
    except AzureError as error:
        return _failure([as_sentence(str(error))])
    except EngineError as error:
        return _failure(error.problems, error, engine)
    except Abandoned as error:
        return _failure([f"Ended, because {error}; run it again, which goes on from here."], None, engine)
    except Interrupted:
        return _failure(["Interrupted; run it again, which goes on from here."], None, engine)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        engine.crew.close()
        client.close()


def look(options: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the options of module azure_resources_info say; its result."""
    entries = [entry for entry in options["resources"] if entry["condition"]]
    names = [entry["name"] for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return _failure([f'Two resources are named "{name}"; give each a name of its own.' for name in twice])
    strange = [one for one in entries if not one["id"].startswith("/")]
    if strange:
        return _failure([f'resource "{one["name"]}": {one["id"]} does not start with "/".' for one in strange])
    if options["parallel"] < 1:
        return _failure([f"parallel is {options['parallel']}; give a number above 0."])
    try:
        client = AzureClient(options, options["parallel"], options["retry_timeout"])
        return {"changed": False, **_looked(client, entries, options["parallel"])}
    except (LibraryMissing, CredentialProblem) as error:
        return _failure([str(error)])
    except AzureError as error:
        return _failure([as_sentence(str(error))])
    except EngineError as error:
        return _failure(error.problems)


def _looked(client: AzureClient, entries: list[Mapping[str, Any]], parallel: int) -> dict[str, Any]:
    client.sign_in()
    with ThreadPoolExecutor(parallel) as pool:
        found = [pool.submit(_read, client, entry) for entry in entries]
    problems: dict[str, None] = {}
    for entry, future in zip(entries, found, strict=True):
        error = future.exception()
        if isinstance(error, AzureError):
            problems[unreadable(f'resource "{entry["name"]}" ({entry["id"]})', error, "read")] = None
    if problems:
        raise EngineError(problems)
    results = {entry["name"]: future.result() for entry, future in zip(entries, found, strict=True)}
    return {"resources": planning.masked(results, told=planning.TOLD)}


def _read(client: AzureClient, entry: Mapping[str, Any]) -> Any:
    content = client.get(entry["id"], entry["api_version"])
    if content is not None and "id" not in content and isinstance(content.get("value"), list):
        return client.pages(content)
    return content


def _interrupt(*_: Any) -> None:
    raise Interrupted


def _worked(engine: Engine, state: str, check: bool) -> dict[str, Any]:
    engine.read(wait=not check)
    plan = engine.plan() if state == "present" else engine.plan_removal()
    if not check:
        if state == "present":
            engine.apply()
        else:
            engine.remove()
        plan = engine.planned()
    return {
        "changed": planning.changed(plan),
        "resources": engine.results(),
        "plan": planning.listed(plan),
        "summary": planning.summary(plan),
        "diff": planning.diff(plan),
    }


def _failure(problems: list[str], error: EngineError | None = None, engine: Engine | None = None) -> dict[str, Any]:
    done = error.done if error else []
    not_started = error.not_started if error else []
    sentences = list(problems)
    if done:
        sentences.append(f"Done before: {', '.join(done)}.")
    if not_started:
        sentences.append(f"Not started: {', '.join(not_started)}.")
    return {
        "failed": True,
        "msg": " ".join(sentences),
        "problems": problems,
        "done": done,
        "not_started": not_started,
        "changed": bool(done),
        # What is forbidden, and nothing else: the sentences above shall not drown.
        "plan": planning.listed([one for one in engine.planned() if one.action == "forbidden"]) if engine else [],
    }
