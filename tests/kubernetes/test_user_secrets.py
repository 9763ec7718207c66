# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users' variables as Secrets of a real API server, with no more rights than the jupyterhub chart gives its hub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")

from hub_extensions import kubernetes_store
from hub_extensions.kubernetes_store import KubernetesStore
from hub_extensions.user_secrets import StoreError, store_name
from kubernetes_asyncio import client, config

from kubernetes_api_server import ApiServer

NAMESPACE = "users"
ADA = "ada+x@example.org"
# jupyterhub 4.4.0, templates/hub/rbac.yaml.
RULES = [
    {
        "apiGroups": [""],
        "resources": ["pods", "persistentvolumeclaims", "secrets", "services"],
        "verbs": ["get", "watch", "list", "create", "delete"],
    }
]
Run = Callable[[Callable[[Any], Coroutine[Any, Any, Any]]], Any]


def with_api(kubeconfig: Path, step: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """Run a step with a client of the API server."""

    async def run() -> Any:
        found = client.Configuration()
        await config.load_kube_config(str(kubeconfig), client_configuration=found)
        async with client.ApiClient(found) as api:
            return await step(client.CoreV1Api(api))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def admin(api_server: ApiServer) -> Run:
    return lambda step: with_api(api_server.kubeconfig(), step)


@pytest.fixture(scope="module")
def hub(api_server: ApiServer, admin: Run) -> Run:
    """What is run as the hub, whose rights are those of the chart."""

    async def allow(api: Any) -> None:
        await api.create_namespace({"metadata": {"name": NAMESPACE}})
        rights = client.RbacAuthorizationV1Api(api.api_client)
        await rights.create_namespaced_role(NAMESPACE, {"metadata": {"name": "hub"}, "rules": RULES})
        await rights.create_namespaced_role_binding(
            NAMESPACE,
            {
                "metadata": {"name": "hub"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "hub"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "guest"}],
            },
        )

    admin(allow)
    return lambda step: with_api(api_server.kubeconfig("guest"), step)


def on_store(method: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
    """A step that calls a method of the store."""
    return lambda api: method(KubernetesStore(api, NAMESPACE), *arguments)


def test_a_users_variables(hub: Run, admin: Run) -> None:
    async def live(api: Any) -> list[Any]:
        found = await api.list_namespaced_secret(
            NAMESPACE, label_selector="app.kubernetes.io/component=user-environment"
        )
        return list(found.items)

    assert hub(on_store(KubernetesStore.read, ADA)) == {}
    uids = set()
    for values in ({"KEY": "$1 {x}\nü"}, {"KEY": "$1 {x}\nü"}, {"OTHER": "2"}, {}):
        hub(on_store(KubernetesStore.write, ADA, values))
        assert hub(on_store(KubernetesStore.read, ADA)) == values
        (secret,) = admin(live)
        uids.add(secret.metadata.uid)
    # Made anew only when something changed.
    assert len(uids) == 3
    assert secret.metadata.name == store_name(ADA)
    assert secret.metadata.labels["hub.jupyter.org/username"].startswith("ada-x-example-org---")
    assert secret.metadata.annotations == {"hub.jupyter.org/username": ADA}
    for _ in range(2):
        hub(on_store(KubernetesStore.forget, ADA))
        assert admin(live) == []


def test_fifty_users_at_once(hub: Run) -> None:
    users = [f"user-{number}@example.org" for number in range(50)]

    async def all_of_them(store: KubernetesStore) -> list[dict[str, str]]:
        await asyncio.gather(*(store.write(user, {"KEY": user}) for user in users))
        found = await asyncio.gather(*(store.read(user) for user in users))
        await asyncio.gather(*(store.forget(user) for user in users))
        return list(found)

    assert hub(lambda api: all_of_them(KubernetesStore(api, NAMESPACE))) == [{"KEY": user} for user in users]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": kubernetes_store.OWNER, "annotations": {"hub.jupyter.org/username": "somebody-else"}},
        {"annotations": {"hub.jupyter.org/username": "bob"}},
    ],
)
def test_what_is_not_the_hubs_is_left_alone(hub: Run, admin: Run, metadata: dict[str, Any]) -> None:
    secret = {"metadata": {"name": store_name("bob"), **metadata}, "stringData": {"THEIRS": "x"}}
    admin(lambda api: api.create_namespaced_secret(NAMESPACE, secret))
    try:
        for step in (KubernetesStore.read, KubernetesStore.forget):
            with pytest.raises(StoreError, match=r"The Secret user-environment-bob-\w+ in the namespace users is not"):
                hub(on_store(step, "bob"))
        assert admin(lambda api: api.read_namespaced_secret(store_name("bob"), NAMESPACE)).data == {"THEIRS": "eA=="}
    finally:
        admin(lambda api: api.delete_namespaced_secret(store_name("bob"), NAMESPACE))


def test_no_right_is_a_sentence_without_values(api_server: ApiServer) -> None:
    with pytest.raises(StoreError) as error:
        with_api(
            api_server.kubeconfig("guest"),
            lambda api: KubernetesStore(api, "kube-system").write(ADA, {"KEY": "hunter2"}),
        )
    wanted = "The Kubernetes API server answered 403 about a user's Secret in the namespace kube-system."
    assert str(error.value) == wanted
    assert error.value.__cause__ is None and error.value.__suppress_context__


def test_an_api_server_that_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kubernetes_store, "TIMEOUT", 0.5)
    away = tmp_path / "kubeconfig"
    away.write_text(
        json.dumps(
            {
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
                "users": [{"name": "c", "user": {}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            }
        )
    )
    with pytest.raises(StoreError, match=r"did not answer \(ClientConnectorError\)"):
        with_api(away, lambda api: KubernetesStore(api, NAMESPACE).read(ADA))
