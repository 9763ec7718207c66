# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The API server that all tests here share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubernetes_api_server import ApiServer, programs


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A server without any object of ours; ``guest`` has no rights."""
    found = programs()
    if found is None:
        pytest.skip("etcd and kube-apiserver are neither in KUBEBUILDER_ASSETS nor on PATH")
    server = ApiServer(tmp_path_factory.mktemp("kubernetes"), found).with_user("guest")
    try:
        yield server.start()
    finally:
        server.stop()
