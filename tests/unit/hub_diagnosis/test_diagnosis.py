# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A row for each thing that may be wrong: what the cluster shows, and the most telling finding."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _hub_diagnosis as diagnosis
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_logs import masked, wanted
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import Snapshot

from unit.hub_diagnosis.shapes import event, node, obj, pod, snapshot, state, unplaced

USER_TAINT = {"key": "hub.jupyter.org_dedicated", "value": "user", "effect": "NoSchedule"}
PURPOSE = {"hub.jupyter.org/node-purpose": "user"}
NONE = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes"
FULL = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims"
QUOTA = (
    'Scale-up failed: Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding '
    'approved Total Regional Cores quota. Current Limit: 10"'
)
ACME = (
    'level=error msg="Unable to obtain ACME certificate for domains" error="acme: error: 400 :: DNS problem: NXDOMAIN"'
)
# As Traefik 3 writes it, shortened.
REFUSED = (
    "\x1b[90m2026-11-23T11:11:47Z\x1b[0m \x1b[31mERR\x1b[0m \x1b[1mUnable to obtain ACME certificate for domains"
    '\x1b[0m \x1b[36merror=\x1b[0m\x1b[31m\x1b[1m"unable to generate a certificate for the domains [hub.example.org]: '
    "error: one or more domains had a problem:\\n[hub.example.org] invalid authorization: acme: error: {status} :: "
    'urn:ietf:params:acme:error:{kind} :: {detail}\\n"\x1b[0m'
)
RATE = REFUSED.format(status=429, kind="rateLimited", detail="too many certificates already issued")
CONNECTION = REFUSED.format(status=400, kind="connection", detail='Get \\"http://hub.example.org:80/\\": no such host')
IN_USE = (
    "Error syncing load balancer: failed to ensure load balancer: PUT ...: ERROR CODE: DnsRecordInUse: DNS record "
    "pangeo.westeurope.cloudapp.azure.com is already used by another public IP"
)
WAITING = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "registry.example.org/hub:1"'}
EXITED = {"exitCode": 1, "reason": "Error"}
LOOP = state(waiting={"reason": "CrashLoopBackOff", "message": "back-off"}, last=EXITED, restarts=4)
NO_SECRET = 'secret "hub-secrets" not found'


def pulled(message: str) -> Snapshot:
    """An image that cannot be pulled, with the reason in an event."""
    return snapshot(pod(states=[state(waiting=WAITING)]), event("Pod", "hub-1", "Failed", message))


def service(*events: Any) -> Snapshot:
    return snapshot(obj("Service", "proxy-public", {"type": "LoadBalancer"}, {"loadBalancer": {}}), *events)


def claim(*others: Any, storage: str | None = None) -> Snapshot:
    spec: dict[str, Any] = {"resources": {"requests": {"storage": "15Gi"}}}
    spec |= {"storageClassName": storage} if storage else {}
    return snapshot(obj("PersistentVolumeClaim", "hub-db-dir", spec, {"phase": "Pending"}), *others)


ROWS: dict[str, tuple[Snapshot, str, str, str, str]] = {
    # name: what there is; cause, object, words of the evidence, words of the remedy
    "a taint": (
        snapshot(
            unplaced("0/1 nodes are available: 1 node(s) had untolerated taint(s)"), node("users", taints=[USER_TAINT])
        ),
        *("unschedulable-taint", "Pod/hub-1", "hub.jupyter.org_dedicated=user:NoSchedule on users", "tolerate"),
    ),
    "a node that is not well": (
        snapshot(
            unplaced("0/1 nodes are available: 1 node(s) had untolerated taint(s)"),
            node(taints=[{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]),
        ),
        *("node", "Pod/hub-1", "disk-pressure", "not well"),
    ),
    "a selector without a pool": (
        snapshot(unplaced(NONE, nodeSelector=PURPOSE), node("core")),
        *("unschedulable-selector", "Pod/hub-1", "hub.jupyter.org/node-purpose=user", "node pool with that label"),
    ),
    "a required affinity without a pool": (
        snapshot(
            unplaced(
                NONE,
                affinity={
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "workerkind", "operator": "In", "values": ["gpu"]}]}
                            ]
                        }
                    }
                },
            ),
            node("core"),
        ),
        *("unschedulable-selector", "Pod/hub-1", "workerkind=gpu", "daskhub_match_node_purpose"),
    ),
    "the autoscaler knows no such pool either": (
        snapshot(
            unplaced(NONE, nodeSelector=PURPOSE),
            node("core"),
            event("Pod", "hub-1", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 node(s) didn't match affinity"),
        ),
        *("unschedulable-selector", "Pod/hub-1", "the autoscaler: pod didn't trigger scale-up", "node pool"),
    ),
    "a pool at its maximum": (
        snapshot(
            unplaced(FULL, requests={"cpu": "2"}),
            node(),
            event("Pod", "hub-1", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached"),
        ),
        *("unschedulable-cpu", "Pod/hub-1", "Insufficient cpu", "max_count"),
    ),
    "more cores than any node": (
        snapshot(unplaced(FULL, requests={"cpu": "7500m"}), node(allocatable={"cpu": "3860m"})),
        *("unschedulable-cpu", "Pod/hub-1", "asks for 7.5 cores, the largest node has 3.86", "Ask for less"),
    ),
    "more memory than any node": (
        snapshot(unplaced(FULL.replace("cpu", "memory"), requests={"memory": "32Gi"}), node()),
        *("unschedulable-memory", "Pod/hub-1", "asks for 32 GiB of memory, the largest node has 16 GiB", "memory"),
    ),
    "a GPU where there is none": (
        snapshot(unplaced(FULL.replace("cpu", "nvidia.com/gpu"), requests={"nvidia.com/gpu": "1"}), node()),
        *("unschedulable-gpu", "Pod/hub-1", "1 GPUs", "device plugin"),
    ),
    "a full node": (
        snapshot(unplaced(FULL, requests={"cpu": "3"}), node()),
        *("unschedulable-cpu", "Pod/hub-1", "1 Insufficient cpu", "full"),
    ),
    "nodes that may not be read": (
        snapshot(unplaced(FULL), refused=("Node",)),
        *("unschedulable-cpu", "Pod/hub-1", "Insufficient cpu", "full"),
    ),
    "a closed node": (
        snapshot(
            unplaced("0/1 nodes are available: 1 node(s) were unschedulable"),
            {**node(), "spec": {"unschedulable": True}},
        ),
        *("unschedulable-cordoned", "Pod/hub-1", "node closed", "kubectl uncordon node"),
    ),
    "no node at all": (
        snapshot(unplaced("no nodes available to schedule pods")),
        *("unschedulable-no-node", "Pod/hub-1", "no nodes available", "node"),
    ),
    "a node on its way": (
        snapshot(
            unplaced(FULL),
            node(),
            event("Pod", "hub-1", "TriggeredScaleUp", "pod triggered scale-up: [{aks-user 1->2 (max: 5)}]"),
        ),
        *("scaling", "Pod/hub-1", "aks-user 1->2", "wait"),
    ),
    "Azure's quota, by the autoscaler": (
        snapshot(
            unplaced(FULL),
            node(),
            {
                "kind": "ConfigMap",
                "metadata": {"name": "cluster-autoscaler-status"},
                "data": {"status": f"nodeGroups:\n  - name: aks-user\n    errorMessage: {QUOTA}"},
            },
        ),
        *("azure-quota", "ConfigMap/cluster-autoscaler-status", "Total Regional Cores quota", "quota"),
    ),
    "Azure has no such machine": (
        snapshot(unplaced(FULL), node(), event("Pod", "hub-1", "FailedScaleUp", "Code=ZonalAllocationFailed")),
        *("azure-capacity", "Pod/hub-1", "ZonalAllocationFailed", "zone"),
    ),
    "an image that is not there": (
        pulled('Failed to pull image "registry.example.org/hub:1": rpc error: code = NotFound desc = not found'),
        *("image", "Pod/hub-1", "image registry.example.org/hub:1: Failed to pull", "Push that image"),
    ),
    "a registry that refuses": (
        pulled('Failed to pull image "registry.example.org/hub:1": 401 Unauthorized'),
        *("image", "Pod/hub-1", "401 Unauthorized", "AcrPull"),
    ),
    "a registry out of reach": (
        pulled(
            'Failed to pull image "registry.example.org/hub:1": dial tcp: lookup registry.example.org: no such host'
        ),
        *("image", "Pod/hub-1", "no such host", "cannot reach the registry"),
    ),
    "an image of an init container": (
        snapshot(
            {
                **pod(),
                "status": {
                    "phase": "Pending",
                    "initContainerStatuses": [state(waiting={"reason": "InvalidImageName", "message": "bad: 'A B'"})],
                },
            }
        ),
        *("image", "Pod/hub-1", "bad", "name and tag"),
    ),
    "a missing Secret": (
        snapshot(pod(states=[state(waiting={"reason": "CreateContainerConfigError", "message": NO_SECRET})])),
        *("missing", "Pod/hub-1", NO_SECRET, "secrets"),
    ),
    "a missing key of a Secret": (
        snapshot(
            pod(
                states=[
                    state(
                        waiting={
                            "reason": "CreateContainerConfigError",
                            "message": "couldn't find key x in Secret dhub/hub",
                        }
                    )
                ]
            )
        ),
        *("missing", "Pod/hub-1", "couldn't find key x", "play"),
    ),
    "a missing ConfigMap as a volume": (
        snapshot(
            pod(states=[state(waiting={"reason": "ContainerCreating"})]),
            event(
                "Pod",
                "hub-1",
                "FailedMount",
                'MountVolume.SetUp failed for volume "x" : configmap "hub-data" not found',
            ),
        ),
        *("missing", "Pod/hub-1", 'configmap "hub-data" not found', "daskhub"),
    ),
    "a disk at another node": (
        snapshot(pod(), event("Pod", "hub-1", "FailedAttachVolume", 'Multi-Attach error for volume "pvc-1"')),
        *("volume", "Pod/hub-1", "Multi-Attach", "Another node"),
    ),
    "no network for a pod": (
        snapshot(pod(), event("Pod", "hub-1", "FailedCreatePodSandBox", "failed to allocate for range 0: no IP")),
        *("network", "Pod/hub-1", "no IP", "subnet"),
    ),
    "a storage class that is not there": (
        claim(obj("StorageClass", "managed-csi"), storage="fast"),
        *("volume", "PersistentVolumeClaim/hub-db-dir", "no storage class fast", "managed-csi"),
    ),
    "no default storage class": (
        claim(
            event(
                "PersistentVolumeClaim",
                "hub-db-dir",
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set",
            )
        ),
        *("volume", "PersistentVolumeClaim/hub-db-dir", "no storage class is set", "default"),
    ),
    "the claim before the pod that waits for it": (
        claim(
            obj("StorageClass", "managed-csi"),
            unplaced("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims"),
            node(),
            storage="fast",
        ),
        *("volume", "PersistentVolumeClaim/hub-db-dir", "no storage class fast", "managed-csi"),
    ),
    "no ready volume that is large enough": (
        claim(
            obj("StorageClass", "standard"),
            unplaced(
                "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind",
                volumes=[{"name": "db", "persistentVolumeClaim": {"claimName": "hub-db-dir"}}],
            ),
            node(),
            storage="standard",
        ),
        *("volume", "Pod/hub-1", "hub-db-dir asks for 15Gi of the class standard", "ask for less"),
    ),
    "a volume over Azure's quota": (
        claim(event("PersistentVolumeClaim", "hub-db-dir", "ProvisioningFailed", "Code=QuotaExceeded disks")),
        *("azure-quota", "PersistentVolumeClaim/hub-db-dir", "QuotaExceeded", "quota"),
    ),
    "a DNS label that is taken": (
        service(event("Service", "proxy-public", "SyncLoadBalancerFailed", IN_USE)),
        *("dns-label", "Service/proxy-public", "DnsRecordInUse", "another DNS label"),
    ),
    "too many public addresses": (
        service(event("Service", "proxy-public", "SyncLoadBalancerFailed", "Code=PublicIPCountLimitReached")),
        *("azure-quota", "Service/proxy-public", "PublicIPCountLimitReached", "quota"),
    ),
    "a load balancer without the right": (
        service(event("Service", "proxy-public", "SyncLoadBalancerFailed", "AuthorizationFailed: the client")),
        *("load-balancer", "Service/proxy-public", "AuthorizationFailed", "Network Contributor"),
    ),
    "no load balancers here": (service(), *("load-balancer", "Service/proxy-public", "nobody", "NodePort")),
    "a certificate that Let's Encrypt refuses": (
        snapshot(
            {**pod("autohttps-1", component="autohttps", states=[]), "status": {"phase": "Running"}},
            logs={("autohttps-1", "traefik"): f"started\n{ACME}\n"},
        ),
        *("certificate", "Pod/autohttps-1", "NXDOMAIN", "kubectl delete pod autohttps-1"),
    ),
    "a name that leads nowhere": (
        snapshot(
            {**pod("autohttps-1", component="autohttps", states=[]), "status": {"phase": "Running"}},
            logs={("autohttps-1", "traefik"): CONNECTION},
        ),
        "certificate",
        "Pod/autohttps-1",
        'no certificate for hub.example.org (connection): Get "http://hub.example.org:80/": no such host',
        "port 80 is open",
    ),
    "too many certificates": (
        snapshot(
            {**pod("autohttps-1", component="autohttps", states=[]), "status": {"phase": "Running"}},
            logs={("autohttps-1", "traefik"): RATE},
        ),
        *("certificate", "Pod/autohttps-1", "(rateLimited): too many certificates", "daskhub_https_acme_server"),
    ),
    "cert-manager's certificate": (
        snapshot(
            obj(
                "Certificate",
                "hub",
                status={"conditions": [{"type": "Ready", "status": "False", "reason": "Failed", "message": "denied"}]},
            )
        ),
        *("certificate", "Certificate/hub", "Failed: denied", "CertificateRequest"),
    ),
    "a crash loop": (
        snapshot(pod(states=[LOOP]), logs={("hub-1", "hub"): "starting\n\nKeyError: 'profiles'\n"}),
        *(
            "crash",
            "Pod/hub-1",
            "ended with 1, 4 restarts; its last lines:\n  starting\n  KeyError: 'profiles'",
            "last",
        ),
    ),
    "too little memory": (
        snapshot(pod(states=[state(terminated={"exitCode": 137, "reason": "OOMKilled"})])),
        *("crash", "Pod/hub-1", "137 (OOMKilled)", "more memory"),
    ),
    "a program that does not answer its probe": (
        snapshot(
            pod(states=[state(running={})]),
            event("Pod", "hub-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500"),
        ),
        *("not-ready", "Pod/hub-1", "statuscode: 500", "probe"),
    ),
    "a failing hook": (
        snapshot(
            obj(
                "Job",
                "hook-image-awaiter",
                status={
                    "conditions": [
                        {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}
                    ]
                },
                annotations={"helm.sh/hook": "pre-install,pre-upgrade"},
            )
        ),
        *("job", "Job/hook-image-awaiter", "the pre-install,pre-upgrade hook failed: DeadlineExceeded", "again"),
    ),
    "a namespace's quota": (
        snapshot(
            obj("ReplicaSet", "hub-5", {"replicas": 1}),
            event("ReplicaSet", "hub-5", "FailedCreate", 'pods "hub-5x" is forbidden: exceeded quota: small'),
        ),
        *("quota", "ReplicaSet/hub-5", "exceeded quota: small", "ResourceQuota"),
    ),
    "an admission that refuses": (
        snapshot(
            obj("ReplicaSet", "hub-5", {"replicas": 1}),
            event("ReplicaSet", "hub-5", "FailedCreate", 'pods "x" is forbidden: violates PodSecurity "restricted"'),
        ),
        *("policy", "ReplicaSet/hub-5", "PodSecurity", "refuses"),
    ),
    "a namespace in deletion": (
        snapshot(
            obj(
                "Namespace",
                "dhub",
                status={
                    "phase": "Terminating",
                    "conditions": [
                        {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "finalizers: x"}
                    ],
                },
            ),
            pod(states=[LOOP]),
        ),
        *("namespace", "Namespace/dhub", "being deleted; finalizers: x", "Wait"),
    ),
    "a node that is gone": (
        snapshot(
            pod(),
            {
                **node(),
                "status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]},
            },
        ),
        *("node", "Node/node", "NodeStatusUnknown", "replace"),
    ),
    "a hub gone deaf": (
        snapshot(
            {**pod(), "status": {"phase": "Running"}},
            logs={("hub-1", "hub"): "watching for pods with label\nWatching resources never recovered, giving up"},
        ),
        *("hub-deaf", "Pod/hub-1", "giving up", "kubectl delete pod hub-1"),
    ),
    "nothing known but that it is not ready": (
        snapshot(obj("Deployment", "hub", {"replicas": 1}, {"readyReplicas": 0})),
        *("not-ready", "Deployment/hub", "0 of 1", "wait"),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_most_telling_finding(row: str) -> None:
    found, cause, where, evidence, remedy = ROWS[row]
    first = diagnosis.diagnose(found)[0]
    assert (first.cause, first.object) == (cause, where)
    assert evidence in first.evidence and remedy in first.remedy


HEALTHY = {**pod(states=[state(ready=True, running={})]), "status": {"phase": "Running"}}
NOTHING = {
    "a running hub": snapshot(HEALTHY, node()),
    "a hub that heard again": snapshot(
        HEALTHY, logs={("hub-1", "hub"): "Watching resources never recovered, giving up\nwatching for pods with label"}
    ),
    "a container that ended well, once": snapshot(pod(states=[state(terminated={"exitCode": 0})])),
    "one that crashed and recovered": snapshot(pod(states=[state(ready=True, running={}, last=EXITED, restarts=1)])),
    "users' troubles": snapshot(pod("jupyter-ada", [LOOP], component="singleuser-server")),
    "placeholders that wait": snapshot(unplaced(FULL, "user-placeholder-0", component="user-placeholder")),
    "a claim that waits for its first pod": claim(obj("StorageClass", "fast"), storage="fast"),
    "another release": snapshot(pod(states=[LOOP]), release="other"),
    "an address": snapshot(
        obj("Service", "proxy-public", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}})
    ),
    "an address in the making": service(event("Service", "proxy-public", "EnsuringLoadBalancer", "Ensuring")),
    "a taint that is tolerated": snapshot(
        pod(tolerations=[{"key": "hub.jupyter.org_dedicated", "operator": "Equal", "value": "user"}]),
        node(taints=[USER_TAINT]),
    ),
}


@pytest.mark.parametrize("row", NOTHING)
def test_what_is_no_trouble(row: str) -> None:
    assert diagnosis.diagnose(NOTHING[row]) == []


def users(name: str, *, states: list[Any] | None = None, user: str) -> dict[str, Any]:
    found = pod(name, states, component="singleuser-server")
    found["metadata"]["annotations"] = {"hub.jupyter.org/username": user}
    return found


def test_one_users_server_only() -> None:
    there = (
        users("jupyter-ada", states=[LOOP], user="ada"),
        users("jupyter-grace", states=[state(waiting=WAITING)], user="grace"),
        pod(states=[LOOP]),
    )
    assert [one.object for one in diagnosis.diagnose(snapshot(*there, user="grace"))] == ["Pod/jupyter-grace"]
    assert [one.cause for one in diagnosis.diagnose(snapshot(*there, user="ada"))] == ["crash"]


def test_one_dask_cluster_only_by_its_long_or_short_name() -> None:
    worker = unplaced(FULL, "dask-worker-0a1b-x", component="dask-worker")
    worker["metadata"]["labels"]["gateway.dask.org/cluster"] = "0a1b"
    for name in ("dhub.0a1b", "0a1b"):
        found = diagnosis.diagnose(snapshot(worker, pod(states=[LOOP]), node(), dask_cluster=name))
        assert [(one.cause, one.object) for one in found] == [("unschedulable-cpu", "Pod/dask-worker-0a1b-x")]


def test_a_server_that_is_gone_leaves_its_events_and_the_hubs_words() -> None:
    log = "[E 2026] Unhandled error starting ada's server: pods is forbidden\n[I 2026] 200 GET /hub (grace)"
    (found,) = diagnosis.diagnose(
        snapshot(
            HEALTHY,
            event("Pod", "jupyter-ada", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu"),
            logs={("hub-1", "hub"): log},
            user="ada",
        )
    )
    assert found.cause == "absent" and "Insufficient cpu" in found.evidence and "pods is forbidden" in found.evidence
    assert "grace" not in found.evidence


def test_a_server_that_the_hub_cannot_reach() -> None:
    log = "[W 2026] ada's server never showed up at http://10.0.0.1:8888/user/ada/ after 30 seconds. Giving up."
    well = users("jupyter-ada", states=[state(ready=True, running={})], user="ada")
    (found,) = diagnosis.diagnose(snapshot(HEALTHY, well, logs={("hub-1", "hub"): log}, user="ada"))
    assert found.cause == "network" and "8888" in found.remedy


def test_what_several_share_is_said_once() -> None:
    pods = [pod(f"image-puller-{n}", [state(waiting=WAITING)], component="hook-image-puller") for n in range(3)]
    (found,) = diagnosis.diagnose(snapshot(*pods))
    assert found.object == "Pod/image-puller-0 and 2 more"


def test_what_could_not_be_read_is_said_last() -> None:
    found = diagnosis.diagnose(snapshot(pod(states=[LOOP]), refused=("Event", "Node", "StorageClass")))
    assert [one.cause for one in found] == ["crash", "rights"] and "Event, Node" in found[1].evidence


def test_the_newest_event_counts() -> None:
    events = [
        event("Service", "proxy-public", "SyncLoadBalancerFailed", "old"),
        event("Service", "proxy-public", "SyncLoadBalancerFailed", IN_USE, at="2026-11-20T11:00:00Z"),
    ]
    assert diagnosis.diagnose(service(*events))[0].cause == "dns-label"


def test_the_text_for_people() -> None:
    found = snapshot(pod(states=[LOOP]), logs={("hub-1", "hub"): "boom"}, release="dask")
    assert diagnosis.message(diagnosis.diagnose(found), found.subject).splitlines() == [
        "What keeps the release dask from running:",
        "  1. Pod/hub-1: crash",
        "     seen: container hub ended with 1, 4 restarts; its last lines:",
        "         boom",
        "     do:   The last lines say why; correct the configuration or the image, and run the play again.",
    ]
    assert diagnosis.message([], "the release dask") == (
        "Nothing is wrong with the release dask as far as the cluster shows."
    )


def test_the_logs_that_are_asked_for() -> None:
    found = snapshot(
        pod(states=[LOOP]),
        {**pod("proxy-1", component="proxy"), "status": {"containerStatuses": [state(ready=True, running={})]}},
        pod("hub-2", [state(running={}, last=EXITED, restarts=1)]),
    )
    assert [(one.pod, one.container, one.previous) for one in wanted(found)] == [
        ("hub-1", "hub", False),
        ("hub-2", "hub", True),
    ]


TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: token {TOKEN}",
        f"CONFIGPROXY_AUTH_TOKEN={TOKEN}",
        '{"password": "Tr0ub4dor&3"}',
        "postgresql://hub:Tr0ub4dor@db.example.org/hub",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        f"got {TOKEN} from the hub",
        "AccountKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTIzNDU2Nzg5MEE=",
        "client_secret: 'Q~abc.defg'",
        "GET /x?sig=abcdefgh12345678&se=2026",
    ],
)
def test_secrets_in_logs_are_masked(line: str) -> None:
    shown = masked(line)
    assert "***" in shown
    for secret in (TOKEN, "Tr0ub4dor", "eyJ", "c2Vjcm", "Q~abc", "abcdefgh1234"):
        assert secret not in shown


@pytest.mark.parametrize(
    "line",
    [
        "KeyError: 'profiles'",
        "ModuleNotFoundError: No module named 'hub_extensions'",
        "/usr/local/lib/python3.14/site-packages/jupyterhub/app.py line 3000 in launch_instance_async",
        "Cannot connect to http://proxy-api:8001/api/routes",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masked(line) == line
