# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""kbatch: its profiles and job template, its chart values, and what is changed in its chart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.filter.kbatch_files import kbatch_files
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list

from rendering import rendered

SMALL = {
    "name": "small",
    "image": "a/b:1",
    "cores": {"limit": 2, "guarantee": 1},
    "memory": {"limit": "2G", "guarantee": "1G"},
}
GPU = {**SMALL, "name": "gpu", "gpu": 1}
HIDDEN = {**SMALL, "name": "hidden", "visible_to": {"groups": ["team"]}}
USER_TAINTS = {("hub.jupyter.org/dedicated", "user"), ("hub.jupyter.org_dedicated", "user")}
ROLE = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_connection: local
    role_path: "{{ root }}/roles/daskhub"
    daskhub_base_url: /compute/
    __daskhub_match_node_purpose: require
    __daskhub_namespace: staging
    __daskhub_traefik: traefik-dask-gateway
    __daskhub_gateway_prefix: /compute/services/dask-gateway
    __daskhub_core_placement: {affinity: {}, tolerations: []}
    __daskhub_profile_list: "{{ profiles | planetary.hub.profile_list(match_node_purpose='require') }}"
    secrets_outputs: {kubernetes_secret: secrets-of-the-hub, digests: {kbatch: d16e57}}
  tasks:
    - ansible.builtin.include_vars:
        file: "{{ role_path }}/defaults/main/kbatch.yml"
    - ansible.builtin.include_vars:
        file: "{{ role_path }}/vars/main/kbatch.yml"
    - ansible.builtin.copy:
        dest: "{{ output }}"
        mode: "0600"
        content: "{{ result | to_json }}"
      vars:
        result:
          values: "{{ lookup('ansible.builtin.template', role_path ~ '/templates/values/kbatch.yml.j2') | from_yaml }}"
          dependencies: "{{ __daskhub_kbatch_dependencies }}"
          insertions: "{{ __daskhub_kbatch_insertions }}"
"""
# A chart with what the changes look for, as upstream's has it.
DEPLOYMENT = """
kind: Deployment
spec:
  selector:
    matchLabels:
      {{- include "kbatch-proxy.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "kbatch-proxy.selectorLabels" . | nindent 8 }}
    spec:
      containers:
        - name: {{ .Chart.Name }}
          env:
            - name: JUPYTERHUB_API_TOKEN
              value: {{ .Values.app.jupyterhub_api_token }}

            - name: JUPYTERHUB_API_URL
              value: "{{ .Values.app.jupyterhub_api_url }}"
"""


def test_profiles_are_those_of_the_hub() -> None:
    hub = profile_list([{**SMALL, "default": True}, GPU, HIDDEN], match_node_purpose="require")
    found = kbatch_files(hub, "require")["profiles"]
    # What only some may see is not shown to everybody.
    assert list(found) == ["small", "gpu"]
    small = found["small"]
    assert small["image"] == "a/b:1"
    # The hub's G is 2^30 bytes.
    assert small["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
    assert {(one["key"], one["value"]) for one in small["tolerations"]} == USER_TAINTS
    gpu = found["gpu"]
    assert gpu["resources"]["limits"]["nvidia.com/gpu"] == gpu["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert ("nvidia.com/gpu", "present") in {(one["key"], one["value"]) for one in gpu["tolerations"]}
    assert gpu["node_affinity_required"] == hub[1]["kubespawner_override"]["node_affinity_required"]


@pytest.mark.parametrize("match", ["ignore", "prefer", "require"])
def test_jobs_run_once_and_where_users_do(match: str) -> None:
    template = kbatch_files([], match)["job_template"]
    pod = template["spec"]["template"]["spec"]
    assert template["spec"]["backoffLimit"] == 0
    assert {(one["key"], one["value"]) for one in pod["tolerations"]} == USER_TAINTS
    (term,) = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    needs = {(one["key"], one["operator"], *one["values"]) for one in term["matchExpressions"]}
    assert (("hub.jupyter.org/node-purpose", "In", "user") in needs) is (match == "require")
    assert ("pc.microsoft.com/userkind", "NotIn", "gpu") in needs


@pytest.fixture(scope="module")
def role(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the role says where there is kbatch."""
    given = {"profiles": [{**SMALL, "default": True}], "hub_kbatch": True}
    found: dict[str, Any] = json.loads(rendered(ROLE, root, tmp_path_factory.mktemp("kbatch"), **given))
    return found


def test_values(role: dict[str, Any]) -> None:
    values = role["values"]
    assert values["kbatch"] == {"enabled": True}
    assert values["jupyterhub"]["hub"]["services"]["kbatch"]["url"] == "http://kbatch-proxy.staging"
    chart = values["kbatch-proxy"]
    environment = chart["app"]["extra_env"]
    assert environment["KBATCH_PREFIX"] == "/compute/services/kbatch"
    assert environment["KBATCH_JOB_TTL_SECONDS_AFTER_FINISHED"] == "86400"
    assert json.loads(environment["KBATCH_JOB_EXTRA_ENV"])["DASK_GATEWAY__ADDRESS"] == (
        "http://traefik-dask-gateway.staging/compute/services/dask-gateway"
    )
    for variable, name in (("KBATCH_PROFILE_FILE", "profile_template"), ("KBATCH_JOB_TEMPLATE_FILE", "job_template")):
        assert chart["app"]["extraFiles"][name]["mountPath"] == environment[variable]
    assert list(chart["app"]["extraFiles"]["profile_template"]["data"]) == ["small"]
    # The token is no value, and a new one restarts the pod.
    assert "jupyterhub_api_token" not in chart["app"]
    assert chart["podAnnotations"]["checksum/hub-secrets"] == "d16e57"
    assert [one["name"] for one in role["dependencies"]] == ["kbatch-proxy"]


def test_the_pod_has_its_token_by_reference(role: dict[str, Any]) -> None:
    text = DEPLOYMENT
    for change in role["insertions"]:
        assert text.count(change["after"]) == 1, change
        text = text.replace(change["after"], change["after"] + change["text"])
    plain = re.sub(r"\{\{- include .*?\}\}", "from: chart", text)
    pod = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "", plain))["spec"]["template"]
    variables = {one["name"]: one for one in pod["spec"]["containers"][0]["env"]}
    reference = {"secretKeyRef": {"name": "secrets-of-the-hub", "key": "kbatch-server-api-token"}}
    assert variables["JUPYTERHUB_API_TOKEN"] == {"name": "JUPYTERHUB_API_TOKEN", "valueFrom": reference}
    assert not variables["KBATCH_NO_TOKEN_HERE"]["value"]
    assert pod["metadata"]["labels"] == {"from": "chart", "hub.jupyter.org/network-access-hub": "true"}


def test_without_kbatch_there_is_nothing(root: Path, tmp_path: Path) -> None:
    found = json.loads(rendered(ROLE, root, tmp_path, profiles=[{**SMALL, "default": True}]))
    assert found == {"values": {"kbatch": {"enabled": False}}, "dependencies": [], "insertions": []}


@pytest.mark.parametrize(("services", "there"), [(["dask-gateway"], False), (["dask-gateway", "kbatch"], True)])
def test_users_and_their_servers_may_use_it_where_it_is(root: Path, services: list[str], there: bool) -> None:
    files = root / "roles/daskhub/files/jupyterhub_config.d"
    hub: dict[str, Any] = {"services": [{"name": name} for name in services]}

    class Section(dict[str, Any]):
        __getattr__ = dict.__getitem__
        __setattr__ = dict.__setitem__

    config = type("Config", (), {"JupyterHub": Section(hub)})()
    for name in ("40-dask-gateway.py", "45-kbatch.py"):
        exec(compile((files / name).read_text(encoding="utf-8"), name, "exec"), {"c": config})  # noqa: S102
    scopes = {one["name"]: one["scopes"] for one in config.JupyterHub["load_roles"]}
    assert [("access:services!service=kbatch" in scopes[name]) for name in ("user", "server")] == [there, there]
    assert "access:services!service=dask-gateway" in scopes["user"]
