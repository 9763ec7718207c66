# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The Azure side against a stand-in of its own, whose latencies are those of Azure, scaled.

The critical path is worked out from what Azure answers at the end and from how long each operation took: the longest
chain of resources in which each needs the one before. Nothing of the engine is asked for it.

``HUB_BENCH_AZCOLLECTION`` may name a Python environment with azure.azcollection and its requirements (1 to 2 GB); the
same resources are then written by its tasks, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import azcollection
from benchmarks.row import Row

CHECKOUT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
#: A cluster takes 120 s, a pool 75 s: long enough to see what is lost between them, short enough to be run.
SCALE = 0.5
#: Seconds one playbook may take.
LIMIT = 1800
UNCHANGED_LIMIT = 3.0
SIZE_LIMIT = 60.0
PROBES = 5
POOLS = 50
#: Seconds for which the creation of a pool keeps its network from all others.
OWNERSHIP = 0.5
HUBS = 20
BY_ITSELF = (
    "Microsoft.AlertsManagement/smartDetectorAlertRules",
    "Microsoft.Insights/actionGroups",
    "Microsoft.Network/networkSecurityGroups/securityRules",
    "Microsoft.Storage/storageAccounts/blobServices",
)
#: What the Azure modules need besides ansible: the packages below these names.
SDK_PARTS = ("azure", "msal", "msal_extensions", "isodate", "jwt", "cryptography", "cffi", "jmespath")


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="azure-bench-") as folder:
        return list(measure(Path(folder)))


def measure(folder: Path) -> Iterator[Row]:
    yield Row("installed size of the Azure SDK parts", installed_size(), "MB", "limit", SIZE_LIMIT, 1)
    with stand_in(folder / "azure") as cloud:
        say("the Azure side from nothing")
        cloud.latency(SCALE)
        began = time.time()
        seconds = cloud.playbook("playbooks/infrastructure.yml", "playbooks/node_pools.yml")
        path = critical_path(cloud.resources(), cloud.operations(since=began))
        yield Row("Azure side from nothing", seconds, "s", "critical path of the latencies", path, 1.1)

        say("nothing to change")
        cloud.latency(1)
        # Only reads are left; at scale 1 each takes as long as at Azure.
        began = time.time()
        unchanged = min(cloud.playbook("playbooks/infrastructure.yml", changed=False) for _ in range(PROBES))
        count = len({call["id"] for call in cloud.calls(began) if call["id"].startswith("/subscriptions/")})
        yield Row(f"nothing to change, {count} resources", unchanged, "s", "limit", UNCHANGED_LIMIT, 1)
        peer = os.environ.get("HUB_BENCH_AZCOLLECTION")
        if peer:
            say("the same resources by azure.azcollection")
            tasks = azcollection.seconds(Path(peer), cloud.environment, cloud.resources(), folder / "peer")
            yield Row("nothing to change, the same resources", unchanged, "s", "azure.azcollection", tasks, 1 / 20)
        else:
            say("azure.azcollection is left out: HUB_BENCH_AZCOLLECTION names no environment")

        say(f"{POOLS} node pools")
        cloud.latency(1)
        cloud.dial("PATCH", "/settings", {"vnet_ownership": OWNERSHIP})
        cloud.dial("PATCH", "/quota", {"cores": 1_000_000, "standardESv5Family": 1_000_000})
        pools = [
            {"name": f"p{number}", "purpose": "user", "vm_size": "Standard_E8s_v5", "min": 0, "max": 3}
            for number in range(POOLS)
        ]
        before = {found["id"].lower() for found in cloud.resources()}
        began = time.time()
        seconds = cloud.playbook("playbooks/node_pools.yml", node_pools_pools=pools)
        new = [found for found in cloud.resources() if found["id"].lower() not in before]
        # Of one network's pools no two can be begun within that time.
        path = critical_path(new, cloud.operations(since=began)) + (len(new) - 1) * OWNERSHIP
        yield Row(f"{POOLS} node pools", seconds, "s", "critical path of the latencies", path, 1.1)

    yield from hubs(folder)


def hubs(folder: Path) -> Iterator[Row]:
    """One hub alone, then many hosts of one inventory, each a hub of its own."""
    say(f"{HUBS} hubs side by side")
    seconds: dict[int, float] = {}
    for number in (1, HUBS):
        inventory = folder / f"inventory-{number}"
        (inventory / "group_vars").mkdir(parents=True)
        (inventory / "group_vars" / "all").symlink_to(CHECKOUT / "inventories/sandbox/group_vars/all")
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        names = {f"hub{index}": host for index in range(number)}
        (inventory / "hosts.yml").write_text(json.dumps({"all": {"hosts": names}}), encoding="utf-8")
        with stand_in(folder / f"azure-{number}") as cloud:
            cloud.latency(SCALE / 2)
            cloud.dial("PATCH", "/quota", {"cores": 1_000_000, "standardESv5Family": 1_000_000})
            seconds[number] = cloud.playbook("playbooks/infrastructure.yml", inventory=inventory)
    yield Row(f"{HUBS} hubs from nothing", seconds[HUBS], "s", "one hub alone", seconds[1], 2)


@dataclass
class Cloud:
    """A stand-in of this benchmark."""

    directory: Path
    environment: dict[str, str]

    def dial(self, method: str, path: str, body: Any = None) -> Any:
        return json.loads(launch(self.directory, "dial", method, path, *([json.dumps(body)] if body else [])))

    def latency(self, scale: float) -> None:
        self.dial("PATCH", "/latency", {"scale": scale})

    def calls(self, since: float) -> list[dict[str, Any]]:
        """What was asked: [{method, id, start, end}], times in seconds since 1970."""
        found: list[dict[str, Any]] = self.dial("GET", f"/calls?since={since}")
        return found

    def operations(self, since: float) -> dict[str, float]:
        """How long each resource was being written, by its id in lower case."""
        took: dict[str, float] = {}
        for entry in self.calls(since):
            if entry["method"] in ("PUT", "PATCH"):
                key = entry["id"].partition("?")[0].lower()
                took[key] = max(took.get(key, 0.0), entry["end"] - entry["start"])
        return took

    def resources(self) -> list[dict[str, Any]]:
        """All resources as Azure answers them, but for what Azure made by itself or shows inside others."""
        found: list[dict[str, Any]] = self.dial("GET", "/resources")
        groups = {str((one.get("properties") or {}).get("nodeResourceGroup")).lower() for one in found}
        return [
            one for one in found if one["type"] not in BY_ITSELF and f"{one['id']}/".lower().split("/")[4] not in groups
        ]

    def playbook(self, *names: str, inventory: Path | None = None, changed: bool = True, **variables: Any) -> float:
        """Run playbooks; their seconds."""
        command = [str(BIN / "ansible-playbook"), *names, "-i", str(inventory or "inventories/sandbox")]
        command += ["-e", json.dumps({"sandbox_azure": str(self.directory), **variables})]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        start = time.monotonic()
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        seconds = time.monotonic() - start
        if done.returncode or (not changed and not re.search(r"changed=0 ", done.stdout)):
            sys.exit(f"{' '.join(command)}\nfailed in the benchmark:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        return seconds


def launch(directory: Path, *words: str) -> str:
    command = [sys.executable, str(CHECKOUT / "sandbox/azure/launch.py"), *words, "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed in the benchmark: {done.stderr}")
    return done.stdout


@contextmanager
def stand_in(directory: Path) -> Iterator[Cloud]:
    launch(directory, "start")
    try:
        yield Cloud(directory, json.loads(launch(directory, "env", "--format", "json")))
    finally:
        launch(directory, "stop")


def needs(one: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The ids of what must be there before a resource can be written: what it mentions, in ids or in values."""
    text = json.dumps(one).lower()
    own = one["id"].lower()
    found = set()
    for key, other in others.items():
        if key == own or key.startswith(f"{own}/"):
            continue
        if own.startswith(f"{key}/") or f'"{key}"' in text or any(f'"{value}"' in text for value in outputs(other)):
            found.add(key)
    return found


def outputs(resource: Mapping[str, Any]) -> Iterator[str]:
    """What only Azure knows of a resource and others are given."""
    properties = resource.get("properties") or {}
    for value in (
        properties.get("principalId") if "clientId" in properties else None,
        ((properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("objectId"),
        (properties.get("oidcIssuerProfile") or {}).get("issuerURL"),
    ):
        if value:
            yield str(value).lower()


def critical_path(resources: list[dict[str, Any]], took: Mapping[str, float]) -> float:
    """Seconds of the longest chain."""
    by_id = {found["id"].lower(): found for found in resources}
    edges = {key: needs(found, by_id) for key, found in by_id.items()}
    for key, found in by_id.items():
        if found.get("type", "").lower() == "microsoft.containerservice/managedclusters":
            identities = {name.lower() for name in (found.get("identity") or {}).get("userAssignedIdentities") or {}}
            principals = {str((by_id.get(name) or {}).get("properties", {}).get("principalId")) for name in identities}
            # AKS looks at the rights of the cluster's own identity.
            edges[key] |= {
                other
                for other, row in by_id.items()
                if "/roleassignments/" in other and row["properties"]["principalId"] in principals
            }
    lengths: dict[str, float] = {}

    def length(key: str, above: frozenset[str] = frozenset()) -> float:
        if key not in lengths:
            longest = max((length(other, above | {key}) for other in edges[key] - above), default=0.0)
            lengths[key] = took.get(key, 0.0) + longest
        return lengths[key]

    return max((length(key) for key in by_id), default=0.0)


def installed_size() -> float:
    """Megabytes of the Azure SDK parts where this Python finds them."""
    total = 0
    for base in {Path(entry) for entry in sys.path if entry.endswith("site-packages")}:
        for part in SDK_PARTS:
            total += sum(path.stat().st_size for path in (base / part).rglob("*") if path.is_file())
    return total / 1e6


def say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)
