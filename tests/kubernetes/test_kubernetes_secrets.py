# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""kubernetes_secrets against a real API server."""

from __future__ import annotations

import base64
import itertools
import os
from typing import Any

import pytest

from azure_modules import SERVER, Running
from kubernetes import client, config
from kubernetes_api_server import ApiServer

TOKEN = "jupyterhub-proxy-secret-token"
NUMBERS = itertools.count()
MAIN = {"name": "hub-secrets", "generate": {TOKEN: 32}, "copies": {"hub.services.x.apiToken": TOKEN}}
CHART = {
    "name": "hub",
    "release": "dask",
    "exact": False,
    "copies": {"hub.config.ConfigurableHTTPProxy.auth_token": f"hub-secrets/{TOKEN}"},
}


def run(check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module."""
    arguments |= {"_ansible_check_mode": check, "_ansible_diff": True}
    return Running(SERVER.run("kubernetes_secrets", dict(os.environ)), arguments).result()


def coded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


class Namespace:
    """A namespace that does not exist yet, and the module at it."""

    def __init__(self, server: ApiServer) -> None:
        self.name = f"hub-{next(NUMBERS)}"
        self.kubeconfig = str(server.kubeconfig())
        loader: Any = config.new_client_from_config
        self.api: Any = client.CoreV1Api(loader(self.kubeconfig))

    def run(self, *secrets: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        chosen: dict[str, Any] = {"kubeconfig": self.kubeconfig, "namespace": self.name, **arguments}
        result = run(secrets=list(secrets), **chosen)
        # Whatever is stored is in no result.
        for values in self.stored().values():
            assert not any(value in str(result) or coded(value) in str(result) for value in values.values() if value)
        return result

    def stored(self) -> dict[str, dict[str, str]]:
        """Secret to its values, decoded."""
        found = self.api.list_namespaced_secret(self.name).items
        return {
            one.metadata.name: {key: base64.b64decode(value).decode() for key, value in (one.data or {}).items()}
            for one in found
        }

    def secret(self, name: str) -> Any:
        return self.api.read_namespaced_secret(name, self.name)


@pytest.fixture
def namespace(api_server: ApiServer) -> Namespace:
    return Namespace(api_server)


def test_check_and_real_runs_agree_and_the_second_changes_nothing(namespace: Namespace) -> None:
    planned = namespace.run(MAIN, CHART, check=True)
    assert planned["changed"] and planned["namespace_created"] and namespace.stored() == {}
    done = namespace.run(MAIN, CHART, namespace_labels={"a": "b"})
    assert done["changes"] == planned["changes"] and done["diff"] == planned["diff"]
    assert namespace.api.read_namespace(namespace.name).metadata.labels["a"] == "b"
    stored = namespace.stored()
    (value,) = {*stored["hub-secrets"].values(), *stored["hub"].values()}
    assert len(value) == 64
    for check in (True, False):
        assert not namespace.run(MAIN, CHART, check=check)["changed"]
    assert namespace.stored() == stored


def test_given_values_win_change_and_leave_with_their_key(namespace: Namespace) -> None:
    namespace.run({"name": "hub-secrets", "data": {"a": coded("first-value"), "b": coded("second-value")}})
    changed = namespace.run(
        {"name": "hub-secrets", "data": {"a": coded("other-value")}, "generate": {"a": 32, "c": 32}}
    )
    assert changed["changes"] == {"hub-secrets": {"a": "changed", "b": "removed", "c": "generated"}}
    assert namespace.stored()["hub-secrets"]["a"] == "other-value"


def test_only_what_is_named_is_rotated_and_copies_follow(namespace: Namespace) -> None:
    both = {**MAIN, "generate": {TOKEN: 32, "other": 32}}
    before = namespace.run(both, CHART, digests={"hub": [TOKEN], "rest": ["other"]})
    stored = namespace.stored()
    after = namespace.run(both, CHART, rotate=[TOKEN], digests={"hub": [TOKEN], "rest": ["other"]})
    assert after["changes"]["hub-secrets"] == {TOKEN: "rotated", "hub.services.x.apiToken": "changed"}
    now = namespace.stored()
    assert now["hub-secrets"]["other"] == stored["hub-secrets"]["other"]
    assert [*now["hub"].values()] == [now["hub-secrets"][TOKEN]] != [*stored["hub"].values()]
    assert after["digests"]["hub"] != before["digests"]["hub"] and after["digests"]["rest"] == before["digests"]["rest"]


def test_what_helm_owns_is_kept_beside_the_token(namespace: Namespace) -> None:
    namespace.run(MAIN, CHART)
    meta = namespace.secret("hub").metadata
    assert meta.labels["app.kubernetes.io/managed-by"] == "Helm"
    assert meta.annotations == {
        "meta.helm.sh/release-name": "dask",
        "meta.helm.sh/release-namespace": namespace.name,
    }
    namespace.api.patch_namespaced_secret(
        "hub", namespace.name, {"metadata": {"labels": {"chart": "c"}}, "data": {"values.yaml": coded("chart-value")}}
    )
    assert not namespace.run(MAIN, CHART)["changed"]
    namespace.run(MAIN, CHART, rotate=[TOKEN])
    assert namespace.stored()["hub"]["values.yaml"] == "chart-value"
    assert namespace.secret("hub").metadata.labels["chart"] == "c"


def test_what_a_chart_made_up_before_is_taken_over(namespace: Namespace) -> None:
    auth, gateway = "hub.config.ConfigurableHTTPProxy.auth_token", "hub.services.x.apiToken"
    namespace.api.create_namespace({"metadata": {"name": namespace.name}})
    meta = {
        "name": "hub",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "dask", "meta.helm.sh/release-namespace": namespace.name},
    }
    made_up = {auth: "the-chart-made-this-up", "values.yaml": "chart-value"}
    namespace.api.create_namespaced_secret(namespace.name, {"metadata": meta, "stringData": made_up})
    main = {**MAIN, "generate": {TOKEN: 32, "service": 32}, "copies": {gateway: "service"}}
    main["adopt"] = {TOKEN: f"hub/{auth}", "service": f"hub/{gateway}"}
    chart = {**CHART, "copies": {auth: f"hub-secrets/{TOKEN}", gateway: "hub-secrets/service"}}
    done = namespace.run(main, chart)
    # Nobody who is signed in notices; what the chart had not made up is generated.
    assert done["changes"]["hub-secrets"] == {TOKEN: "taken over", "service": "generated", gateway: "added"}
    assert done["changes"]["hub"] == {gateway: "added"}
    assert namespace.stored()["hub"][auth] == namespace.stored()["hub-secrets"][TOKEN] == made_up[auth]
    assert not namespace.run(main, chart)["changed"]
    assert namespace.run(main, chart, rotate=[TOKEN])["changes"]["hub-secrets"] == {TOKEN: "rotated"}


def test_the_secret_of_another_release_is_refused_before_anything_is_written(namespace: Namespace) -> None:
    namespace.run(MAIN, CHART)
    stored = namespace.stored()
    result = namespace.run(MAIN, {**CHART, "release": "other"}, rotate=[TOKEN])
    assert result["msg"] == (
        f"The Secret hub in the namespace {namespace.name} belongs to the Helm release dask, not to other; choose"
        " another namespace, or uninstall that release."
    )
    assert namespace.stored() == stored


def test_a_type_is_changed_only_for_what_is_ours(namespace: Namespace) -> None:
    tls = {
        "name": "hub-tls",
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": coded("the-chain"), "tls.key": coded("the-key")},
    }
    namespace.run({"name": "hub-tls", "data": {"x": coded("some-value")}})
    assert namespace.run(tls)["changed"] and namespace.secret("hub-tls").type == "kubernetes.io/tls"
    body = {"metadata": {"name": "foreign"}, "stringData": {"x": "some-value"}}
    namespace.api.create_namespaced_secret(namespace.name, body)
    result = namespace.run({**tls, "name": "foreign"})
    assert "is somebody else's and not of the type kubernetes.io/tls" in result["msg"]


def test_what_only_people_have_is_one_error_until_somebody_wrote_it(namespace: Namespace) -> None:
    entry = {**MAIN, "required": {"pc-id-token": "set it", "id-client-secret": "set that too"}}
    refused = namespace.run(entry)
    assert refused["msg"].splitlines()[1:] == ["  pc-id-token: set it", "  id-client-secret: set that too"]
    assert namespace.stored() == {}
    namespace.run({"name": "hub-secrets", "data": {"pc-id-token": coded("people-value")}})
    namespace.run({**entry, "data": {"id-client-secret": coded("client-value")}})
    assert namespace.stored()["hub-secrets"]["pc-id-token"] == "people-value"


def test_a_missing_right_is_one_sentence(namespace: Namespace, api_server: ApiServer) -> None:
    result = namespace.run(MAIN, kubeconfig=str(api_server.kubeconfig("guest")))
    assert result["msg"].startswith(
        'The Secrets cannot be brought about: secrets "hub-secrets" is forbidden: User "guest"'
    )
    assert result["msg"].endswith(
        'give it that right, or in AKS the role "Azure Kubernetes Service RBAC Cluster Admin".'
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be used (Invalid kube-config file. No configuration found); name another one."),
        ("clusters: 1", "cannot be used ("),
    ],
)
def test_a_kubeconfig_that_is_none_is_one_sentence(
    namespace: Namespace, tmp_path: Any, content: str | None, sentence: str
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    result = run(kubeconfig=str(path), namespace=namespace.name, secrets=[MAIN])
    assert result["msg"].startswith(f"The kubeconfig {path} {sentence}") and "\n" not in result["msg"]
