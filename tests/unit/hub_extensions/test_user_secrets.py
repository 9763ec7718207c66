# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""From a user's name to the variables in their server: the hook, the stores and the references."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("kubespawner", reason="KubeSpawner is not installed here")

from hub_extensions import user_environment, user_secrets
from hub_extensions.local_spawner import LocalProfileSpawner
from hub_extensions.user_environment_sources.gather import Gathered
from tornado import web

Write = Callable[[str, Any], Path]
Make = Callable[..., Any]
Run = Callable[[Any], Any]

NAMES = ["ada@example.org", "a+b@x.org", "../../etc/passwd", "zoë", "o'neil\"", "", "A" * 300, "名前", "a/b", "-"]
STATIC = {
    "source": "static",
    "name": "shared",
    "variables": {"API_KEY": "shared-key"},
    "on_failure": "start_without",
    "timeout": 5,
    "cache": 0,
}


@pytest.fixture
def sources(write_data: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deploy one source, whose secret is `value`."""
    monkeypatch.setenv("HUB_SECRETS_DIRECTORY", str(tmp_path / "secrets"))
    monkeypatch.setenv("HUB_LOCAL_DIRECTORY", str(tmp_path / "local"))
    (tmp_path / "secrets").mkdir()
    write_data("user_environment.json", {"notebook": {"A": "1"}, "scheduler": {}, "worker": {}})

    def deploy(value: str, **changes: Any) -> None:
        (tmp_path / "secrets" / "shared-key").write_text(value)
        write_data("user_environment_sources.json", [{**STATIC, **changes}])

    return deploy


@pytest.fixture
def local_spawner(make_spawner: Make) -> Callable[[str], Any]:
    def make(name: str = "ada@example.org") -> Any:
        like = make_spawner(name)
        return LocalProfileSpawner(user=like.user, hub=like.hub, api_token="token", oauth_client_id="client")

    return make


@pytest.mark.parametrize("name", NAMES)
def test_names_of_objects_are_valid(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", user_secrets.store_name(name))
    assert len(user_secrets.store_name(name)) <= 71


def test_nobody_shares_a_name() -> None:
    alike = ["a.b@x", "a-b@x", "A-b@x", "a_b_x", "a-b-x", *NAMES]
    assert len({user_secrets.store_name(name) for name in alike}) == len(alike)


@pytest.mark.parametrize("name", NAMES[:-1])
def test_file_store(tmp_path: Path, run: Run, name: str) -> None:
    store = user_secrets.FileStore(tmp_path / "run" / "user-secrets")
    assert run(store.read(name)) == {}
    for values in ({"A": "$1 {x}\n"}, {"B": "2"}):
        run(store.write(name, values))
        assert run(store.read(name)) == values
    (path,) = store.directory.iterdir()
    assert (store.directory.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    for _ in range(2):
        run(store.forget(name))
        assert not list(store.directory.iterdir())


def test_a_broken_file_is_an_error_without_its_content(tmp_path: Path) -> None:
    store = user_secrets.FileStore(tmp_path)
    store.path("ada").write_text('{"A": "hunter2"')
    with pytest.raises(user_secrets.StoreError) as error:
        store.variables("ada")
    assert str(error.value) == f"{store.path('ada')} cannot be read; remove it, the next start writes it anew."


def test_where_nothing_is_fetched_nothing_is_referred_to(
    make_spawner: Make, local_spawner: Make, write_data: Write, run: Run
) -> None:
    write_data("user_environment.json", {"notebook": {"A": "1"}, "scheduler": {}, "worker": {}})
    for spawner in (make_spawner(), local_spawner()):
        run(user_environment.before_start(spawner))
        assert spawner.environment["A"] == "1"
        assert not spawner.extra_container_config


def test_a_local_server_gets_its_users_variables(local_spawner: Any, sources: Any, run: Run) -> None:
    for value in ("first", "rotated {x} $HOME"):
        sources(value)
        spawner = local_spawner()
        run(user_environment.before_start(spawner))
        assert spawner.get_env()["API_KEY"] == value
        assert "API_KEY" not in spawner.environment
        assert "API_KEY" not in local_spawner("bob").get_env()


def test_what_is_set_explicitly_wins_as_in_a_pod(local_spawner: Any, sources: Any, run: Run) -> None:
    sources("fetched", variables={"A": "shared-key"})
    spawner = local_spawner()
    run(user_environment.before_start(spawner))
    assert spawner.get_env()["A"] == "1"


def test_a_deleted_user_leaves_nothing(local_spawner: Any, sources: Any, run: Run, tmp_path: Path) -> None:
    sources("value")
    spawner = local_spawner()
    run(user_environment.before_start(spawner))
    spawner.orm_spawner = SimpleNamespace(name="named", server=None)
    run(spawner.delete_forever())
    assert len(list((tmp_path / "local" / "run" / "user-secrets").iterdir())) == 1
    spawner.orm_spawner = None
    run(spawner.delete_forever())
    assert not list((tmp_path / "local" / "run" / "user-secrets").iterdir())


@pytest.mark.parametrize("config", [{}, {"envFrom": [{"x": 1}]}, {"env_from": [{"x": 1}], "tty": True}])
def test_a_pod_refers_to_its_users_secret(
    make_spawner: Make, sources: Any, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: Any
) -> None:
    sources("hunter2")
    # The store of the cluster is tried on a real API server.
    monkeypatch.setattr(user_environment, "store_of", lambda _: user_secrets.FileStore(tmp_path))
    spawner = make_spawner(extra_container_config=config)

    async def pod() -> Any:
        for _ in range(2):
            await user_environment.before_start(spawner)
        return await spawner.get_pod_manifest()

    (container,) = run(pod()).spec.containers
    wanted = {"secretRef": {"name": user_secrets.store_name("ada@example.org"), "optional": True}}
    assert container.env_from == [*([{"x": 1}] if config else []), wanted]
    assert "hunter2" not in str(container)
    assert container.tty == config.get("tty")


def test_a_refusal_tells_the_user_and_does_not_count_against_the_hub(
    local_spawner: Any, sources: Any, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    sources("\n", on_failure="refuse")
    spawner = local_spawner()
    spawner.user.settings = {"failure_count": 4}
    with pytest.raises(web.HTTPError) as error:
        run(user_environment.before_start(spawner))
    sentence = (
        "Your server was not started, because shared could not be asked for what it needs, or has nothing for you. Try "
        "again in a minute; if it stays so, ask the administrators of this hub."
    )
    assert (error.value.status_code, error.value.jupyterhub_message) == (503, sentence)  # type: ignore[attr-defined]
    assert sentence in str(error.value)
    # JupyterHub adds one for each start that failed, and ends itself at a limit.
    assert spawner.user.settings == {"failure_count": 3}
    assert "The secret shared-key is empty" in caplog.text


@pytest.mark.parametrize("on_failure", ["start_without", "refuse"])
def test_a_store_that_cannot_be_written(
    local_spawner: Any, sources: Any, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture, on_failure: str
) -> None:
    sources("hunter2", on_failure=on_failure)
    (tmp_path / "local").write_text("in the way")
    if on_failure == "refuse":
        with pytest.raises(web.HTTPError):
            run(user_environment.before_start(local_spawner()))
    else:
        run(user_environment.before_start(local_spawner()))
    assert "The variables of the user ada@example.org are not kept" in caplog.text
    assert "hunter2" not in caplog.text


def test_two_servers_of_one_user_write_in_turn(run: Run) -> None:
    class Slow:
        def __init__(self) -> None:
            self.values: dict[str, str] = {}
            self.at_work = 0
            self.most = 0

        async def read(self, _user: str) -> dict[str, str]:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
            await asyncio.sleep(0.01)
            self.at_work -= 1
            return self.values

        async def write(self, _user: str, values: dict[str, str]) -> None:
            self.values = values

    async def at_once(store: Any) -> None:
        await asyncio.gather(*(user_environment.keep(store, "ada", Gathered({"A": "1"})) for _ in range(5)))

    store = Slow()
    run(at_once(store))
    assert (store.most, store.values) == (1, {"A": "1"})
    assert "ada" not in user_environment._locks
