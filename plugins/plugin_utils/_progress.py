# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The play's side of a long task: run the module and show its lines while it runs.

A module cannot print, and a task's `environment:` (proxies, CA bundles, credentials) reaches only modules. So the work
stays in the module, which writes lines to a file (`module_utils/_progress.py`); the action plugin follows that file.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

INTERVAL = 0.2  # seconds between two looks at the file


class ProgressAction(ActionBase):
    """Base of the action plugins of long tasks; the module of the same name takes a `progress_file`.

    Lines are shown with a local connection, which every hub of this collection has; elsewhere the module runs silently.
    """

    label = ""  # before every line: what is running

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if not self._can_follow():
            return result | self._work(arguments, task_vars or {})
        host = (task_vars or {}).get("inventory_hostname", "")
        play = os.getppid()
        with followed_file(f"[{host}] {self.label}:") as path:
            arguments["progress_file"] = path
            result |= self._work(arguments, task_vars or {})
        if os.getppid() != play:
            # Nobody reads results any more: Ansible's worker would wait for ever to hand over what no pipe holds.
            return {"failed": True, "msg": "The play that ran this task has ended."}
        return result

    def _work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        return answer

    def _can_follow(self) -> bool:
        local = self._connection.transport.rpartition(".")[2] == "local"
        return local and not self._play_context.become


@contextmanager
def followed_file(prefix: str) -> Iterator[str]:
    """A private file, locked while the play lives, whose lines are shown as they come.

    :param prefix: stands before every line
    """
    descriptor, path = tempfile.mkstemp(prefix="progress-", dir=constants.DEFAULT_LOCAL_TMP)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    finished = threading.Event()
    follower = threading.Thread(target=_follow, args=(descriptor, path, prefix, finished), daemon=True)
    follower.start()
    try:
        yield path
    finally:
        finished.set()
        follower.join(timeout=5)
        os.close(descriptor)
        os.unlink(path)


def _follow(descriptor: int, path: str, prefix: str, finished: threading.Event) -> None:
    display = Display()
    play = os.getppid()
    with open(path, encoding="utf-8") as stream:
        line = ""
        while True:
            last = finished.wait(INTERVAL)
            for piece in stream:
                line += piece
                if line.endswith("\n"):
                    display.display(f"{prefix} {line.rstrip()}")
                    line = ""
            if last:
                return
            if os.getppid() != play:
                # Ansible was killed and this worker survives it: the module shall notice and clean up.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                return
