# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The whole stand-in but its proxy: what exists, who exists, the dials and the log of calls."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import dials
from .arm.kinds import Action, Call, ResourceType
from .directory import Directory, Principal
from .keys import SigningKey
from .store import Store

if TYPE_CHECKING:
    from .real_cluster import RealCluster

#: Facts that outlive a reset: who signs in with what.
KEPT = ("tenant",)


class Cloud:
    """One tenant with one subscription."""

    def __init__(self, directory: Path) -> None:
        self.path = directory
        self.key = SigningKey(directory / "signing-key.pem")
        self.store = Store(directory / "cloud.sqlite")
        self.calls: deque[dials.Entry] = deque(maxlen=dials.CALLS)
        #: All that Azure Resource Manager knows, by lower case; see :mod:`sandbox.azure.arm.kinds`.
        self.kinds: dict[str, ResourceType] = {}
        self.actions: dict[str, Action] = {}
        #: Raises a refusal when the caller may not do what it asks.
        self.authorize: Callable[[Call], None] = lambda _call: None
        #: Ids that are being written by requests at this moment.
        self.writing: set[str] = set()
        #: A fault that the operation begun by the current request is to end with.
        self.planned_failure: dials.Fault | None = None
        #: What all clusters of AKS are, when somebody gave one.
        self.real_cluster: RealCluster | None = None
        self._open()

    def _open(self) -> None:
        self.dials = dials.from_json(self.store.fact("dials"))
        self.directory = Directory(self.store)
        tenant = self.store.fact("tenant")
        if not tenant:
            tenant.update(tenant=str(uuid.uuid4()), subscription=str(uuid.uuid4()))
            self.store.touch("tenant")
        self.tenant: str = tenant["tenant"]
        self.subscription: str = tenant["subscription"]
        deployer = tenant.get("deployer")
        if deployer is None:
            principal = self.directory.add("deployer", app_object_id=str(uuid.uuid4()))
            self.directory.add_secret(principal)
            tenant["deployer"] = asdict(principal)
            self.store.touch("tenant")
        elif self.directory.by_object_id(deployer["object_id"]) is None:
            self.directory.save(Principal(**deployer))
        self.store.flush()

    @property
    def deployer(self) -> dict[str, Any]:
        """The service principal of the environment that launch.py prints."""
        deployer: dict[str, Any] = self.store.fact("tenant")["deployer"]
        return deployer

    def now(self) -> float:
        return time.time()

    def keep_dials(self) -> None:
        self.store.facts["dials"] = self.dials.all()
        self.store.touch("dials")

    def reset(self) -> None:
        """An empty cloud with the same tenant, subscription and credentials."""
        self.store.clear(*KEPT)
        self.calls.clear()
        self._open()

    def environment(self) -> dict[str, str]:
        """What a client needs to sign in; both Azure's and AWX's spelling."""
        deployer = self.deployer
        secret = next(iter(deployer["secrets"].values()))
        return {
            "AZURE_TENANT_ID": self.tenant,
            "AZURE_CLIENT_ID": deployer["app_id"],
            "AZURE_CLIENT_SECRET": secret,
            "AZURE_SUBSCRIPTION_ID": self.subscription,
            "AZURE_TENANT": self.tenant,
            "AZURE_SECRET": secret,
        }
