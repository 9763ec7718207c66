# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""JupyterHub on one machine: what the jupyterhub chart sets in a cluster, in its place here.

What both share lies in `jupyterhub_config.d/*.py`, loaded at the end in name order, as the chart loads them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

etc = Path(os.environ["HUB_ETC_DIRECTORY"])
sys.path.insert(0, str(etc))
local = json.loads((etc / "local.json").read_text(encoding="utf-8"))
directory = Path(local["directory"])
ports = local["ports"]
loopback = "http://127.0.0.1"


def secret(name: str) -> str:
    return (directory / "secrets" / name).read_text(encoding="utf-8").strip()


c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.JupyterHub.bind_url = f"http://{local['bind_address']}:{ports['proxy']}{local['base_url']}"
c.JupyterHub.hub_bind_url = f"{loopback}:{ports['hub']}"
c.JupyterHub.db_url = f"sqlite:///{directory}/run/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(directory / "secrets" / "jupyterhub-cookie-secret")
c.JupyterHub.cookie_max_age_days = 14
# A hub that restarts finds its users' servers still running.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = False
c.JupyterHub.init_spawners_timeout = 10
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"{loopback}:{ports['proxy_api']}"
c.ConfigurableHTTPProxy.auth_token = secret("jupyterhub-proxy-secret-token")

c.Authenticator.delete_invalid_users = True

c.JupyterHub.spawner_class = "hub_extensions.local_spawner.LocalProfileSpawner"
c.LocalProfileSpawner.log_directory = str(directory / "log")
# KubeSpawner's default is every address, right for a pod only.
c.Spawner.ip = "127.0.0.1"
c.SimpleLocalProcessSpawner.home_dir_template = str(directory / "homes" / "{username}")
user_bin = Path(local["user_environment"]) / "bin"
c.Spawner.cmd = [str(user_bin / "jupyterhub-singleuser")]
# A server asks nobody outside for news or updates.
c.Spawner.args = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
]
c.Spawner.start_timeout = 60
c.Spawner.http_timeout = 60
c.Spawner.default_url = "/lab"
post_start = [user_bin / "python", etc / "post_start" / "post_start.py", etc / "data" / "post_start.json"]
c.KubeSpawner.lifecycle_hooks = {"postStart": {"exec": {"command": [str(part) for part in post_start]}}}
os.environ["PATH"] = f"{user_bin}{os.pathsep}{os.environ['PATH']}"
gateway_url = f"{loopback}:{ports['gateway_proxy']}"
c.Spawner.environment = {
    # Marks every process of this hub, so that `stop` finds what outlived it.
    "HUB_LOCAL_DIRECTORY": str(directory),
    # Of JupyterLab's settings the hub's own defaults are there.
    "JUPYTER_CONFIG_PATH": str(etc / "jupyter"),
    "DASK_GATEWAY__ADDRESS": f"{loopback}:{ports['proxy']}{local['base_url']}services/dask-gateway",
    "DASK_GATEWAY__PROXY_ADDRESS": f"gateway://127.0.0.1:{ports['gateway_proxy']}",
    # JupyterLab's Dask panel shows only dashboards below its server's proxy; dask-gateway's client fills in the prefix.
    "DASK_GATEWAY__PUBLIC_ADDRESS": (
        "{{JUPYTERHUB_SERVICE_PREFIX}}proxy/"
        f"127.0.0.1:{ports['gateway_proxy']}{local['base_url']}services/dask-gateway"
    ),
    "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
}

c.JupyterHub.services = [
    {"name": "dask-gateway", "url": gateway_url, "api_token": secret("dask-gateway-service-token"), "display": False},
]

for extension in sorted((etc / "jupyterhub_config.d").glob("*.py")):
    exec(compile(extension.read_text(encoding="utf-8"), str(extension), "exec"))  # noqa: S102
