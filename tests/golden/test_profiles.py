# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Inventory in, data files out: what each inventory of the checkout gives to the hub and to the gateway.

`HUB_GOLDEN_UPDATE=1 pytest tests/golden/test_profiles.py` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._dask_options import dask_options
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list

from rendering import golden, rendered

GIB = 2**30
GOLDEN = Path(__file__).parent / "profiles"
every_inventory = pytest.mark.parametrize("inventory", ["sandbox", "simple", "staging", "prod"], indirect=True)
recommended = pytest.mark.parametrize("inventory", ["staging", "prod"], indirect=True)

# Variables as the role sees them: the inventory's, and the role's defaults below them.
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_vars:
        dir: "{{ root }}/roles/daskhub/defaults/main"
        files_matching: '^(profiles|dask_options|user_environment)\\.yml$'
        name: defaults
    - ansible.builtin.copy:
        dest: "{{ output }}"
        mode: "0600"
        content: "{{ result | to_json }}"
      vars:
        wanted:
          daskhub_profiles: "{{ daskhub_profiles | default(defaults['daskhub_profiles']) }}"
          daskhub_dask_options: "{{ daskhub_dask_options | default(defaults['daskhub_dask_options']) }}"
          daskhub_user_environment: "{{ daskhub_user_environment | default(defaults['daskhub_user_environment']) }}"
          daskhub_match_node_purpose: >-
            {{ daskhub_match_node_purpose | default(defaults['daskhub_match_node_purpose']) }}
        match: "{{ wanted['daskhub_match_node_purpose'] }}"
        profiles: "{{ wanted['daskhub_profiles'] | planetary.hub.profile_list(match_node_purpose=match) }}"
        result:
          given: "{{ wanted }}"
          profiles: "{{ profiles }}"
          dask_options: >-
            {{ wanted['daskhub_dask_options'] | planetary.hub.dask_options(profiles, match_node_purpose=match) }}
          user_environment: "{{ wanted['daskhub_user_environment'] | planetary.hub.user_environment }}"
"""


@pytest.fixture(scope="module")
def inventory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, root: Path) -> dict[str, Any]:
    """Name of an inventory, and what comes of it."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    text = rendered(PLAY, root, folder, "-i", str(root / "inventories" / name))
    return {"name": name, **json.loads(text)}


@every_inventory
@pytest.mark.parametrize("part", ["profiles", "dask_options", "user_environment"])
def test_golden(inventory: dict[str, Any], part: str) -> None:
    found = json.dumps(inventory[part], indent=2, ensure_ascii=False) + "\n"
    golden(GOLDEN / f"{inventory['name']}.{part}.json", found)


# Cores, GiB, GPU of the original hub: limit and guarantee.
ORIGINAL = {
    "python": (4, 3, "32G", "25G", "0"),
    "r": (8, 7, "59G", "54G", "0"),
    "gpu-pytorch": (4, 3, "27G", "20G", "1"),
    "gpu-tensorflow": (4, 3, "27G", "20G", "1"),
}


@recommended
def test_profiles_of_the_original_hub(inventory: dict[str, Any]) -> None:
    found = {}
    for profile in inventory["profiles"]:
        override = profile["kubespawner_override"]
        sizes = [override[key] for key in ("cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee")]
        found[profile["slug"]] = (*sizes, override["extra_resource_limits"]["nvidia.com/gpu"])
    assert found == ORIGINAL
    assert [profile["slug"] for profile in inventory["profiles"] if profile["default"]] == ["python"]
    assert [item["name"] for item in inventory["given"]["daskhub_profiles"] if not item.get("enabled", True)] == [
        "qgis"
    ]


# What AKS leaves to pods: cores and GiB of the nodes that each inventory is made for.
NODES: dict[str, dict[str, tuple[float, float]]] = {
    "sandbox": {"user": (2, 3.8), "worker": (2, 3.8)},
    "simple": {"user": (1.9, 5.5), "worker": (1.9, 5.5)},
    "staging": {"user": (7.82, 61.6), "worker": (7.82, 61.6), "gpu": (3.86, 25.6)},
    "prod": {"user": (7.82, 61.6), "worker": (7.82, 61.6), "gpu": (3.86, 25.6)},
}


@every_inventory
def test_everything_offered_fits_its_node(inventory: dict[str, Any]) -> None:
    nodes = {
        name: {"cores": cores, "memory": int(size * GIB)} for name, (cores, size) in NODES[inventory["name"]].items()
    }
    given = inventory["given"]
    cpu_profiles = [profile for profile in given["daskhub_profiles"] if not profile.get("gpu")]
    gpu_profiles = [profile for profile in given["daskhub_profiles"] if profile.get("gpu")]
    profile_list(cpu_profiles, nodes["user"])
    if gpu_profiles:
        profile_list(gpu_profiles, nodes["gpu"])
    capacity = {"scheduler": nodes["user"], "worker": nodes["worker"], "gpu_worker": nodes.get("gpu", {})}
    dask_options(given["daskhub_dask_options"], inventory["profiles"], capacity)


DASHBOARD = "DASK_DISTRIBUTED__DASHBOARD__LINK"


@every_inventory
def test_environment(inventory: dict[str, Any]) -> None:
    found = inventory["user_environment"]
    assert found["notebook"]["DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE"] == "{JUPYTER_IMAGE_SPEC}"
    assert found["notebook"]["DASK_LABEXTENSION__FACTORY__MODULE"] == "dask_gateway"
    assert found["notebook"]["DASK_LABEXTENSION__FACTORY__CLASS"] == "GatewayCluster"
    # The link is made in the notebook; a scheduler has no JUPYTERHUB_SERVICE_PREFIX and would fail on it.
    assert [part for part in found if DASHBOARD in found[part]] == ["notebook"]
    for part in ("notebook", "scheduler", "worker"):
        assert found[part]["GDAL_DISABLE_READDIR_ON_OPEN"] == "EMPTY_DIR"
        assert found[part]["GDAL_HTTP_MERGE_CONSECUTIVE_RANGES"] == "YES"


@recommended
def test_environment_of_the_original_hub(inventory: dict[str, Any]) -> None:
    found = inventory["user_environment"]
    assert {found[part]["NVIDIA_DRIVER_CAPABILITIES"] for part in found} == {"compute,utility"}
    assert found["notebook"]["STAC_URL"].endswith(".microsoft.com/api/stac/v1")


@recommended
def test_clusters_of_the_original_hub(inventory: dict[str, Any]) -> None:
    found = inventory["dask_options"]
    assert found["scheduler"] == {"cores": 1, "cores_limit": 2, "memory": 8 * GIB, "memory_limit": 10 * GIB}
    assert [found["worker"]["cores"][key] for key in ("default", "min", "max")] == [1, 0.1, 8]
    assert [found["worker"]["memory"][key] for key in ("default", "min", "max")] == [8, 1, 64]
    assert found["limits"] == {"cores": 100, "memory": 800 * GIB, "workers": 100}
    assert found["idle_timeout"] == 600


@every_inventory
@pytest.mark.parametrize(
    ("prefix", "link"),
    [
        ("/user/ada/", "/user/ada/proxy/8787/status"),
        ("/compute/user/ada%40example.org/", "/compute/user/ada%40example.org/proxy/8787/status"),
        ("/compute/user/ada/second/", "/compute/user/ada/second/proxy/8787/status"),
    ],
)
def test_dashboard_link_honours_every_path_of_a_server(inventory: dict[str, Any], prefix: str, link: str) -> None:
    template = inventory["user_environment"]["notebook"][DASHBOARD]
    assert template.format(JUPYTERHUB_SERVICE_PREFIX=prefix, port=8787) == link
