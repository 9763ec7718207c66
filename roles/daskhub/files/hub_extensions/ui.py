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
SEVERITIES = ("info", "warning", "danger")


def is_link(found: Any) -> bool:
    """Tell whether a link can be shown: {"label": str, "url": str}, and the URL is one to follow, no script."""
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("label", "url")):
        return False
    return found["url"].startswith(("https://", "http://", "/"))


def cleaned(name: str, found: Any) -> Any:
    """Return what a page can show of a value found in ui.json; what it cannot show is left out or the default.

    Args:
        name: a key of DEFAULTS.
        found: anything that JSON can hold.
    """
    if not isinstance(found, type(DEFAULTS[name])):
        return DEFAULTS[name]
    if name == "links":
        return [link for link in found if is_link(link)]
    if name == "severity" and found not in SEVERITIES:
        return DEFAULTS[name]
    return found or DEFAULTS[name]


class Look:
    """What templates see as `ui`: `{{ ui.title }}`, `ui.logo`, `ui.links`, `ui.announcement`, `ui.severity`."""

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(name)
        try:
            return cleaned(name, UI.read().get(name))
        except DataFileError as error:
            # A page without its title is better than no page.
            log.warning("%s", error)
            return DEFAULTS[name]
