# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a hub's values and manifests on the control node; in one task, because fifty hubs are fifty of each task."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.planetary.hub.plugins.module_utils import _rendered_hub as hub
from ansible_collections.planetary.hub.plugins.module_utils import _umbrella_chart as chart
from ansible_collections.planetary.hub.plugins.module_utils._chart_values import chart_values, schemas
from ansible_collections.planetary.hub.plugins.module_utils._secret_files import updated
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
from ansible_collections.planetary.hub.plugins.modules.helm_umbrella_chart import put_together
from ansible_collections.planetary.hub.plugins.modules.hub_render import SPEC
from ansible_collections.planetary.hub.plugins.plugin_utils._written import place

# Ansible loads this before it forks a process for each hub: the garbage collector of each then passes over what is
# there already, which took half of the time.
gc.freeze()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        # They are checked by what merges them; the check of arguments would copy each of them.
        fragments = self._task.args.pop("fragments")
        _checked, given = self.validate_argument_spec({key: spec for key, spec in SPEC.items() if key != "fragments"})
        if isinstance(fragments, str):
            return {**result, "failed": True, "msg": fragments}
        try:
            texts, why = rendered(given, fragments)
            before = {name: _read(Path(given["directory"]) / name) for name in ("values.json", "manifests.yml")}
            changed = any(texts.get(name, "") != text for name, text in before.items())
            if changed and not self._task.check_mode:
                _write(Path(given["directory"]), texts)
        except (InputError, chart.ChartError, OSError) as error:
            return {**result, "failed": True, "msg": str(error)}
        result.update(changed=changed, directory=given["directory"], files=sorted(texts), without_manifests=why)
        # A task that says it would be one more for each hub.
        host = (task_vars or {}).get("inventory_hostname", "the hub")
        self._display.display(
            f"{host}: {', '.join(sorted(texts))} in {given['directory']}{f' (no manifests: {why})' if why else ''}"
        )
        if self._task.diff:
            result["diff"] = [
                {"before": text, "after": texts.get(name, ""), "before_header": name, "after_header": name}
                for name, text in before.items()
            ]
        return result


def rendered(given: Mapping[str, Any], fragments: list[Mapping[str, Any]]) -> tuple[dict[str, str], str]:
    """The text of each file, by its name, and why there are no manifests."""
    files, why = _chart(given)
    values = chart_values(fragments, schemas(files), lambda *asked: place(fragments, *asked))
    values = hub.without_secrets(values)
    texts = {"values.json": json.dumps(values, indent=2, sort_keys=True)}
    if not why:
        program = hub.helm_there(given["binary_path"])
        texts["manifests.yml"] = hub.manifests(files, values, program, given["release"], given["namespace"]).rstrip()
    return texts, why


def _chart(given: Mapping[str, Any]) -> tuple[chart.Files, str]:
    """The chart's files; without those that it carries where they cannot be had, and then why."""
    wanted, program = given["chart"], given["binary_path"]
    if not wanted:
        return {}, "a hub on this machine has none"
    if not hub.helm_there(program):
        return _alone(wanted), f"there is no program {program}"
    try:
        return put_together({**wanted, "binary_path": program})[0], ""
    except chart.ChartError as error:
        return _alone(wanted), str(error).rstrip(".")


def _alone(wanted: Mapping[str, Any]) -> chart.Files:
    """A chart that lies unpacked, without others."""
    folder = Path(wanted["chart"])
    return chart.read_folder(folder) if folder.is_dir() else {}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip("\n") if path.is_file() else ""


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("values.json", "manifests.yml"):
        if name in texts:
            updated(directory / name, texts[name])
        else:
            (directory / name).unlink(missing_ok=True)
