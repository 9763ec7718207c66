# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Secrets of a namespace: what is wanted against what is there, as a plan; then the plan, carried out."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_client import ClusterError
from ansible_collections.planetary.hub.plugins.module_utils._secret_values import decoded, generated
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "planetary.hub"
RELEASE = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"


class Api(Protocol):
    """The part of a cluster that is used here; ``_kubernetes_client.Cluster`` is one."""

    def namespace(self, name: str) -> dict[str, Any] | None: ...
    def create_namespace(self, body: Mapping[str, Any]) -> None: ...
    def secret(self, namespace: str, name: str) -> dict[str, Any] | None: ...
    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> None: ...
    def patch_secret(self, namespace: str, name: str, body: Mapping[str, Any]) -> None: ...
    def delete_secret(self, namespace: str, name: str) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """One Secret.

    :ivar data: key to value, of what is given
    :ivar generate: key to random bytes, of what is generated when it is missing
    :ivar adopt: key to (name of any Secret, key there), whose value is taken over before one is generated
    :ivar required: key to what to do when it is neither given nor there
    :ivar copies: key to (name of a Secret before this one or of itself, key there)
    :ivar release: the Helm release that shall take the Secret over; empty: it is ours
    :ivar exact: whether other keys are removed
    """

    name: str
    type: str = "Opaque"
    data: Mapping[str, bytes] = field(default_factory=dict)
    generate: Mapping[str, int] = field(default_factory=dict)
    adopt: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    required: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    release: str = ""
    exact: bool = True


@dataclass
class Step:
    """What happens to one Secret.

    :ivar values: all that it will hold
    :ivar keys: key to what happens: added, changed, removed, generated, rotated, taken over
    :ivar metadata: labels and annotations that it lacks
    """

    name: str
    action: str = "none"
    type: str = "Opaque"
    values: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)

    def body(self, namespace: str) -> dict[str, Any]:
        """The whole Secret."""
        meta = {"name": self.name, "namespace": namespace, **self.metadata}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": self.type, "data": _data(self.values)}

    def patch(self) -> dict[str, Any]:
        """What is merged into a Secret that is there."""
        touched = {key: self.values.get(key) for key in self.keys}
        data = {key: None if value is None else base64.b64encode(value).decode() for key, value in touched.items()}
        return {"metadata": self.metadata, "data": data}


def wanted(entry: Mapping[str, Any]) -> Wanted:
    """A Secret as the module's option says it."""
    name = entry["name"]
    return Wanted(
        name=name,
        type=entry["type"],
        data=decoded(entry.get("data") or {}, f"secrets {name}: data"),
        generate={key: int(size) for key, size in (entry.get("generate") or {}).items()},
        required=entry.get("required") or {},
        adopt=_places(entry.get("adopt") or {}, name),
        copies=_places(entry.get("copies") or {}, name),
        labels=entry.get("labels") or {},
        release=entry.get("release") or "",
        exact=entry["exact"],
    )


def _places(keys: Mapping[str, Any], name: str) -> dict[str, tuple[str, str]]:
    """Key to (Secret, key there), of texts ``<Secret>/<key>`` or ``<key>``."""
    places = {}
    for key, source in keys.items():
        secret, slash, there = str(source).rpartition("/")
        places[key] = (secret if slash else name, there)
    return places


def plan(api: Api, namespace: str, there: bool, secrets: Iterable[Wanted], rotate: Iterable[str] = ()) -> list[Step]:
    """What to do so that every Secret holds what it shall.

    :param there: whether the namespace is; without it nothing is asked
    :param rotate: keys to generate anew wherever they are generated
    :raises InputError: for what only people can bring about, and for a Secret of somebody else
    """
    steps: list[Step] = []
    known: dict[str, dict[str, bytes]] = {}
    missing: list[str] = []
    for one in secrets:
        live = api.secret(namespace, one.name) if there else None
        adopted = _adopted(api, one, live, namespace) if there else {}
        step = _step(one, live, namespace, known, set(rotate), adopted)
        missing += [f"  {key}: {text}" for key, text in one.required.items() if key not in step.values]
        known[one.name] = step.values
        steps.append(step)
    if missing:
        count = f"{len(missing)} secrets" if len(missing) > 1 else "a secret"
        raise InputError(
            f"The namespace {namespace} lacks {count} that the hub needs and that cannot be generated; bring about what"
            " follows, and then run this again:\n" + "\n".join(missing)
        )
    return steps


def carry_out(api: Api, namespace: str, steps: Iterable[Step]) -> None:
    """Create, change and replace."""
    for step in steps:
        if step.action == "create":
            api.create_secret(namespace, step.body(namespace))
        elif step.action == "change":
            api.patch_secret(namespace, step.name, step.patch())
        elif step.action == "replace":
            # The type of a Secret cannot be changed.
            api.delete_secret(namespace, step.name)
            api.create_secret(namespace, step.body(namespace))


def namespace_there(api: Api, name: str) -> bool:
    """Whether the namespace exists; whoever may not look is believed to have one."""
    try:
        return api.namespace(name) is not None
    except ClusterError as error:
        if error.status == 403:
            return True
        raise


def shown(namespace: str, steps: Iterable[Step]) -> str:
    """The Secrets that change, key by key, without values."""
    lines = []
    for step in steps:
        if step.action != "none":
            lines.append(f"Secret {namespace}/{step.name} ({step.type}): {step.action}")
            lines += [f"  {key}: ******** ({what})" for key, what in sorted(step.keys.items())]
            lines += [
                f"  {kind}: {key}={value}" for kind, pairs in step.metadata.items() for key, value in pairs.items()
            ]
    return "".join(f"{line}\n" for line in lines)


def by_key(steps: list[Step]) -> dict[str, bytes]:
    """All values by ``<Secret>/<key>``, those of the first Secret by their key too."""
    every = {f"{step.name}/{key}": value for step in steps for key, value in step.values.items()}
    return every | (steps[0].values if steps else {})


def _adopted(api: Api, one: Wanted, live: Mapping[str, Any] | None, namespace: str) -> dict[str, bytes]:
    """What is lacking here and there elsewhere, as after an installation by hand."""
    before = _values_of(live)
    lacking = {key: place for key, place in one.adopt.items() if key in one.generate and not before.get(key)}
    others = {secret: _values_of(api.secret(namespace, secret)) for secret, _key in lacking.values()}
    found = {key: others[secret].get(there, b"") for key, (secret, there) in lacking.items()}
    return {key: value for key, value in found.items() if value}


def _values_of(live: Mapping[str, Any] | None) -> dict[str, bytes]:
    return {key: base64.b64decode(value or "") for key, value in ((live or {}).get("data") or {}).items()}


def _step(
    one: Wanted,
    live: Mapping[str, Any] | None,
    namespace: str,
    known: dict[str, dict[str, bytes]],
    rotate: set[str],
    adopted: Mapping[str, bytes],
) -> Step:
    before = _values_of(live)
    found_metadata = (live or {}).get("metadata") or {}
    _check_owner(one, found_metadata, namespace)
    replaced = live is not None and live.get("type", "Opaque") != one.type
    if replaced and (found_metadata.get("labels") or {}).get(MANAGED_BY) != OURS:
        raise InputError(
            f"The Secret {one.name} in the namespace {namespace} is somebody else's and not of the type"
            f" {one.type}: remove it, or choose another name."
        )
    step = Step(one.name, type=one.type)
    values, how = _values(one, before, rotate, adopted)
    kept = {} if one.exact else before
    step.values = {**kept, **values}
    for key, (secret, there) in one.copies.items():
        source = step.values if secret == one.name else known.get(secret, {})
        if there in source:
            step.values[key] = source[there]
    step.keys = _differences(before, step.values, how)
    step.metadata = _metadata(one, found_metadata, namespace)
    if live is None:
        step.action = "create"
    elif replaced:
        step.action = "replace"
    elif step.keys or step.metadata:
        step.action = "change"
    return step


def _values(
    one: Wanted, before: Mapping[str, bytes], rotate: set[str], adopted: Mapping[str, bytes]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """What was given, what was there, what had to be generated; and which keys are new by that."""
    values: dict[str, bytes] = {}
    how: dict[str, str] = {}
    for key, size in one.generate.items():
        if before.get(key) and key not in rotate:
            values[key] = before[key]
        elif key in adopted and key not in rotate:
            values[key], how[key] = adopted[key], "taken over"
        else:
            values[key] = generated(size)
            how[key] = "rotated" if before.get(key) else "generated"
    # People's values without a source stay as somebody wrote them into the Secret.
    values |= {key: before[key] for key in one.required if before.get(key)}
    return {**values, **one.data}, how


def _differences(before: Mapping[str, bytes], after: Mapping[str, bytes], how: Mapping[str, str]) -> dict[str, str]:
    keys = {
        key: how.get(key, "changed" if key in before else "added") for key in after if before.get(key) != after[key]
    }
    return keys | {key: "removed" for key in before if key not in after}


def _metadata(one: Wanted, live: Mapping[str, Any], namespace: str) -> dict[str, dict[str, str]]:
    """Labels and annotations that are not as they shall be."""
    shall = {
        "labels": {**one.labels, MANAGED_BY: "Helm" if one.release else OURS},
        "annotations": {RELEASE: one.release, RELEASE_NAMESPACE: namespace} if one.release else {},
    }
    lacking = {
        kind: {key: value for key, value in pairs.items() if (live.get(kind) or {}).get(key) != value}
        for kind, pairs in shall.items()
    }
    return {kind: pairs for kind, pairs in lacking.items() if pairs}


def _check_owner(one: Wanted, live: Mapping[str, Any], namespace: str) -> None:
    owner = (live.get("annotations") or {}).get(RELEASE, one.release)
    if owner != one.release:
        raise InputError(
            f"The Secret {one.name} in the namespace {namespace} belongs to the Helm release {owner}, not to "
            f"{one.release or 'this collection'}; choose another namespace, or uninstall that release."
        )


def _data(values: Mapping[str, bytes]) -> dict[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in values.items()}
