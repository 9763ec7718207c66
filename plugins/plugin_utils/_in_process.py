# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in the worker that Ansible has forked for its task.

In a process of its own a module costs half a second and more before it does anything: it is packed, Python starts, and
imports what Ansible had imported already. Ansible loads an action plugin before it forks, so that what the file of the
plugin imports is there in every worker.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase


def preload(*packages: str) -> None:
    """Import what the workers will need; a package that is missing is for the module to name."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError:
            continue
    # The garbage collector of each worker then passes over what is there already.
    gc.freeze()


class InProcess(ActionBase):
    """For an action plugin whose module has ``SPEC`` and ``outcome(options, check_mode)``, which returns its result.

    With another connection than local, with `become`, `async` or another Python, and on macOS, whose system libraries
    do not bear a fork, the module runs as any other.
    """

    module: ModuleType

    def _work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if not self._is_here(task_vars):
            answer: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
            return answer
        for variables in self._task.environment or []:
            # This process ends with the task.
            os.environ.update({key: str(value) for key, value in (self._templar.template(variables) or {}).items()})
        checked = ArgumentSpecValidator(self.module.SPEC).validate(arguments)
        if checked.error_messages:
            return {"failed": True, "msg": ". ".join(checked.error_messages)}
        found = self.module.outcome(checked.validated_parameters, self._task.check_mode)
        # As AnsibleModule does with what its options call a secret.
        shown: dict[str, Any] = remove_values(found, checked._no_log_values)
        return shown

    def _is_here(self, task_vars: dict[str, Any]) -> bool:
        local = self._connection.transport.rpartition(".")[2] == "local" and sys.platform != "darwin"
        python = self._templar.template(task_vars.get("ansible_python_interpreter") or "")
        apart = self._play_context.become or self._task.async_val
        return local and not apart and python in ("", sys.executable)


class InProcessAction(InProcess):
    """An action plugin that does nothing besides."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result | self._work(dict(self._task.args), task_vars or {})
