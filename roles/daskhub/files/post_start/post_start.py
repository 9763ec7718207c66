# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What happens in a home after a server has started, in the background: repositories, QGIS, lost+found.

Runs with whatever Python 3 an image has, as its user. It never fails: what did not work is in ~/.post-start.log, and
the other steps go on. Usage: post_start.py STEPS, a file of JSON as the filter planetary.hub.post_start writes it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LOG = ".post-start.log"
PLUGINS = ".local/share/QGIS/QGIS3/profiles/default/python/plugins"
DESKTOP = "[Desktop Entry]\nType=Application\nName=QGIS\nExec={program}\nTerminal=false\n"
#: Nobody is there to be asked for a password, and what people are called says nothing here.
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "LC_ALL": "C",
}
AUTHOR = ("-c", "user.name=Post-start", "-c", "user.email=post-start@localhost", "-c", "commit.gpgSign=false")


class Problem(Exception):
    """Why a step did not work; one sentence."""


class Git:
    """Git in one folder, until a moment of time.monotonic()."""

    def __init__(self, folder: Path, until: float) -> None:
        self.folder, self.until = folder, until

    def __call__(self, *words: str) -> str:
        """What it prints.

        Raises:
            Problem: it failed, or took too long; then nothing of it runs any more.
        """
        command = ["git", "-c", f"safe.directory={self.folder}", "-C", str(self.folder), *words]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )
        except FileNotFoundError:
            raise Problem("git is not in this image") from None
        try:
            said = process.communicate(timeout=max(self.until - time.monotonic(), 0.1))[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Problem("it took too long") from None
        if process.returncode:
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            raise Problem(" ".join(lines[:6])[:400] or f"git ended with {process.returncode}")
        return said.strip()


def bring_repository(home: Path, wanted: dict[str, str], until: float) -> str:
    """Clone a repository, or bring a clone up to date; what people changed in it stays as it is.

    Args:
        wanted: url, folder below the home, branch or "" for the repository's own.
    """
    place = home / wanted["folder"]
    if place.exists() or place.is_symlink():
        return _update(place, wanted, Git(place, until))
    # Elsewhere first: what is interrupted is not taken for a clone the next time.
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    branch = ["--branch", wanted["branch"]] if wanted["branch"] else []
    try:
        Git(home, until)("clone", "--quiet", "--single-branch", *branch, "--", wanted["url"], str(part))
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return "cloned"


def _update(place: Path, wanted: dict[str, str], git: Git) -> str:
    if not (place / ".git").exists():
        raise Problem("the folder is there and is no clone; rename it to get the repository")
    if git("config", "--get", "remote.origin.url") != wanted["url"]:
        raise Problem("the folder is a clone of another repository; it stays as it is")
    branch = git("rev-parse", "--abbrev-ref", "HEAD")
    if branch == "HEAD" or (wanted["branch"] and branch != wanted["branch"]):
        raise Problem(f"it is on {branch}, not on {wanted['branch'] or 'a branch'}; it stays as it is")
    busy = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD")
    if any((place / ".git" / name).exists() for name in busy):
        raise Problem("a merge or rebase is under way in it; it stays as it is")
    git("fetch", "--quiet", "origin", branch)
    before = git("rev-parse", "HEAD")
    try:
        git("merge", "--quiet", "--ff-only", "FETCH_HEAD")
    except Problem:
        _merge(git)
    return "up to date" if git("rev-parse", "HEAD") == before else "updated"


def _merge(git: Git) -> None:
    """Merge where people have changed files: where both did, theirs stays."""
    if git("status", "--porcelain", "--untracked-files=no"):
        git(*AUTHOR, "commit", "--quiet", "--all", "--no-verify", "--message", "Keep changes before an update")
    try:
        git(*AUTHOR, "merge", "--quiet", "--no-edit", "--no-verify", "-X", "ours", "FETCH_HEAD")
    except Problem:
        if (git.folder / ".git" / "MERGE_HEAD").exists():
            git("merge", "--abort")
        raise


def prepare_qgis(home: Path, wanted: dict[str, object]) -> str:
    """Plugins of the image into the home, and a desktop that starts with QGIS; nothing where there is no QGIS."""
    program = shutil.which("qgis")
    if program is None:
        return "not in this image"
    share = Path(program).resolve().parent.parent / "share"
    missing = []
    for name in wanted["plugins"]:  # type: ignore[attr-defined]
        place = home / PLUGINS / name
        if not (share / name).is_dir():
            missing.append(name)
        elif not place.exists():
            shutil.copytree(share / name, place)
    entry = home / ".config/autostart/qgis.desktop"
    if wanted["autostart"] and not entry.exists():
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_text(DESKTOP.format(program=program), encoding="utf-8")
    if missing:
        raise Problem(f"the image has no {', '.join(missing)} in {share}")
    return "ready"


def remove_lost_and_found(home: Path) -> str:
    """The folder that a new disk has, if nothing was found."""
    if not (home / "lost+found").is_dir():
        return ""
    os.rmdir(home / "lost+found")
    return "removed"


def run(steps: dict[str, object], home: Path) -> int:
    """Do all steps, and write down what became of each; how many failed."""
    until = time.monotonic() + float(steps["timeout"])  # type: ignore[arg-type]
    todo = [("lost+found", remove_lost_and_found, (home,))]
    for wanted in steps["repositories"]:  # type: ignore[attr-defined]
        todo.append((wanted["folder"], bring_repository, (home, wanted, until)))  # type: ignore[arg-type]
    if steps["qgis"]:
        todo.append(("QGIS", prepare_qgis, (home, steps["qgis"])))  # type: ignore[arg-type]
    failed = 0
    with open(home / LOG, "w", encoding="utf-8") as log:
        for name, step, arguments in todo:
            try:
                said = step(*arguments)
            except (Problem, OSError, shutil.Error) as error:
                failed, said = failed + 1, f"failed: {error}"
            if said:
                log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {name}: {said}\n")
                log.flush()
    return failed


def main() -> None:
    try:
        run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path.home())
    except Exception as error:  # a home that is full, a file that is no JSON: a server runs without, too
        print(f"post-start: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
