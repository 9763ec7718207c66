# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a cluster is given, asked as whoever runs the cluster asks: what pods reserve, where they go, what is open.

What the real charts render of a few hubs is kept in manifests/<hub>.json. Where helm is on PATH and HUB_CHARTS names a
folder with the packaged charts, it is rendered anew and compared; `HUB_GOLDEN_UPDATE=1` then keeps what was found.
Without them, values that are others than those that the manifests were made of are an error too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes

from hub_manifests import manifests_of, programs, values_of
from placement import Node, may_go
from rendering import golden

GOLDEN = Path(__file__).parent / "manifests"
HOST = "hub.westeurope.cloudapp.azure.com"
LETSENCRYPT = {"daskhub_https": "letsencrypt", "daskhub_https_contact_email": "admin@example.org"}
HUBS: dict[str, dict[str, Any]] = {
    "prod": {},
    "everything": {
        **LETSENCRYPT,
        "daskhub_placeholders": 2,
        "daskhub_user_scheduler": True,
        "daskhub_home_snapshots_enabled": True,
        "daskhub_dask_gateway_public": {"enabled": True, "allowed_sources": ["192.0.2.0/24"]},
    },
    "ingress": {
        "daskhub_ingress": {"enabled": True, "class": "azure-application-gateway", "tls_secret": "hub-tls"},
        "daskhub_home_storage": "files",
        "daskhub_match_node_purpose": "prefer",
        "daskhub_network_policies_enabled": False,
    },
    "route": {
        "daskhub_placeholders": 0,
        "daskhub_http_route": {"enabled": True, "gateway": {"name": "shared", "namespace": "gateways"}},
        "daskhub_base_url": "/compute/",
        "daskhub_pre_pull": False,
    },
}
RUN = ("Deployment", "DaemonSet", "StatefulSet", "Job", "CronJob")
KEPT = (
    *RUN,
    "Service",
    "Ingress",
    "HTTPRoute",
    "PodDisruptionBudget",
    "ServiceAccount",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "PersistentVolumeClaim",
    "Role",
    "ClusterRole",
)
every_hub = pytest.mark.parametrize("name", HUBS)


def essence(values: dict[str, Any]) -> str:
    """What manifests depend on, as far as they are kept: neither data files nor code."""
    hub = json.loads(json.dumps(values))
    hub.pop("data", None)
    hub["jupyterhub"].get("singleuser", {}).pop("extraFiles", None)
    for part in ("hub", "proxy"):
        hub["jupyterhub"].get(part, {}).pop("annotations", None)
    hub["jupyterhub"]["hub"].pop("extraVolumes", None)
    hub["dask-gateway"]["gateway"].pop("annotations", None)
    return hashlib.sha256(json.dumps(hub, sort_keys=True).encode()).hexdigest()


def shortened(value: Any) -> Any:
    """An object without what changes with every file, and without what follows from the chart's version."""
    if isinstance(value, dict):
        left_out = ("checksum", "chart", "items")
        return {key: shortened(item) for key, item in value.items() if not any(word in key for word in left_out)}
    return [shortened(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def hubs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Of each hub its values, and its objects by kind."""
    there, folder = programs(), tmp_path_factory.mktemp("hubs")
    values = values_of(root, folder, "prod", HUBS, there[1] if there else None)
    found = {}
    for name in HUBS:
        file = GOLDEN / f"{name}.json"
        if there:
            objects = [one for one in manifests_of(there[0], folder, name) if one["kind"] in KEPT]
            objects.sort(key=lambda one: (one["kind"], one["metadata"]["name"]))
            content = {"values": essence(values[name]), "objects": shortened(objects)}
            golden(file, json.dumps(content, indent=1, sort_keys=True) + "\n")
        kept = json.loads(file.read_text(encoding="utf-8"))
        assert kept["values"] == essence(values[name]), f"{name}: other values; render it anew"
        found[name] = {"values": values[name], "objects": kept["objects"]}
    return found


def objects(hub: dict[str, Any], *kinds: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in hub["objects"] if one["kind"] in kinds}


def templates(hub: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pod of everything that runs."""
    found = {}
    for name, one in objects(hub, *RUN).items():
        spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
        found[name] = spec["template"]
    return found


def profile(hub: dict[str, Any], slug: str = "python") -> dict[str, Any]:
    """What KubeSpawner makes of a profile, as a pod."""
    listed = json.loads(hub["values"]["data"]["profiles.json"])
    override = next(each["kubespawner_override"] for each in listed if each["slug"] == slug)
    required = override["node_affinity_required"]
    affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": required}}
    return {**override, "affinity": {"nodeAffinity": affinity if required else {}}}


def node(purpose: str, spot: bool = False) -> Node:
    return Node(purposes.labels(purpose, spot), purposes.taints(purpose, spot))


NODES = {
    "core": node("core"),
    "user": node("user"),
    "worker": node("worker", spot=True),
    "gpu user": node("gpu_user"),
    "gpu worker": node("gpu_worker", spot=True),
}


def goes_to(pod: dict[str, Any]) -> list[str]:
    return [name for name, each in NODES.items() if may_go(pod, each)]


@every_hub
def test_every_container_says_what_it_needs(hubs: dict[str, Any], name: str) -> None:
    for pod, template in templates(hubs[name]).items():
        spec = template["spec"]
        for container in spec.get("initContainers", []) + spec["containers"]:
            asked = (container.get("resources") or {}).get("requests") or {}
            assert {"cpu", "memory"} <= set(asked), f"{pod}: {container['name']}"
            assert not container.get("securityContext", {}).get("privileged"), pod
        assert not spec.get("hostNetwork") and not any("hostPath" in each for each in spec.get("volumes", [])), pod


@pytest.mark.parametrize(
    ("name", "open_to_all"),
    [
        ("prod", {"proxy-public": [80]}),
        ("everything", {"proxy-public": [443, 80], "dask-dask-public": [443]}),
        ("ingress", {}),
        ("route", {}),
    ],
)
def test_nothing_is_open_but_what_is_meant_to(
    hubs: dict[str, Any], name: str, open_to_all: dict[str, list[int]]
) -> None:
    services = objects(hubs[name], "Service")
    found = {
        service: [port["port"] for port in one["spec"]["ports"]]
        for service, one in services.items()
        if one["spec"].get("type", "ClusterIP") != "ClusterIP"
    }
    assert found == open_to_all
    assert all(services[service]["spec"]["type"] == "LoadBalancer" for service in found)
    assert [len(objects(hubs[name], "Ingress")), len(objects(hubs[name], "HTTPRoute"))] == [
        int(name == "ingress"),
        int(name == "route"),
    ]


@every_hub
def test_every_service_leads_to_pods_that_listen(hubs: dict[str, Any], name: str) -> None:
    pods = templates(hubs[name])
    for service, one in objects(hubs[name], "Service").items():
        selected = [
            pod for pod in pods.values() if one["spec"]["selector"].items() <= pod["metadata"].get("labels", {}).items()
        ]
        assert len(selected) == 1, service
        listening = [port for each in selected[0]["spec"]["containers"] for port in each.get("ports") or []]
        known = {port.get("name") for port in listening} | {port["containerPort"] for port in listening}
        for port in one["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in known, f"{service}: {port}"


def test_the_name_in_azure_is_on_the_one_address(hubs: dict[str, Any]) -> None:
    label = "service.beta.kubernetes.io/azure-dns-label-name"
    for name in ("prod", "everything"):
        services = objects(hubs[name], "Service")
        named = [each for each, one in services.items() if label in (one["metadata"].get("annotations") or {})]
        assert [each for each in named if services[each]["spec"].get("type") == "LoadBalancer"] == ["proxy-public"]
    for name in ("ingress", "route"):
        annotations = [one["metadata"].get("annotations") or {} for one in objects(hubs[name], "Service").values()]
        assert not any(label in each for each in annotations)


def test_what_is_in_front_leads_to_the_proxy_and_has_the_certificate(hubs: dict[str, Any]) -> None:
    ingress = objects(hubs["ingress"], "Ingress")["jupyterhub"]["spec"]
    assert ingress["ingressClassName"] == "azure-application-gateway"
    assert ingress["tls"] == [{"hosts": [HOST], "secretName": "hub-tls"}]
    (rule,) = ingress["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == (HOST, "/", "Prefix")
    assert path["backend"]["service"] == {"name": "proxy-public", "port": {"name": "http"}}
    route = objects(hubs["route"], "HTTPRoute")["jupyterhub"]["spec"]
    assert route["parentRefs"] == [{"kind": "Gateway", "name": "shared", "namespace": "gateways"}]
    assert route["hostnames"] == [HOST]
    (rule,) = route["rules"]
    assert rule["backendRefs"] == [{"name": "proxy-public", "port": 80}]
    # Another application of the host keeps its paths.
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/compute/"}}]
    # Nobody else makes or owns a Gateway here.
    assert "Gateway" not in {one["kind"] for hub in hubs.values() for one in hub["objects"]}


def test_dask_from_outside_is_the_schedulers_alone(hubs: dict[str, Any]) -> None:
    service = objects(hubs["everything"], "Service")["dask-dask-public"]["spec"]
    assert service["ports"] == [{"name": "dask", "port": 443, "protocol": "TCP", "targetPort": 8786}]
    assert service["loadBalancerSourceRanges"] == ["192.0.2.0/24"]
    traefik = templates(hubs["everything"])["traefik-dask-dask-gateway"]["spec"]["containers"][0]
    # The gateway's own API, in clear, is on another port.
    assert {"--entrypoints.web.address=:8000", "--entrypoints.tcp.address=:8786"} <= set(traefik["args"])
    notebook = hubs["everything"]["values"]["jupyterhub"]["singleuser"]["extraEnv"]
    assert notebook["DASK_GATEWAY__PROXY_ADDRESS"] == "gateway://traefik-dask-dask-gateway.dhub:8786"
    inside = hubs["prod"]["values"]["jupyterhub"]["singleuser"]["extraEnv"]
    assert inside["DASK_GATEWAY__PROXY_ADDRESS"] == "gateway://traefik-dask-dask-gateway.dhub:80"


CORE = (
    "hub",
    "proxy",
    "autohttps",
    "user-scheduler",
    "api-dask-dask-gateway",
    "controller-dask-dask-gateway",
    "traefik-dask-dask-gateway",
    "dask-home-snapshots",
)


def test_pods_go_where_they_belong(hubs: dict[str, Any]) -> None:
    pods = templates(hubs["everything"])
    assert {name: goes_to(pods[name]["spec"]) for name in CORE} == {name: ["core"] for name in CORE}
    for name in ("user-placeholder", "continuous-image-puller", "hook-image-puller"):
        assert goes_to(pods[name]["spec"]) == ["user"], name
    listed = ("python", "r", "gpu-pytorch", "gpu-tensorflow")
    assert [goes_to(profile(hubs["everything"], each)) for each in listed] == [["user"]] * 2 + [["gpu user"]] * 2
    assert profile(hubs["everything"], "gpu-pytorch")["extra_resource_limits"] == {"nvidia.com/gpu": "1"}


def test_without_pools_of_their_own_they_go_anywhere_but_to_gpus(hubs: dict[str, Any]) -> None:
    """With `prefer`: nobody waits for a label that no node has, and nobody holds a GPU for nothing."""
    pods = templates(hubs["ingress"])
    for name in ("hub", "proxy", "api-dask-dask-gateway"):
        assert "core" in goes_to(pods[name]["spec"]) and may_go(pods[name]["spec"], Node({})), name
    puller = pods["continuous-image-puller"]["spec"]
    assert goes_to(puller) == ["core", "user"] and may_go(puller, Node({}))


def test_a_placeholder_is_the_default_profile_that_gives_way(hubs: dict[str, Any]) -> None:
    hub = hubs["everything"]
    placeholder = templates(hub)["user-placeholder"]["spec"]
    default = profile(hub)
    assert objects(hub, "StatefulSet")["user-placeholder"]["spec"]["replicas"] == 2
    # KubeSpawner's G is Kubernetes' Gi.
    assert placeholder["containers"][0]["resources"] == {"requests": {"cpu": 3, "memory": "25Gi"}}
    assert (default["cpu_guarantee"], default["mem_guarantee"]) == (3, "25G")
    assert placeholder["tolerations"] == default["tolerations"]
    affinity = placeholder["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert affinity["nodeSelectorTerms"] == default["node_affinity_required"]
    classes = {name: one["value"] for name, one in objects(hub, "PriorityClass").items()}
    priority = classes[placeholder["priorityClassName"]]
    # Below users, who have 0, and not below what the autoscaler makes nodes for (-10).
    assert -10 <= priority < 0
    assert placeholder["schedulerName"] == "dask-user-scheduler"
    # A release does not wait for room that only the autoscaler can make.
    assert objects(hub, "StatefulSet")["user-placeholder"]["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert "user-placeholder" not in templates(hubs["route"])


def test_the_default_image_alone_is_pulled_before(hubs: dict[str, Any]) -> None:
    for name in ("prod", "everything", "ingress"):
        for puller in ("continuous-image-puller", "hook-image-puller"):
            spec = templates(hubs[name])[puller]["spec"]
            images = [each["image"] for each in spec["initContainers"] if "network-tools" not in each["image"]]
            assert images == [profile(hubs[name])["image"]]
    assert not [each for each in templates(hubs["route"]) if "image" in each]


def test_a_scheduler_of_ones_own_is_a_choice(hubs: dict[str, Any]) -> None:
    assert [("user-scheduler" in templates(hub)) for hub in hubs.values()] == [False, True, False, False]


@every_hub
def test_nodes_can_be_emptied(hubs: dict[str, Any], name: str) -> None:
    """Each pod that runs for good has one budget, which lets one go at a time."""
    budgets = [one["spec"] for one in objects(hubs[name], "PodDisruptionBudget").values()]
    assert all(each.get("maxUnavailable") == 1 or each.get("minAvailable") == 0 for each in budgets)
    pods = templates(hubs[name])
    for pod in objects(hubs[name], "Deployment", "StatefulSet"):
        labels = pods[pod]["metadata"]["labels"].items()
        assert len([each for each in budgets if each["selector"]["matchLabels"].items() <= labels]) == 1, pod


@every_hub
def test_the_hub_alone_is_an_identity_in_azure(hubs: dict[str, Any], name: str) -> None:
    label = "azure.workload.identity/use"
    pods = templates(hubs[name])
    assert [pod for pod in pods if pods[pod]["metadata"].get("labels", {}).get(label) == "true"] == ["hub"]
    accounts = objects(hubs[name], "ServiceAccount")
    known = "azure.workload.identity/client-id"
    named = [each for each, one in accounts.items() if known in (one["metadata"].get("annotations") or {})]
    assert named == ["hub"] == [pods["hub"]["spec"]["serviceAccountName"]]


def test_homes_and_their_snapshots(hubs: dict[str, Any]) -> None:
    def home(name: str) -> dict[str, Any]:
        found: dict[str, Any] = hubs[name]["values"]["jupyterhub"]["singleuser"]["storage"]
        return found

    assert home("prod")["dynamic"] == {"storageAccessModes": ["ReadWriteOnce"]}
    assert home("prod")["capacity"] == "15Gi" and not objects(hubs["prod"], "StorageClass")
    (made,) = objects(hubs["ingress"], "StorageClass").values()
    assert home("ingress")["dynamic"] == {
        "storageAccessModes": ["ReadWriteMany"],
        "storageClass": made["metadata"]["name"],
    }
    assert (made["provisioner"], made["parameters"]) == ("file.csi.azure.com", {"skuName": "Standard_LRS"})
    assert {"nobrl", "mfsymlinks", "uid=1000", "gid=100"} <= set(made["mountOptions"])
    (snapshots,) = objects(hubs["everything"], "VolumeSnapshotClass").values()
    assert snapshots["driver"] == "disk.csi.azure.com" and snapshots["parameters"] == {"incremental": "true"}
    job = objects(hubs["everything"], "CronJob")["dask-home-snapshots"]["spec"]
    arguments = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert arguments == ["--class", snapshots["metadata"]["name"], "--keep", "7"]
    assert "dask-home-snapshots" not in objects(hubs["prod"], "CronJob", "ServiceAccount")


def test_data_is_mounted_read_only(hubs: dict[str, Any]) -> None:
    storage = hubs["prod"]["values"]["jupyterhub"]["singleuser"]["storage"]
    volume = next(each for each in storage["extraVolumes"] if each["name"] == "data-driven-data")
    mount = next(each for each in storage["extraVolumeMounts"] if each["name"] == "data-driven-data")
    assert volume["csi"]["readOnly"] is True and mount["readOnly"] is True and mount["mountPath"] == "/driven-data"
    assert volume["csi"]["volumeAttributes"]["secretName"] == "driven-data-file-share"


@every_hub
def test_starts_have_time_and_nobody_enters_others_servers(hubs: dict[str, Any], name: str) -> None:
    hub = hubs[name]["values"]["jupyterhub"]
    assert hub["singleuser"]["startTimeout"] == 1200
    assert hub["hub"]["consecutiveFailureLimit"] == 0 and hub["hub"]["allowNamedServers"] is False
    assert hub["hub"]["config"]["JupyterHub"]["admin_access"] is False
    assert hub["scheduling"]["podPriority"] == {"enabled": True}
