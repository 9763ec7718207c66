# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What exists, in memory and in a file of SQLite: it survives a restart and a kill at any moment."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

#: States of which nothing more is to be expected.
FINAL = ("Succeeded", "Failed", "Canceled")


@dataclass
class Record:
    """One resource.

    :ivar id: its id as Azure spells it
    :ivar type: such as ``Microsoft.Network/virtualNetworks``, as Azure spells it
    :ivar body: what is stored: ``location``, ``tags``, ``properties``, …; without id, name, type and provisioningState
    :ivar private: what is never shown, such as passwords
    :ivar state: the provisioningState
    """

    id: str
    type: str
    body: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)
    state: str = "Succeeded"
    etag: str = ""
    created: float = 0.0
    changed: float = 0.0

    @property
    def key(self) -> str:
        """What it is kept by: ids are compared without case."""
        return self.id.lower()

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties, to read and to change."""
        properties: dict[str, Any] = self.body.setdefault("properties", {})
        return properties


@dataclass
class Operation:
    """A long-running operation; ``ends`` is when it is over (seconds since 1970)."""

    id: str
    verb: str
    type: str
    resource: str
    started: float
    ends: float
    subscription: str = ""
    location: str = ""
    api_version: str = ""
    locks: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    result: Any = None
    arguments: Any = None
    state: str = "InProgress"

    @property
    def over(self) -> bool:
        return self.state in FINAL


class Store:
    """Resources, operations and facts. Change them, say so (:meth:`put`, :meth:`touch`), then :meth:`flush`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = sqlite3.connect(path)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS kept (kind TEXT, key TEXT, content TEXT, PRIMARY KEY (kind, key))"
        )
        self.resources: dict[str, Record] = {}
        self.operations: dict[str, Operation] = {}
        self.facts: dict[str, Any] = {}
        self._dirty: set[tuple[str, str]] = set()
        for kind, key, content in self._file.execute("SELECT kind, key, content FROM kept ORDER BY rowid"):
            value = json.loads(content)
            if kind == "resource":
                self.resources[key] = Record(**value)
            elif kind == "operation":
                self.operations[key] = Operation(**value)
            else:
                self.facts[key] = value

    def get(self, resource_id: str) -> Record | None:
        """The resource of this id, in any case."""
        return self.resources.get(resource_id.rstrip("/").lower())

    def put(self, record: Record) -> Record:
        """Keep a resource, new or changed; it gets a new etag."""
        record.etag = str(uuid.uuid4())
        self.resources[record.key] = record
        self._dirty.add(("resource", record.key))
        return record

    def remove(self, resource_id: str) -> Record | None:
        """Forget one resource, without those below it."""
        key = resource_id.lower()
        self._dirty.add(("resource", key))
        return self.resources.pop(key, None)

    def below(self, resource_id: str) -> list[Record]:
        """All resources below an id (a group, a parent, a scope), the parents before their children."""
        prefix = f"{resource_id.rstrip('/').lower()}/"
        return [record for key, record in list(self.resources.items()) if key.startswith(prefix)]

    def of_type(self, kind: str, below: str = "") -> Iterator[Record]:
        """All resources of a type, in the whole cloud or below an id."""
        wanted, prefix = kind.lower(), f"{below.rstrip('/').lower()}/"
        for key, record in list(self.resources.items()):
            if record.type.lower() == wanted and (not below or key.startswith(prefix)):
                yield record

    def keep(self, operation: Operation) -> Operation:
        """Keep an operation, new or changed."""
        self.operations[operation.id] = operation
        self._dirty.add(("operation", operation.id))
        return operation

    def forget(self, operation: Operation) -> None:
        """Forget an operation."""
        self._dirty.add(("operation", operation.id))
        self.operations.pop(operation.id, None)

    def fact(self, name: str) -> dict[str, Any]:
        """A dict of anything else, by name, to read and to change (then :meth:`touch` it)."""
        fact: dict[str, Any] = self.facts.setdefault(name, {})
        return fact

    def touch(self, name: str) -> None:
        """This fact has changed."""
        self._dirty.add(("fact", name))

    def flush(self) -> None:
        """Write what has changed."""
        if not self._dirty:
            return
        tables: dict[str, Any] = {"resource": self.resources, "operation": self.operations, "fact": self.facts}
        with self._file:
            for kind, key in self._dirty:
                value = tables[kind].get(key)
                if value is None:
                    self._file.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (kind, key))
                    continue
                content = json.dumps(value if kind == "fact" else asdict(value))
                self._file.execute(
                    "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET content = "
                    "excluded.content",
                    (kind, key, content),
                )
        self._dirty.clear()

    def clear(self, *keep: str) -> None:
        """Forget everything but these facts."""
        facts = {name: self.facts[name] for name in keep if name in self.facts}
        with self._file:
            self._file.execute("DELETE FROM kept")
        self.resources.clear()
        self.operations.clear()
        self.facts = facts
        self._dirty = {("fact", name) for name in facts}
        self.flush()
