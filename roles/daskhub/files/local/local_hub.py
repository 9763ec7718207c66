# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Look at, wait for or stop the hub of the local platform: `python local_hub.py {status,wait,stop} DIRECTORY`.

Runs in the hub's own environment (supervisor and psutil come from there).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

#: Every process of the hub inherits this variable, its users' servers and Dask clusters too.
MARK = "HUB_LOCAL_DIRECTORY"
#: What answers when the hub is whole.
HEALTH = ("hub/health", "services/dask-gateway/api/health")
#: Seconds between a polite signal and the other one.
PATIENCE = 20
#: Seconds between two looks for what is left; a process that is just starting cannot be recognised for a moment.
QUIET_SECONDS = 0.2
#: Seconds after which a service that does not stay up is given up.
BACKOFF_SECONDS = 8
LAST_WORDS = 12


def settings(directory: Path) -> dict[str, Any]:
    """Return what the role wrote of this hub: url, users, services."""
    found: dict[str, Any] = json.loads((directory / "etc" / "local.json").read_text(encoding="utf-8"))
    return found


def states(directory: Path) -> dict[str, str]:
    """Return each service's state in supervisor's words (RUNNING, STARTING, BACKOFF, FATAL, STOPPED ...)."""
    transport = SupervisorTransport(None, None, f"unix://{directory}/run/supervisor.sock")
    try:
        found: Any = ServerProxy("http://127.0.0.1", transport=transport).supervisor.getAllProcessInfo()
    except (OSError, Fault):
        return {}
    return {process["name"]: process["statename"] for process in found}


def status(directory: Path) -> dict[str, Any]:
    """Return {url, sign_in, users: [{name, password_file}], services: [{name, state, log}]}."""
    local, now = settings(directory), states(directory)
    return {
        "url": local["url"],
        "sign_in": local["sign_in"],
        "users": [{"name": user["name"], "password_file": user["password_file"]} for user in local["users"]],
        "services": [
            {"name": name, "state": now.get(name, "STOPPED"), "log": str(directory / "log" / f"{name}.log")}
            for name in local["services"]
        ],
    }


def is_whole(found: dict[str, Any]) -> bool:
    return all(service["state"] == "RUNNING" for service in found["services"])


def as_text(found: dict[str, Any]) -> str:
    """Return a status for people."""
    headline = "The hub runs at {}" if is_whole(found) else "The hub at {} does not run whole: `make hub` starts it."
    lines = [headline.format(found["url"]), ""]
    lines += ["Sign in as     with the password in"] if found["users"] else [f"Sign in with {found['sign_in']}"]
    lines += [f"  {user['name']:<12} {user['password_file']}" for user in found["users"]]
    lines += ["", "Service               state      log"]
    lines += [f"  {service['name']:<19} {service['state']:<10} {service['log']}" for service in found["services"]]
    return "\n".join(lines)


def answers(url: str) -> bool:
    """Tell whether a URL answers with success, asked directly and not through a proxy of the company."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False


def wait(directory: Path, seconds: float) -> str:
    """Wait until the hub is whole and answers; return an empty string, or why it does not within the limit."""
    url = settings(directory)["url"]
    start, failing_since = time.monotonic(), None
    while True:
        found = status(directory)
        if is_whole(found) and all(answers(url + path) for path in HEALTH):
            return ""
        failing = [service for service in found["services"] if service["state"] in {"BACKOFF", "FATAL", "EXITED"}]
        failing_since = (failing_since or time.monotonic()) if failing else None
        if failing_since and time.monotonic() - failing_since > BACKOFF_SECONDS:
            return "\n".join(f"{service['name']} does not stay up. {last_words(service['log'])}" for service in failing)
        if time.monotonic() - start > seconds:
            silent = [url + path for path in HEALTH if not answers(url + path)]
            return f"No answer from {', '.join(silent)} within {seconds:.0f} s; logs: {directory}/log."
        time.sleep(0.1)


def last_words(log: str) -> str:
    """Return the end of a log file, and where the whole is."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join([f"The end of {log}:", *lines[-LAST_WORDS:]])


def is_supervisor(process: psutil.Process, directory: Path) -> bool:
    try:
        pid = int((directory / "run" / "supervisord.pid").read_text(encoding="ascii"))
        return process.pid == pid and any("supervisord" in word for word in process.cmdline())
    except (OSError, ValueError, psutil.Error):
        return False


def is_marked(process: psutil.Process, directory: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(directory)
    except (psutil.Error, OSError):
        return False


def stop(directory: Path) -> list[str]:
    """Stop the supervisor, so that nothing is started again, then all else; return the names of what was stopped."""
    return stop_all(is_supervisor, directory) + stop_all(is_marked, directory)


def stop_all(belongs: Callable[[psutil.Process, Path], bool], directory: Path) -> list[str]:
    """Ask politely, then kill, until nothing turns up any more: what dies may start others while it does."""
    names: list[str] = []
    quiet = 0
    for signal in ("terminate", *["kill"] * 10):
        found = [process for process in psutil.process_iter() if belongs(process, directory)]
        names += [f"{name(process)} ({process.pid})" for process in found]
        send(found, signal)
        psutil.wait_procs(found, timeout=PATIENCE)
        quiet = 0 if found else quiet + 1
        if quiet > 1:
            break
        time.sleep(QUIET_SECONDS)
    return list(dict.fromkeys(names))


def name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "process"


def send(processes: Iterable[psutil.Process], signal: str) -> None:
    for process in processes:
        try:
            getattr(process, signal)()
        except psutil.NoSuchProcess:
            continue


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["status", "wait", "stop"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--seconds", type=float, default=90)
    arguments = parser.parse_args()
    directory = arguments.directory.resolve()
    if arguments.command == "status":
        found = status(directory)
        print(json.dumps(found) if arguments.format == "json" else as_text(found))
        return 0
    if arguments.command == "wait":
        reason = wait(directory, arguments.seconds)
        print(reason)
        return 1 if reason else 0
    for stopped in stop(directory):
        print(f"stopped {stopped}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
