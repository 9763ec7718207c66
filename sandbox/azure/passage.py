# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The one way through the proxy: what is sent to a hub's name goes to its load balancer, byte for byte.

The hub shows its own certificate, and WebSockets work as they do without a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mitmproxy import http
from mitmproxy.proxy import layer, layers

from . import load_balancers

if TYPE_CHECKING:
    from .cloud import Cloud


class Passage:
    """mitmproxy's addon; it comes before the one that chooses the next layer.

    :ivar open: addresses and ports to which connections are let through
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.open: set[tuple[str, int]] = set()

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Lead a name to its address; a proxy refuses a name that it cannot resolve."""
        if not load_balancers.is_name(flow.request.host):
            return
        found = await load_balancers.address(self._cloud, flow.request.host)
        if not found:
            flow.response = http.Response.make(502, f"The name {flow.request.host} leads to no load balancer.")
            return
        flow.request.host = found
        self.open.add((found, flow.request.port))

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Hand the bytes on."""
        target = nextlayer.context.server.address
        if target and (target[0], target[1]) in self.open:
            nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)
