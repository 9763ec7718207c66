# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A snapshot of each home, and no more of each than are kept. Runs in the cluster with what Python has by itself.

A snapshot is told from those of others by its label. One that fails stops no other; the job fails at the end, and is
tried again.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACCOUNT = Path(os.environ.get("SERVICE_ACCOUNT_DIRECTORY", "/var/run/secrets/kubernetes.io/serviceaccount"))
#: Of the claims that KubeSpawner makes.
HOMES = "component=singleuser-storage"
LABEL = ("app.kubernetes.io/component", "home-snapshot")
LIMIT = 30  # seconds for one answer

Ask = Callable[..., dict[str, Any]]


class Problem(Exception):
    """What the API server refused."""


def server() -> Ask:
    """Ask the API server: method, path, body -> what it says."""
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"https://{f'[{host}]' if ':' in host else host}:{port}{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={
                "Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}",
                "Content-Type": "application/json",
            },
        )
        try:
            with opener.open(request, timeout=LIMIT) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            try:
                said = json.load(error).get("message", error.reason)
            except ValueError:
                said = error.reason
            raise Problem(f"{error.code}: {said}") from None
        except OSError as error:
            raise Problem(str(error)) from None

    return ask


def all_of(ask: Ask, path: str, selector: str) -> list[dict[str, Any]]:
    """A list, page by page."""
    found: list[dict[str, Any]] = []
    more = ""
    while True:
        query = urllib.parse.urlencode({"labelSelector": selector, "limit": 500, "continue": more})
        page = ask("GET", f"{path}?{query}")
        found += page["items"]
        more = page["metadata"].get("continue", "")
        if not more:
            return found


def snapshot(claim: str, class_name: str, stamp: str) -> dict[str, Any]:
    """A snapshot to be made."""
    return {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {"name": f"{claim[:237].rstrip('.-')}-{stamp}", "labels": dict([LABEL])},
        "spec": {"volumeSnapshotClassName": class_name, "source": {"persistentVolumeClaimName": claim}},
    }


def outdated(snapshots: list[dict[str, Any]], keep: int) -> list[str]:
    """Names of those to remove: of each home all but the newest that are ready, and what failed before those.

    What is being made stays, and so does everything as long as nothing newer is ready.
    """
    homes: dict[str, list[dict[str, Any]]] = {}
    for one in snapshots:
        homes.setdefault(one["spec"]["source"].get("persistentVolumeClaimName", ""), []).append(one)
    names: list[str] = []
    for of_home in homes.values():
        ready = 0
        for one in sorted(of_home, key=_age, reverse=True):
            is_ready = bool((one.get("status") or {}).get("readyToUse"))
            if ready >= keep or (ready and not is_ready):
                names.append(one["metadata"]["name"])
            ready += is_ready
    return names


def _age(one: dict[str, Any]) -> tuple[str, str]:
    """When it was made; within a second its name says more."""
    return str(one["metadata"]["creationTimestamp"]), str(one["metadata"]["name"])


def run(ask: Ask, namespace: str, class_name: str, keep: int, stamp: str) -> list[str]:
    """Make and remove snapshots; what did not work."""
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    snapshots = f"/apis/snapshot.storage.k8s.io/v1/namespaces/{namespace}/volumesnapshots"
    problems = []
    for claim in all_of(ask, claims, HOMES):
        name = claim["metadata"]["name"]
        if claim["status"].get("phase") != "Bound" or claim["metadata"].get("deletionTimestamp"):
            continue
        try:
            ask("POST", snapshots, snapshot(name, class_name, stamp))
            print(f"{name}: snapshot {stamp}")
        except Problem as error:
            # The same job, tried again.
            if not str(error).startswith("409"):
                problems.append(f"{name}: {error}")
    for name in outdated(all_of(ask, snapshots, "=".join(LABEL)), keep):
        try:
            ask("DELETE", f"{snapshots}/{name}")
            print(f"{name}: removed")
        except Problem as error:
            if not str(error).startswith("404"):
                problems.append(f"{name}: {error}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description="Make snapshots of homes")
    parser.add_argument("--class", required=True, dest="class_name")
    parser.add_argument("--keep", required=True, type=int)
    given = parser.parse_args()
    namespace = (ACCOUNT / "namespace").read_text().strip()
    # One a quarter of an hour, so that a job that is tried again makes no second one.
    stamp = time.strftime("%Y%m%d-%H%M", time.gmtime(time.time() // 900 * 900))
    try:
        problems = run(server(), namespace, given.class_name, max(given.keep, 1), stamp)
    except Problem as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
