# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Paths of Azure Resource Manager, taken apart.

``/subscriptions/<s>[/resourceGroups/<g>]/providers/<namespace>/<type>/<name>[/<type>/<name>…]``; what is attached to a
resource (role assignments, associations) has one more ``/providers/…`` behind the id of that resource, its scope.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"^/subscriptions/[^/]+/resourcegroups/([^/]+)", re.IGNORECASE)
_GROUP_SCOPE = re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+$", re.IGNORECASE)
_SUBSCRIPTION_SCOPE = re.compile(r"^/subscriptions/[^/]+$", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """What a path names.

    :ivar path: the path, without a slash at its end
    :ivar scope: what the last ``/providers/`` hangs on; "" for the tenant
    :ivar types: the types behind the namespace; one more than ``names`` for a collection or an action
    """

    path: str
    scope: str
    namespace: str = ""
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def subscription(self) -> str:
        match = _SUBSCRIPTION.match(self.path)
        return match[1] if match else ""

    @property
    def group(self) -> str:
        """The name of the resource group; "" outside of one."""
        match = _GROUP.match(self.path)
        return match[1] if match else ""

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}" if self.group else ""

    @property
    def type(self) -> str:
        """Namespace and all types: ``Microsoft.Network/virtualNetworks/subnets``."""
        return "/".join((self.namespace, *self.types))

    @property
    def named(self) -> bool:
        """Whether it names one resource."""
        return bool(self.names) and len(self.types) == len(self.names)

    @property
    def name(self) -> str:
        return self.names[-1] if self.names else ""

    @property
    def parent(self) -> str:
        """The id of the resource of the same provider right above; "" when there is none."""
        if len(self.types) < 2:
            return ""
        return self.path.rsplit("/", 2 if self.named else 1)[0]

    @property
    def scope_kind(self) -> str:
        """``tenant``, ``subscription``, ``group`` or ``resource``: what the provider's part hangs on."""
        if not self.scope:
            return "tenant"
        if _SUBSCRIPTION_SCOPE.match(self.scope):
            return "subscription"
        return "group" if _GROUP_SCOPE.match(self.scope) else "resource"


def parse(path: str) -> Target:
    """Take a path or an id apart."""
    path = "/" + "/".join(part for part in path.split("/") if part)
    start = path.lower().rfind("/providers/")
    if start < 0:
        return Target(path, path)
    parts = path[start + len("/providers/") :].split("/")
    return Target(path, path[:start], parts[0], tuple(parts[1::2]), tuple(parts[2::2]))
