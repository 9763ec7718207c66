# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What happens in homes after a server has started, as data."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    number,
    plain,
    quote,
    text,
    texts,
    wrong,
)

NAME = "daskhub_post_start"
#: Seconds for all steps together.
TIMEOUT = 300
_KEYS = ("repositories", "jupyterlab", "qgis", "timeout")
_PART = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+ -]*")
_URL = re.compile(r"(https?|ssh|git|file)://\S+")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_PLUGIN = re.compile(r"[^\s:]+:[^\s:]+")


def post_start(steps: Any) -> dict[str, Any]:
    """Check daskhub_post_start and fill in what is not said.

    Args:
        steps: mapping as described in the filter post_start.

    Returns:
        {"enabled": bool, "jupyterlab": {plugin: settings}, "steps": {"repositories": [{"url", "branch", "folder"}],
        "qgis": {"plugins", "autostart"} or None, "timeout": seconds}}

    Raises:
        InputError: one sentence that names the item.
    """
    steps = mapping(NAME, plain(steps), _KEYS)
    repositories = _repositories(steps.get("repositories", []))
    qgis = _qgis(steps["qgis"]) if steps.get("qgis") is not None else None
    timeout = number(f"{NAME}: timeout", steps.get("timeout", TIMEOUT), "seconds such as 300", minimum=1)
    return {
        "enabled": bool(repositories or qgis),
        "jupyterlab": _settings(steps.get("jupyterlab", {})),
        "steps": {"repositories": repositories, "qgis": qgis, "timeout": timeout},
    }


def _repositories(entries: Any) -> list[dict[str, str]]:
    if not isinstance(entries, list):
        raise wrong(f"{NAME}: repositories", entries, "a list of mappings with url, branch and folder")
    found: list[dict[str, str]] = []
    for index, entry in enumerate(entries):
        where = f"{NAME}: repositories[{index}]"
        entry = mapping(where, entry, ("url", "branch", "folder"))
        url = _matching(f"{where}: url", entry.get("url"), _URL, "an address such as https://example.org/examples.git")
        if re.match(r"[a-z]+://[^/@]*:[^/@]*@", url):
            raise InputError(f"{where}: url holds a password, which all users would read; take it out.")
        branch = entry.get("branch", "")
        if branch != "":
            branch = _matching(f"{where}: branch", branch, _BRANCH, 'the name of a branch, such as "main"')
        folder = _folder(where, entry.get("folder", url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")))
        for other in found:
            if f"{folder}/".startswith(f"{other['folder']}/") or f"{other['folder']}/".startswith(f"{folder}/"):
                raise InputError(
                    f"{where}: folder {quote(folder)} and {quote(other['folder'])} are in each other's way; "
                    "give each repository a folder of its own."
                )
        found.append({"url": url, "branch": branch, "folder": folder})
    return found


def _folder(where: str, value: Any) -> str:
    """A path below the home that leads nowhere else."""
    parts = value.split("/") if isinstance(value, str) else []
    if not parts or not all(_PART.fullmatch(part) for part in parts):
        raise wrong(f"{where}: folder", value, "a folder below the home, such as examples or courses/first")
    return str(value)


def _qgis(value: Any) -> dict[str, Any]:
    where = f"{NAME}: qgis"
    value = mapping(where, value, ("plugins", "autostart"))
    plugins = texts(f"{where}.plugins", value.get("plugins", []), "names of folders in the image's share/")
    for index, name in enumerate(plugins):
        _matching(f"{where}.plugins[{index}]", name, _PART, "the name of a folder in the image's share/")
    return {"plugins": plugins, "autostart": boolean(f"{where}.autostart", value.get("autostart", True))}


def _settings(value: Any) -> dict[str, dict[str, Any]]:
    where = f"{NAME}: jupyterlab"
    if not isinstance(value, dict):
        raise wrong(where, value, "a mapping of plugins to their settings")
    for plugin, settings in value.items():
        if not isinstance(plugin, str) or not _PLUGIN.fullmatch(plugin):
            raise InputError(
                f"{where} has the key {quote(plugin)}; write a plugin as JupyterLab's settings name it, such as "
                "@jupyterlab/docmanager-extension:plugin."
            )
        if not isinstance(settings, dict):
            raise wrong(f"{where}.{plugin}", settings, "a mapping of settings")
    return value


def _matching(where: str, value: Any, pattern: re.Pattern[str], wanted: str) -> str:
    if not pattern.fullmatch(text(where, value, wanted)):
        raise wrong(where, value, wanted)
    return str(value)
