# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users' servers as processes of this machine, chosen and limited by KubeSpawner's own profiles.

The profile list, its form, its validation and its overrides are KubeSpawner's, unchanged, so that what a user sees and
gets here is what the cluster shows and gives; only starting, watching and stopping are those of a local process.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner, Spawner
from kubespawner import KubeSpawner
from traitlets import Unicode, default

from hub_extensions import user_environment, user_secrets


class LocalProfileSpawner(SimpleLocalProcessSpawner, KubeSpawner):
    """KubeSpawner's profiles in front of local processes.

    What a profile asks for is enforced as far as a process allows without root: environment, default URL,
    ``CPU_LIMIT``, ``MEM_LIMIT`` and the other variables that JupyterHub sets, and the memory of each single process of
    the server (``RLIMIT_DATA``: an allocation beyond it fails with a MemoryError in the kernel that asked for it). The
    image is only recorded (``JUPYTER_IMAGE_SPEC``); placement and extra resources have no meaning here.
    """

    log_directory = Unicode(".", config=True, help="Directory of the servers' logs, one file a user.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # KubeSpawner's own __init__ connects to an API server; there is none.
        Spawner.__init__(self, *args, **kwargs)
        self.namespace = "local"
        self._pvc_exists = False

    @default("env_keep")
    def _env_keep_default(self) -> list[str]:
        return ["PATH", "LANG", "LC_ALL", "TZ"]

    # KubeSpawner persists names of pods; a process is remembered by its pid alone.
    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = Spawner.get_state(self)
        if self.pid:
            state["pid"] = self.pid
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        Spawner.load_state(self, state)
        self.pid = state.get("pid", 0)

    def clear_state(self) -> None:
        Spawner.clear_state(self)
        self.pid = 0

    async def progress(self):  # type: ignore[no-untyped-def]
        async for event in Spawner.progress(self):
            yield event

    async def delete_forever(self) -> None:
        """Leave the home directory where it is: data is deleted by people, not by a spawner."""
        await user_environment.forget(self)

    def get_env(self) -> dict[str, str]:
        """The environment, and below it the user's own variables: what is set explicitly wins, as in a pod."""
        return {**user_secrets.local_variables(self.user.name), **super().get_env()}

    async def start(self) -> tuple[str, int]:
        await self.load_user_options()
        # A new server listens on a new port; the old one's may be taken by now.
        self.port = 0
        log = Path(self.log_directory) / f"user-{self.user.escaped_name}.log"
        with open(log, "ab") as file:
            self.popen_kwargs = {"stdout": file, "stderr": STDOUT, "stdin": DEVNULL}
            address: tuple[str, int] = await super().start()
        await self._post_start()
        return address

    async def _post_start(self) -> None:
        """Run the post-start command of a pod beside the server; whatever becomes of it, the server goes on."""
        command = self.lifecycle_hooks.get("postStart", {}).get("exec", {}).get("command")
        if not command:
            return
        enter_home = self.make_preexec_fn(self.user.name)
        try:
            await asyncio.create_subprocess_exec(
                *command, env=self.get_env(), preexec_fn=enter_home, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
            )
        except OSError as error:
            self.log.warning("Post-start of %s: %s", self.user.name, error)

    def get_args(self) -> list[str]:
        arguments = list(super().get_args())
        return [*arguments, "--allow-root"] if os.geteuid() == 0 else arguments

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        enter_home = super().make_preexec_fn(name)
        memory = self.mem_limit

        def preexec() -> None:
            enter_home()
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))

        return preexec
