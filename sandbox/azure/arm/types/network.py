# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Microsoft.Network."""

from __future__ import annotations

from ..kinds import ResourceType

#: All versions since 2017, of which az, the SDKs and azure.azcollection still use one or another.
VERSIONS = (
    "2017-10-01", "2017-11-01", "2018-01-01", "2018-02-01", "2018-04-01", "2018-06-01", "2018-07-01", "2018-08-01", "2018-10-01",
    "2018-11-01", "2018-12-01", "2019-02-01", "2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01", "2019-09-01", "2019-11-01",
    "2019-12-01", "2020-03-01", "2020-04-01", "2020-05-01", "2020-06-01", "2020-07-01", "2020-08-01", "2020-11-01", "2021-02-01",
    "2021-03-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01", "2022-07-01", "2022-09-01", "2022-11-01", "2023-02-01",
    "2023-04-01", "2023-05-01", "2023-06-01", "2023-09-01", "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01",
    "2024-10-01", "2025-01-01", "2025-03-01", "2025-05-01", "2025-07-01", "2026-01-01", "2026-03-01",
)  # fmt: skip

TYPES = (
    ResourceType(
        "Microsoft.Network/virtualNetworks",
        versions=VERSIONS,
        model="azure.mgmt.network.models.VirtualNetwork",
        tracked=True,
        seconds={"PUT": 4.0, "DELETE": 10.0},
        long=("PUT", "DELETE"),
        etag=True,
        patch="tags",
        defaults={"properties": {"enableDdosProtection": False, "subnets": [], "virtualNetworkPeerings": []}},
    ),
)
