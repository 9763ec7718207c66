# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The groups of tests. `nox -l` lists them, `nox -s lint` runs one, `make test` runs all and sums up.

Environments lie in .sandbox/nox, one for each session and Python; what they hold is said in tests/requirements.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import NoReturn

import nox
from nox.command import CommandFailed
from nox.virtualenv import UV

ROOT = Path(__file__).parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
COLLECTION = Path(".collections/ansible_collections/planetary/hub")
# ansible-test gets pip from here, unless its cache holds it already.
GET_PIP_HOST = "ci-files.testing.ansible.com"

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.envdir = f".sandbox/nox/{PYTHON}"
nox.options.reuse_venv = "yes"


def skip(session: nox.Session, why: str) -> NoReturn:
    """Skip here, with the reason; in CI everything runs."""
    if os.environ.get("CI"):
        session.error(f"CI allows no skip: {why}")
    session.skip(why)


def install(session: nox.Session, group: str) -> None:
    """Fill the environment of the session; done in a moment when it is filled already."""
    session.install("-r", f"tests/requirements/{group}.txt")


def pytest(session: nox.Session, *folders: str) -> None:
    """Run the tests in those of the folders that exist."""
    there = [folder for folder in folders if Path(folder).is_dir()]
    if not there:
        skip(session, f"there is no {' or '.join(folders)}")
    session.run("pytest", *there, *session.posargs)


def run_all(session: nox.Session, commands: dict[str, list[str]], env: dict[str, str | None] | None = None) -> None:
    """Run all commands, also after one that failed; then say the names of those that did."""
    failed = []
    for name, command in commands.items():
        try:
            session.run(*command, env=env)
        except CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def build(session: nox.Session, target: Path) -> Path:
    """Build the tarball of the collection and install it, alone, below ``target``; the folder of the collection."""
    shutil.rmtree(target, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(target / "dist"), silent=True)
    (tarball,) = (target / "dist").glob("*.tar.gz")
    session.run(
        *("ansible-galaxy", "collection", "install", str(tarball), "--offline", "--no-deps", "--force"),
        *("--collections-path", str(target)),
        silent=True,
    )
    return target / "ansible_collections" / "planetary" / "hub"


def core_version(session: nox.Session) -> str:
    """The ansible-core of the session's environment, such as 2.19."""
    command = "import ansible.release; print(ansible.release.__version__)"
    version = session.run("python", "-c", command, silent=True)
    return ".".join(str(version).split(".")[:2])


@nox.session
def azure(session: nox.Session) -> None:
    """The Azure side against the stand-in: the stand-in itself, the engine, modules and roles."""
    install(session, "azure")
    pytest(session, "tests/azure")


@nox.session
def az(session: nox.Session) -> None:
    """The az command line, in an environment of its own, against the stand-in."""
    install(session, "azure")
    folder = Path(session.virtualenv.location).resolve() / "az"
    session.run_install(UV, "venv", "--quiet", "--allow-existing", str(folder), external=True)
    session.run_install(
        *(UV, "pip", "install", "--quiet", "--python", str(folder), "-r", "tests/requirements/az.txt"), external=True
    )
    session.env["HUB_TEST_AZ"] = str(folder / "bin" / "az")
    pytest(session, "tests/az")


@nox.session
def kubernetes(session: nox.Session) -> None:
    """What is written to a cluster, and the Helm release, against a real API server; Helm and it are built once."""
    install(session, "azure")
    # KubeSpawner's client, as the hub has it.
    session.install("-r", "roles/daskhub/files/local/requirements/hub.txt")
    session.env["KUBEBUILDER_ASSETS"] = assets = programs(session)
    session.env["PATH"] = os.pathsep.join([assets, session.env.get("PATH") or os.environ["PATH"]])
    pytest(session, "tests/kubernetes")


def programs(session: nox.Session) -> str:
    """The folder of helm, etcd and kube-apiserver; skips where they can neither be found nor built."""
    # Without a pipe: what is built for minutes says so while it is.
    result = Path(session.create_tmp()).resolve() / "programs"
    session.run("python", "tests/tools.py", str(result), success_codes=[0, 3])
    status, text = result.read_text(encoding="utf-8").split("\n", 1)
    if status != "found":
        skip(session, text)
    return text


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """A real cluster, that of KUBECONFIG: clients, releases and roles on it, through the stand-in for Azure."""
    install(session, "e2e")
    pytest(session, "tests/e2e")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, YAML, Ansible (profile production) and changelog fragments."""
    install(session, "lint")
    # Plugins by the name under which they import each other; what a role ships as Python by its own folder.
    folders = [".collections", *map(str, Path().glob("roles/*/files"))]
    python = [str(path) for folder in folders[1:] for path in Path(folder).rglob("*.py")]
    environment: dict[str, str | None] = {
        "ANSIBLE_HOME": str(ROOT / ".sandbox/test/ansible"),
        "MYPYPATH": os.pathsep.join(folders),
        "MYPY_CACHE_DIR": ".sandbox/test/mypy-cache",
    }
    commands = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "noxfile.py", str(COLLECTION / "plugins"), "benchmarks", "sandbox", "tests", *python],
        ["yamllint", "--strict", "."],
        ["ansible-lint", "--offline", "--nocolor"],
        ["antsibull-changelog", "lint"],
    ]
    run_all(session, {" ".join(command[:2]): command for command in commands}, environment)


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test sanity on the built and installed collection."""
    install(session, "core")
    target = Path(session.create_tmp()) / "sanity"
    home = Path(session.virtualenv.location) / "home"
    collection = build(session, target.resolve())
    # Both are left out of the tarball. One list of exceptions serves all versions of ansible-core.
    (collection / "tests" / "sanity").mkdir(parents=True)
    shutil.copy("tests/config.yml", collection / "tests")
    shutil.copy("tests/sanity/ignore.txt", collection / "tests" / "sanity" / f"ignore-{core_version(session)}.txt")
    # ansible-test asks git for the files, and the git of the checkout ignores .sandbox.
    session.run("git", "init", "--quiet", str(collection), external=True)
    prepare_pip(session, home)
    # pyenv's shims promise Pythons that they then refuse to start.
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if not entry.endswith("shims")]
    session.chdir(collection)
    session.run(
        *("ansible-test", "sanity", "--color", "no", "--python", PYTHON, *session.posargs),
        env={"HOME": str(home.resolve()), "PATH": os.pathsep.join([session.bin, *path])},
    )


def prepare_pip(session: nox.Session, home: Path) -> None:
    """Give ansible-test its pip from the package index when the host that it would ask is out of reach."""
    import_path = f"lib/python{PYTHON}/site-packages/ansible_test/_internal/python_requirements.py"
    source = Path(session.virtualenv.location, import_path).read_text(encoding="utf-8")
    match = re.search(r"pip='([\d.]+)'", source)
    if match is None:
        session.error("ansible-test does not say any more which pip it wants: see prepare_pip in noxfile.py")
    version = match[1]
    cache = home / ".ansible" / "test" / "cache"
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    try:
        socket.create_connection((GET_PIP_HOST, 443), timeout=5).close()
    except OSError:
        cache.mkdir(parents=True, exist_ok=True)
        session.install("--target", str(script.with_suffix("")), f"pip=={version}")
        shutil.copy(ROOT / "tests/sanity/get_pip.py", script)


@nox.session
def contracts(session: nox.Session) -> None:
    """What the parts promise each other: specs, defaults, outputs, documentation, inventories."""
    install(session, "contracts")
    pytest(session, "tests/contracts")


@nox.session
def unit(session: nox.Session) -> None:
    """Tables for plugins and for the hub's own Python; golden files."""
    install(session, "unit")
    # The hub's own Python is tested with the versions that it runs with.
    session.install("-r", "roles/daskhub/files/local/requirements/hub.txt")
    pytest(session, "tests/unit", "tests/golden")


@nox.session
def package(session: nox.Session) -> None:
    """The built tarball, installed somewhere else: what ships, and that it works alone."""
    install(session, "contracts")
    target = Path(session.create_tmp()).resolve() / "package"
    build(session, target)
    session.env["HUB_TEST_COLLECTIONS"] = str(target)
    pytest(session, "tests/package")


@nox.session
def integration(session: nox.Session) -> None:
    """What the parts promise on a living hub that the site has built; a user in a real browser."""
    install(session, "integration")
    pytest(session, "tests/integration", "tests/browser")


@nox.session
def molecule(session: nox.Session) -> None:
    """The whole site and each role: create, converge, idempotence, verify, destroy."""
    scenarios = sorted(path.parent.name for path in Path("molecule").glob("*/molecule.yml"))
    if not scenarios:
        skip(session, "there is no scenario in molecule/")
    install(session, "molecule")
    wanted = session.posargs or scenarios
    run_all(session, {name: ["molecule", "test", "--scenario-name", name] for name in wanted})
