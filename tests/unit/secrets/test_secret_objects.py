# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._secret_objects import secret_objects


def row(key: str, *second_names: str) -> dict[str, Any]:
    return {"key": key, "certificate": False, "generate": 32, "second_names": list(second_names)}


def coming_from(chart: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Key to (Secret, key there) of what is copied."""
    return {key: tuple(place.split("/")) for key, place in chart["copies"].items()}


def test_the_charts_own_secret_holds_all_that_the_chart_would_make_up() -> None:
    """What the chart makes up at the installation is another value in each place, and the next run restarts the hub."""
    rows = [
        row("jupyterhub-proxy-secret-token"),
        row("jupyterhub-cookie-secret", "hub.config.JupyterHub.cookie_secret"),
        row("dask-gateway-service-token", "hub.services.dask-gateway.apiToken"),
    ]
    main, chart = secret_objects(rows, name="hub-secrets", release="dask", values={}, generate=True)
    assert (chart["name"], chart["release"], chart["exact"]) == ("hub", "dask", False)
    assert chart["copies"] == {
        "hub.config.ConfigurableHTTPProxy.auth_token": "hub-secrets/jupyterhub-proxy-secret-token",
        "hub.config.JupyterHub.cookie_secret": "hub-secrets/jupyterhub-cookie-secret",
        "hub.services.dask-gateway.apiToken": "hub-secrets/dask-gateway-service-token",
    }
    # What a hub that somebody installed by hand has already is kept.
    assert main["adopt"] == {key: f"hub/{second}" for second, (_name, key) in coming_from(chart).items()}
    assert secret_objects(rows, name="hub-secrets", release="dask", values={}, generate=False)[0]["adopt"] == {}
    assert chart["generate"] == {"hub.config.CryptKeeper.keys": 32}
