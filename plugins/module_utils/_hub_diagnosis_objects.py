# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What is wrong with a hub's objects other than pods."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_logs import last_words, lines, unissued
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_scheduling import azure_refusal
from ansible_collections.planetary.hub.plugins.module_utils._hub_diagnosis_snapshot import (
    CLUSTER,
    Finding,
    Object,
    Snapshot,
    cluster_id,
    conditions,
    labels,
    meta,
    name,
    notes,
    one_line,
    slug,
    spec,
    status,
)

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# Their events tell that a pod could not even be made.
MAKERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")


def namespace(snapshot: Snapshot) -> Iterator[Finding]:
    """A namespace that is not there, or on its way out."""
    where = f"Namespace/{snapshot.namespace}"
    if "Namespace" in snapshot.refused:
        return
    found = snapshot.all("Namespace")
    if not found:
        remedy = "Correct its name, or deploy the hub."
        yield Finding("namespace", where, "there is no such namespace", remedy)
    for one in found:
        if status(one).get("phase") != "Terminating" and not meta(one).get("deletionTimestamp"):
            continue
        held = [
            one_line(entry.get("message") or "")
            for key, entry in conditions(one).items()
            if entry.get("status") == "True" and key != "NamespaceDeletionDiscoveryFailure"
        ]
        said = "; ".join(["the namespace is being deleted", *held])
        remedy = "Wait until it is gone and deploy again; what holds it by a finalizer has to be deleted first."
        yield Finding("namespace", where, said, remedy)


def rights(snapshot: Snapshot) -> Iterator[Finding]:
    """What could not be looked at."""
    kinds = [kind for kind in snapshot.refused if kind not in ("ConfigMap", "StorageClass")]
    if kinds:
        remedy = "Use credentials that may read them, for the whole answer."
        yield Finding(
            "rights",
            f"Namespace/{snapshot.namespace}",
            f"these credentials may not list {', '.join(kinds)}: not looked at",
            remedy,
        )


def created(snapshot: Snapshot) -> Iterator[Finding]:
    """Pods that could not be made: quota of the namespace, admission, a missing service account."""
    if snapshot.personal:
        return
    for kind in MAKERS:
        for one in snapshot.chosen(kind):
            ready = status(one).get("readyReplicas") or status(one).get("numberReady") or status(one).get("succeeded")
            wanted = spec(one).get("replicas", 1) if kind != "DaemonSet" else 1
            for said in snapshot.events(kind, name(one), "FailedCreate")[:1]:
                if wanted and not ready:
                    yield _uncreated(f"{kind}/{name(one)}", said)


def claims(snapshot: Snapshot) -> Iterator[Finding]:
    """Volume claims without a volume."""
    classes = {name(one) for one in snapshot.all("StorageClass")}
    for one in snapshot.chosen("PersistentVolumeClaim"):
        where = f"PersistentVolumeClaim/{name(one)}"
        phase = status(one).get("phase")
        if phase == "Lost":
            remedy = "Restore the volume from its copy; the claim has to be made again."
            yield Finding("volume", where, "its volume is gone", remedy)
        if phase != "Pending":
            continue
        wanted = spec(one).get("storageClassName")
        said = snapshot.events(
            "PersistentVolumeClaim", name(one), "ProvisioningFailed", "FailedBinding", "VolumeMismatch"
        )
        if wanted and classes and wanted not in classes:
            remedy = f"Name a storage class that the cluster has: {', '.join(sorted(classes))}."
            yield Finding("volume", where, f"there is no storage class {wanted}", remedy)
        elif said:
            yield azure_refusal(where, said[0]) or _unbound(where, said[0])


def services(snapshot: Snapshot) -> Iterator[Finding]:
    """Load balancers without an address."""
    if snapshot.personal:
        return
    for one in snapshot.chosen("Service"):
        if spec(one).get("type") != "LoadBalancer":
            continue
        where = f"Service/{name(one)}"
        said = snapshot.events("Service", name(one), "SyncLoadBalancerFailed", "CreatingLoadBalancerFailed")
        has_address = bool((status(one).get("loadBalancer") or {}).get("ingress"))
        if has_address and not said:
            continue
        if said and not has_address:
            yield _load_balancer(where, said[0])
        elif not has_address and not snapshot.events("Service", name(one), "EnsuringLoadBalancer"):
            remedy = "The cluster makes no load balancers: use the service type NodePort or ClusterIP, or an ingress."
            yield Finding("load-balancer", where, "it has no address, and nobody works on one", remedy)


def certificates(snapshot: Snapshot) -> Iterator[Finding]:
    """cert-manager's certificates that are not issued."""
    if snapshot.personal:
        return
    for one in snapshot.chosen("Certificate"):
        ready = conditions(one).get("Ready") or {}
        if ready and ready.get("status") != "True":
            said = one_line(f"{ready.get('reason')}: {ready.get('message') or ''}")
            remedy = "See its CertificateRequest and Order: kubectl describe certificate."
            yield Finding("certificate", f"Certificate/{name(one)}", said, remedy)
    for pod in snapshot.pods():
        for said in snapshot.events("Pod", name(pod), "FailedMount")[:1]:
            if "autohttps" in name(pod) and "acme" in said:
                yield unissued(f"Pod/{name(pod)}", said, name(pod))


def jobs(snapshot: Snapshot) -> Iterator[Finding]:
    """Jobs that failed, those of Helm's hooks among them."""
    if snapshot.personal:
        return
    for one in snapshot.chosen("Job"):
        failed = conditions(one).get("Failed") or {}
        if failed.get("status") != "True":
            continue
        hook = notes(one).get("helm.sh/hook")
        said = one_line(f"{failed.get('reason')}: {failed.get('message') or ''}")
        if hook:
            said = f"the {hook} hook failed: {said}"
        for pod in snapshot.all("Pod"):
            if labels(pod).get("job-name") == name(one) and spec(pod).get("containers"):
                log = lines(snapshot, name(pod), spec(pod)["containers"][0]["name"])
                said += f"; its last lines:\n{log}" if log else ""
                break
        remedy = "Mend what the job's last lines tell of, and run the play again."
        yield Finding("job", f"Job/{name(one)}", said, remedy)


def workloads(snapshot: Snapshot) -> Iterator[Finding]:
    """Deployments and their like that have fewer ready pods than they want, when nothing else says why."""
    if snapshot.personal:
        return
    for kind in WORKLOADS:
        for one in snapshot.chosen(kind):
            if "user-placeholder" in name(one):
                continue
            if kind == "DaemonSet":
                wanted, ready = status(one).get("desiredNumberScheduled", 0), status(one).get("numberReady", 0)
            else:
                wanted, ready = spec(one).get("replicas", 1), status(one).get("readyReplicas", 0)
            if ready < wanted:
                stuck = conditions(one).get("Progressing") or {}
                more = f"; {one_line(stuck['message'])}" if stuck.get("status") == "False" else ""
                remedy = "If it just started, wait; otherwise see its pods: kubectl describe pod."
                yield Finding("not-ready", f"{kind}/{name(one)}", f"{ready} of {wanted} pods are ready{more}", remedy)


def absent(snapshot: Snapshot) -> Iterator[Finding]:
    """A user's server or a Dask cluster of which there is nothing."""
    if not snapshot.personal or "Pod" in snapshot.refused or not snapshot.all("Namespace"):
        return
    if snapshot.pods():
        return
    wanted, begins = snapshot.user or cluster_id(snapshot.dask_cluster), "Pod"
    where = f"{begins}/jupyter-{slug(wanted)}" if snapshot.user else f"DaskCluster/{wanted}"
    said = ["there is no pod of it"]
    for one in snapshot.all("DaskCluster"):
        if not snapshot.user and wanted in (name(one), labels(one).get(CLUSTER)):
            said.append(f"its phase is {status(one).get('phase', 'Pending')}")
    said += [
        one_line(event.get("message") or "")
        for event in snapshot.all("Event")
        if event.get("type") == "Warning" and _names(event, wanted, bool(snapshot.user))
    ][-3:]
    log = last_words(snapshot, wanted)
    evidence = "; ".join(said) + (f"; the hub says:\n{log}" if log else "")
    remedy = "Nothing was asked for, or it has ended: start it again, and look while it starts."
    yield Finding("absent", where, evidence, remedy)


def _names(event: Object, wanted: str, user: bool) -> bool:
    about = str((event.get("involvedObject") or {}).get("name") or "")
    return about in (f"jupyter-{slug(wanted)}", f"claim-{slug(wanted)}") if user else wanted in about


def _uncreated(where: str, said: str) -> Finding:
    if "exceeded quota" in said:
        remedy = "Raise the ResourceQuota of the namespace, or ask for less."
        return Finding("quota", where, said, remedy)
    if "serviceaccount" in said.lower() and "not found" in said:
        return Finding("missing", where, said, "Make the service account, or correct its name.")
    remedy = "Something in the cluster refuses the pod (policy, webhook): change what it names."
    return Finding("rights" if "forbidden" in said and "violates" not in said else "policy", where, said, remedy)


def _unbound(where: str, said: str) -> Finding:
    if "not found" in said and "storageclass" in said.lower():
        remedy = "Name a storage class that the cluster has: kubectl get storageclass."
    elif "exceeded quota" in said:
        return Finding("quota", where, said, "Raise the ResourceQuota of the namespace, or delete unused volumes.")
    elif "no storage class is set" in said:
        remedy = "Name a storage class, or make one of the cluster's the default."
    else:
        remedy = "See what the storage driver says, and that its class and size are possible."
    return Finding("volume", where, said, remedy)


def _load_balancer(where: str, said: str) -> Finding:
    if "DnsRecordInUse" in said or ("DNS" in said and "already" in said):
        remedy = "Choose another DNS label: each belongs to one public address of the region."
        return Finding("dns-label", where, said, remedy)
    azure = azure_refusal(where, said)
    if azure:
        return azure
    if "AuthorizationFailed" in said or "does not have authorization" in said:
        remedy = "Give the cluster's identity Network Contributor on the group or subnet that the message names."
        return Finding("load-balancer", where, said, remedy)
    return Finding("load-balancer", where, said, "Correct the service's annotations or address as the message says.")
