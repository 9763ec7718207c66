# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _purposes as purposes

POOLS = ("core", "user", "worker", "gpu_user", "gpu_worker")
CPU_ONLY = ("core", "user", "worker", "scheduler")


def meets(labels: dict[str, str], expression: dict[str, Any]) -> bool:
    """Kubernetes' rule for node selector expressions."""
    found = labels.get(expression["key"])
    return (found in expression["values"]) == (expression["operator"] == "In")


def admits(labels: dict[str, str], taints: list[dict[str, str]], pod: str, match: str) -> bool:
    """Whether a pod of a purpose may run on a node with these labels and taints."""
    (term,) = purposes.required_terms(pod, match)
    tolerated = [{key: item[key] for key in ("key", "value", "effect")} for item in purposes.tolerations(pod)]
    return all(meets(labels, expression) for expression in term["matchExpressions"]) and all(
        taint in tolerated for taint in taints
    )


def on_pool(pool: str, pod: str, match: str, spot: bool = False) -> bool:
    return admits(purposes.labels(pool, spot), purposes.taints(pool, spot), pod, match)


# Where pods of each purpose may run when every purpose has its pool and labels are required; worker pools are spot.
WHERE = {
    "core": {"core"},
    "user": {"user"},
    "worker": {"worker"},
    "gpu_user": {"gpu_user"},
    "gpu_worker": {"gpu_worker"},
    "scheduler": {"core", "user"},
}


@pytest.mark.parametrize("pod", purposes.PURPOSES)
def test_required(pod: str) -> None:
    found = {pool for pool in POOLS if on_pool(pool, pod, "require", spot=pool.endswith("worker"))}
    assert found == WHERE[pod]


@pytest.mark.parametrize("match", purposes.MATCHES)
@pytest.mark.parametrize("pod", CPU_ONLY)
def test_without_gpu_never_on_gpu_nodes(pod: str, match: str) -> None:
    for pool in ("gpu_user", "gpu_worker"):
        for spot in (False, True):
            assert not on_pool(pool, pod, match, spot)


@pytest.mark.parametrize("match", purposes.MATCHES)
def test_gpu_only_on_gpu_nodes(match: str) -> None:
    assert {pool for pool in POOLS if on_pool(pool, "gpu_user", match)} == {"gpu_user"}
    assert {pool for pool in POOLS if on_pool(pool, "gpu_worker", match, spot=True)} == {"gpu_worker"}


@pytest.mark.parametrize("match", ["prefer", "ignore"])
@pytest.mark.parametrize("pod", CPU_ONLY)
def test_a_cluster_without_labels_serves_everything_but_gpus(pod: str, match: str) -> None:
    assert admits({}, [], pod, match)
    assert not admits({}, [], f"gpu_{'user' if pod == 'user' else 'worker'}", match)


@pytest.mark.parametrize("pod", ["core", "user", "gpu_user", "scheduler"])
def test_nothing_with_state_runs_on_spot_nodes(pod: str) -> None:
    assert not admits(purposes.SPOT_LABELS, [purposes.SPOT_TAINT], pod, "ignore")


@pytest.mark.parametrize("purpose", ["user", "gpu_user"])
def test_both_spellings_of_a_taint_are_tolerated(purpose: str) -> None:
    keys = {item["key"] for item in purposes.tolerations(purpose)}
    assert {"hub.jupyter.org/dedicated", "hub.jupyter.org_dedicated"} <= keys


def test_preferred_only_when_preferred() -> None:
    assert purposes.preferred_terms("user", "require") == purposes.preferred_terms("user", "ignore") == []
    (term,) = purposes.preferred_terms("user", "prefer")
    assert term["preference"]["matchExpressions"] == [
        {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}
    ]


def test_what_is_given_out_is_not_the_table() -> None:
    purposes.required_terms("user", "require")[0]["matchExpressions"][0]["values"].append("changed")
    purposes.taints("user")[0]["key"] = "changed"
    purposes.labels("user")["changed"] = "changed"
    assert "changed" not in str(purposes.PURPOSES)
