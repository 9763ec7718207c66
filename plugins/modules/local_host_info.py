#!/usr/bin/python
# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_host_info
short_description: What a machine offers to a hub of the local platform
version_added: 0.1.0
description:
  - Reads processors, memory, free disk space, Python, Node.js and the state of ports, in one call and without facts.
  - Changes nothing.
author:
  - planetary.hub contributors (@planetary-hub)
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Changes nothing.
  idempotent:
    support: full
    description: Reads only.
options:
  directory:
    description: Directory of the hub, existing or not.
    type: path
    required: true
  ports:
    description: Ports to look at, by the name that stands for each in a message.
    type: dict
    default: {}
  address:
    description: Address that the first of the ports, and loopback that all others, shall listen on.
    type: str
    default: 127.0.0.1
  python:
    description: Path or name of the Python interpreter to look at.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look at this machine
  planetary.hub.local_host_info:
    directory: /srv/hub
    python: python3
    ports:
      daskhub_local_port: 8000
"""

RETURN = r"""
cores:
  description: Processors that this process may use.
  returned: success
  type: int
memory:
  description: Memory in bytes, of the machine or of the control group where that is less.
  returned: success
  type: int
free_disk:
  description: Free bytes where O(directory) is or will be.
  returned: success
  type: int
python_version:
  description: Version of O(python) as major, minor and micro; empty when it cannot be run.
  returned: success
  type: list
  elements: int
node:
  description: Path of a Node.js of major version 20 or newer, empty when there is none.
  returned: success
  type: str
supervised:
  description: Whether a supervisor of this directory is running.
  returned: success
  type: bool
taken_ports:
  description: Those of O(ports) that something else than the hub of O(directory) listens on.
  returned: success
  type: dict
"""

import contextlib
import json
import os
import shutil
import socket
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

#: configurable-http-proxy 5 asks for it (its package.json, "engines").
OLDEST_NODE = 20
PROBE_SECONDS = 15


def memory() -> int:
    """Return usable memory in bytes; control group version 2 may allow less than the machine has."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return total


def cores() -> int:
    """Return the number of processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_disk(directory: Path) -> int:
    """Return free bytes at the nearest existing ancestor."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    return shutil.disk_usage(existing).free


def printed(module: AnsibleModule, *command: str) -> str:
    """Return what a command prints, empty when it cannot be run or fails."""
    try:
        status, output, _errors = module.run_command(list(command), handle_exceptions=False)
    except OSError:
        return ""
    return output.strip() if status == 0 else ""


def python_version(module: AnsibleModule, python: str) -> list[int]:
    """Return the interpreter's version, empty when there is none."""
    version = printed(module, python, "-c", "import sys; print(*sys.version_info[:3])")
    return [int(part) for part in version.split()]


def node(module: AnsibleModule) -> str:
    """Return the path of a Node.js that is new enough and has npm beside it, or an empty string."""
    path = shutil.which("node")
    if not path or not shutil.which("npm"):
        return ""
    major = printed(module, path, "--version").lstrip("v").split(".")[0]
    return path if major.isdigit() and int(major) >= OLDEST_NODE else ""


def supervised(directory: Path) -> bool:
    """Tell whether a supervisor answers on the hub's socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PROBE_SECONDS)
        try:
            client.connect(str(directory / "run" / "supervisor.sock"))
        except OSError:
            return False
    return True


def own_ports(directory: Path) -> set[int]:
    """Return the ports of the hub that runs in this directory."""
    try:
        return set(json.loads((directory / "etc" / "local.json").read_text(encoding="utf-8"))["ports"].values())
    except (OSError, ValueError, KeyError):
        return set()


def is_taken(address: str, port: int) -> bool:
    """Tell whether something listens already."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((address, port))
        except (OSError, OverflowError):
            return True
    return False


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "ports": {"type": "dict", "default": {}},
            "address": {"type": "str", "default": "127.0.0.1"},
            "python": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    directory = Path(module.params["directory"])
    running = supervised(directory)
    own = own_ports(directory) if running else set()
    ports = {name: int(port) for name, port in module.params["ports"].items()}
    addresses = ([module.params["address"]] + ["127.0.0.1"] * len(ports))[: len(ports)]
    module.exit_json(
        changed=False,
        cores=cores(),
        memory=memory(),
        free_disk=free_disk(directory),
        python_version=python_version(module, module.params["python"]),
        node=node(module),
        supervised=running,
        taken_ports={
            name: port
            for (name, port), address in zip(ports.items(), addresses, strict=True)
            if port not in own and is_taken(address, port)
        },
    )


if __name__ == "__main__":
    main()
