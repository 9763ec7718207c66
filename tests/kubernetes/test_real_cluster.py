# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A real API server behind the stand-in for Azure: Azure's rights and lives of tokens, kept by the server itself."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_modules import Running, listener
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


def test_a_right_that_was_just_given_is_waited_for(aks: Aks, tmp_path: Path) -> None:
    aks.access(tmp_path / "config", auth="token")

    def begin(**more: Any) -> Running:
        wanted: dict[str, Any] = {"namespace": "patience", "secrets": [{"name": "one", "generate": {"token": 32}}]}
        return aks.cloud.begin("kubernetes_secrets", kubeconfig=str(tmp_path / "config"), **wanted, **more)

    def known() -> bool:
        # The stand-in tells the server of rights whenever somebody asks for a token.
        aks.access(tmp_path / "other", auth="token")
        return status(tmp_path / "other") == 200

    aks.let("absent")
    assert not known()
    # Nobody was given a right: there is nothing to wait for.
    refused = begin(cluster_id=aks.id, rights_timeout=60).result()
    assert 'the role "Azure Kubernetes Service RBAC Cluster Admin"' in refused["msg"] and "\n" not in refused["msg"]
    aks.cloud.dial("PATCH", "/spread", {"assignments": 3})
    try:
        aks.let("present")
        with listener(tmp_path / "progress") as path:
            waiting = begin(cluster_id=aks.id, rights_timeout=50, progress_file=str(path))
            aks.cloud.until(lambda: "was just given: waiting" in path.read_text(), "it is said what is waited for")
            aks.cloud.until(known, "the right is known")
            assert waiting.result()["changes"] == {"one": {"token": "generated"}}
    finally:
        aks.cloud.dial("PATCH", "/spread", {"assignments": None})


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
