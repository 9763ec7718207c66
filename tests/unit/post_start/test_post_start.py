# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people write as post-start steps, and what becomes of it in a home: real git, real processes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.planetary.hub.plugins.module_utils._post_start import post_start
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "roles/daskhub/files/post_start/post_start.py"
URL = "https://example.org/examples.git"
WRONG = [
    ({"repository": []}, 'daskhub_post_start has the unknown key "repository"; did you mean "repositories"?'),
    (
        {"repositories": {}},
        "repositories is a mapping of nothing; write a list of mappings with url, branch and folder.",
    ),
    ({"repositories": [{}]}, "repositories[0]: url is empty; write an address such as"),
    ({"repositories": [{"url": "-oProxyCommand=x"}]}, 'url is the text "-oProxyCommand=x"; write an address'),
    ({"repositories": [{"url": "ext::sh -c x"}]}, 'url is the text "ext::sh -c x"; write an address'),
    ({"repositories": [{"url": "https://a:b@example.org/x"}]}, "repositories[0]: url holds a password"),
    ({"repositories": [{"url": URL, "branch": "-f"}]}, 'branch is the text "-f"; write the name of a branch'),
    ({"repositories": [{"url": URL, "folder": "../x"}]}, 'folder is the text "../x"; write a folder below the home'),
    ({"repositories": [{"url": URL, "folder": "/etc"}]}, 'folder is the text "/etc"; write a folder below the home'),
    ({"repositories": [{"url": URL, "folder": ".ssh"}]}, 'folder is the text ".ssh"; write a folder below the home'),
    ({"repositories": [{"url": URL}, {"url": URL}]}, 'folder "examples" and "examples" are in each other\'s way'),
    ({"repositories": [{"url": URL}, {"url": URL, "folder": "examples/a"}]}, "are in each other's way"),
    ({"jupyterlab": {"plugin": {}}}, 'jupyterlab has the key "plugin"; write a plugin as JupyterLab'),
    ({"jupyterlab": {"a:b": 1}}, "jupyterlab.a:b is the number 1; write a mapping of settings."),
    ({"qgis": True}, "qgis is the boolean true; write a mapping with keys such as plugins, autostart."),
    ({"qgis": {"plugins": ["../x"]}}, 'qgis.plugins[0] is the text "../x"; write the name of a folder'),
    ({"timeout": 0}, "timeout is the number 0; write seconds such as 300."),
]


@pytest.mark.parametrize(("steps", "sentence"), WRONG, ids=[sentence[:40] for _steps, sentence in WRONG])
def test_what_cannot_be_used_is_one_sentence(steps: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        post_start(steps)
    assert sentence in str(caught.value) and str(caught.value).startswith("daskhub_post_start")


def test_what_is_not_said_is_filled_in() -> None:
    assert post_start({}) == {
        "enabled": False,
        "jupyterlab": {},
        "steps": {"repositories": [], "qgis": None, "timeout": 300},
    }
    found = post_start({"repositories": [{"url": URL}], "qgis": {}})
    assert found["enabled"]
    assert found["steps"]["repositories"] == [{"url": URL, "branch": "", "folder": "examples"}]
    assert found["steps"]["qgis"] == {"plugins": [], "autostart": True}


class Home:
    """A home, and a repository that comes into it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.origin = folder / "home", folder / "origin"
        self.path.mkdir()
        subprocess.run(["git", "init", "--quiet", "-b", "main", str(self.origin)], check=True)
        self.publish("a.txt", "1\n2\n3\n")
        self.publish("b.txt", "b")

    def git(self, folder: Path, *words: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True, text=True)
        return done.stdout

    def publish(self, name: str, text: str) -> None:
        (self.origin / name).write_text(text)
        self.git(self.origin, "add", "--all")
        self.git(self.origin, "commit", "--quiet", "--message", name)

    def start(self, timeout: float = 60, path: str = os.environ["PATH"], **steps: Any) -> dict[str, str]:
        """Run the script as a pod does; what the log says of each step."""
        given = {"repositories": [{"url": self.url, "folder": "examples", "branch": "main"}], "timeout": timeout}
        wanted = post_start({**given, **steps})["steps"]
        file = self.path.parent / "steps.json"
        file.write_text(json.dumps(wanted))
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(file)],
            env={"PATH": path, "HOME": str(self.path)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        lines = (self.path / ".post-start.log").read_text().splitlines()
        return dict(line.split(" ", 2)[2].split(": ", 1) for line in lines)

    @property
    def url(self) -> str:
        return f"file://{self.origin}"

    @property
    def examples(self) -> Path:
        return self.path / "examples"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_repository_is_cloned_then_updated(home: Home) -> None:
    assert home.start() == {"examples": "cloned"}
    assert home.start() == {"examples": "up to date"}
    home.publish("b.txt", "new")
    assert home.start() == {"examples": "updated"}
    assert (home.examples / "b.txt").read_text() == "new"


def test_what_people_changed_stays_and_the_rest_comes(home: Home) -> None:
    home.start()
    (home.examples / "a.txt").write_text("1\nmine\n3\n")
    (home.examples / "notes.txt").write_text("mine")
    home.publish("a.txt", "1\ntheirs\n3\n4\n")
    home.publish("b.txt", "new")
    assert home.start() == {"examples": "updated"}
    assert (home.examples / "a.txt").read_text().startswith("1\nmine\n3\n")
    assert [(home.examples / name).read_text() for name in ("b.txt", "notes.txt")] == ["new", "mine"]
    # A file of theirs in the way of an untracked one.
    home.publish("notes.txt", "theirs")
    assert "untracked working tree files would be overwritten" in home.start()["examples"]
    assert (home.examples / "notes.txt").read_text() == "mine"


def test_what_is_not_ours_is_left_alone(home: Home) -> None:
    home.start()
    home.git(home.examples, "checkout", "--quiet", "-b", "work")
    assert home.start()["examples"] == "failed: it is on work, not on main; it stays as it is"
    shutil.rmtree(home.examples)
    home.examples.mkdir()
    (home.examples / "thesis").write_text("mine")
    assert home.start()["examples"].startswith("failed: the folder is there and is no clone")
    assert (home.examples / "thesis").read_text() == "mine"


def test_one_step_that_fails_stops_no_other(home: Home) -> None:
    (home.path / "lost+found").mkdir()
    missing = {"url": f"file://{home.path}/none", "folder": "none"}
    given = {"url": home.url, "folder": "courses/first"}
    found = home.start(repositories=[missing, given])
    assert found["none"].startswith("failed: fatal:") and found["courses/first"] == "cloned"
    assert found["lost+found"] == "removed" and not (home.path / "lost+found").exists()
    assert not (home.path / "none").exists() and not list(home.path.glob(".none*"))


def test_a_server_that_never_answers_costs_the_time_that_is_given(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deaf = {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/x.git", "folder": "deaf"}
        begun = time.monotonic()
        found = home.start(timeout=1, repositories=[deaf, {"url": home.url, "folder": "late"}])
    assert time.monotonic() - begun < 10
    assert found["deaf"] == "failed: it took too long"
    assert not (home.path / "deaf").exists()


def test_an_image_without_git_and_a_home_that_is_full(home: Home, tmp_path: Path) -> None:
    assert home.start(path=str(tmp_path))["examples"] == "failed: git is not in this image"
    (home.path / ".post-start.log").unlink()
    (home.path / ".post-start.log").mkdir()
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "steps.json")],
        env={"HOME": str(home.path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "Is a directory" in done.stderr and "Traceback" not in done.stderr


def test_qgis_is_prepared_where_it_is(home: Home, tmp_path: Path) -> None:
    wanted = {"plugins": ["qgis_stac", "none"]}
    assert home.start(repositories=[], qgis=wanted) == {"QGIS": "not in this image"}
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/share/qgis_stac").mkdir(parents=True)
    (tmp_path / "env/share/qgis_stac/metadata.txt").write_text("x")
    program = tmp_path / "env/bin/qgis"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = home.start(path=f"{program.parent}:{os.environ['PATH']}", repositories=[], qgis=wanted)
    assert found["QGIS"].startswith("failed: the image has no none in")
    assert (home.path / ".local/share/QGIS/QGIS3/profiles/default/python/plugins/qgis_stac/metadata.txt").is_file()
    assert f"Exec={program}\n" in (home.path / ".config/autostart/qgis.desktop").read_text()


def test_the_hook_of_a_pod_ends_at_once_and_well(tmp_path: Path) -> None:
    """With a Python that takes its time, and without one."""
    variables = yaml.safe_load((ROOT / "roles/daskhub/vars/main/post_start.yml").read_text())
    shell = variables["__daskhub_post_start_shell"]
    (tmp_path / "python3").write_text("#!/bin/sh\nsleep 3\n")
    (tmp_path / "python3").chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    begun = time.monotonic()
    done = subprocess.run(["/bin/sh", "-c", shell], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and time.monotonic() - begun < 2
    (tmp_path / "python3").unlink()
    done = subprocess.run(["/bin/sh", "-c", shell], env={"HOME": str(tmp_path), "PATH": "/none"}, text=True)
    assert done.returncode == 0
    for _look in range(100):
        log = tmp_path / ".post-start.log"
        if log.is_file() and log.read_text():
            break
        time.sleep(0.02)
    assert log.read_text() == "python3 is not in this image\n"
