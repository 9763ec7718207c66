# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How long values and manifests take: of one hub, and of fifty in one run beside plain `helm template` of the same.

The charts come from the folder that HUB_CHARTS names, or from their public repositories; Helm from PATH or from the
tools of the tests. Without Helm or charts only the values are rendered, and nothing is compared.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.row import Row

CHECKOUT = Path(__file__).parent.parent
#: Seconds.
ONE_HUB = 1.5
LIMIT = 600
ROUNDS = 5
HUBS = 50
#: As the hubs are rendered for.
KUBERNETES = "1.32.0"


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="render-bench-") as folder:
        return list(measure(Path(folder)))


def measure(folder: Path) -> Iterator[Row]:
    inventory(folder / "one", ["prod"])
    inventory(folder / "fifty", [f"hub{number:02}" for number in range(HUBS)])
    say("one hub")
    # The best of some rounds: others use the machine too.
    one = min(render(folder, "one") for _ in range(ROUNDS))
    manifests = (folder / "rendered/prod/manifests.yml").is_file()
    yield Row(f"render of one hub{'' if manifests else ', values only'}", one, "s", "limit", ONE_HUB, 1)
    if not manifests:
        say("no Helm or no charts (HUB_CHARTS=<folder>): fifty hubs are not compared")
        return
    say("fifty hubs")
    ours = render(folder, "fifty")
    say("plain helm template of their values")
    yield Row(f"render of {HUBS} hubs in one run", ours, "s", "plain helm template", plain(folder), 5)


def inventory(folder: Path, hosts: list[str]) -> None:
    """The inventory of prod, for other hosts, each in a namespace of its own."""
    folder.mkdir()
    (folder / "group_vars").symlink_to(CHECKOUT / "inventories/prod/group_vars")
    own = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "hub_namespace": "{{ inventory_hostname }}",
        "infrastructure_prefix": "{{ inventory_hostname }}",
    }
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": dict.fromkeys(hosts, own)}}), encoding="utf-8")


def render(folder: Path, name: str) -> float:
    """Render an inventory anew; the seconds of the whole command."""
    shutil.rmtree(folder / "rendered", ignore_errors=True)
    given: dict[str, object] = {"daskhub_render_directory": str(folder / "rendered") + "/{{ inventory_hostname }}"}
    if charts := os.environ.get("HUB_CHARTS"):
        given["daskhub_chart_repositories"] = dict.fromkeys(("jupyterhub", "dask-gateway"), charts)
    if program := helm():
        given["daskhub_helm"] = program
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(folder / name),
        "playbooks/render.yml",
    ]
    start = time.monotonic()
    run(*command, "-e", json.dumps(given))
    return time.monotonic() - start


def plain(folder: Path) -> float:
    """Seconds of `helm template` of the same values, hub after hub."""
    chart = umbrella(folder)
    start = time.monotonic()
    for values in sorted((folder / "rendered").glob("*/values.json")):
        name = values.parent.name
        command = [helm(), "template", "dhub-prod", chart, "--namespace", name, "--kube-version", KUBERNETES]
        run(*command, "--values", str(values))
    return time.monotonic() - start


def umbrella(folder: Path) -> str:
    """The same chart, packaged by the role."""
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.include_role": {"name": "planetary.hub.ui", "tasks_from": "outputs"}},
                {"ansible.builtin.include_role": {"name": "planetary.hub.daskhub", "tasks_from": "kubernetes/chart"}},
            ],
        }
    ]
    (folder / "chart.yml").write_text(json.dumps(play), encoding="utf-8")
    given: dict[str, object] = {"__daskhub_work": {"path": str(folder)}}
    if charts := os.environ.get("HUB_CHARTS"):
        given["daskhub_chart_repositories"] = dict.fromkeys(("jupyterhub", "dask-gateway"), charts)
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(folder / "one"),
        str(folder / "chart.yml"),
    ]
    run(*command, "-e", json.dumps(given))
    (package,) = folder.glob("*.tgz")
    return str(package)


def helm() -> str:
    """Helm of PATH, or the one that the tests built; empty without one."""
    built = sorted((Path.home() / ".cache/planetary.hub/tools").glob("*/helm"))
    return shutil.which("helm") or (str(built[-1]) if built else "")


def run(*command: str) -> None:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def say(what: str) -> None:
    print(f"render: {what} ...", file=sys.stderr, flush=True)
