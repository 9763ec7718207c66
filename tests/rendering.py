# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What a play of a few lines renders, run by Ansible as people run it, with nothing of this machine's settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_play(play: str, root: Path, folder: Path, *words: str, **variables: Any) -> tuple[str, str]:
    """The text that a play writes to its variable ``output``, and what Ansible says meanwhile.

    :param root: the checkout; the play's variable ``root``
    :param folder: for what the run leaves behind
    :param words: the inventory and the like, for the command
    """
    (folder / "play.yml").write_text(play, encoding="utf-8")
    given = {"root": str(root), "output": str(folder / "output"), **variables}
    run = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", *words, "-e", json.dumps(given), str(folder / "play.yml")],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(root / ".collections"),
            "ANSIBLE_CONFIG": str(folder / "none.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return (folder / "output").read_text(encoding="utf-8"), run.stdout + run.stderr


def rendered(play: str, root: Path, folder: Path, *words: str, **variables: Any) -> str:
    """What a play writes alone."""
    return run_play(play, root, folder, *words, **variables)[0]


def golden(file: Path, found: str) -> None:
    """Compare with what is kept; HUB_GOLDEN_UPDATE in the environment keeps what was found instead."""
    if os.environ.get("HUB_GOLDEN_UPDATE"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
