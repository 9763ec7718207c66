# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Tags of images that YAML reads as numbers or as a boolean stay texts, from the inventory to the manifest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

INVENTORY = """
all:
  hosts: {hub: {}}
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    hub_platform: kubernetes
    hub_azure: false
    hub_authentication: {type: shared-password, allow_all: true}
    daskhub_profiles:
      - {name: one, image: example.org/hub/one:2231e05, default: true}
      - {name: two, image: "example.org/hub/two:1.10"}
    daskhub_values:
      jupyterhub:
        hub: {image: {tag: "1e3"}}
        proxy: {chp: {image: {tag: "0123"}}}
      dask-gateway:
        gateway: {image: {tag: "on"}}
        traefik: {image: {tag: "1.10"}}
"""
HELM, CHARTS = shutil.which("helm"), os.environ.get("HUB_CHARTS")


def images(value: Any) -> list[str]:
    """All images of an object."""
    if isinstance(value, dict):
        here = [value["image"]] if isinstance(value.get("image"), str) else []
        return here + [image for item in value.values() for image in images(item)]
    return [image for item in value for image in images(item)] if isinstance(value, list) else []


def test_tags_stay_texts(root: Path, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(INVENTORY, encoding="utf-8")
    more: dict[str, Any] = {"daskhub_render_directory": str(tmp_path / "out")}
    if HELM and CHARTS:
        more["daskhub_chart_repositories"] = dict.fromkeys(("jupyterhub", "dask-gateway"), CHARTS)
    else:
        more["daskhub_helm"] = "no-helm"
    command = [sys.executable, "-m", "ansible", "playbook", "playbooks/render.yml", "-i", str(tmp_path / "hosts.yml")]
    run = subprocess.run(
        [*command, "-e", json.dumps(more)],
        cwd=root,
        env={**os.environ, "HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    values = json.loads((tmp_path / "out/values.json").read_text(encoding="utf-8"))
    hub, gateway = values["jupyterhub"], values["dask-gateway"]
    found = [hub["singleuser"], hub["hub"], hub["proxy"]["chp"], gateway["gateway"], gateway["traefik"]]
    assert [one["image"]["tag"] for one in found] == ["2231e05", "1e3", "0123", "on", "1.10"]
    profiles = json.loads(values["data"]["profiles.json"])
    assert [one["kubespawner_override"]["image"].partition(":")[2] for one in profiles] == ["2231e05", "1.10"]
    if HELM and CHARTS:
        rendered = (tmp_path / "out/manifests.yml").read_text(encoding="utf-8")
        tags = {image.rpartition(":")[2] for image in images(list(yaml.safe_load_all(rendered)))}
        assert tags >= {"2231e05", "1e3", "0123", "on", "1.10"}
