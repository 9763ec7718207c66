# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a user does in a notebook to get Dask workers, step by step, as the guide shows it.

The smoke test sends this file to a kernel of the test user's server and then calls one function after the other; each
returns what was seen, never the value of a variable. Runs with whatever Python and Dask the user's image holds.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import Any

gateway: Any = None
cluster: Any = None
client: Any = None


def missing(names: list[str]) -> list[str]:
    """The names that no environment variable of this process has, or only an empty one."""
    return [name for name in names if not os.environ.get(name)]


def notebook_environment(names: list[str]) -> dict[str, Any]:
    """What the notebook lacks of these variables, and the limits that its profile set."""
    limits = {name.lower(): os.environ.get(name, "") for name in ("CPU_LIMIT", "MEM_LIMIT")}
    return {"missing": missing(names), **limits}


def connect() -> dict[str, Any]:
    """Reach the gateway with nothing but what the hub put into the environment."""
    global gateway
    from dask_gateway import Gateway

    gateway = Gateway()
    return {"address": gateway.address, "clusters": [report.name for report in gateway.list_clusters()]}


def start_cluster(options: dict[str, Any]) -> dict[str, Any]:
    """A cluster with these options, the gateway's defaults for the others; returns when its scheduler answers."""
    global cluster, client
    chosen = gateway.cluster_options()
    for name, value in options.items():
        setattr(chosen, name, value)
    cluster = gateway.new_cluster(chosen)
    client = cluster.get_client()
    return {"name": cluster.name, "dashboard": cluster.dashboard_link, "worker_cores": chosen.get("worker_cores")}


def check_connection() -> None:
    if client.status != "running":
        raise ConnectionError("the connection to the scheduler is lost")


def scale(workers: int) -> dict[str, Any]:
    cluster.scale(workers)
    return {"asked": workers}


def worker_threads(seconds: float) -> dict[str, Any]:
    """Threads of each worker, after waiting so long for the first one."""
    until = time.monotonic() + seconds
    threads = client.nthreads()
    while not threads and time.monotonic() < until:
        time.sleep(0.1)
        threads = client.nthreads()
    return {"threads": list(threads.values()), "client": client.status}


def compute(count: int) -> dict[str, Any]:
    """The sum of the first squares in eight parts, and whether it was workers that computed it."""
    import dask.bag

    def square(number: int) -> int:
        return number * number

    def place(_number: int) -> str:
        return f"{socket.gethostname()} {os.getpid()}"

    check_connection()
    numbers = dask.bag.range(count, npartitions=8)
    total = client.compute(numbers.map(square).sum()).result()
    places = set(client.compute(numbers.map(place)).result())
    return {"total": int(total), "on_workers": place(0) not in places}


def cluster_environment(scheduler: list[str], worker: list[str]) -> dict[str, Any]:
    """What the scheduler and the workers lack of these variables."""
    check_connection()
    lacking = client.run(missing, worker)
    return {
        "workers": len(lacking),
        "scheduler": client.run_on_scheduler(missing, scheduler),
        "worker": sorted({name for names in lacking.values() for name in names}),
    }


def stop_cluster() -> dict[str, Any]:
    client.close()
    cluster.shutdown()
    return {"stopped": cluster.name}


def show(step: str, arguments: dict[str, Any]) -> None:
    """Run one step and print its result as one line of JSON."""
    print(json.dumps(globals()[step](**arguments)))
