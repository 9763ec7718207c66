# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Run a module of the collection as Ansible runs it: a process, arguments in, JSON out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


def run(name: str, check: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module and return its result (``failed`` and ``msg`` when it failed)."""
    arguments |= {"_ansible_check_mode": check, "_ansible_diff": diff}
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from ansible.module_utils import basic\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "import importlib, json\n"
        "module = importlib.import_module('ansible_collections.planetary.hub.plugins.modules.' + sys.argv[1])\n"
        "with patch_module_args(json.loads(sys.stdin.read())):\n"
        "    module.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name, str(ROOT / ".collections")],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result
