# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The end of a module whose result is a function of its options, which an action plugin may call too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

Outcome = Callable[[dict[str, Any], bool], dict[str, Any]]


def finish(module: AnsibleModule, outcome: Outcome) -> None:
    """Exit with the result, or fail with it where it says ``failed``."""
    found = outcome(module.params, module.check_mode)
    end = module.fail_json if found.get("failed") else module.exit_json
    end(**found)
