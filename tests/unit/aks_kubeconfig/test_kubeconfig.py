# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What AKS answers, and the kubeconfig that comes of it."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils import _aks_kubeconfig as aks

from unit.local.modules import run

SERVER = "https://hub-dns-1a2b.hcp.westeurope.azmk8s.io:443"
KUBELOGIN = {
    "apiVersion": "client.authentication.k8s.io/v1beta1",
    "command": "kubelogin",
    "args": [
        *("get-token", "--environment", "AzurePublicCloud", "--server-id", aks.SERVER_ID),
        *("--client-id", "80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id", "tenant", "--login", "devicecode"),
    ],
}
PROVIDER = {"name": "azure", "config": {"apiserver-id": aks.SERVER_ID, "tenant-id": "tenant", "config-mode": "1"}}
CERTIFICATE = {"client-certificate-data": "Y2VydA==", "client-key-data": "a2V5", "token": "0123abcd"}


def answer(user: dict[str, Any]) -> dict[str, Any]:
    """What AKS sends for a user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "hub", "cluster": {"server": SERVER, "certificate-authority-data": "Y2E="}}],
        "users": [{"name": "clusterUser_group_hub", "user": user}],
        "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "clusterUser_group_hub"}}],
        "current-context": "hub",
    }
    return {
        "kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(yaml.safe_dump(config).encode()).decode()}]
    }


@pytest.mark.parametrize(
    ("user", "tenant"),
    [({"exec": KUBELOGIN}, "tenant"), ({"auth-provider": PROVIDER}, "tenant"), (CERTIFICATE, ""), ({"exec": {}}, "")],
)
def test_what_aks_answers(user: dict[str, Any], tenant: str) -> None:
    access = aks.access_of(answer(user))
    assert (access.server, access.tenant, access.entra) == (SERVER, tenant, bool(tenant))
    assert access.server_id == aks.SERVER_ID
    assert access.cluster["certificate-authority-data"] == "Y2E="


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kubeconfigs": []},
        {"kubeconfigs": None},
        {"kubeconfigs": [{"name": "clusterUser", "value": "%"}]},
        {"kubeconfigs": [{"value": base64.b64encode(b"clusters: []").decode()}]},
        {"kubeconfigs": [{"value": base64.b64encode(b"[1").decode()}]},
        None,
    ],
)
def test_an_answer_without_a_kubeconfig_is_one_sentence(broken: Any) -> None:
    with pytest.raises(aks.Refused, match="AKS answered without a kubeconfig"):
        aks.access_of(broken)


def test_the_entry_of_the_credential_plugin_holds_no_secret_and_no_variable() -> None:
    access = aks.access_of(answer({"exec": KUBELOGIN}))
    user = aks.exec_user("/venv/bin/python", Path("/srv/hub.token.py"), access, "login.microsoftonline.us", "identity")
    assert user["exec"] == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/venv/bin/python",
        "args": [
            "/srv/hub.token.py",
            "--tenant-id=tenant",
            f"--server-id={aks.SERVER_ID}",
            "--authority=login.microsoftonline.us",
            "--client-id=identity",
            "--cache=/srv/hub.token.json",
        ],
        "env": None,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
        "installHint": "azure-identity is needed: /venv/bin/python -m pip install azure-identity",
    }


def test_what_is_secret_is_never_shown() -> None:
    document = aks.kubeconfig(aks.access_of(answer(CERTIFICATE)), "hub", CERTIFICATE)
    shown = aks.as_text(aks.masked(document))
    assert not any(secret in shown for secret in CERTIFICATE.values())
    assert SERVER in shown
    # The original is left alone.
    assert document["users"][0]["user"] == CERTIFICATE


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"token": "a"}, {"token": "b"}, True),
        ({"token": "a"}, {"exec": {}}, False),
        # A certificate's key and its token belong together: neither differs from call to call.
        (CERTIFICATE, CERTIFICATE | {"client-key-data": "bmV3"}, False),
        (CERTIFICATE, CERTIFICATE | {"token": "new"}, False),
    ],
)
def test_a_fixed_token_is_no_difference(before: dict[str, Any], after: dict[str, Any], same: bool) -> None:
    access = aks.access_of(answer(CERTIFICATE))
    left, right = (aks.lasting(aks.kubeconfig(access, "hub", user)) for user in (before, after))
    assert (left == right) is same


@pytest.mark.parametrize("text", ["", "[1", "just text", "users: 3", "users: [3]", "users: [{user: 4}]"])
def test_a_file_that_is_no_kubeconfig_is_no_crash(text: str) -> None:
    found = aks.from_text(text)
    assert aks.lasting(found) != aks.kubeconfig(aks.access_of(answer(CERTIFICATE)), "hub", {})
    assert isinstance(aks.as_text(aks.masked(found)), str)


def test_a_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hub.kubeconfig"
    aks.write(path, "one")
    aks.write(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["hub.kubeconfig"]


def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "shared"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(aks.Refused, match=r"can be written by others \(drwxrwxrwx\)"):
        aks.write(open_to_all / "hub.kubeconfig", "text")
    assert list(open_to_all.iterdir()) == []


def test_a_path_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(aks.Refused, match=r"cannot be written \(.*\); name another path"):
        aks.write(tmp_path / "file" / "hub.kubeconfig", "text")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "state is present but any of the following are missing: cluster_id, resource_group"),
        ({"cluster_id": "hub"}, "cluster_id is 'hub', which is no cluster's id; give the full id of the AKS cluster."),
        ({"resource_group": "group"}, "parameters are required together: resource_group, cluster_name"),
        (
            {"resource_group": "group", "cluster_name": "hub"},
            "subscription_id is not given; set it, or AZURE_SUBSCRIPTION_ID, or give cluster_id.",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], sentence: str
) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    result = run("aks_kubeconfig", path=str(tmp_path / "config"), **arguments)
    assert result["failed"] and sentence in result["msg"]


def test_absent_removes_all_that_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "hub.kubeconfig"
    for file in aks.files_of(path):
        file.write_text("x")
    (tmp_path / "other.kubeconfig").write_text("x")
    seen = [
        run("aks_kubeconfig", check=check, path=str(path), state="absent")["changed"] for check in (True, False, True)
    ]
    assert seen == [True, True, False]
    assert [file.name for file in tmp_path.iterdir()] == ["other.kubeconfig"]
