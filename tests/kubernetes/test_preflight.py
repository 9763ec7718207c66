# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a look at a real API server says before anything is released there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from azure_modules import SERVER, Running
from kubernetes import client, config
from kubernetes_api_server import ApiServer

STANDARD = {"daskhub_home_storage_class": "standard"}
PUBLIC = "20.50.1.2"


def look(kubeconfig: str, **arguments: Any) -> dict[str, Any]:
    """Run the module."""
    given = {"kubeconfig": kubeconfig, "namespace": "preflight", "storage_classes": STANDARD, **arguments}
    return Running(SERVER.run("hub_cluster_info", dict(os.environ)), given).result()


@pytest.fixture(scope="module")
def admin(api_server: ApiServer) -> str:
    return str(api_server.kubeconfig())


@pytest.fixture(scope="module", autouse=True)
def cluster(admin: str) -> Iterator[Any]:
    """A storage class and two kinds of nodes, as a kubelet would announce them."""
    loader: Any = config.new_client_from_config
    api = loader(admin)
    core: Any = client.CoreV1Api(api)
    storage: Any = client.StorageV1Api(api)
    storage.create_storage_class({"metadata": {"name": "standard"}, "provisioner": "example.org/none"})
    gpu = [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}]
    for name, taints, room in (
        ("small-0", [], {"cpu": "1900m", "memory": "7Gi"}),
        ("small-1", [], {"cpu": "1900m", "memory": "7Gi"}),
        ("gpu-0", gpu, {"cpu": "4", "memory": "28Gi", "nvidia.com/gpu": "1"}),
    ):
        core.create_node({"metadata": {"name": name}, "spec": {"taints": taints}})
        core.patch_node_status(name, {"status": {"allocatable": room, "capacity": room}})
    yield core
    for name in ("small-0", "small-1", "gpu-0"):
        core.delete_node(name)
    storage.delete_storage_class("standard")


def test_a_cluster_is_described_as_profiles_need_it(admin: str, cluster: Any) -> None:
    found = look(admin)
    assert (found["version"], found["namespace_exists"], found["has_purposes"]) == ("1.35", False, False)
    shapes = {one["name"]: one for one in found["nodes"]}
    # Of two alike the first.
    assert sorted(shapes) == ["gpu-0", "small-0"]
    assert shapes["small-0"]["allocatable"] == {"cpu": 1.9, "memory": 7 * 2**30, "gpu": 0}
    assert shapes["gpu-0"]["allocatable"]["gpu"] == 1 and shapes["gpu-0"]["taints"][0]["value"] == "gpu"
    assert (found["grows"], found["public_addresses"]) == (False, [])
    cluster.patch_node("small-0", {"metadata": {"labels": {"hub.jupyter.org/node-purpose": "user"}}})
    assert look(admin)["has_purposes"]
    cluster.patch_node("small-0", {"metadata": {"labels": {"hub.jupyter.org/node-purpose": None}}})


def test_a_public_address_of_the_api_server_is_found(admin: str) -> None:
    loader: Any = config.new_client_from_config
    api: Any = client.DiscoveryV1Api(loader(admin))
    labels = {"kubernetes.io/service-name": "kubernetes"}
    body = {"metadata": {"name": "public", "labels": labels}, "addressType": "IPv4"}
    api.create_namespaced_endpoint_slice("default", {**body, "endpoints": [{"addresses": [PUBLIC]}], "ports": []})
    try:
        assert look(admin)["public_addresses"] == [PUBLIC]
    finally:
        api.delete_namespaced_endpoint_slice("public", "default")


def test_who_may_not_is_told_what_in_one_sentence(api_server: ApiServer, admin: str) -> None:
    guest = str(api_server.kubeconfig("guest"))
    message = look(guest)["msg"]
    assert message.startswith('The user "guest" may not create and patch configmaps, persistentvolumeclaims, secrets, ')
    assert "in the namespace preflight and create and patch clusterrolebindings, " in message
    assert '"Azure Kubernetes Service RBAC Cluster Admin"' in message and "\n" not in message
    loader: Any = config.new_client_from_config
    rights: Any = client.RbacAuthorizationV1Api(loader(admin))
    # Everything but one kind of object.
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "create"]}]
    kinds = ["configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "services", "daemonsets", "jobs"]
    kinds += ["deployments", "cronjobs", "networkpolicies", "poddisruptionbudgets", "rolebindings", "roles"]
    rules.append({"apiGroups": ["*"], "resources": [*kinds, "clusterroles", "clusterrolebindings"], "verbs": ["patch"]})
    rights.create_cluster_role({"metadata": {"name": "nearly"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "nearly"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "guest"}]
    rights.create_cluster_role_binding({"metadata": {"name": "nearly"}, "roleRef": role, "subjects": subjects})
    try:
        assert (
            f'The user "guest" may not patch priorityclasses in the whole cluster at the cluster {api_server.url}'
            in (look(guest)["msg"])
        )
    finally:
        rights.delete_cluster_role_binding("nearly")
        rights.delete_cluster_role("nearly")


def test_a_namespace_that_goes_away_is_refused(admin: str, cluster: Any) -> None:
    cluster.create_namespace({"metadata": {"name": "leaving"}})
    cluster.delete_namespace("leaving")
    assert look(admin, namespace="leaving")["msg"] == (
        "The namespace leaving is being deleted; wait until it is gone, or name another one in hub_namespace."
    )


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        (
            {"daskhub_home_storage_class": "azure-disk"},
            'daskhub_home_storage_class is "azure-disk", and the cluster has no such storage class; name one of'
            " standard.",
        ),
        (
            {"daskhub_home_storage_class": ""},
            "daskhub_home_storage_class is empty, and the cluster has no default storage class; name one of standard.",
        ),
    ],
)
def test_a_storage_class_has_to_be_there(admin: str, classes: dict[str, str], sentence: str) -> None:
    assert look(admin, storage_classes=classes)["msg"] == sentence


def elsewhere(admin: str, folder: Path, server: str) -> str:
    """A kubeconfig like that of the administrator, of another server."""
    content = json.loads(Path(admin).read_text(encoding="utf-8"))
    content["clusters"][0]["cluster"]["server"] = server
    path = folder / "elsewhere"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_server_that_never_answers_is_said_within_seconds(admin: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = elsewhere(admin, tmp_path, f"https://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        message = look(kubeconfig)["msg"]
        taken = time.monotonic() - start
    assert f"The cluster of the kubeconfig {kubeconfig} cannot be used: the cluster at https://127.0.0.1:" in message
    assert "cannot be reached: no answer in time; start it, or name another kubeconfig in hub_kubeconfig." in message
    assert taken < 20


def test_a_server_that_is_away_is_one_sentence(admin: str, tmp_path: Path) -> None:
    message = look(elsewhere(admin, tmp_path, "https://127.0.0.1:9"))["msg"]
    assert "cannot be reached: connection refused; start it, or name another kubeconfig in hub_kubeconfig." in message


class Old(BaseHTTPRequestHandler):
    """A server of another time, which answers nothing but its version."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"major": "1", "minor": "31+"}).encode())

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


def test_a_cluster_that_is_too_old_is_refused(admin: str, tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Old) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        message = look(elsewhere(admin, tmp_path, address))["msg"]
        server.shutdown()
    assert message == (
        f"The cluster at {address} runs Kubernetes 1.31, and the hub needs 1.32 or later; upgrade the cluster."
    )


PLAY = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"ansible.builtin.include_role": {"name": "planetary.hub.daskhub", "tasks_from": "preflight"}},
            {
                "ansible.builtin.include_role": {
                    "name": "planetary.hub.daskhub",
                    "tasks_from": "kubernetes/cluster.yml",
                },
            },
        ],
    }
]
PROFILE = {"name": "python", "image": "example.org/hub/python:2231e05", "memory": {"limit": "2G"}}
POOL = {"name": "users", "vm_size": "Standard_D4s_v5", "taints": [], "labels": {"hub.jupyter.org/node-purpose": "user"}}


def play(admin: str, folder: Path, **variables: Any) -> str:
    """What the role says before it changes anything."""
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "daskhub_platform": "kubernetes",
        "daskhub_kubeconfig": admin,
        "daskhub_authentication": {"type": "shared-password", "allow_all": True},
        "daskhub_home_storage_class": "standard",
        "daskhub_database_copy_storage_class": "standard",
        "daskhub_profiles": [PROFILE],
        **variables,
    }
    (folder / "play.json").write_text(json.dumps(PLAY), encoding="utf-8")
    return " ".join(playbook(str(folder / "play.json"), "-e", json.dumps(given)).replace('\\"', '"').split())


def playbook(*words: str) -> str:
    """What a playbook says."""
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", *words],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "failed=0"),
        ({"daskhub_match_node_purpose": "require"}, "daskhub_match_node_purpose is taken as prefer, not require."),
        (
            {"daskhub_profiles": [{**PROFILE, "memory": {"limit": "12G", "guarantee": "8G"}}]},
            'The profile "python" of daskhub_profiles fits on no node: it is guaranteed 8G of memory, and the largest'
            " for it, the node small-0, has 7G of memory; lower its guarantees or disable it, or add a larger node.",
        ),
        (
            {
                "daskhub_profiles": [{**PROFILE, "memory": {"limit": "16G"}}],
                "node_pools_outputs": {
                    "pools": [{**POOL, "allocatable": {"cpu": 3.86, "memory": 12 * 2**30, "gpu": 0}}],
                    "unlisted": [],
                },
            },
            "16G of memory, and the largest for it, the pool users (Standard_D4s_v5), has 12G of memory; lower its"
            " guarantees or disable it, or give that pool a larger vm_size in node_pools_pools.",
        ),
    ],
    ids=["all well", "purposes", "nodes", "pools"],
)
def test_the_role_looks_before_it_changes_anything(
    admin: str, tmp_path: Path, variables: dict[str, Any], sentence: str
) -> None:
    assert sentence in play(admin, tmp_path, **variables)


# Host to what is wrong there, and how the sentence begins or ends.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "ingress": ({"daskhub_ingress": {"enable": True}}, 'daskhub_ingress has the unknown key "enable"; did you mean'),
    "resources": (
        {"daskhub_resources": {"hup": {}}},
        'daskhub_resources has the unknown key "hup"; did you mean "hub"?',
    ),
    "volume": (
        {"daskhub_data_volumes": [{"name": "maps", "mountpath": "/maps"}]},
        'daskhub_data_volumes[0] "maps" has the unknown key "mountpath"; did you mean "mount_path"?',
    ),
    "hub-image": (
        {"daskhub_hub_image": "example.org/hub"},
        'daskhub_hub_image is "example.org/hub", which has no tag;',
    ),
    "image": (
        {"daskhub_profiles": [{**PROFILE, "image": "example.org/hub/python"}]},
        'daskhub_profiles[0] "python": image is "example.org/hub/python", which has no tag; add one',
    ),
    "base-url": (
        {"hub_base_url": "compute"},
        'daskhub_base_url is the text "compute"; write a path with a slash at both ends',
    ),
    "certificate": (
        {"daskhub_https": "letsencrypt", "daskhub_https_contact_email": "a@example.org"},
        "daskhub_https is letsencrypt, but the hub has no name; write daskhub_url, or daskhub_https_hosts.",
    ),
    "acme": (
        {
            "daskhub_https": "letsencrypt",
            "daskhub_https_contact_email": "a@example.org",
            "daskhub_https_acme_server": "acme.example.org",
        },
        'daskhub_https_acme_server is the text "acme.example.org"; write the address of an ACME directory, such as',
    ),
    "away": ({"hub_kubeconfig": "AWAY"}, "cannot be reached: connection refused; start it, or name another kubeconfig"),
    "guest": ({"hub_kubeconfig": "GUEST"}, 'The user "guest" may not create and patch configmaps, '),
    "large": (
        {"daskhub_profiles": [{**PROFILE, "memory": {"limit": "9G"}}]},
        'The profile "python" of daskhub_profiles fits on no node: it is guaranteed 9G of memory',
    ),
    "class": ({"daskhub_home_storage_class": "disk"}, "the cluster has no such storage class; name one of standard."),
    # Its class comes with the chart.
    "well": ({"daskhub_home_storage": "files", "daskhub_home_storage_class": ""}, ""),
}


def test_hubs_of_one_inventory_are_told_what_is_wrong_before_anything_is_built(
    api_server: ApiServer, admin: str, tmp_path: Path
) -> None:
    places = {"AWAY": elsewhere(admin, tmp_path, "https://127.0.0.1:9"), "GUEST": str(api_server.kubeconfig("guest"))}
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "hub_platform": "kubernetes",
        "hub_azure": False,
        "hub_kubeconfig": admin,
        "hub_authentication": {"type": "shared-password", "allow_all": True},
        "daskhub_home_storage_class": "standard",
        "daskhub_database_copy_storage_class": "standard",
    }
    hosts = {
        name: {key: places.get(str(value), value) for key, value in variables.items()}
        for name, (variables, _sentence) in BAD.items()
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    said = " ".join(playbook("site.yml", "--inventory", str(tmp_path / "hosts.json"), "--limit", "!well").split())
    assert "Build the Azure side" not in said and "Bring the secrets about" not in said
    said = said.replace('\\"', '"')
    missing = {name: sentence for name, (_bad, sentence) in BAD.items() if sentence not in said}
    assert missing == {}, said[-9000:]
    assert "failed=0" in playbook(
        "playbooks/preflight.yml", "--inventory", str(tmp_path / "hosts.json"), "--limit=well"
    )
