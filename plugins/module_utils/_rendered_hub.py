# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a hub's release would consist of, made without a cluster and without a secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.planetary.hub.plugins.module_utils._helm_command import BRIEF
from ansible_collections.planetary.hub.plugins.module_utils._umbrella_chart import ChartError, Files

#: The oldest Kubernetes that the charts serve: what they render does not depend on who renders it.
KUBERNETES = "1.32.0"
#: Stands for every secret. Charts take it for one: 64 hexadecimal digits.
NO_SECRET = "0" * 64
_SECRET = re.compile(r"(?i)(token|secret|password|passphrase|private_?key)$")
#: Names of objects that hold secrets, not secrets.
_NO_SECRET = re.compile(r"(?i)^existingSecret$")
#: Where the word alone says nothing: what it is in, and the word.
_BELOW = {("CryptKeeper", "keys"), ("manual", "key")}
#: Seconds for Helm.
_LIMIT = 120


def without_secrets(values: t.Any, key: str = "", parent: str = "") -> t.Any:
    """Values in which each text whose key says that it is a secret is ``NO_SECRET``.

    >>> without_secrets({"hub": {"cookieSecret": "s3cret", "existingSecret": "hub-secrets"}})["hub"]["existingSecret"]
    'hub-secrets'
    """
    if isinstance(values, dict):
        # Variables of an environment have their name beside their value.
        if _is_secret(str(values.get("name", "")), "") and isinstance(values.get("value"), str):
            return {**values, "value": NO_SECRET}
        return {name: without_secrets(value, str(name), key) for name, value in values.items()}
    if isinstance(values, list):
        return [without_secrets(value, key, parent) for value in values]
    return NO_SECRET if isinstance(values, str) and values and _is_secret(key, parent) else values


def _is_secret(key: str, parent: str) -> bool:
    return (parent, key) in _BELOW or (bool(_SECRET.search(key)) and not _NO_SECRET.search(key))


def pinned(values: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the charts would make up at each rendering, as values for Helm beside those of the hub."""
    services = ((values.get("jupyterhub") or {}).get("hub") or {}).get("services") or {}
    hub = {
        "cookieSecret": NO_SECRET,
        "config": {"CryptKeeper": {"keys": [NO_SECRET]}},
        "services": {name: {"apiToken": NO_SECRET} for name in services},
    }
    return {"jupyterhub": {"hub": hub, "proxy": {"secretToken": NO_SECRET}}}


def manifests(files: Files, values: Mapping[str, t.Any], program: str, release: str, namespace: str) -> str:
    """What `helm template` makes of a chart and values without secrets.

    :param program: helm, see ``helm_there``
    :raises ChartError: Helm refuses it
    """
    with tempfile.TemporaryDirectory(prefix="daskhub-") as folder:
        chart = Path(folder) / "chart"
        for name, content in files.items():
            path = chart / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        given = []
        for name, part in (("pinned", pinned(values)), ("values", values)):
            path = Path(folder) / f"{name}.json"
            path.write_text(json.dumps(part), encoding="utf-8")
            given += ["--values", str(path)]
        command = [
            program,
            "template",
            release,
            str(chart),
            "--namespace",
            namespace,
            "--kube-version",
            KUBERNETES,
            *given,
        ]
        # run_command belongs to modules, and this runs in an action plugin.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT,
            env={**BRIEF, **os.environ},
        )
    if done.returncode:
        said = " ".join(
            line.strip() for line in done.stderr.splitlines() if line.strip() and "chart" not in line.lower()
        )
        raise ChartError(f"Helm refuses the values: {said.removeprefix('Error: ')}; correct them in the inventory.")
    return done.stdout


def helm_there(program: str) -> str:
    """The path of helm; empty if there is none."""
    return shutil.which(program) or ""
