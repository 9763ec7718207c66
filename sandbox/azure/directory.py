# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The Entra tenant: its applications and principals, as the sign-in and Microsoft Graph know them."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store import Store

#: What Azure's rights call a principal of the directory.
PRINCIPAL_TYPES = {
    "Application": "ServicePrincipal",
    "ManagedIdentity": "ServicePrincipal",
    "User": "User",
    "Group": "Group",
}


@dataclass
class Principal:
    """Who may sign in or be given rights.

    :ivar object_id: id of the service principal, user or group
    :ivar app_id: id of its application; for a user "", for a managed identity its client id
    :ivar kind: ``Application``, ``ManagedIdentity``, ``User`` or ``Group``
    :ivar secrets: key id -> secret of the application
    :ivar resource: ARM id of the managed identity, which holds its federated credentials
    :ivar federated: federated credentials of an application: {name, issuer, subject, audiences}
    :ivar more: whatever Microsoft Graph keeps besides
    """

    object_id: str
    app_id: str
    name: str
    kind: str = "Application"
    app_object_id: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    resource: str = ""
    federated: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class Directory:
    """The principals, kept in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all = {key: Principal(**value) for key, value in store.fact("principals").items()}

    def __iter__(self) -> Any:
        return iter(list(self._all.values()))

    def save(self, principal: Principal) -> Principal:
        """Keep a principal, new or changed."""
        self._all[principal.object_id] = principal
        self._store.fact("principals")[principal.object_id] = asdict(principal)
        self._store.touch("principals")
        return principal

    def add(self, name: str, kind: str = "Application", **more: Any) -> Principal:
        """A new principal; an application gets no secret yet."""
        values = {
            "object_id": str(uuid.uuid4()),
            "app_id": "" if kind in ("User", "Group") else str(uuid.uuid4()),
            **more,
        }
        return self.save(Principal(name=name, kind=kind, **values))

    def add_secret(self, principal: Principal) -> tuple[str, str]:
        """A new secret of an application: its key id and itself."""
        key, secret = str(uuid.uuid4()), secrets.token_urlsafe(30)
        principal.secrets[key] = secret
        self.save(principal)
        return key, secret

    def remove(self, object_id: str) -> None:
        """Forget a principal."""
        if self._all.pop(object_id, None):
            self._store.fact("principals").pop(object_id, None)
            self._store.touch("principals")

    def by_object_id(self, object_id: str) -> Principal | None:
        return self._all.get(object_id.lower()) or self._all.get(object_id)

    def by_app_id(self, app_id: str) -> Principal | None:
        wanted = app_id.lower()
        return next((one for one in self if one.app_id and one.app_id.lower() == wanted), None)
