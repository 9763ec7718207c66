# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The real cluster of KUBECONFIG, handed out by a stand-in for Azure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from real_aks import Aks, real_aks

#: What the stand-in leaves in the cluster.
TRACES = "app.kubernetes.io/managed-by=azure-stand-in"


@pytest.fixture(scope="session")
def owner() -> Path:
    """The kubeconfig of a cluster's cluster-admin; one that may be tried on."""
    given = os.environ.get("KUBECONFIG", "")
    if not given:
        pytest.skip("KUBECONFIG names no cluster to try on: make e2e KUBECONFIG=<file of its cluster-admin>")
    for program in ("kubectl", "helm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    return Path(given).resolve()


@pytest.fixture(scope="session")
def aks(owner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aks]:
    """The cluster."""
    with real_aks(owner, tmp_path_factory.mktemp("azure")) as found:
        yield found
        found.kubectl("delete", "namespaces,clusterrolebindings", "--selector", TRACES, "--wait=false")


@pytest.fixture
def namespace(aks: Aks) -> Iterator[str]:
    """A namespace of this test alone."""
    name = f"e2e-{os.urandom(4).hex()}"
    aks.kubectl("create", "namespace", name)
    yield name
    aks.kubectl("delete", "namespace", name, "--wait=false")
