# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Run the sessions of noxfile.py and sum up: `make test`, `make test SESSIONS="unit lint"`.

Needs nothing but Python: nox gets an environment of its own in .sandbox/nox. Sessions run two at a time, the longest
first; hubs that are built side by side have directories and ports of their own. The output of a session goes to a file,
and to the terminal when the session fails. The last line is `N passed, N failed, N skipped`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NOX = ROOT / ".sandbox" / "nox" / PYTHON
OUTPUT = ROOT / ".sandbox" / "test" / PYTHON
# What begins last shall not be what takes longest.
LONGEST_FIRST = ("azure", "kubernetes", "molecule", "integration", "lint", "sanity", "contracts", "unit")
SIDE_BY_SIDE = 2
# No session takes half as long on two cores; one that does not end is stopped. A real cluster pulls images besides.
LIMIT = 40 * 60
LIMITS = {"e2e": 80 * 60}
# The output is read later, as plain text.
FOR_A_FILE = {"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1", "PY_COLORS": "0", "PYTHONUNBUFFERED": "1"}
# Without compiled files every start of Python, of which Ansible makes one for each task, takes three times as long.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | FOR_A_FILE
# What is under way, to be stopped with Ctrl-C.
RUNNING: set[subprocess.Popen[bytes]] = set()


@dataclass
class Outcome:
    """What became of a session: ``status`` is passed, failed or skipped."""

    name: str
    status: str
    seconds: float
    reason: str = ""
    log: Path | None = None
    # Tests that a session passed over, with their reasons.
    skips: list[str] = field(default_factory=list)


def nox() -> Path:
    """The nox of this Python, installed when it is not there or when another is wanted."""
    requirements = ROOT / "tests" / "requirements" / "nox.txt"
    home = NOX / "nox"
    program, stamp = home / "bin" / "nox", home / "installed"
    wanted = requirements.read_text(encoding="utf-8")
    if program.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return program
    print(f"Installing nox for Python {PYTHON} into {home.relative_to(ROOT)} ...", flush=True)
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        sys.exit(f"{sys.executable} has no venv module: install it (Debian: apt install python{PYTHON}-venv).")
    venv.create(home, with_pip=True, clear=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(requirements)], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return program


def sessions(program: Path) -> list[str]:
    """The sessions that nox would run by itself, in the order of noxfile.py."""
    listed = subprocess.run([program, "--list", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [entry["session"] for entry in json.loads(listed.stdout) if "extra" not in entry["tags"]]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a session with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def run(program: Path, name: str) -> Outcome:
    """Run one session and say what became of it."""
    log, report, skips = (OUTPUT / f"{name}.{suffix}" for suffix in ("log", "json", "skips"))
    for old in (log, report, skips):
        old.unlink(missing_ok=True)
    # In one piece: another thread says the same.
    sys.stdout.write(f"{name:<11} started\n")
    sys.stdout.flush()
    started = time.monotonic()
    timed_out = False
    limit = LIMITS.get(name, LIMIT)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [program, "--session", name, "--report", str(report)],
            cwd=ROOT,
            env=ENVIRONMENT | {"HUB_TEST_SKIPS": str(skips)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        RUNNING.add(process)
        try:
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            stop(process)
        RUNNING.discard(process)
    outcome = Outcome(name, "passed" if process.returncode == 0 else "failed", time.monotonic() - started, log=log)
    if timed_out:
        outcome.reason = f"stopped after {limit} s"
    elif report.exists():
        (entry,) = json.loads(report.read_text(encoding="utf-8"))["sessions"]
        if entry["result"] == "skipped":
            outcome.status = "skipped"
        outcome.reason = entry.get("reason") or ""
    if skips.exists():
        entries = [json.loads(line) for line in skips.read_text(encoding="utf-8").splitlines()]
        outcome.skips = [f"{entry['test']}: {entry['reason']}" for entry in entries]
    show(outcome)
    return outcome


def line(outcome: Outcome) -> str:
    """One outcome in one line."""
    return f"{outcome.name:<11} {outcome.status:<8} {outcome.seconds:>5.0f} s  {outcome.reason}".rstrip()


def show(outcome: Outcome) -> None:
    """Say how a session ended; when it failed, what it said."""
    text = line(outcome) + "\n"
    if outcome.status == "failed" and outcome.log is not None:
        content = outcome.log.read_text(encoding="utf-8", errors="replace")
        text = f"\n--- {outcome.name} ---\n{content}--- end of {outcome.name} ---\n\n{text}"
    sys.stdout.write(text)
    sys.stdout.flush()


def run_all(program: Path, names: list[str]) -> list[Outcome]:
    """Two at a time, the longest first; outcomes in the order of the names."""
    first = [name for name in LONGEST_FIRST if name in names]
    order = first + [name for name in names if name not in first]
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        outcomes = list(pool.map(lambda name: run(program, name), order))
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(RUNNING):
            stop(process)
        raise
    pool.shutdown()
    return sorted(outcomes, key=lambda outcome: names.index(outcome.name))


def summary(outcomes: list[Outcome], seconds: float) -> str:
    """All outcomes, what was skipped and why, and the count in the last line."""
    lines = ["", f"Python {PYTHON}, {seconds:.0f} s:"]
    for outcome in outcomes:
        lines.append(f"  {line(outcome)}")
        lines += [f"    skipped: {skip}" for skip in outcome.skips]
    count = {
        status: sum(outcome.status == status for outcome in outcomes) for status in ("passed", "failed", "skipped")
    }
    lines += ["", ", ".join(f"{number} {status}" for status, number in count.items())]
    return "\n".join(lines)


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    program = nox()
    outcomes = run_all(program, sys.argv[1:] or sessions(program))
    print(summary(outcomes, time.monotonic() - started))
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped.")
