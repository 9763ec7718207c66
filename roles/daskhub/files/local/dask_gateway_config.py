# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Dask Gateway on one machine: schedulers and workers are processes, users come from JupyterHub."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

etc = Path(os.environ["HUB_ETC_DIRECTORY"])
sys.path.insert(0, str(etc))
local = json.loads((etc / "local.json").read_text(encoding="utf-8"))
directory = Path(local["directory"])
ports = local["ports"]
prefix = f"{local['base_url']}services/dask-gateway"


def secret(name: str) -> str:
    return (directory / "secrets" / name).read_text(encoding="utf-8").strip()


c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.DaskGateway.address = f"127.0.0.1:{ports['gateway']}"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
c.JupyterHubAuthenticator.jupyterhub_api_url = f"http://127.0.0.1:{ports['hub']}{local['base_url']}hub/api"
c.JupyterHubAuthenticator.jupyterhub_api_token = secret("dask-gateway-service-token")
# Without the name any token of the hub could create clusters.
c.JupyterHubAuthenticator.jupyterhub_service_name = "dask-gateway"

c.Proxy.externally_managed = True
c.Proxy.address = f"127.0.0.1:{ports['gateway_proxy']}"
c.Proxy.prefix = prefix
c.Proxy.api_token = secret("dask-gateway-proxy-token")

c.DaskGateway.backend_class = "gateway_extensions.local_backend.HubLocalBackend"
c.LocalBackend.clusters_directory = str(directory / "run" / "dask")
c.LocalBackend.inherited_environment = ["PATH", "LANG", "LC_ALL", "TZ", "HUB_LOCAL_DIRECTORY"]
# Clusters outlive a restart of the gateway: they are found again in its database.
c.DBBackendBase.db_url = f"sqlite:///{directory}/run/dask-gateway.sqlite"
c.DBBackendBase.db_encrypt_keys = [base64.b64encode(bytes.fromhex(secret("dask-gateway-database-key"))).decode()]
c.DBBackendBase.stop_clusters_on_shutdown = False
c.DBBackendBase.cluster_status_period = 5
c.DBBackendBase.worker_status_period = 5

user_bin = Path(local["user_environment"]) / "bin"
# distributed has no dask-scheduler and dask-worker scripts any more, which are dask-gateway-server's defaults.
c.ClusterConfig.scheduler_cmd = [str(user_bin / "dask"), "scheduler"]
c.ClusterConfig.worker_cmd = [str(user_bin / "dask"), "worker"]

# Imported here: the package lies beside this file.
from gateway_extensions.cluster_options import cluster_options  # noqa: E402

c.Backend.cluster_options = cluster_options
