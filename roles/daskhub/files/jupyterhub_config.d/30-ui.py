# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub's pages: templates beside this configuration, and what they show from ui.json."""

from __future__ import annotations

import os
from pathlib import Path

from hub_extensions import data_files, ui

c = get_config()  # type: ignore[name-defined]  # noqa: F821

etc = Path(os.environ.get(data_files.DIRECTORY, data_files.DEFAULT_DIRECTORY))
c.JupyterHub.template_paths = [str(etc / "templates"), *c.JupyterHub.get("template_paths", [])]
c.JupyterHub.template_vars = {**c.JupyterHub.get("template_vars", {}), "ui": ui.Look()}
