# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The look of the pages, read anew from ui.json at each page.

In jupyterhub_config.d::

    c.JupyterHub.template_vars = {"ui": ui.Look()}
"""

from __future__ import annotations

import logging
from typing import Any

from hub_extensions.data_files import DataFile, DataFileError

log = logging.getLogger(__name__)

UI = DataFile("ui.json", dict)
DEFAULTS: dict[str, Any] = {
    "title": "JupyterHub",
    "logo": "external/logo.svg",
    "links": [],
    "announcement": "",
    "severity": "info",
}


class Look:
    """What templates see as `ui`: `{{ ui.title }}`, `ui.logo`, `ui.links`, `ui.announcement`, `ui.severity`."""

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(name)
        try:
            found = UI.read().get(name, DEFAULTS[name])
        except DataFileError as error:
            # A page without its title is better than no page.
            log.warning("%s", error)
            found = DEFAULTS[name]
        return found if isinstance(found, type(DEFAULTS[name])) else DEFAULTS[name]
