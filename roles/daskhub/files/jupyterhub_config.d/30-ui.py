# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The hub's pages: templates beside this configuration, and what they show from ui.json."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hub_extensions import data_files, ui

# Not get_config(), which is another function where the chart loads this file.
c: Any = globals()["c"]

etc = Path(os.environ.get(data_files.DIRECTORY, data_files.DEFAULT_DIRECTORY))
c.JupyterHub.template_paths = [str(etc / "templates"), *c.JupyterHub.get("template_paths", [])]
c.JupyterHub.template_vars = {**c.JupyterHub.get("template_vars", {}), "ui": ui.Look()}
