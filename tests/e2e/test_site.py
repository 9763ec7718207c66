# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The whole site on a real cluster: from the inventories, through the stand-in for Azure, to what a user does.

What an inventory needs besides on a cluster that is not of AKS stands in overrides/<inventory>.yml. The hubs are one
after the other: each wants the ports of the load balancer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from site_run import Site

# Inventory, what is said besides, scheme and end of the address.
ELSEWHERE: dict[str, Any] = {
    "hub_azure": False,
    "hub_release": "elsewhere",
    "hub_namespace": "e2e-elsewhere",
    # Of nodes without labels nothing can be required.
    "daskhub_match_node_purpose": "require",
}
SITES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    # Not in the namespace of a device plugin that the cluster may have.
    "prod": (
        "prod",
        {"node_pools_device_plugin_namespace": "e2e-site-gpu"},
        "https",
        ".westeurope.cloudapp.azure.com/",
    ),
    "simple": ("simple", {}, "http", "/"),
    # Any Kubernetes, without Azure, below a path.
    "elsewhere": ("simple", {**ELSEWHERE, "hub_base_url": "/compute/"}, "http", "/compute/"),
}


@pytest.fixture(scope="module")
def site(owner: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A hub of one of SITES, deployed by its first run."""
    inventory, variables, _scheme, _end = SITES[request.param]
    if not variables.get("hub_azure", True):
        variables = {**variables, "hub_kubeconfig": str(owner)}
    directory = tmp_path_factory.mktemp(request.param)
    with Site.deployed(request.param, inventory, variables, owner, directory) as found:
        yield found


ALL = pytest.mark.parametrize("site", SITES, indirect=True)


@ALL
def test_a_user_can_compute(site: Site) -> None:
    assert site.first.returncode == 0, site.first.stdout[-8000:] + site.first.stderr
    seen = json.loads((site.state / "smoke-test.json").read_text(encoding="utf-8"))
    _inventory, _variables, scheme, end = SITES[site.name]
    assert seen["passed"] and seen["url"].endswith(end) and urlsplit(seen["url"]).scheme == scheme, seen
    assert {"server", "cluster", "worker", "computation"} <= {
        check["name"] for check in seen["checks"] if check["status"] == "passed"
    }


@ALL
def test_check_mode_says_that_nothing_changes(site: Site) -> None:
    assert site.changed(site.play("--check", "--diff")) == 0


@pytest.mark.parametrize("site", ["prod", "simple"], indirect=True)
def test_again_changes_and_restarts_nothing(site: Site) -> None:
    before = site.pods()
    assert site.changed(site.play()) == 0
    assert site.pods() == before


@pytest.mark.parametrize("site", ["elsewhere"], indirect=True)
def test_a_home_that_is_gone_is_made_anew(site: Site) -> None:
    assert site.homes(), "the smoke test has left no home"
    site.kubectl("delete", "persistentvolumeclaims", *site.homes(), "--wait=true", "--timeout=60s")
    assert site.changed(site.play(playbook="playbooks/smoke_test.yml")) == 0
    assert site.homes()
