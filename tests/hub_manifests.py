# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Chart values and manifests of hubs that differ in a few variables, without a cluster or credentials.

One play renders all of them, each a host of an inventory of the checkout; helm makes manifests of the values, where the
packaged charts are in the folder that HUB_CHARTS names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from rendering import run_play

#: What roles before this one say, as far as values depend on it.
GIVEN: dict[str, Any] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "hub_release": "dask",
    "hub_namespace": "dhub",
    "infrastructure_outputs": {
        "address": {
            "kind": "annotation",
            "host": "hub.westeurope.cloudapp.azure.com",
            "annotations": {"service.beta.kubernetes.io/azure-dns-label-name": "hub"},
        },
        "cluster": {"id": "/subscriptions/0/managedClusters/hub"},
        "identities": {"hub": {"client_id": "11111111-1111-1111-1111-111111111111"}},
        "data_volumes": [{"name": "driven-data", "share": "driven-data", "mount_path": "/driven-data"}],
    },
    "secrets_outputs": {
        "kubernetes_secret": "hub-secrets",
        "tls_secret": None,
        "data_volume_secrets": [{"name": "driven-data-file-share", "volume": "driven-data"}],
        "application": {},
        "digests": {},
        "values": {},
    },
}
PLAY = """
- hosts: "{{ wanted }}"
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: planetary.hub.ui}
    - ansible.builtin.include_role: {name: planetary.hub.daskhub, tasks_from: kubernetes/preflight.yml}
    - ansible.builtin.include_role: {name: planetary.hub.daskhub, tasks_from: kubernetes/chart.yml}
      vars: {__daskhub_work: {path: "{{ packages }}"}}
      when: packages | length > 0
    - ansible.builtin.include_role: {name: planetary.hub.daskhub, tasks_from: kubernetes/values.yml}
      vars:
        __daskhub_work: {path: "{{ place }}/{{ inventory_hostname }}"}
        __daskhub_chart: {digests: {hub: "0", dask-gateway: "0"}}
"""


def values_of(
    root: Path, folder: Path, inventory: str, variants: dict[str, dict[str, Any]], charts: Path | None = None
) -> dict[str, dict[str, Any]]:
    """The values of each variant of an inventory: what a role's run would hand to Helm.

    :param variants: name to variables, over those of the inventory
    :param charts: a folder with packages of the two charts; the umbrella chart is then put into the folder
    """
    hosts = {name: {**GIVEN, **variables} for name, variables in variants.items()}
    for name in hosts:
        (folder / name).mkdir()
    (folder / "variants.yml").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "output").touch()
    where = ("-i", str(root / "inventories" / inventory), "-i", str(folder / "variants.yml"))
    run_play(
        PLAY,
        root,
        folder,
        *where,
        wanted=":".join(hosts),
        place=str(folder),
        packages=str(folder) if charts else "",
        daskhub_chart_repositories={"jupyterhub": str(charts), "dask-gateway": str(charts)},
    )
    return {name: json.loads((folder / name / "values.json").read_text(encoding="utf-8")) for name in hosts}


def programs() -> tuple[str, Path] | None:
    """Helm, and the folder of the packaged charts, where both are."""
    helm, charts = shutil.which("helm"), os.environ.get("HUB_CHARTS")
    return (helm, Path(charts)) if helm and charts else None


def manifests_of(helm: str, folder: Path, name: str) -> list[dict[str, Any]]:
    """The objects that helm makes of a variant's values."""
    package = next(iter(folder.glob("daskhub-*.tgz")))
    command = [helm, "template", "dask", str(package), "--namespace", "dhub", "--kube-version", "1.35.0"]
    run = subprocess.run(
        [*command, "--values", str(folder / name / "values.json")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"{name}: {run.stderr}"
    return [one for one in yaml.load_all(run.stdout, yaml.CSafeLoader) if one]
