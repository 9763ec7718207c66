# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Azure's resource ids, taken apart. Azure compares them without regard to case, and so does everything here.

Forms, as in "Resource ID" and "Scope for extension resources" of the Azure Resource Manager documentation:

* ``/subscriptions/{id}`` and ``/subscriptions/{id}/resourceGroups/{name}``
* ``{scope}/providers/{namespace}/{type}/{name}[/{type}/{name}…]`` where the scope is a subscription, a group, a
  management group, nothing (the tenant) or, for extension resources such as locks, any other resource.
* A collection is an id without its last name: ``…/virtualNetworks/x/subnets``.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION = "Microsoft.Resources/subscriptions"
TENANT = "Microsoft.Resources/tenants"


class IdError(ValueError):
    """A text is no id of Azure; one sentence that says what is wrong with it."""


@dataclass(frozen=True)
class ResourceId:
    """An id in its parts, spelt as it was written.

    subscription, group: their names, "" where the id has none (also the ones of the scope, for extension resources).
    scope: the id of what the resource lies on: its group, its subscription, another resource, "" for the tenant.
    type: such as "Microsoft.Network/virtualNetworks/subnets".
    names: one for each part of the type below the namespace; one less when the id is a collection.
    """

    text: str
    subscription: str
    group: str
    scope: str
    type: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last name; "" of a collection."""
        return "" if self.is_collection else self.names[-1]

    @property
    def is_collection(self) -> bool:
        """Whether the last name is missing."""
        return len(self.names) < self.type.count("/") and self.type != TENANT

    @property
    def parent(self) -> str:
        """The id of what this is a part of: the resource above, else the scope; "" at the top.

        That of a collection is the resource whose children it lists.
        """
        parts = self.text.split("/")
        if self.type in (GROUP, SUBSCRIPTION, TENANT):
            return self.scope
        if len(self.names) + self.is_collection > 1:
            return "/".join(parts[: -1 if self.is_collection else -2])
        return self.scope

    @property
    def is_extension(self) -> bool:
        """Whether it lies on another resource, rather than in a group, a subscription or the tenant."""
        return "/providers/" in self.scope.casefold()


def parse(text: str) -> ResourceId:
    """Take an id apart.

    Raises:
        IdError: it has no such form.
    """
    written = text.strip().rstrip("/")
    parts = written.split("/")
    if not text.strip():
        raise IdError("An id of Azure is empty; write it as /subscriptions/<id>/resourceGroups/<name>/providers/….")
    if parts[0] or not all(parts[1:]):
        raise IdError(
            f'"{text}" is no id of Azure: it starts with one "/" and has no empty part, '
            "as in /subscriptions/<id>/resourceGroups/<name>/providers/…."
        )
    folded = [part.casefold() for part in parts]
    subscription = parts[2] if folded[1:2] == ["subscriptions"] and len(parts) > 2 else ""
    group = parts[4] if subscription and folded[3:4] == ["resourcegroups"] and len(parts) > 4 else ""
    if "providers" in folded:
        # The last one counts: an extension resource has those of its scope before its own.
        start = len(folded) - 1 - folded[::-1].index("providers")
        kind, names = _typed(text, parts[start + 1 :])
        return ResourceId(written, subscription, group, "/".join(parts[:start]), kind, names)
    if group and len(parts) == 5:
        return ResourceId(written, subscription, group, "/".join(parts[:3]), GROUP, (group,))
    if subscription and len(parts) == 3:
        return ResourceId(written, subscription, "", "", SUBSCRIPTION, (subscription,))
    if folded in (["", "subscriptions"], ["", "subscriptions", folded[-2], "resourcegroups"]):
        scope = "/".join(parts[:3]) if len(parts) == 4 else ""
        return ResourceId(written, subscription, "", scope, GROUP if scope else SUBSCRIPTION, ())
    raise IdError(
        f'"{text}" is no id of Azure; write it as /subscriptions/<id>/resourceGroups/<name>/providers/'
        "<namespace>/<type>/<name>."
    )


def _typed(text: str, parts: list[str]) -> tuple[str, tuple[str, ...]]:
    """Type and names of what follows ``providers``."""
    if len(parts) < 2:
        raise IdError(f'"{text}" is no id of Azure: after "providers" come a namespace, a type and a name.')
    return "/".join([parts[0], *parts[1::2]]), tuple(parts[2::2])


def is_id(value: object) -> bool:
    """Whether a value looks like an id of Azure."""
    return isinstance(value, str) and value.casefold().startswith(("/subscriptions/", "/providers/microsoft."))


def same(one: str, other: str) -> bool:
    """Whether two ids name the same thing."""
    return folded(one) == folded(other)


def folded(text: str) -> str:
    """The spelling under which an id is looked up."""
    return text.strip().rstrip("/").casefold()


def resource_type(text: str) -> str:
    """The type of an id, such as "Microsoft.Network/virtualNetworks/subnets"."""
    return parse(text).type


def last_segment(text: str) -> str:
    """What follows the last slash."""
    return text.rstrip("/").rsplit("/", 1)[-1]
