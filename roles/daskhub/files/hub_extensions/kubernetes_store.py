# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users' secret variables as Kubernetes Secrets, through the client that KubeSpawner has.

Needs no more rights than the jupyterhub chart gives the hub, who may create and delete Secrets but not change them: a
changed Secret is deleted and made again.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from kubernetes_asyncio.client import V1DeleteOptions, V1ObjectMeta, V1Preconditions, V1Secret
from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner.slugs import is_valid_label, safe_slug

from hub_extensions.user_secrets import StoreError, store_name

USERNAME = "hub.jupyter.org/username"
# Whose Secrets these are, so that they can be listed and are never mistaken for others.
OWNER = {"app.kubernetes.io/managed-by": "jupyterhub", "app.kubernetes.io/component": "user-environment"}

# Seconds: for one request, and for all attempts at it.
REQUEST_TIMEOUT = 5.0
TIMEOUT = 20.0


class KubernetesStore:
    """One Secret a user in the namespace of the users' pods.

    Args:
        api: CoreV1Api of kubernetes_asyncio.
        namespace: of the users' servers and of their Dask clusters.
    """

    def __init__(self, api: Any, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def read(self, user: str) -> dict[str, str]:
        """What is kept for a user; nothing when there is no Secret."""
        found = await self._found(user)
        return {} if found is None else _values(found)

    async def write(self, user: str, variables: dict[str, str]) -> None:
        """Keep these variables and no others."""
        found = await self._found(user)
        if found is not None:
            if _values(found) == variables:
                return
            await self._delete(found)
        await self._ask(self.api.create_namespaced_secret, self.namespace, self._secret(user, variables))

    async def forget(self, user: str) -> None:
        found = await self._found(user)
        if found is not None:
            await self._delete(found)

    def _secret(self, user: str, variables: dict[str, str]) -> V1Secret:
        metadata = V1ObjectMeta(
            name=store_name(user),
            labels={**OWNER, USERNAME: safe_slug(user, is_valid=is_valid_label)},
            annotations={USERNAME: user},
        )
        data = {name: base64.b64encode(value.encode()).decode() for name, value in variables.items()}
        return V1Secret(metadata=metadata, type="Opaque", data=data)

    async def _found(self, user: str) -> V1Secret | None:
        try:
            found = await self._ask(self.api.read_namespaced_secret, store_name(user), self.namespace)
        except _Answered as answer:
            if answer.status == 404:
                return None
            raise
        labels, annotations = found.metadata.labels or {}, found.metadata.annotations or {}
        if any(labels.get(key) != value for key, value in OWNER.items()) or annotations.get(USERNAME) != user:
            raise StoreError(
                f"The Secret {store_name(user)} in the namespace {self.namespace} is not the hub's; remove it."
            )
        return found

    async def _delete(self, found: V1Secret) -> None:
        # Only the very object that was seen.
        options = V1DeleteOptions(preconditions=V1Preconditions(uid=found.metadata.uid))
        try:
            await self._ask(self.api.delete_namespaced_secret, found.metadata.name, self.namespace, body=options)
        except _Answered as answer:
            if answer.status != 404:
                raise

    async def _ask(self, call: Callable[..., Awaitable[Any]], *arguments: Any, **more: Any) -> Any:
        """One request, tried again while the API server is out of reach or overloaded."""
        until = asyncio.get_running_loop().time() + TIMEOUT
        attempt = 0
        while True:
            try:
                return await asyncio.wait_for(call(*arguments, **more), REQUEST_TIMEOUT)
            except ApiException as error:
                # The body of an answer may quote what was sent.
                problem = _Answered(error.status, self.namespace)
                if error.status not in (429, 500, 502, 503, 504):
                    raise problem from None
            except (TimeoutError, OSError, aiohttp.ClientError) as error:
                problem = _Answered(0, self.namespace, type(error).__name__)
            attempt += 1
            pause = random.uniform(0, min(0.1 * 2**attempt, 3))  # noqa: S311
            if asyncio.get_running_loop().time() + pause > until:
                raise problem from None
            await asyncio.sleep(pause)


class _Answered(StoreError):
    """What the API server answered when it was no success; status 0 is no answer."""

    def __init__(self, status: int, namespace: str, reason: str = "") -> None:
        self.status = status
        what = f"answered {status}" if status else f"did not answer ({reason})"
        super().__init__(f"The Kubernetes API server {what} about a user's Secret in the namespace {namespace}.")


def _values(secret: V1Secret) -> dict[str, str]:
    return {name: base64.b64decode(value).decode() for name, value in (secret.data or {}).items()}
