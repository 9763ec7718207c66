# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Who reaches whom under the policies of a release, read as Kubernetes does and as Cilium does.

What the charts render is kept in network_policies/manifests.json. Where helm is on PATH and HUB_CHARTS names a folder
with the packaged charts, it is rendered anew and compared; `HUB_GOLDEN_UPDATE=1` then keeps what was found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from network_policies import READINGS, Peer, Reading, allowed
from rendering import golden, rendered

GOLDEN = Path(__file__).parent / "network_policies" / "manifests.json"
SPACE, RELEASE = "dhub", "dask"
DATABASE = {"to": [{"ipBlock": {"cidr": "10.1.0.9/32"}}], "ports": [{"port": 5432, "protocol": "TCP"}]}
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - ansible.builtin.include_vars: "{{ root }}/roles/daskhub/defaults/main/network_policies.yml"
    - ansible.builtin.include_vars: "{{ root }}/roles/daskhub/vars/main/network_policies.yml"
    - ansible.builtin.include_vars: "{{ root }}/roles/daskhub/vars/main/cluster.yml"
    - ansible.builtin.template:
        src: "{{ root }}/roles/daskhub/templates/values/network_policies.yml.j2"
        dest: "{{ output }}"
        mode: "0600"
"""
# What else a release sets, as far as policies depend on it.
VALUES = {
    "jupyterhub": {
        "proxy": {
            "service": {"type": "LoadBalancer"},
            "https": {"enabled": True, "hosts": ["hub.example.org"], "letsencrypt": {"contactEmail": "a@example.org"}},
        },
        "hub": {"services": {"dask-gateway": {"apiToken": "0"}}},
    },
    "dask-gateway": {
        "gateway": {"auth": {"type": "jupyterhub", "jupyterhub": {"apiToken": "0"}}},
        "traefik": {"service": {"type": "ClusterIP"}},
    },
}
DASK = {"app.kubernetes.io/name": "dask-gateway", "gateway.dask.org/instance": "dask-dask-gateway"}


def programs() -> tuple[str, Path] | None:
    """helm, and the folder of the charts."""
    helm, charts = shutil.which("helm"), os.environ.get("HUB_CHARTS")
    return (helm, Path(charts)) if helm and charts else None


def manifests(helm: str, charts: Path, root: Path, folder: Path) -> str:
    """Policies and pods as the real charts render them."""
    chart = folder / "chart"
    (chart / "charts").mkdir(parents=True)
    for package in charts.glob("*.tgz"):
        shutil.copy(package, chart / "charts")
    shutil.copytree(root / "roles/daskhub/files/chart/templates", chart / "templates")
    for other in (chart / "templates").glob("*"):
        if other.name != "network-policies.yaml":
            other.unlink() if other.is_file() else shutil.rmtree(other)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: daskhub, version: 0.1.0}")
    given = {
        "daskhub_network_policies_hub_egress": [DATABASE],
        "__daskhub_cluster": {"public_addresses": ["20.50.1.2"]},
    }
    values = folder / "values.yml"
    values.write_text(rendered(PLAY, root, folder, "-i", "localhost,", **given))
    more = folder / "more.json"
    more.write_text(json.dumps(VALUES))
    run = subprocess.run(
        [
            helm,
            "template",
            RELEASE,
            str(chart),
            "-n",
            SPACE,
            "-f",
            str(values),
            "-f",
            str(more),
            "--kube-version",
            "1.35.0",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = [one for one in yaml.safe_load_all(run.stdout) if one]
    policies = [
        {"metadata": {"name": one["metadata"]["name"], "namespace": SPACE}, "spec": one["spec"]}
        for one in found
        if one["kind"] == "NetworkPolicy"
    ]
    pods = {}
    for one in found:
        if one["kind"] != "Deployment" or "scheduler" in one["metadata"]["name"]:
            continue
        template = one["spec"]["template"]
        ports = {
            port["name"]: port["containerPort"]
            for container in template["spec"]["containers"]
            for port in container.get("ports") or []
        }
        labels = {key: value for key, value in template["metadata"]["labels"].items() if "chart" not in key}
        labels.pop("app.kubernetes.io/version", None)
        pods[one["metadata"]["name"]] = {"labels": labels, "ports": ports}
    return json.dumps({"policies": policies, "pods": pods}, indent=2, sort_keys=True) + "\n"


def user(address: str) -> Peer:
    """A notebook, with the labels that the hub gives it."""
    labels = {
        "app": "jupyterhub",
        "component": "singleuser-server",
        "release": RELEASE,
        "hub.jupyter.org/network-access-hub": "true",
    }
    return Peer(address, SPACE, labels, ports={"notebook-port": 8888})


def dask(component: str, address: str, cluster: str) -> Peer:
    labels = {**DASK, "app.kubernetes.io/component": f"dask-{component}", "gateway.dask.org/cluster": cluster}
    return Peer(address, SPACE, labels)


@pytest.fixture(scope="module")
def release(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is rendered; what is kept, where the charts are not."""
    there = programs()
    if there:
        golden(GOLDEN, manifests(*there, root, tmp_path_factory.mktemp("charts")))
    content: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def peers(release: dict[str, Any]) -> dict[str, Peer]:
    """Everybody by name; pods of the charts with the labels and ports that they are rendered with."""
    pods = {
        "hub": "hub",
        "proxy": "proxy",
        "autohttps": "autohttps",
        "gateway": "api-dask-dask-gateway",
        "controller": "controller-dask-dask-gateway",
        "traefik": "traefik-dask-dask-gateway",
    }
    found = {
        name: Peer(f"10.244.0.{number}", SPACE, release["pods"][pod]["labels"], ports=release["pods"][pod]["ports"])
        for number, (name, pod) in enumerate(pods.items(), 10)
    }
    return found | {
        "user A": user("10.244.1.1"),
        "user B": user("10.244.1.2"),
        "scheduler A": dask("scheduler", "10.244.2.1", "a"),
        "worker A": dask("worker", "10.244.2.2", "a"),
        "scheduler B": dask("scheduler", "10.244.2.3", "b"),
        "worker B": dask("worker", "10.244.2.4", "b"),
        "stranger": Peer("10.244.3.1", "other", {"app": "other"}),
        "DNS": Peer("10.244.4.1", "kube-system", {"k8s-app": "kube-dns"}),
        "API server on a node": Peer("10.0.0.4", node=True),
        "API server of Azure": Peer("10.1.0.200"),
        "API server in the internet": Peer("20.50.1.2"),
        "kubelet": Peer("10.0.0.5", node=True),
        "metadata service": Peer("169.254.169.254"),
        "Azure's host": Peer("168.63.129.16"),
        "internet": Peer("93.184.216.34"),
        "database": Peer("10.1.0.9"),
        "private network": Peer("10.1.0.77"),
    }


PODS = ("hub", "proxy", "autohttps", "gateway", "controller", "traefik", "user A", "scheduler A", "worker A")
THEIRS = ("user A", "scheduler A", "worker A")
# What it takes for a user to compute.
OPEN = [
    ("internet", "proxy", 8000),
    ("internet", "autohttps", 8443),
    ("autohttps", "proxy", 8000),
    ("autohttps", "internet", 443),
    ("autohttps", "API server on a node", 6443),
    ("autohttps", "API server of Azure", 443),
    ("proxy", "hub", 8081),
    ("proxy", "user A", 8888),
    ("proxy", "traefik", 8000),
    ("hub", "proxy", 8001),
    ("hub", "user A", 8888),
    ("hub", "traefik", 8000),
    ("hub", "API server on a node", 6443),
    ("hub", "API server of Azure", 443),
    *((name, "API server in the internet", 443) for name in ("hub", "autohttps", "traefik", "gateway", "controller")),
    ("hub", "internet", 443),
    ("hub", "database", 5432),
    ("user A", "hub", 8081),
    ("user A", "proxy", 8000),
    ("user A", "autohttps", 8443),
    ("user A", "traefik", 8000),
    ("traefik", "gateway", 8000),
    ("traefik", "scheduler A", 8786),
    ("traefik", "scheduler A", 8787),
    ("traefik", "API server on a node", 6443),
    ("gateway", "hub", 8081),
    ("gateway", "scheduler A", 8788),
    ("gateway", "API server on a node", 6443),
    ("controller", "API server on a node", 6443),
    ("scheduler A", "gateway", 8000),
    ("scheduler A", "worker A", 8790),
    ("scheduler A", "worker A", 8791),
    ("worker A", "scheduler A", 8786),
    ("worker A", "worker A", 8790),
    *((name, "internet", 443) for name in THEIRS),
    *((name, "internet", 80) for name in THEIRS),
    # Only with the certificate of the cluster does anybody get further there.
    ("worker B", "worker A", 8790),
    ("worker B", "scheduler A", 8786),
]
CLOSED = [
    *((name, "metadata service", 80) for name in PODS),
    *((name, "Azure's host", 80) for name in PODS),
    *((name, "database", 5432) for name in PODS if name != "hub"),
    *((name, "private network", 443) for name in (*THEIRS, "proxy")),
    *((name, "API server on a node", 6443) for name in (*THEIRS, "proxy")),
    *((name, "API server in the internet", 443) for name in (*THEIRS, "proxy")),
    *((name, "kubelet", 10250) for name in PODS),
    *(("stranger", name, port) for name in PODS for port in (8081, 8001, 8786, 8787, 8788, 8790, 8888)),
    *((name, "stranger", 80) for name in PODS),
    ("user A", "user B", 8888),
    ("user A", "user B", 80),
    ("user A", "proxy", 8001),
    ("user A", "gateway", 8000),
    ("user A", "scheduler A", 8786),
    ("user A", "scheduler A", 8787),
    ("user A", "worker A", 8790),
    ("stranger", "traefik", 8000),
    ("stranger", "gateway", 8000),
    ("internet", "hub", 8081),
    ("internet", "user A", 8888),
    ("internet", "traefik", 8000),
    ("internet", "proxy", 8001),
    ("worker B", "worker A", 8787),
    ("worker B", "scheduler A", 8787),
    ("worker B", "scheduler A", 8788),
    ("scheduler B", "scheduler A", 8786),
    ("scheduler A", "user A", 8888),
    ("scheduler A", "hub", 8081),
    ("worker A", "hub", 8081),
    ("worker A", "gateway", 8000),
    ("worker A", "user A", 8888),
    ("worker A", "traefik", 8000),
    ("hub", "internet", 80),
    ("proxy", "internet", 443),
]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("row", OPEN, ids=lambda row: f"{row[0]} to {row[1]}:{row[2]}")
def test_what_the_hub_and_dask_need_is_open(
    release: dict[str, Any], peers: dict[str, Peer], row: tuple[str, str, int], reading: Reading
) -> None:
    source, target, port = row
    assert allowed(release["policies"], peers[source], peers[target], port, reading)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("row", CLOSED, ids=lambda row: f"{row[0]} to {row[1]}:{row[2]}")
def test_nothing_else_is(
    release: dict[str, Any], peers: dict[str, Peer], row: tuple[str, str, int], reading: Reading
) -> None:
    source, target, port = row
    assert not allowed(release["policies"], peers[source], peers[target], port, reading)


@pytest.mark.parametrize("reading", READINGS)
def test_everybody_may_ask_for_names(release: dict[str, Any], peers: dict[str, Peer], reading: Reading) -> None:
    for protocol in ("UDP", "TCP"):
        for name in PODS:
            assert allowed(release["policies"], peers[name], peers["DNS"], 53, reading, protocol), (name, protocol)


def test_the_two_readings_differ_where_an_address_block_holds_pods() -> None:
    policy = {
        "metadata": {"name": "x", "namespace": SPACE},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
        },
    }
    pod, node = Peer("10.244.0.1", SPACE), Peer("10.0.0.1", node=True)
    for other in (pod, node):
        assert [allowed([policy], pod, other, 80, reading) for reading in READINGS] == [True, False]
    assert all(allowed([policy], pod, Peer("10.9.9.9"), 80, reading) for reading in READINGS)
