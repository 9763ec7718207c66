# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The gateway's data files, made by the filters as a deployment makes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._dask_options import dask_options
from ansible_collections.planetary.hub.plugins.module_utils._profiles import profile_list
from ansible_collections.planetary.hub.plugins.module_utils._user_environment import user_environment

Deploy = Callable[..., None]

PROFILES = [{"name": "python", "image": "hub/python:1"}, {"name": "gpu", "image": "localhost:5000/hub/gpu:2", "gpu": 1}]
VARIABLES = [
    {"name": "NOTEBOOK", "value": "n"},
    {"name": "BOTH", "value": "{b} $(X) $$", "targets": ["scheduler", "worker"]},
    {"name": "SCHEDULER", "value": "$s", "targets": ["scheduler"]},
    {"name": "WORKER", "value": "w", "targets": ["worker"]},
    {"name": "DIFFERENT", "value": "s", "targets": ["scheduler"]},
    {"name": "DIFFERENT", "value": "w", "targets": ["worker"]},
]
# The original hub's.
OPTIONS = {
    "scheduler": {"cores": {"limit": 2, "guarantee": 1}, "memory": {"limit": 10, "guarantee": 8}},
    "worker": {"cores": {"default": 1, "min": 0.1, "max": 8}, "memory": {"default": 8, "min": 1, "max": 64}},
    "gpu": {"enabled": True, "cores_max": 4, "memory_max": 24},
    "idle_timeout": 600,
    "limits": {"cores": 100, "memory": 800, "workers": 100},
}


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """Write the gateway's data files, changed at the top level by the options given."""
    monkeypatch.setenv("HUB_ETC_DIRECTORY", str(tmp_path))
    (tmp_path / "data").mkdir()

    def write(match_node_purpose: str = "require", sources: Any = (), **changes: Any) -> None:
        for name, value in (
            (
                "dask_options.json",
                dask_options({**OPTIONS, **changes}, profile_list(PROFILES), match_node_purpose=match_node_purpose),
            ),
            ("user_environment.json", user_environment(VARIABLES)),
            ("user_environment_sources.json", sources),
        ):
            new = tmp_path / "new"
            new.write_text(json.dumps(value), encoding="utf-8")
            new.replace(tmp_path / "data" / name)

    return write
