# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Both sides of a long task's progress, with real processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._progress import Abandoned, Progress, Wait

HOLDER = """
import fcntl, sys, time
stream = open(sys.argv[1], "w")
fcntl.flock(stream, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Prove that a user can log in and compute
      planetary.hub.hub_smoke_test:
        url: {url}
        user: ann
        password_file: {directory}/password
        notebook_file: {directory}/proof.py
        results_directory: {directory}/results
      check_mode: {check_mode}
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A progress file as the action plugin holds it."""
    path = tmp_path / "progress"
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield path


def test_lines_are_lines(held: Path) -> None:
    progress = Progress(str(held))
    progress.say("one")
    progress.say("two\nlines  in one")
    assert held.read_text() == "one\ntwo lines in one\n"


def test_without_a_listener_nothing_happens() -> None:
    Progress().say("words")
    Progress().check()


def test_a_held_file_means_that_somebody_listens(held: Path) -> None:
    Progress(str(held)).check()


def test_a_free_or_missing_file_means_that_nobody_does(tmp_path: Path) -> None:
    for path in (tmp_path / "free", tmp_path / "missing"):
        if path.name == "free":
            path.touch()
        with pytest.raises(Abandoned):
            Progress(str(path)).check()
        Progress(str(path)).unattended().check()


def test_a_killed_holder_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        Progress(str(path)).check()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with pytest.raises(Abandoned):
            Progress(str(path)).check()


def test_a_wait_speaks_now_and_then_and_ends(held: Path) -> None:
    now = [0.0]
    wait = Wait(25, "waiting", Progress(str(held)), every=10, clock=lambda: now[0])
    ticks = 0
    while wait.tick():
        ticks += 1
        now[0] += 1
    assert (ticks, wait.left, wait.passed) == (25, 0, 25)
    assert held.read_text().splitlines() == ["waiting … (10 s)", "waiting … (20 s)"]


def play(root: Path, directory: Path, check_mode: bool) -> subprocess.CompletedProcess[str]:
    (directory / "password").write_text("pass-word\n")
    (directory / "proof.py").write_text("")
    playbook = directory / "playbook.yml"
    # Port 9 of this machine is nobody's: `discard` has been out of use for decades.
    playbook.write_text(PLAYBOOK.format(url="http://127.0.0.1:9/", directory=directory, check_mode=check_mode))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", "here,", "-c", "local"]
    interpreter = ["-e", f"ansible_python_interpreter={sys.executable}"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(root / "ansible.cfg"), "ANSIBLE_HOME": str(directory / "home")}
    return subprocess.run(
        [*command, *interpreter], capture_output=True, text=True, cwd=root, env=environment, timeout=60, check=False
    )


def test_a_play_shows_the_lines_and_one_sentence(root: Path, tmp_path: Path) -> None:
    started = time.time()
    done = play(root, tmp_path, check_mode=False)
    sentence = "sign in: failed (0.0 s): GET http://127.0.0.1:9/hub/login got no answer: connection refused"
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"[here] smoke test: {sentence}" in done.stdout
    assert "[here] smoke test: clean up: passed" in done.stdout
    results = json.loads((tmp_path / "results" / "smoke-test.json").read_text())
    assert results["passed"] is False
    assert results["checks"][0]["status"] == "failed"
    assert (tmp_path / "results" / "smoke-test.xml").stat().st_mtime >= started - 1
    everything = [path.read_text() for path in (tmp_path / "results").iterdir()] + [done.stdout, done.stderr]
    assert not any("pass-word" in text or "Traceback" in text for text in everything)
    assert list((tmp_path / "home").rglob("progress-*")) == []


def test_check_mode_touches_nothing(root: Path, tmp_path: Path) -> None:
    done = play(root, tmp_path, check_mode=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
    assert "smoke test:" not in done.stdout
    assert not (tmp_path / "results").exists()
