# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Inventory in, chart values out: what playbooks/render.yml makes of each inventory here, without credentials.

`HUB_GOLDEN_UPDATE=1 pytest tests/contracts/test_values.py` writes them anew; read the difference before you commit it.
Where helm is on PATH and HUB_CHARTS names a folder with the packaged charts, the values go through the charts' own
schemas and templates too, and the policies among the manifests are tried.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from network_policies import READINGS, Peer, Reading, allowed
from rendering import golden

GOLDEN = Path(__file__).parents[1] / "golden" / "values"
INVENTORIES = ("sandbox", "simple", "staging", "prod")
every_inventory = pytest.mark.parametrize("inventory", INVENTORIES)
in_a_cluster = pytest.mark.parametrize("inventory", INVENTORIES[1:])
HELM, CHARTS = shutil.which("helm"), os.environ.get("HUB_CHARTS")
CREDENTIALS = re.compile(r"(AZURE|ARM|K8S|KUBE|HELM)")

Rendered = dict[str, Path]


def render(name: str, root: Path, folder: Path, inventory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Render an inventory, of the checkout if no other is given, without credentials and settings of the machine."""
    place: dict[str, Any] = {"daskhub_render_directory": str(folder / name)}
    if HELM and CHARTS:
        place["daskhub_chart_repositories"] = dict.fromkeys(("jupyterhub", "dask-gateway"), CHARTS)
    else:
        place["daskhub_helm"] = "no-helm"
    if name == "sandbox":
        # Not that of a stand-in for Azure which happens to run.
        place["hub_azure"] = False
    command = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        "-i",
        str(inventory or root / "inventories" / name),
        "-e",
        json.dumps(place),
    ]
    kept = {key: value for key, value in os.environ.items() if not CREDENTIALS.match(key)}
    own = {
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / f"{name}.home"),
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
    }
    return subprocess.run(
        [*command, str(root / "playbooks/render.yml")],
        cwd=root,
        env={**kept, **own, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def rendered(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Name of an inventory -> the folder with what came of it."""
    folder = tmp_path_factory.mktemp("rendered")
    with ThreadPoolExecutor(2) as pool:
        for run in pool.map(lambda name: render(name, root, folder), INVENTORIES):
            assert run.returncode == 0, run.stdout + run.stderr
    return {name: folder / name for name in INVENTORIES}


def values_of(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    return loaded


def readable(values: dict[str, Any]) -> dict[str, Any]:
    """Data files as what they say; of files with code, that they are there."""
    data = {name: json.loads(text) for name, text in values["data"].items()}
    for file in values.get("jupyterhub", {}).get("singleuser", {}).get("extraFiles", {}).values():
        file["stringData"] = "(code)"
    return {**values, "data": data}


@every_inventory
def test_golden(rendered: Rendered, inventory: str) -> None:
    found = json.dumps(readable(values_of(rendered[inventory])), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    golden(GOLDEN / f"{inventory}.json", found)


@every_inventory
def test_files_are_private(rendered: Rendered, inventory: str) -> None:
    for path in rendered[inventory].iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


@every_inventory
def test_manifests_only_where_there_are_charts(rendered: Rendered, inventory: str) -> None:
    there = bool(HELM and CHARTS) and inventory != "sandbox"
    assert (rendered[inventory] / "manifests.yml").is_file() is there


def own_file(root: Path, inventory: Path, text: str) -> Path:
    """The inventory simple with one more file of variables."""
    group = inventory / "group_vars/all"
    group.mkdir(parents=True)
    for path in (root / "inventories/simple/group_vars/all").iterdir():
        (group / path.name).symlink_to(path)
    (inventory / "hosts.yml").symlink_to(root / "inventories/simple/hosts.yml")
    own = group / "own.yml"
    own.write_text(text, encoding="utf-8")
    return own


def test_a_wrong_value_is_one_sentence_that_names_its_file(root: Path, tmp_path: Path) -> None:
    text = "daskhub_values:\n  networkPolicies:\n    enabled: s3cret\n"
    own = own_file(root, tmp_path / "inventory", text)
    run = render("wrong", root, tmp_path, tmp_path / "inventory")
    said = " ".join((run.stdout + run.stderr).split())
    assert run.returncode != 0
    assert (
        f"The chart value networkPolicies.enabled, said by daskhub_values of the inventory ({own}:3), is a text; "
        "write true or false." in said
    )
    assert "s3cret" not in said and not (tmp_path / "wrong").exists()


def test_a_hub_behind_a_proxy_goes_straight_to_its_cluster(root: Path, tmp_path: Path) -> None:
    environment = {"HTTPS_PROXY": "http://proxy.example.org:3128", "NO_PROXY": ".example.org"}
    own_file(root, tmp_path / "inventory", json.dumps({"daskhub_hub_environment": environment}))
    run = render("proxy", root, tmp_path, tmp_path / "inventory")
    assert run.returncode == 0, run.stdout + run.stderr
    given = values_of(tmp_path / "proxy")["jupyterhub"]["hub"]["extraEnv"]
    direct = "localhost,127.0.0.1,$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local,.dhub"
    assert given["NO_PROXY"] == f".example.org,{direct}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("daskhub_ingress: on the left", 'daskhub_ingress ({own}:1) is the text "on the left"; write a mapping.'),
        (
            "daskhub_base_url: compute",
            'daskhub_base_url is the text "compute"; write a path with a slash at both ends, as in /compute/.',
        ),
    ],
)
def test_what_the_release_would_refuse_is_refused(root: Path, tmp_path: Path, written: str, said: str) -> None:
    own = own_file(root, tmp_path / "inventory", f"{written}\n")
    run = render("wrong", root, tmp_path, tmp_path / "inventory")
    assert run.returncode != 0
    assert said.format(own=own) in " ".join((run.stdout + run.stderr).split())
    assert not (tmp_path / "wrong").exists()


if HELM and CHARTS:
    Objects = dict[tuple[str, str], dict[str, Any]]

    @pytest.fixture(scope="module")
    def objects(rendered: Rendered) -> dict[str, Objects]:
        """By inventory, kind and name."""
        return {name: read_objects(folder / "manifests.yml") for name, folder in rendered.items() if name != "sandbox"}

    def read_objects(path: Path) -> Objects:
        loaded = yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return {(one["kind"], one["metadata"]["name"]): one for one in loaded if one}

    @in_a_cluster
    def test_nothing_of_a_manifest_is_made_up(objects: dict[str, Objects], inventory: str) -> None:
        data = objects[inventory]["Secret", "hub"]["data"]
        made_up = {key for key in data if key.startswith(("hub.config.", "hub.services."))}
        assert {data[key] for key in made_up} == {
            "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA=="
        }

    @in_a_cluster
    def test_pods_mount_what_the_chart_has(objects: dict[str, Objects], inventory: str) -> None:
        there = {name for kind, name in objects[inventory] if kind == "ConfigMap"}
        pods = [
            one["spec"]["template"]["spec"] for (kind, _), one in objects[inventory].items() if kind == "Deployment"
        ]
        mounted = {
            volume["configMap"]["name"] for pod in pods for volume in pod.get("volumes", []) if "configMap" in volume
        }
        assert mounted <= there
        assert {"hub-data", "hub-config", "hub-extensions", "gateway-extensions"} <= mounted

    @in_a_cluster
    def test_core_pods_ask_for_what_they_need(objects: dict[str, Objects], inventory: str) -> None:
        for (kind, name), one in objects[inventory].items():
            if kind == "Deployment":
                for container in one["spec"]["template"]["spec"]["containers"]:
                    assert container.get("resources", {}).get("requests"), (name, container["name"])

    # (from, to, port, whether it is let through); the whole table is that of tests/golden/test_network_policies.py.
    CONNECTIONS = [
        ("internet", "proxy", 8443, True),
        ("proxy", "hub", 8081, True),
        ("hub", "user", 8888, True),
        ("hub", "API server", 443, True),
        ("user", "hub", 8081, True),
        ("user", "traefik", 8000, True),
        ("traefik", "gateway", 8000, True),
        ("gateway", "hub", 8081, True),
        ("gateway", "API server", 443, True),
        ("user", "internet", 443, True),
        ("worker", "internet", 443, True),
        ("worker", "scheduler", 8786, True),
        ("scheduler", "worker", 8790, True),
        ("user", "metadata service", 80, False),
        ("worker", "metadata service", 80, False),
        ("hub", "metadata service", 80, False),
        ("user", "API server", 443, False),
        ("user", "other user", 8888, False),
        ("user", "scheduler", 8786, False),
        ("user", "gateway", 8000, False),
        ("worker", "user", 8888, False),
        ("worker", "hub", 8081, False),
        ("stranger", "hub", 8081, False),
        ("stranger", "scheduler", 8786, False),
        ("internet", "hub", 8081, False),
        ("proxy", "kbatch", 80, False),
    ]

    def peers(there: Objects, release: str, space: str) -> dict[str, Peer]:
        """Pods of the charts by their manifests, those of users and Dask with the labels that hub and gateway give."""
        found = {}
        for number, name in enumerate(("hub", "proxy", "traefik", "api", "controller"), 1):
            of_gateway = name in ("traefik", "api", "controller")
            template = there["Deployment", f"{name}-{release}-dask-gateway" if of_gateway else name]["spec"]["template"]
            containers = template["spec"]["containers"]
            ports = {port["name"]: port["containerPort"] for one in containers for port in one.get("ports", [])}
            labels = template["metadata"]["labels"]
            found["gateway" if name == "api" else name] = Peer(f"10.244.0.{number}", space, labels, ports=ports)
        user = {"app": "jupyterhub", "component": "singleuser-server", "release": release}
        user["hub.jupyter.org/network-access-hub"] = "true"
        dask = {"app.kubernetes.io/name": "dask-gateway", "gateway.dask.org/cluster": "a"}
        kbatch = {"app.kubernetes.io/name": "kbatch-proxy"}
        return found | {
            "user": Peer("10.244.1.1", space, user, ports={"notebook-port": 8888}),
            "other user": Peer("10.244.1.2", space, user, ports={"notebook-port": 8888}),
            "scheduler": Peer("10.244.2.1", space, dask | {"app.kubernetes.io/component": "dask-scheduler"}),
            "worker": Peer("10.244.2.2", space, dask | {"app.kubernetes.io/component": "dask-worker"}),
            "kbatch": Peer("10.244.2.3", space, kbatch),
            "stranger": Peer("10.244.3.1", "other", {"app": "other"}),
            "API server": Peer("10.1.0.200"),
            "metadata service": Peer("169.254.169.254"),
            "internet": Peer("93.184.216.34"),
        }

    @pytest.mark.parametrize("reading", READINGS)
    @pytest.mark.parametrize("inventory", ["staging", "prod"])
    def test_who_reaches_whom(objects: dict[str, Objects], inventory: str, reading: Reading) -> None:
        there, space = objects[inventory], inventory
        policies = [
            {"metadata": {**one["metadata"], "namespace": space}, "spec": one["spec"]}
            for (kind, _), one in there.items()
            if kind == "NetworkPolicy"
        ]
        known = peers(there, f"dhub-{inventory}", space)
        wrong = [
            (source, target, port)
            for source, target, port, wanted in CONNECTIONS
            if allowed(policies, known[source], known[target], port, reading) is not wanted
        ]
        assert wrong == []
