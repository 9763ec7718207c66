# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The programs that tests run beside Python: helm, etcd, kube-apiserver.

They are taken from KUBEBUILDER_ASSETS or PATH; what is missing or too old there is built once from tools/go.mod, into
$XDG_CACHE_HOME/planetary.hub/tools. As a program it says the folder that holds all of them, as its last line and, as
`found` and the folder, in a file that is named; without Go and without them it ends with code 3 and says how to have
them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent / "tools"
# A server that does not know its version says v0.0.0, and charts refuse it.
FLAGS = (
    "-s -w -X k8s.io/component-base/version.gitVersion={version} -X k8s.io/component-base/version.gitMajor={major}"
    " -X k8s.io/component-base/version.gitMinor={minor}"
)
NEWEST = (99,)
MISSING = 3
EVERY = 15.0  # seconds between two lines of progress


class NotThere(Exception):
    """A program cannot be had; the text says how to have it."""


@dataclass(frozen=True)
class Program:
    """A program: its Go package, how it says its version, and which versions serve (from, below)."""

    package: str
    version: tuple[str, ...]
    serves: tuple[tuple[int, ...], tuple[int, ...]]
    minutes: str


PROGRAMS = {
    # kubernetes.core below 6.5 does not know Helm 4.
    "helm": Program("helm.sh/helm/v3/cmd/helm", ("version", "--template={{.Version}}"), ((3, 17), (4,)), "two minutes"),
    "etcd": Program("go.etcd.io/etcd/server/v3", ("--version",), ((3, 5), NEWEST), "a minute"),
    "kube-apiserver": Program(
        "k8s.io/kubernetes/cmd/kube-apiserver", ("--version",), ((1, 32), NEWEST), "five minutes"
    ),
}


def version(said: str) -> tuple[int, ...]:
    """The first version in a text.

    >>> version("Kubernetes v1.35.4")
    (1, 35, 4)
    """
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def serves(name: str, path: str) -> bool:
    """Whether a program that was found is new enough, and not too new."""
    program = PROGRAMS[name]
    try:
        done = subprocess.run([path, *program.version], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return program.serves[0] <= version(done.stdout) < program.serves[1]


def cache() -> Path:
    """Where what was built is kept: another folder for other sources, another machine, another way to build."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {FLAGS}".encode())
    for path in (TOOLS / "go.mod", TOOLS / "go.sum"):
        digest.update(path.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "planetary.hub" / "tools" / digest.hexdigest()[:16]


def found(name: str) -> str | None:
    """A program of this machine."""
    places = os.pathsep.join(filter(None, (os.environ.get("KUBEBUILDER_ASSETS"), os.environ.get("PATH"))))
    path = shutil.which(name, path=places)
    return path if path and serves(name, path) else None


def build(name: str, target: Path) -> None:
    """Build one program from its sources, and say meanwhile that it is being built.

    :raises NotThere: without Go, or when it cannot be built
    """
    if shutil.which("go") is None:
        raise NotThere(
            f"there is no {name} and no Go to build it: install Go 1.25 or later, or put helm, etcd and kube-apiserver"
            " into a folder and name it in KUBEBUILDER_ASSETS"
        )
    kubernetes = next(line.split()[1] for line in _lines() if line.split()[:1] == ["k8s.io/kubernetes"])
    major, minor, _patch = version(kubernetes)
    flags = FLAGS.format(version=kubernetes, major=major, minor=minor)
    print(f"Building {name} once; this takes about {PROGRAMS[name].minutes} on two cores.", flush=True)
    begun = told = time.monotonic()
    partial = target.with_suffix(".partial")
    process = subprocess.Popen(
        ["go", "build", "-trimpath", "-ldflags", flags, "-o", str(partial), PROGRAMS[name].package],
        cwd=TOOLS,
        env={**os.environ, "CGO_ENABLED": "0"},
    )
    try:
        while process.poll() is None:
            time.sleep(0.2)
            if time.monotonic() - told >= EVERY:
                told = time.monotonic()
                print(f"building {name} … ({told - begun:.0f} s)", flush=True)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        raise NotThere(f"{name} cannot be built from {TOOLS}/go.mod (go build ended with {process.returncode})")
    partial.rename(target)
    print(f"built {name} in {time.monotonic() - begun:.0f} s", flush=True)


def _lines() -> list[str]:
    return (TOOLS / "go.mod").read_text(encoding="utf-8").splitlines()


def folder() -> Path:
    """A folder with all programs: what this machine has by links, the rest built."""
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    # Two runs side by side build only once.
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        chosen = {name: found(name) for name in PROGRAMS}
        for name, path in chosen.items():
            if path is None and not (place / name).exists():
                build(name, place / name)
        if not any(chosen.values()):
            return place
        own = place / f"with-{hashlib.sha256(repr(sorted(chosen.items())).encode()).hexdigest()[:8]}"
        own.mkdir(exist_ok=True)
        for name, path in chosen.items():
            link = own / name
            if not link.is_symlink():
                link.symlink_to(path or place / name)
        return own


def main() -> int:
    try:
        status, text = "found", str(folder())
    except NotThere as error:
        status, text = "missing", str(error)
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(f"{status}\n{text}", encoding="utf-8")
    print(text)
    return 0 if status == "found" else MISSING


if __name__ == "__main__":
    sys.exit(main())
