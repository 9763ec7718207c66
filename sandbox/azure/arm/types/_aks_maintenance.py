# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Maintenance windows of a cluster."""

from __future__ import annotations

import datetime

from ...store import Record
from ..kinds import Body, Call, look
from ._aks_versions import invalid

SCHEDULES = ("daily", "weekly", "absoluteMonthly", "relativeMonthly")
AUTO_UPGRADE = ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")


def check(call: Call, body: Body, live: Record | None) -> None:
    given = body.get("properties", {})
    window = given.get("maintenanceWindow")
    if call.target.name == "default":
        if window is not None:
            raise invalid("maintenanceWindow", "The configuration 'default' takes timeInWeek and notAllowedTime")
        return
    if call.target.name not in AUTO_UPGRADE:
        names = ", ".join(("default", *AUTO_UPGRADE))
        raise invalid("maintenanceConfiguration.name", f"The name must be one of {names}")
    if not isinstance(window, dict):
        raise invalid("maintenanceWindow", "maintenanceWindow is required")
    if sum(window.get("schedule", {}).get(name) is not None for name in SCHEDULES) != 1:
        raise invalid("maintenanceWindow.schedule", "Exactly one schedule must be specified")
    hours = window.get("durationHours")
    if not isinstance(hours, int) or not 4 <= hours <= 24:
        raise invalid("maintenanceWindow.durationHours", f"Duration {hours} must be between 4 and 24 hours")
    start = window.get("startDate")
    known = look(live.body, "properties.maintenanceWindow.startDate") if live else None
    today = datetime.datetime.fromtimestamp(call.cloud.now(), datetime.UTC).date().isoformat()
    if start is not None and start < today and (start != known or known < today):
        raise invalid("maintenanceWindow.startDate", f"Start date {start} lies in the past")


def store(call: Call, body: Body, _live: Record | None) -> Body:
    window = body.get("properties", {}).get("maintenanceWindow")
    if isinstance(window, dict):
        today = datetime.datetime.fromtimestamp(call.cloud.now(), datetime.UTC).date().isoformat()
        window.setdefault("startDate", today)
        window.setdefault("utcOffset", "+00:00")
    return body
