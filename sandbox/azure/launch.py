#!/usr/bin/env python3
# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Start and stop the stand-in for Azure, and say how clients reach it.

    python sandbox/azure/launch.py start [--directory D] [--port P] [--latency S] [--kubeconfig FILE] [--prepared]
                                         [--listen ADDRESS]
    python sandbox/azure/launch.py env [--format shell|json]
    python sandbox/azure/launch.py dial METHOD PATH [JSON]
    python sandbox/azure/launch.py status | stop

Only the standard library is needed here; what the stand-in itself needs is installed into ``<directory>/venv``.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from venv import EnvBuilder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = (HERE / "requirements.txt", HERE / "models.txt")
DEFAULT_PORT = 28443
CONTROL = "http://dials.stand-in.invalid"
#: Seconds until a started stand-in must answer, and until a stopped one must be gone.
START_LIMIT = 60.0
STOP_LIMIT = 10.0
#: Variables of the environment that are meant for the Python that starts it. Without what it has compiled, each start
#: takes seconds longer: it keeps that beside its packages, never beside its sources.
NOT_FOR_THE_STAND_IN = ("PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class Problem(Exception):
    """Something that a person has to change; one sentence."""


# ---------------------------------------------------------------------------------------------------------- environment
def _installer(python: Path) -> list[str]:
    """The command that installs into an environment: uv when it is at hand, otherwise pip."""
    for command in (
        [sys.executable, "-m", "uv"],
        [str(Path(sys.executable).with_name("uv"))],
        [shutil.which("uv") or ""],
    ):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if command[0] and subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
                return [*command, "pip", "install", "--quiet", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _outside() -> dict[str, str]:
    """This environment without the way to a stand-in, which an installer must not take."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE", "")
    own = bundle and (Path(bundle).parent / "environment.json").exists()
    dropped = ("HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if own else ()
    return {key: value for key, value in os.environ.items() if key not in dropped}


def _fingerprint() -> str:
    content = b"".join(path.read_bytes() for path in REQUIREMENTS if path.exists())
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def environment(target: Path) -> Path:
    """The Python of the stand-in's own environment, made when there is none or when it is stale."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with _exclusive(target.parent / f"{target.name}.lock"):
        return _environment(target)


def _environment(target: Path) -> Path:
    python, stamp = target / "bin" / "python", target / ".ready"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted and python.exists():
        return python
    print(f"Installing the stand-in for Azure into {target} ...", file=sys.stderr)
    with_pip = _installer(python)[1:3] == ["-m", "pip"]
    EnvBuilder(clear=True, with_pip=with_pip, symlinks=True).create(target)
    done = subprocess.run([*_installer(python), "-r", str(REQUIREMENTS[0])], env=_outside(), check=False)
    if done.returncode:
        raise Problem(
            f"The stand-in's environment {target} could not be installed: see the messages of the installer above."
        )
    stamp.write_text(wanted, encoding="ascii")
    return python


# -------------------------------------------------------------------------------------------------------------- process
@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """One launcher at a time."""
    with path.open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def running(directory: Path) -> int | None:
    """The process id of the stand-in of a directory; None when none runs. It holds a lock as long as it lives."""
    path = directory / "lock"
    if not path.exists():
        return None
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                return int((directory / "pid").read_text(encoding="ascii"))
            return 0
    return None


def _port_of(directory: Path) -> int | None:
    try:
        return int((directory / "port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _choose_port(directory: Path, wanted: int | None) -> int:
    """The port that is wanted, or else the one of last time, the default, or any."""
    if wanted:
        if not _free(wanted):
            raise Problem(f"Port {wanted} is in use: stop what listens there, or name another one with --port.")
        return wanted
    for port in (_port_of(directory), DEFAULT_PORT):
        if port and _free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(directory: Path, method: str, path: str, body: Any = None, timeout: float = 10.0) -> Any:
    """Ask the control endpoint."""
    port = _port_of(directory)
    if port is None:
        raise Problem(f"No stand-in has been started in {directory}: start one with launch.py start.")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port}"}))
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{CONTROL}{path}", data, {"Content-Type": "application/json"}, method=method)  # noqa: S310
    with opener.open(request, timeout=timeout) as response:
        return json.loads(response.read() or b"null")


def _tail(path: Path) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    return ""


def _wait_until_ready(directory: Path, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT
    log = directory / "stand-in.log"
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise Problem(f"The stand-in ended at once; {log} ends with:\n{_tail(log)}")
        with contextlib.suppress(OSError, ValueError):
            if call(directory, "GET", "/", timeout=2)["pid"] == process.pid:
                return
        time.sleep(0.03)
    process.kill()
    raise Problem(f"The stand-in did not answer within {START_LIMIT:.0f} seconds; {log} ends with:\n{_tail(log)}")


def _sources() -> str:
    """What the stand-in is made of, in a few letters."""
    content = hashlib.sha256(_fingerprint().encode())
    for path in sorted(path for path in HERE.rglob("*") if path.suffix in (".py", ".yml")):
        content.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
    return content.hexdigest()


def _is_old(directory: Path) -> bool:
    """Whether what runs was started from other sources than there are now."""
    try:
        return (directory / "sources").read_text(encoding="ascii") != _sources()
    except OSError:
        return True


def _cluster(kubeconfig: Path) -> str:
    """A kubeconfig as it is remembered: where it lies and what it says."""
    try:
        return f"{kubeconfig}\n{hashlib.sha256(kubeconfig.read_bytes()).hexdigest()}\n"
    except OSError as error:
        raise Problem(f"The kubeconfig {kubeconfig} cannot be read ({error.strerror}): name another one.") from None


def _cluster_of(directory: Path) -> str:
    """The kubeconfig that what runs was started with; empty without one."""
    return _noted(directory, "kubeconfig")


def _noted(directory: Path, name: str) -> str:
    """What was noted at the start of what runs."""
    with contextlib.suppress(OSError):
        return (directory / name).read_text(encoding="utf-8")
    return ""


def start(
    directory: Path,
    port: int | None = None,
    latency: float | None = None,
    venv: Path | None = None,
    kubeconfig: Path | None = None,
    listen: str = "",
) -> int:
    """Start the stand-in, or leave it running; its port.

    One that runs older sources, or with another kubeconfig or for others than is given, is started again.

    :param listen: an address at which it listens besides 127.0.0.1, and which clients are told; "": as last time
    """
    wanted = _cluster(kubeconfig) if kubeconfig else ""
    directory.mkdir(parents=True, exist_ok=True)
    with _exclusive(directory / "launch.lock"):
        if running(directory) is not None:
            there = _port_of(directory) or 0
            if port and port != there:
                raise Problem(f"A stand-in runs in {directory} on port {there} already: stop it, or leave out --port.")
            wanted, listen = wanted or _cluster_of(directory), listen or _noted(directory, "listen")
            if _is_old(directory) or wanted != _cluster_of(directory) or listen != _noted(directory, "listen"):
                stop(directory)
        if running(directory) is not None:
            if latency is not None:
                call(directory, "PATCH", "/latency", {"scale": latency})
            return there
        chosen = _choose_port(directory, port)
        python = environment(venv or directory / "venv")
        (directory / "port").write_text(f"{chosen}\n", encoding="ascii")
        (directory / "sources").write_text(_sources(), encoding="ascii")
        (directory / "kubeconfig").write_text(wanted, encoding="utf-8")
        (directory / "listen").write_text(listen, encoding="utf-8")
        command = [str(python), "-m", "sandbox.azure.proxy", "--directory", str(directory), "--port", str(chosen)]
        if wanted:
            command += ["--kubeconfig", wanted.partition("\n")[0]]
        if latency is not None:
            command += ["--latency", str(latency)]
        if listen:
            command += ["--listen", listen]
        variables = {key: value for key, value in os.environ.items() if key not in NOT_FOR_THE_STAND_IN}
        descriptor = os.open(directory / "stand-in.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**variables, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(python.parents[1] / "bytecode")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _wait_until_ready(directory, process)
        return chosen


def stop(directory: Path) -> bool:
    """Stop the stand-in; whether one ran."""
    pid = running(directory)
    if not pid:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        limit = time.monotonic() + STOP_LIMIT
        while time.monotonic() < limit:
            if running(directory) is None and _free(_port_of(directory) or 0):
                return True
            time.sleep(0.03)
    raise Problem(f"The stand-in (process {pid}) does not stop.")


def variables(directory: Path) -> dict[str, str]:
    """What clients need in their environment."""
    try:
        content: dict[str, str] = json.loads((directory / "environment.json").read_text(encoding="utf-8"))
    except OSError:
        message = f"No stand-in has been started in {directory}: start one with make azure or launch.py start."
        raise Problem(message) from None
    return content


def prepare(directory: Path) -> None:
    """Have there what people make by hand before a hub; ``prepared.json`` says what, without what is secret."""
    path = directory / "prepared.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(call(directory, "POST", "/prepared"), indent=2), encoding="utf-8")
    part.replace(path)


# -------------------------------------------------------------------------------------------------------------- command
def _print_environment(directory: Path, form: str) -> None:
    found = variables(directory)
    if form == "json":
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")


def _dial(directory: Path, words: list[str]) -> None:
    method, path, *rest = words if len(words) > 1 else ("GET", *(words or ["/"]))
    try:
        body = json.loads(rest[0]) if rest else None
    except ValueError as error:
        raise Problem(f"{rest[0]!r} is no JSON: {error}.") from error
    try:
        print(json.dumps(call(directory, method.upper(), f"/{path.lstrip('/')}", body), indent=2))
    except urllib.error.HTTPError as error:
        raise Problem(json.loads(error.read())["error"]["message"]) from error
    except OSError as error:
        raise Problem(
            f"The stand-in of {directory} does not answer ({error}): start it with launch.py start."
        ) from error


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("command", choices=("start", "stop", "status", "env", "dial"))
    parser.add_argument("words", nargs="*", help="dial: method, path and JSON")
    parser.add_argument("--directory", type=Path, default=ROOT / ".sandbox" / "azure")
    parser.add_argument(
        "--port", type=int, help=f"of the proxy; default: that of last time, {DEFAULT_PORT}, or a free one"
    )
    parser.add_argument("--latency", type=float, help="scale of Azure's latencies: 0 none, 1 as Azure")
    parser.add_argument("--venv", type=Path, help="its environment, when several share one; default: <directory>/venv")
    parser.add_argument(
        "--kubeconfig", type=Path, help="start: of a real cluster, by whose cluster-admin, that all clusters then are"
    )
    parser.add_argument(
        "--listen",
        default="",
        help="start: an address of this machine for others too, such as a cluster's pods; all may turn dials",
    )
    parser.add_argument(
        "--prepared", action="store_true", help="start: with what people make by hand before a hub: accounts, API keys"
    )
    parser.add_argument("--format", choices=("shell", "json"), default="shell")
    options = parser.parse_intermixed_args(arguments)
    directory = options.directory.resolve()
    try:
        if options.command == "start":
            files = [path and path.resolve() for path in (options.venv, options.kubeconfig)]
            port = start(directory, options.port, options.latency, files[0], files[1], options.listen)
            if options.prepared:
                prepare(directory)
            print(f"The stand-in for Azure listens on 127.0.0.1:{port}.")
        elif options.command == "stop":
            print("The stand-in for Azure is stopped." if stop(directory) else "No stand-in for Azure runs.")
        elif options.command == "status":
            pid = running(directory)
            print(f"Process {pid}, port {_port_of(directory)}." if pid else "No stand-in for Azure runs.")
        elif options.command == "env":
            _print_environment(directory, options.format)
        else:
            _dial(directory, options.words)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
