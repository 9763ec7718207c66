# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is said of the pools of a cluster that nobody listed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._cluster_pools import Cluster, unlisted


@pytest.mark.parametrize(
    ("properties", "served"),
    [
        ({"nodeLabels": {"accelerator": "nvidia", "team": "imagery"}}, True),
        # Without the label no plugin of ours runs there.
        ({"vmSize": "Standard_NC4as_T4_v3", "nodeLabels": {"team": "imagery"}}, False),
        ({"nodeLabels": None}, False),
        ({}, False),
    ],
)
def test_the_device_plugin_goes_by_its_label(properties: dict[str, Any], served: bool) -> None:
    live = {"id": "/pools/left", "properties": properties}
    cluster = Cluster(live={}, location="westeurope", pools={"left": live})
    (left,) = unlisted([], cluster)
    assert (left["name"], left["gpu"]) == ("left", served)
