# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The objects of a release, as it is against as it would be: what differs, shown without a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "********"
OTHER = f"{HIDDEN} (another value)"
HOOK = "hook "
SECRET_NAME = re.compile(r"TOKEN|PASSWORD|SECRET|CREDENTIAL|CONNECTION_STRING|(^|_)KEY$", re.IGNORECASE)
TEMPLATES = ("Deployment", "StatefulSet", "DaemonSet")
Key = tuple[str, str, str]
Objects = dict[Key, dict[str, Any]]


@dataclass(frozen=True)
class Difference:
    """One object that changes.

    :ivar name: such as ``Deployment/hub``
    :ivar action: ``create``, ``update`` or ``delete``
    :ivar before: as YAML without secrets, empty when it is created
    :ivar replaces_pods: whether the pods that it has are replaced
    :ivar note: what else people are told of it, to follow its name
    """

    name: str
    kind: str
    action: str
    before: str
    after: str
    replaces_pods: bool = False
    note: str = ""

    def diff(self) -> dict[str, str]:
        """As Ansible shows it."""
        return {
            "before_header": self.name,
            "after_header": f"{self.name} ({self.action})",
            "before": self.before,
            "after": self.after,
        }


def objects(release: Mapping[str, Any]) -> Objects:
    """The objects of a release and of its hooks by group, kind (hooks: ``hook Job``) and name."""
    found: Objects = {}
    for one in documents(str(release.get("manifest") or "")):
        found[_key(one, "")] = one
    for hook in release.get("hooks") or []:
        for one in documents(str(hook.get("manifest") or "")):
            found[_key(one, HOOK)] = one
    return found


def documents(manifest: str) -> Iterator[dict[str, Any]]:
    """The objects in a stream of YAML."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for one in yaml.load_all(manifest, Loader=loader):
        if isinstance(one, dict) and one.get("kind"):
            yield one


def _key(one: Mapping[str, Any], prefix: str) -> Key:
    metadata = one.get("metadata") or {}
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    group = str(one.get("apiVersion", "")).rpartition("/")[0]
    return group, f"{prefix}{one['kind']}", f"{place}{metadata.get('name', '')}"


def differences(before: Objects, after: Objects) -> list[Difference]:
    """What creating, updating and deleting leads from one to the other, in order of the names."""
    found = []
    for key in sorted({*before, *after}, key=lambda key: (key[1], key[2], key[0])):
        old, new = before.get(key), after.get(key)
        # A chart leaves hooks out that have nothing to do, such as the pulling of images that are there already.
        if old == new or (new is None and key[1].startswith(HOOK)):
            continue
        shown = masked(old, new)
        replaces = key[1] in TEMPLATES and old is not None and new is not None and _template(old) != _template(new)
        action = "create" if old is None else "delete" if new is None else "update"
        found.append(Difference(f"{key[1]}/{key[2].rpartition('/')[2]}", key[1], action, *shown, replaces))
    return found


def _template(one: Mapping[str, Any]) -> Any:
    return (one.get("spec") or {}).get("template")


def masked(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[str, str]:
    """Both as YAML. Values of Secrets, and of variables whose names tell of one, are only said to be other ones."""
    before, after = _copied(old), _copied(new)
    for place in _secret_places(before, after):
        was, is_ = _value(before, place), _value(after, place)
        if was is not None:
            _set(before, place, HIDDEN)
        if is_ is not None:
            _set(after, place, HIDDEN if was is None or was == is_ else OTHER)
    return dumped(before), dumped(after)


def _copied(one: Any) -> Any:
    if isinstance(one, Mapping):
        return {key: _copied(value) for key, value in one.items()}
    return [_copied(value) for value in one] if isinstance(one, list) else one


def _secret_places(*both: Any) -> set[tuple[Any, ...]]:
    places: set[tuple[Any, ...]] = set()
    for one in both:
        if isinstance(one, dict) and one.get("kind") == "Secret":
            places |= {(part, key) for part in ("data", "stringData") for key in one.get(part) or {}}
        places |= set(_variables(one, ()))
    return places


def _variables(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Where an environment holds a value whose name tells that nobody shall read it."""
    if isinstance(value, dict):
        if isinstance(value.get("value"), str) and SECRET_NAME.search(str(value.get("name", ""))):
            yield (*place, "value")
        for key, item in value.items():
            yield from _variables(item, (*place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _variables(item, (*place, number))


def _value(one: Any, place: Iterable[Any]) -> Any:
    for step in place:
        try:
            one = one[step]
        except (KeyError, IndexError, TypeError):
            return None
    return one


def _set(one: Any, place: tuple[Any, ...], value: str) -> None:
    _value(one, place[:-1])[place[-1]] = value


def dumped(one: Any) -> str:
    """An object as people write YAML: long texts as blocks; nothing for no object."""
    import yaml

    if one is None:
        return ""

    class Dumper(yaml.SafeDumper):
        """Texts of several lines stay lines."""

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(one, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return written


def changed_paths(old: Any, new: Any, place: str = "") -> list[str]:
    """Where two values differ, as paths without what stands there.

    >>> changed_paths({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": [1]})
    ['a.c', 'd']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for key in sorted({*map(str, old), *map(str, new)}):
            found += changed_paths(old.get(key), new.get(key), f"{place}.{key}" if place else key)
        return found
    # To Helm an empty mapping that nobody wrote is the same as one that somebody wrote.
    if not old and not new and type(old) in (dict, type(None)) and type(new) in (dict, type(None)):
        return []
    return [] if old == new and isinstance(old, bool) == isinstance(new, bool) else [place]
