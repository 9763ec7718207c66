# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""One app registration of Entra ID: looked at, made, adopted, changed or removed through Microsoft Graph."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils import _entra_application as entra
from ansible_collections.planetary.hub.plugins.module_utils._azure_error import AzureError
from ansible_collections.planetary.hub.plugins.module_utils._microsoft_graph import GraphClient
from ansible_collections.planetary.hub.plugins.module_utils._secret_place import place_of
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

LATER = "(known after apply)"


def wanted_of(options: Mapping[str, Any]) -> entra.Wanted:
    """What a module's options ask for."""
    return entra.Wanted(
        display_name=options["display_name"] or options["unique_name"] or "",
        redirect_uris=list(dict.fromkeys(options["redirect_uris"])),
        audience=options["sign_in_audience"],
        groups="" if options["group_claims"] == "leave" else options["group_claims"],
        credential=options["credential"],
        federated=options["federated_credentials"],
        label=options["label"],
        lifetime=options["secret_days"] * entra.DAY,
        renew_before=options["renew_days"] * entra.DAY,
        overlap=options["overlap_hours"] * 3600,
    )


class Registration:
    """The registration that a module's options name."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        if options["renew_days"] >= options["secret_days"]:
            raise InputError(
                f"renew_days is {options['renew_days']} and secret_days {options['secret_days']}, so that each run"
                " would make a new secret; make secret_days the larger one."
            )
        self._options = options
        self._wanted = wanted_of(options)
        self._graph = GraphClient(options)
        self._place = place_of(options)
        by_id = options["application_id"]
        self._address = f"/applications(appId='{by_id}')" if by_id else f"/applications(uniqueName='{self._unique}')"

    @property
    def _unique(self) -> str:
        # A quote ends an OData text, unless it is doubled.
        return str(self._options["unique_name"]).replace("'", "''")

    # --- looking ------------------------------------------------------------------------------------------------------

    def _live(self) -> dict[str, Any]:
        """The application; an empty one for none."""
        return self._graph.read(self._address) or {}

    def _federated(self, live: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not live:
            return []
        return self._graph.read_all(f"/applications/{live['id']}/federatedIdentityCredentials")

    def _principal(self, live: Mapping[str, Any]) -> bool:
        """Whether people of the tenant can sign in to it at all: its service principal exists."""
        return bool(live) and self._graph.read(f"/servicePrincipals(appId='{live['appId']}')") is not None

    # --- changing -----------------------------------------------------------------------------------------------------

    def present(self, check: bool) -> dict[str, Any]:
        """Make it so; returns what the module answers."""
        live = self._live()
        if not live and self._options["application_id"]:
            raise InputError(
                f"There is no app registration with client id {self._options['application_id']} in this tenant; check"
                " application_id, or give unique_name instead to have one made."
            )
        held, principal, now = self._federated(live), self._principal(live), time.time()
        steps = entra.plan(live, held, self._wanted, self._place.read(), now)
        before = entra.shown(live, held, principal)
        result = {"changed": bool(steps) or not principal, "secret": self._said(steps, check)}
        if not result["changed"]:
            return {**result, "application": self._described(live), "diff": {"before": before, "after": before}}
        after = entra.foreseen(live, held, steps, self._wanted, now)
        if not check:
            live = self._carry_out(live, principal, steps, now)
        elif not live:
            live = {"appId": LATER, "id": LATER, **steps.change}
        return {**result, "application": self._described(live), "diff": {"before": before, "after": after}}

    def _said(self, steps: entra.Plan, check: bool) -> str:
        removed = f"{len(steps.expired)} replaced {'would be ' if check else ''}removed" if steps.expired else ""
        made = f"{'would be made' if check else 'made'}: {steps.new_secret}" if steps.new_secret else ""
        return "; ".join(part for part in (made, removed) if part) or "as it was"

    def _carry_out(self, live: dict[str, Any], principal: bool, steps: entra.Plan, now: float) -> dict[str, Any]:
        """Do what is planned, in an order that an interruption does no harm to; returns the application."""
        graph = self._graph
        if not live:
            made = graph.send("PATCH", self._address, dict(steps.change), headers={"Prefer": "create-if-missing"})
            # Nothing is answered when somebody else has just made it.
            live = made or self._live()
        elif steps.change:
            graph.send("PATCH", f"/applications/{live['id']}", dict(steps.change))
            live = {**live, **steps.change}
        if not principal:
            graph.send_anew("POST", "/servicePrincipals", {"appId": live["appId"]})
        for one in steps.federated:
            self._write_federated(live["id"], dict(one))
        if steps.new_secret:
            self._renew(live["id"], now)
        for key in steps.expired:
            graph.send("POST", f"/applications/{live['id']}/removePassword", {"keyId": key})
        return live

    def _write_federated(self, application: str, one: dict[str, Any]) -> None:
        path = f"/applications/{application}/federatedIdentityCredentials"
        known = one.pop("id", "")
        if known:
            one.pop("name")
            self._graph.send("PATCH", f"{path}/{known}", one)
        else:
            self._graph.send_anew("POST", path, one)

    def _renew(self, application: str, now: float) -> None:
        """A new secret, from Graph to where it is kept; one that could not be kept is taken back."""
        path, ends = f"/applications/{application}", now + self._wanted.lifetime
        asked = {"displayName": self._wanted.label, "endDateTime": entra.stamp(ends)}
        made = self._graph.send_anew("POST", f"{path}/addPassword", {"passwordCredential": asked})
        try:
            self._place.write(made["secretText"], made["keyId"], ends)
        except BaseException:
            self._take_back(path, made["keyId"])
            raise

    def _take_back(self, path: str, key: str) -> None:
        try:
            self._graph.send("POST", f"{path}/removePassword", {"keyId": key})
        except AzureError:
            # It bears our label: a later run removes it.
            return

    def absent(self, check: bool) -> dict[str, Any]:
        """Remove it; returns what the module answers."""
        live = self._live()
        before = entra.shown(live, self._federated(live), self._principal(live))
        if live and not check:
            self._graph.send("DELETE", f"/applications/{live['id']}")
        return {
            "changed": bool(live),
            "application": {},
            "secret": "as it was",
            "diff": {"before": before, "after": {}},
        }

    def _described(self, live: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "client_id": live["appId"],
            "object_id": live["id"],
            "tenant_id": self._options["tenant_id"] or self._graph.tenant(),
            "redirect_uris": list((live.get("web") or {}).get("redirectUris") or []),
        }
