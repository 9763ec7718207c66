# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real API server behind the stand-in for Azure: Azure's rights and lives of tokens, kept by the server itself."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kubernetes_api_server import ApiServer
from real_aks import MEMORY, Aks, real_aks
from stand_in import ENVIRONMENT, StandIn


@pytest.fixture(scope="module")
def aks(api_server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aks]:
    """The API server as a cluster of AKS."""
    with real_aks(api_server.kubeconfig(), tmp_path_factory.mktemp("azure")) as found:
        yield found


def status(kubeconfig: Path) -> int:
    """The server's answer to whoever lists the nodes with the token of a kubeconfig."""
    found = yaml.safe_load(kubeconfig.read_text())
    server, token = found["clusters"][0]["cluster"]["server"], found["users"][0]["user"]["token"]
    request = urllib.request.Request(f"{server}/api/v1/nodes", headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),  # noqa: S323
    )
    try:
        with opener.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_rights_in_azure_are_rights_in_the_cluster(aks: Aks, tmp_path: Path) -> None:
    seen = []
    for state in ("", "absent", "present"):
        if state:
            aks.let(state)
        aks.access(tmp_path / "config", auth="token")
        seen.append(status(tmp_path / "config"))
    assert seen == [200, 403, 200]


def test_the_server_ends_a_short_life(aks: Aks, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("long", "short", "unended")]
    aks.access(paths[0], auth="token")
    aks.cloud.dial("PATCH", "/tokens", {"lifetime": 2})
    aks.access(paths[1], auth="token")
    assert status(paths[1]) == 200
    aks.access(paths[2], auth="token")
    # Even if the stand-in goes away: the next one ends what is due.
    aks.stand_in.stop()
    aks.stand_in.start("--latency", "0", "--kubeconfig", str(aks.owner))
    aks.cloud.dial("PATCH", "/tokens", {"lifetime": 3600})
    aks.cloud.until(lambda: status(paths[1]) == status(paths[2]) == 401, "tokens end", limit=MEMORY)
    assert status(paths[0]) == 200


def test_the_owner_only_where_local_accounts_are_allowed(aks: Aks, tmp_path: Path) -> None:
    begun = aks.cloud.begin("aks_kubeconfig", cluster_id=aks.id, path=str(tmp_path / "config"), auth="admin")
    assert "local accounts switched off" in begun.result()["msg"]


def test_a_cluster_that_is_not_there(aks: Aks, tmp_path: Path) -> None:
    kubeconfig = yaml.safe_load(aks.owner.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "config").write_text(yaml.safe_dump(kubeconfig))
    done = StandIn(tmp_path / "azure").launch(
        "start", "--venv", str(ENVIRONMENT / "venv"), "--kubeconfig", str(tmp_path / "config")
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "The API server https://127.0.0.1:1 is not reached ([Errno 111] Connection refused)."
    )
